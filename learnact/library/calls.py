"""Calls as text: `pick('ball1', 'rooma', hand='left')` to name and arguments, and back.

Only literals are arguments (numbers, strings, lists, tuples, dictionaries, True, False, None); a bare name
stands for its own text, since chat models often leave the quotes out. Nothing is evaluated."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from learnact.errors import LearnactError
from learnact.records import Plain

MAX_CALL_CHARS = 4000
"""A call longer than this is not read: no sensible action is, and the parser's time stays bounded."""
MAX_DEPTH = 8
MAX_BRACKETS = 200
"""Opening brackets of a reply that are looked at, so that a reply of brackets costs no time."""


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


def parse_call(text: str) -> CallExpression:
    """Read one call, also in the form `x = f(...)` or `await f(...)`.

    Raises:
        Unreadable: the text is no single call, or an argument is not plain.
    """
    text = text.strip().rstrip(";")
    if len(text) > MAX_CALL_CHARS:
        raise UnreadableCall(f"longer than {MAX_CALL_CHARS} characters")
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
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
    """Every complete call in a text with its offset, outermost first, in order of appearance."""
    at = looked = 0
    while looked < MAX_BRACKETS and (opening := text.find("(", at)) >= 0:
        looked += 1
        start = opening
        while start > at and text[start - 1] == " ":
            start -= 1
        end_of_name = start
        while start > at and (text[start - 1].isalnum() or text[start - 1] == "_"):
            start -= 1
        at = opening + 1
        if start == end_of_name or not text[start:end_of_name].isidentifier():
            continue
        closing = _closing(text, opening)
        if closing is None:
            continue
        try:
            call = parse_call(text[start : closing + 1])
        except UnreadableCall:
            continue
        yield start, call
        at = closing + 1


def _closing(text: str, opening: int) -> int | None:
    """Index of the bracket that closes the one at `opening`, strings skipped; None when there is none
    nearby."""
    depth, quote, at = 0, "", opening
    limit = min(len(text), opening + MAX_CALL_CHARS)
    while at < limit:
        char = text[at]
        if quote:
            if char == "\\":
                at += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return None


def _plain(node: ast.expr, depth: int) -> Plain:
    if depth > MAX_DEPTH:
        raise UnreadableCall("arguments are nested too deeply")
    match node:
        case ast.Constant(value=value) if value is None or isinstance(value, str | bool | int | float):
            return value
        case ast.Name(id=name):
            return name
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_plain(item, depth + 1) for item in items]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Dict(keys=keys, values=values):
            return {_key(k): _plain(v, depth + 1) for k, v in zip(keys, values, strict=True)}
    raise UnreadableCall("an argument is not a plain value")


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise UnreadableCall("keys of a dictionary must be strings")
