"""Calls as text: `pick('ball1', 'rooma', hand='left')` to name and arguments, and back.

Only literals are arguments (numbers, strings, lists, tuples, dictionaries, True, False, None). A bare name
stands for its own text, because chat models often omit the quotes. Characters that only look like Python's
(curly quotes, full-width brackets, no-break spaces, escaped underscores) are read as Python's. Nothing is
evaluated."""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from learnact.errors import LearnactError
from learnact.library.check import READING_ERRORS
from learnact.records import Plain
from learnact.sandbox.protocol import INT_BITS

MAX_CALL_CHARS = 4000
"""A longer call is not read: no sensible action is that long, and the parser's time stays bounded."""
MAX_DEPTH = 8
MAX_BRACES = 100
"""The parser takes long for f-strings of many fields; no plain argument needs as many."""
MAX_SCANNED_CHARS = 200_000
"""Characters that `located_calls` looks at behind opening brackets in one text: a bound on time."""
MAX_PARSED = 2000
"""Calls that `located_calls` tries to parse in one text."""

_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_INVISIBLE = (
    "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff"
)
_PLAIN_TEXT = {**dict.fromkeys(map(ord, _SPACES), " "), **dict.fromkeys(map(ord, _INVISIBLE))}
_ESCAPED = re.compile(r"(?<!\\)\\([_()\[\]])")
_FULL_WIDTH = {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)}
_OPENING = {"(": "(", "[": "[", "{": "{", "\uff08": "(", "\uff3b": "[", "\u3010": "[", "\uff5b": "{"}
_CLOSING = {")": ")", "]": "]", "}": "}", "\uff09": ")", "\uff3d": "]", "\u3011": "]", "\uff5d": "}"}
_MARKS = {**_FULL_WIDTH, "\u3001": ",", "\u2212": "-"}
_SINGLE = "'\u2018\u2019\u201a\u201b\u2032\uff07"
_DOUBLE = '"\u201c\u201d\u201e\u201f\u2033\uff02\u00ab\u00bb'
_BRACKET = re.compile("[(\uff08]")


class UnreadableCall(LearnactError, ValueError):
    """Text that is not one call with plain arguments. The message says why."""


