"""Text to nested parentheses with line numbers: the part of reading PDDL that knows nothing of planning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NoReturn

from learnact.domains.planning.names import OBJECT, nearest
from learnact.errors import TaskError

MAX_DEPTH = 100
"""Parentheses inside one another. What is read afterwards is recursive, and no real file comes near."""
_LINE_END = re.compile(r"\r\n|\n|\r")
"""What editors count as the end of a line; `str.splitlines` counts form feeds and other characters too."""
_TOKEN = re.compile(r"[()]|\?[^\s()?]+|[^\s()?]+|\?")
"""A variable starts a token of its own, also when it is glued to the one before it."""


class SExpression(list["SExpression | Token"]):
    """A parenthesis: its items and the line it starts on."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class Token(str):
    """A word or a parenthesis, in lower case, and its line."""

    line: int


class SExpressionReader:
    """Reads one text; `where` names it in errors."""

    def __init__(self, where: str) -> None:
        self.where = where

    def fail(self, line: int, message: str) -> NoReturn:
        """Refuse the text, naming it and the line."""
        raise TaskError(f"{self.where}:{line}: {message}")

    def tokens(self, text: str) -> Iterator[Token]:
        """Parentheses and words in lower case. Comments (`;` to the end of the line) are left out."""
        for line, content in enumerate(_LINE_END.split(text.lower()), 1):
            for found in _TOKEN.findall(content.partition(";")[0]):
                token = Token(found)
                token.line = line
                yield token

    def define(self, text: str) -> SExpression:
        """The one `(define ...)` that the text consists of."""
        stack: list[SExpression] = [SExpression(1)]
        last = 1
        for token in self.tokens(text):
            last = token.line
            if token == "(":
                stack.append(SExpression(token.line))
                if len(stack) > MAX_DEPTH:
                    self.fail(token.line, f"more than {MAX_DEPTH} parentheses inside one another")
            elif token == ")":
                if len(stack) == 1:
                    self.fail(token.line, "a `)` closes nothing")
                closed = stack.pop()
                stack[-1].append(closed)
            else:
                stack[-1].append(token)
        if len(stack) > 1:
            self.fail(stack[-1].line, f"this `(` is never closed (the text ends on line {last})")
        top = stack[0]
        if not top:
            self.fail(1, "expected one `(define ...)`, but there is nothing in it")
        for item in top:
            if item is not top[0] or not isinstance(item, SExpression) or item[:1] != ["define"]:
                self.fail(item.line, "expected one `(define ...)` and nothing else")
        first = top[0]
        assert isinstance(first, SExpression)
        return first

    def sections(
        self, form: SExpression, known: Sequence[str], repeatable: Sequence[str] = ()
    ) -> Iterator[tuple[str, SExpression]]:
        """The parts after `define`, each with its head. Refuses heads that are not known or come twice."""
        seen: dict[str, int] = {}
        for part in form[1:]:
            if not isinstance(part, SExpression) or not part or not isinstance(part[0], Token):
                self.fail(part.line, "expected a section like `(:init ...)`")
            head = str(part[0])
            if head not in known:
                self.fail(part.line, f"`{head}` is not supported{nearest(head, known)}")
            if head in seen and head not in repeatable:
                self.fail(part.line, f"a second `{head}`; the first is on line {seen[head]}")
            seen[head] = part.line
            yield head, part

    def single_name(self, part: SExpression) -> str:
        """The name in a part like `(domain NAME)`."""
        if len(part) != 2 or not isinstance(part[1], Token):
            self.fail(part.line, f"expected `({part[0]} NAME)`")
        return str(part[1])

    def typed_names(self, parts: Iterable[SExpression | Token]) -> list[tuple[Token, str]]:
        """A list like `a b - type c`: each name with its type."""
        pairs: list[tuple[Token, str]] = []
        waiting: list[Token] = []
        items = iter(parts)
        for item in items:
            if isinstance(item, SExpression):
                self.fail(item.line, "expected a name here, not a parenthesis")
            if item != "-":
                waiting.append(item)
                continue
            kind = next(items, None)
            if not isinstance(kind, Token) or kind == "-" or not waiting:
                line = kind.line if isinstance(kind, SExpression) else item.line
                self.fail(line, "expected `names - type` (`either` is not supported)")
            pairs += [(name, str(kind)) for name in waiting]
            waiting = []
        return pairs + [(name, OBJECT) for name in waiting]

    def non_empty(self, item: SExpression | Token) -> SExpression:
        """The item, which must be a parenthesis with something in it."""
        if not isinstance(item, SExpression) or not item:
            self.fail(item.line, f"expected a parenthesis with something in it, not `{_shown(item)}`")
        return item


def _shown(item: SExpression | Token) -> str:
    return "()" if isinstance(item, SExpression) else str(item)[:40]
