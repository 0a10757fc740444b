"""JSON in a model's reply, read as far as it goes.

A reply may stand in one code fence. What is read leniently here is judged by the rules named `json`: without
them a reply that is cut, or has other text beside its JSON, would still be used as far as it can be read.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

MOST_CHARS = 256 << 10
"""Characters of a reply that are looked at."""
_FENCE = re.compile(r"\A\s*```(?:json)?[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True)
class ReadReply:
    """What was read, and why the reply is not JSON as a whole ("" where it is)."""

    value: Any
    problem: str = ""


class _TwiceError(ValueError):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceError(f"the key {key[:80]!r} stands twice in one object")
        found[key] = value
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
_LENIENT = json.JSONDecoder()
_ERRORS = (ValueError, RecursionError)


def read_object(text: str) -> ReadReply:
    """The object that a reply is; else the first that can be read in it, with the problem."""
    body = _body(text)
    strict = _strictly(body, dict, "object")
    if not strict.problem:
        return strict
    start = body.find("{")
    try:
        found, _ = _LENIENT.raw_decode(body, max(start, 0))
    except _ERRORS:
        found = {}
    return ReadReply(found if isinstance(found, dict) else {}, strict.problem)


def read_list(text: str) -> ReadReply:
    """The list that a reply is; else the items that can be read from its beginning, with the problem."""
    body = _body(text)
    strict = _strictly(body, list, "list")
    return ReadReply(_items(body), strict.problem) if strict.problem else strict


def _strictly(body: str, kind: type[dict[str, Any]] | type[list[Any]], name: str) -> ReadReply:
    """The body as a whole, which must be of the kind; else the problem."""
    try:
        found = _STRICT.decode(body)
    except _ERRORS as error:
        return ReadReply(None, _words(error))
    return ReadReply(found) if isinstance(found, kind) else ReadReply(None, f"it is no JSON {name}")


def _items(body: str) -> list[Any]:
    """The whole items of a list that is cut or has text around it."""
    at = body.find("[") + 1
    found: list[Any] = []
    while at:
        at = _end_of_space(body, at)
        try:
            item, at = _LENIENT.raw_decode(body, at)
        except _ERRORS:
            break
        found.append(item)
        at = _end_of_space(body, at)
        if body[at : at + 1] != ",":
            break
        at += 1
    return found


def _end_of_space(body: str, at: int) -> int:
    match = _SPACE.match(body, at)
    return match.end() if match else at


def _body(text: str) -> str:
    text = text[:MOST_CHARS]
    fenced = _FENCE.match(text)
    return fenced[1] if fenced else text.strip()


def _words(error: BaseException) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON: {error.msg}, line {error.lineno} column {error.colno}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
