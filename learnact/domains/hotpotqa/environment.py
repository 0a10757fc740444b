"""A question being answered: articles are searched, read sentence by sentence, and an answer is given.

As in ReAct's interface to Wikipedia, but over the articles of the task: nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from learnact.domains.base import Primitive
from learnact.domains.family_environment import FamilyEnvironment, PrimitiveAnswer
from learnact.domains.hotpotqa.content import Article, QuestionContent
from learnact.domains.hotpotqa.scoring import exact_match, f1
from learnact.records import Plain

SIMILAR = 5
"""Titles that an unsuccessful search names."""
WRONG = "The question has been answered, and the answer was wrong."
_WORD = re.compile(r"\w+")


class QuestionEnvironment(FamilyEnvironment):
    """`learnact.domains.base.Environment` of one question."""

    def __init__(self, content: QuestionContent, primitives: Sequence[Primitive]) -> None:
        super().__init__(primitives)
        self._content = content
        self._articles = {_key(article.title): article for article in content.articles}
        self._open: Article | None = None
        self._found: list[str] = []
        self._word = ""
        self._place = 0
        self.goal = f"Answer the question: {content.question}"
        self.first_observation = f"There are {len(content.articles)} articles. None is open."

    def answer(self, name: str, values: tuple[Plain, ...]) -> PrimitiveAnswer:
        """What search, lookup and finish answer."""
        said = " ".join(str(values[0]).split())
        if not said:
            return PrimitiveAnswer("The text is empty.", valid=False)
        match name:
            case "search":
                return self._search(said)
            case "lookup":
                return self._lookup(said)
            case _:
                return self._finish(said)

    def _search(self, title: str) -> PrimitiveAnswer:
        article = self._articles.get(_key(title))
        if article is None:
            similar = ", ".join(repr(t) for t in self._similar(title))
            rest = f" Similar: {similar}." if similar else " No title is similar."
            return PrimitiveAnswer(f"There is no article {title[:80]!r}.{rest}", valid=False)
        self._open, self._word = article, ""
        return PrimitiveAnswer("".join(_spaced(article.sentences)))

    def _lookup(self, word: str) -> PrimitiveAnswer:
        if self._open is None:
            return PrimitiveAnswer("No article is open; search for one first.", valid=False)
        if word.lower() != self._word:
            self._word, self._place = word.lower(), 0
            self._found = [s.strip() for s in self._open.sentences if self._word in s.lower()]
        if self._place >= len(self._found):
            more = "more " if self._found else ""
            return PrimitiveAnswer(
                f"The article {self._open.title!r} has no {more}sentence with {word[:80]!r}.", valid=False
            )
        self._place += 1
        return PrimitiveAnswer(f"({self._place} of {len(self._found)}) {self._found[self._place - 1]}")

    def _finish(self, said: str) -> PrimitiveAnswer:
        """The answer ends the question. Success is an exact match, progress the F1."""
        if exact_match(said, self._content.answer):
            return PrimitiveAnswer("Right.", progress=1.0, success=True)
        return PrimitiveAnswer("Wrong.", progress=f1(said, self._content.answer), failed=WRONG)

    def _similar(self, title: str) -> list[str]:
        """Titles that share words with the text, those that share most first."""
        words = set(_WORD.findall(title.lower()))
        shared = {a.title: len(words & set(_WORD.findall(a.title.lower()))) for a in self._content.articles}
        found = sorted((t for t, count in shared.items() if count), key=lambda t: (-shared[t], t))
        return found[:SIMILAR] or sorted(shared)[:SIMILAR]


def _key(title: str) -> str:
    return " ".join(title.lower().split())


def _spaced(sentences: Sequence[str]) -> list[str]:
    """Sentences as one text; published ones bring their blank, generated ones get it."""
    return [s if n == 0 or s.startswith(" ") else f" {s}" for n, s in enumerate(sentences)]