@dataclass(frozen=True)
class CallExpression:
    """A call with plain arguments."""

    name: str
    args: tuple[Plain, ...] = ()
    kwargs: Mapping[str, Plain] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Canonical Python text: one form for equal calls."""
        parts = [repr(a) for a in self.args] + [f"{k}={v!r}" for k, v in self.kwargs.items()]
        return f"{self.name}({', '.join(parts)})"


def plain_text(text: str) -> str:
    """Text with ordinary spaces, without invisible characters and without Markdown's escapes
    (`jack\\_up`)."""
    if text.isascii():
        return _ESCAPED.sub(r"\1", text) if "\\" in text else text
    return _ESCAPED.sub(r"\1", text.translate(_PLAIN_TEXT))


def parse_call(text: str) -> CallExpression:
    """Read one call, also in the form `x = f(...)` or `await f(...)`.

    Raises:
        UnreadableCall: the text is not a single call, or an argument is not plain.
    """
    text = plain_text(text).strip().rstrip(";")
    if len(text) > MAX_CALL_CHARS:
        raise UnreadableCall(f"longer than {MAX_CALL_CHARS} characters")
    try:
        return _parsed(text)
    except UnreadableCall:
        bracket = _BRACKET.search(text)
        ascii_call = _in_ascii(text, bracket.start())[0] if bracket else ""
        if not bracket or not ascii_call or text[: bracket.start()] + ascii_call == text:
            raise
        return _parsed(text[: bracket.start()] + ascii_call)


def _parsed(text: str) -> CallExpression:
    if text.count("{") > MAX_BRACES:
        raise UnreadableCall(f"more than {MAX_BRACES} braces")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(text)
    except READING_ERRORS as error:
        raise UnreadableCall(f"not a Python call: {error}") from None
    if len(module.body) != 1:
        raise UnreadableCall("not exactly one call")
    statement = module.body[0]
    value = statement.value if isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign) else None
    if isinstance(value, ast.Await):
        value = value.value
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Name):
        raise UnreadableCall("not a call of a named function")
    if any(isinstance(a, ast.Starred) for a in value.args) or any(k.arg is None for k in value.keywords):
        raise UnreadableCall("arguments must be written out (no * or **)")
    return CallExpression(
        value.func.id,
        tuple(_plain(a, 0) for a in value.args),
        {k.arg: _plain(k.value, 0) for k in value.keywords if k.arg},
    )


def find_calls(text: str) -> Iterator[tuple[int, CallExpression]]:
    """As `located_calls`, with the offset of the start alone."""
    return ((start, call) for start, _, call in located_calls(text))


def located_calls(text: str) -> Iterator[tuple[int, int, CallExpression]]:
    """Every complete call in a text with the offsets of its start and end, outermost first, in order of
    appearance.

    Time is linear in the length of the text. `text` is read as it is; see `plain_text`.
    """
    at = scanned = parsed = 0
    while scanned < MAX_SCANNED_CHARS and parsed < MAX_PARSED and (found := _BRACKET.search(text, at)):
        opening = found.start()
        start = _start_of_name(text, at, opening)
        at = opening + 1
        if start is None:
            continue
        name = text[start:opening].strip(" `*")
        for read in (_arguments, _in_ascii):
            arguments, end = read(text, opening)
            scanned += end - opening
            if not arguments:
                continue
            parsed += 1
            try:
                call = _parsed(name + arguments)
            except UnreadableCall:
                continue
            yield start, end, call
            at = end
            break


def _start_of_name(text: str, least: int, opening: int) -> int | None:
    """Where the name before an opening bracket begins; None where there is none. Blanks and Markdown's marks
    may stand between the two."""
    end = opening
    while end > least and text[end - 1] in " `*":
        end -= 1
    start = end
    while start > least and (text[start - 1].isalnum() or text[start - 1] in "_＿"):
        start -= 1
    return start if text[start:end].isidentifier() else None


def _arguments(text: str, opening: int) -> tuple[str, int]:
    """The text from a bracket to the one that closes it, strings skipped, "" when there is none nearby; and
    where the search ended."""
    depth, quote, at = 0, "", opening
    limit = min(len(text), opening + MAX_CALL_CHARS)
    while at < limit:
        char = text[at]
        if quote:
            if char == "\\":
                at += 1
            elif char == quote:
                quote = ""
            elif char == "\n":
                break
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
            if depth > MAX_DEPTH + 2:
                break
        elif char in ")]}":
            depth -= 1
            if depth == 0:
                return text[opening : at + 1], at + 1
        at += 1
    return "", at


def _in_ascii(text: str, opening: int) -> tuple[str, int]:
    """As `_arguments`, with look-alike quotes, brackets and marks in Python's form. A quote ends a string
    only where an argument can end."""
    depth, quote, at = 0, "", opening
    limit = min(len(text), opening + MAX_CALL_CHARS)
    out: list[str] = []
    while at < limit:
        char = text[at]
        if quote:
            if char == "\n":
                break
            if char == "\\":
                out.append(text[at : at + 2])
                at += 2
                continue
            if char in (_SINGLE if quote == "'" else _DOUBLE) and _ends_argument(text, at + 1):
                out.append(quote)
                quote = ""
            else:
                out.append("\\" + char if char == quote else char)
        elif char in _SINGLE or char in _DOUBLE:
            quote = "'" if char in _SINGLE else '"'
            out.append(quote)
        elif char in _OPENING:
            out.append(_OPENING[char])
            depth += 1
            if depth > MAX_DEPTH + 2:
                break
        elif char in _CLOSING:
            out.append(_CLOSING[char])
            depth -= 1
            if depth == 0:
                return "".join(out), at + 1
        else:
            out.append(_MARKS.get(char, char))
        at += 1
    return "", at


def _ends_argument(text: str, at: int) -> bool:
    while at < len(text) and text[at] in " \t":
        at += 1
    return at == len(text) or text[at] in _CLOSING or _MARKS.get(text[at], text[at]) in ",:"


def _plain(node: ast.expr, depth: int) -> Plain:
    if depth > MAX_DEPTH:
        raise UnreadableCall("arguments are nested too deeply")
    match node:
        case ast.Constant(value=value) if value is None or isinstance(value, str | bool | int | float):
            return _bounded(value)
        case ast.Name(id=name):
            return name
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_plain(item, depth + 1) for item in items]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            _bounded(number)
            return -number
        case ast.Dict(keys=keys, values=values):
            return {_key(k): _plain(v, depth + 1) for k, v in zip(keys, values, strict=True)}
    raise UnreadableCall("an argument is not a plain value")


def _bounded(value: str | bool | int | float | None) -> str | bool | int | float | None:
    """The same value, if it can be written down again, sent and stored."""
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise UnreadableCall("an argument is text that is not Unicode") from None
    elif isinstance(value, int) and value.bit_length() > INT_BITS:
        raise UnreadableCall(f"an argument is a number of more than {INT_BITS} bits")
    elif isinstance(value, float) and not math.isfinite(value):
        raise UnreadableCall("an argument is a number that is not finite")
    return value


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        _bounded(node.value)
        return node.value
    raise UnreadableCall("keys of a dictionary must be strings")
