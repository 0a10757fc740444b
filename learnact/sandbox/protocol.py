"""Protocol between the host and a confined process: length-prefixed JSON, one outstanding request.

Covers frames, the check that a value is plain and of bounded size (`find_problem`), and the conversion of
learned code's values to plain ones (`flatten`). Both sides use this module, but the host checks everything
itself. It imports only the standard library, because the confined process loads it.

    host -> confined process                                 confined process -> host
                                                             ["ready"] or ["unconfined", reason]
    ["call", source | null, primitives, code, seed]          ["do", name, arguments, keywords, place, printed]
    ["value", value] or ["stop"]                             ["end", value, error | null, printed]

An error is [type, message, place], a place [file, function, line]. The library (`source`) is sent with the
first call of a process.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

HEADER = struct.Struct("!I")
RECORD = struct.Struct("!BxxxIii")
"""A message between the host and the fork server: operation, session, process id, status."""

FORK, KILL, FORKED, EXITED = 1, 2, 3, 4

ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]{8,16}\b")

INT_BITS = 1024
"""Integers of more bits are not plain data, because their decimal text is long."""


class MessageLimits(NamedTuple):
    """Bounds of one value: nested containers, values in it, characters of all its texts including keys."""

    depth: int = 16
    items: int = 4096
    characters: int = 64 << 10


class ProtocolError(ValueError):
    """A message or a value that is not allowed. The text says why."""


def pack(message: Any, limit: int) -> bytes:
    """A frame of plain data. Raises `ProtocolError` when it is longer than `limit` bytes."""
    body = _ENCODER.encode(message).encode("ascii")
    if len(body) > limit:
        raise ProtocolError(f"a message of {len(body)} bytes; the bound is {limit}")
    return HEADER.pack(len(body)) + body


def unpack(body: bytes | bytearray) -> Any:
    """The message in a frame's body. Raises `ProtocolError` for anything but JSON with finite numbers."""
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not a message: {type(error).__name__}") from None


def _no_constant(name: str) -> Any:
    raise ProtocolError(f"{name} is not plain data")


_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False)
_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def find_problem(value: Any, limits: MessageLimits) -> str | None:
    """Why a value is not plain data within the limits; None when it is. It does not recurse."""
    stack: list[tuple[Any, int]] = [(value, 0)]
    items = characters = 0
    while stack:
        item, depth = stack.pop()
        items += 1
        if items > limits.items:
            return f"more than {limits.items} values"
        kind = type(item)
        if kind is str:
            characters += len(item)
            if characters > limits.characters:
                return f"more than {limits.characters} characters"
            if not item.isascii() and not _encodes(item):
                return "text that is not Unicode"
        elif kind is int:
            if item.bit_length() > INT_BITS:
                return f"an integer of more than {INT_BITS} bits"
        elif kind is float:
            if not math.isfinite(item):
                return "a number that is not finite"
        elif kind is list or kind is dict:
            if depth >= limits.depth:
                return f"nested deeper than {limits.depth}"
            if len(item) > limits.items:
                return f"more than {limits.items} values"
            if kind is dict:
                if not all(type(key) is str and (key.isascii() or _encodes(key)) for key in item):
                    return "a key that is not text"
                characters += sum(map(len, item))
                if characters > limits.characters:
                    return f"more than {limits.characters} characters"
                stack.extend((part, depth + 1) for part in item.values())
            else:
                stack.extend((part, depth + 1) for part in item)
        elif item is not None and kind is not bool:
            return f"a value of type {kind.__name__}"
    return None


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def flatten(value: Any, limits: MessageLimits, lenient: bool) -> Any:
    """Convert a value to plain data: tuples and sets become lists, keys text, subclasses their base.

    Runs in the confined process. With `lenient` (for results) an object becomes `<ClassName>`; without it
    (for arguments) an object is a `TypeError`. Raises `ProtocolError` for what is too large, too deep or
    cyclic."""
    return _flatten(value, limits.depth, [limits.items, limits.characters], lenient)


def _flatten(value: Any, depth: int, budget: list[int], lenient: bool) -> Any:
    budget[0] -= 1
    if budget[0] < 0:
        raise ProtocolError("too many values")
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return _text(value, budget)
    if isinstance(value, int):
        number = int.__int__(value)
        if number.bit_length() > INT_BITS:
            raise ProtocolError(f"an integer of more than {INT_BITS} bits")
        return number
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ProtocolError("a number that is not finite")
        return float.__float__(value)
    if not isinstance(value, list | tuple | dict | set | frozenset):
        if lenient:
            return f"<{unicode(type(value).__name__[:100])}>"
        raise TypeError(f"a primitive action takes plain values, not {type(value).__name__[:100]}")
    if depth <= 0:
        raise ProtocolError("nested too deeply, or holds itself")
    if len(value) > budget[0]:
        raise ProtocolError("too many values")
    if isinstance(value, dict):
        return {_key(k, budget): _flatten(v, depth - 1, budget, lenient) for k, v in list(dict.items(value))}
    parts = [_flatten(part, depth - 1, budget, lenient) for part in value]
    return sorted(parts, key=_order) if isinstance(value, set | frozenset) else parts


def _order(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _text(value: str, budget: list[int]) -> str:
    text = str.__str__(value)
    budget[1] -= len(text)
    if budget[1] < 0:
        raise ProtocolError("too long")
    return unicode(text)


def _key(key: Any, budget: list[int]) -> str:
    if isinstance(key, str):
        return _text(key, budget)
    if key is None or isinstance(key, bool | int | float):
        return json.dumps(key)
    raise ProtocolError("a key that is not text")


def clean(text: Any, limit: int) -> str:
    """Text without control characters except tab and newline, at most `limit` characters.

    Addresses of objects become zero, because they differ between processes: the same call gives the same
    text."""
    if not isinstance(text, str):
        return ""
    kept = (ADDRESS.sub(" at 0x0", text) if " at 0x" in text else text)[:limit]
    if kept.isprintable():
        return kept
    return "".join(c if c >= " " or c in "\n\t" else "\ufffd" for c in unicode(kept))


def unicode(text: str) -> str:
    """The same text with a question mark for each lone surrogate."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def limits_from(config: Mapping[str, Any]) -> MessageLimits:
    """The limits in the configuration that the host sends to the fork server."""
    return MessageLimits(*config["limits"])
