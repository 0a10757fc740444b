"""Text to nested parentheses with line numbers: the part of reading PDDL that knows nothing of planning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NoReturn

from learnact.domains.planning.names import OBJECT
from learnact.errors import TaskError, suggestion

_TOKEN = re.compile(r"[()]|\?[^\s()?]+|[^\s()?]+|\?")
"""A variable starts a word of its own, also when it is glued to the one before it."""


class Form(list["Form | Word"]):
    """A parenthesis: its items and the line it starts on."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class Word(str):
    """A word and its line."""

    line: int


class FormReader:
    """Reads one text; `where` names it in errors."""

    def __init__(self, where: str) -> None:
        self.where = where

    def fail(self, line: int, message: str) -> NoReturn:
        """Refuse the text, naming it and the line."""
        raise TaskError(f"{self.where}:{line}: {message}")

    def words(self, text: str) -> Iterator[Word]:
        """Parentheses and words in lower case; remarks (`;` to the end of the line) are passed over."""
        for line, content in enumerate(text.lower().splitlines(), 1):
            for token in _TOKEN.findall(content.partition(";")[0]):
                word = Word(token)
                word.line = line
                yield word

    def form(self, text: str) -> Form:
        """The one parenthesis that the text consists of."""
        stack: list[Form] = [Form(1)]
        last = 1
        for word in self.words(text):
            last = word.line
            if word == "(":
                stack.append(Form(word.line))
            elif word == ")":
                if len(stack) == 1:
                    self.fail(word.line, "a `)` closes nothing")
                closed = stack.pop()
                stack[-1].append(closed)
            else:
                stack[-1].append(word)
        if len(stack) > 1:
            self.fail(stack[-1].line, f"this `(` is never closed (the text ends on line {last})")
        top = stack[0]
        if len(top) != 1 or not isinstance(top[0], Form) or not top[0] or top[0][0] != "define":
            self.fail(1, "expected one `(define ...)`")
        return top[0]

    def sections(self, form: Form, known: Sequence[str]) -> Iterator[tuple[str, Form]]:
        """The parts behind `define`, each with its head; heads that are not known are refused."""
        for part in form[1:]:
            if not isinstance(part, Form) or not part or not isinstance(part[0], Word):
                self.fail(part.line, "expected a section like `(:init ...)`")
            head = str(part[0])
            if head not in known:
                self.fail(part.line, f"`{head}` is not supported; {suggestion(head, known)}")
            yield head, part

    def name(self, part: Form) -> str:
        """The name in a part like `(domain NAME)`."""
        if len(part) != 2 or not isinstance(part[1], Word):
            self.fail(part.line, f"expected `({part[0]} NAME)`")
        return str(part[1])

    def typed(self, parts: Iterable[Form | Word]) -> list[tuple[Word, str]]:
        """A list like `a b - kind c`: each name with its type."""
        pairs: list[tuple[Word, str]] = []
        waiting: list[Word] = []
        items = iter(parts)
        for item in items:
            if isinstance(item, Form):
                self.fail(item.line, "expected a name here, not a parenthesis")
            if item != "-":
                waiting.append(item)
                continue
            kind = next(items, None)
            if not isinstance(kind, Word) or not waiting:
                self.fail(item.line, "expected `names - type` (`either` is not supported)")
            pairs += [(word, str(kind)) for word in waiting]
            waiting = []
        return pairs + [(word, OBJECT) for word in waiting]

    def plain(self, item: Form | Word) -> Form:
        """The item, which must be a parenthesis with something in it."""
        if not isinstance(item, Form) or not item:
            self.fail(item.line, "expected a parenthesis with something in it")
        return item
