"""A task's content: a question, its answer, and the articles that can be read."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from learnact.errors import TaskError
from learnact.records import canonical

_FORM = ConfigDict(extra="forbid", frozen=True)


class Article(BaseModel):
    """An article of the encyclopaedia: its title and its sentences."""

    model_config = _FORM
    title: str = Field(min_length=1)
    sentences: tuple[str, ...]


class QuestionContent(BaseModel):
    """All that opening a task needs. `supporting`: titles of the articles that the answer follows from."""

    model_config = _FORM
    question: str
    answer: str = Field(min_length=1)
    supporting: tuple[str, ...]
    articles: tuple[Article, ...] = Field(min_length=1, max_length=1000)

    def pack(self) -> str:
        """As a task's content."""
        return canonical(self.model_dump(mode="json"))


def unpack(content: str, where: str) -> QuestionContent:
    """The question of a content. Raises `TaskError` naming `where`."""
    try:
        return QuestionContent.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise TaskError(f"{where}: not the content of a question: {place}: {first['msg']}") from None


def of_published(entry: Any, where: str) -> tuple[str, QuestionContent]:
    """One entry of the published distractor file, and its identifier. Raises `TaskError`."""
    try:
        articles = [Article(title=title, sentences=tuple(said)) for title, said in entry["context"]]
        supporting = tuple(dict.fromkeys(title for title, _ in entry["supporting_facts"]))
        content = QuestionContent(
            question=entry["question"],
            answer=entry["answer"],
            supporting=supporting,
            articles=tuple(articles),
        )
        return str(entry["_id"]), content
    except (KeyError, TypeError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise TaskError(
            f"{where}: not an entry of hotpot_*_distractor_v1.json: {type(error).__name__}: {first}"
        ) from None
