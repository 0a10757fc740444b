"""The domain hotpotqa: options, tasks (generated, or of the published distractor file), words."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from learnact.domains.base import Environment, PlannedCall, Profile
from learnact.domains.family import DomainEntry, FamilyDomain, LevelledOptions, Split
from learnact.domains.family_text import read_family_text
from learnact.domains.hotpotqa.content import QuestionContent, of_published, unpack
from learnact.domains.hotpotqa.environment import QuestionEnvironment
from learnact.domains.hotpotqa.tasks import generated
from learnact.domains.text_file import read_text
from learnact.errors import TaskError
from learnact.records import Plain, Task

MOST_BYTES = 1 << 30
"""Bytes of a published file; hotpot_train_v1.1.json has 566 MB."""


class HotpotqaOptions(LevelledOptions):
    """Options of hotpotqa."""

    source: str = "generated"
    """`generated` (an invented encyclopaedia), or the path of the published distractor file
    (hotpot_dev_distractor_v1.json): its first questions train, those after them test."""


class HotpotqaDomain(FamilyDomain[HotpotqaOptions]):
    """`learnact.domains.base.Domain` of questions over articles."""

    PROFILE = Profile(history=50, call_observation="all", failure_context="history", explores=True)

    def __init__(self, name: str, options: HotpotqaOptions) -> None:
        super().__init__(name, options, read_family_text(__package__ or ""))

    def open(self, task: Task) -> Environment:
        """A question with nothing read. Raises `TaskError` for content that it cannot read."""
        return QuestionEnvironment(unpack(task.content, task.name), self.primitives)

    def tasks(self, split: Split) -> Sequence[Task]:
        """Generated questions, or those of the published file."""
        if self.options.source == "generated":
            return super().tasks(split)
        train = self.options.train
        return self._published[:train] if split == "train" else self._published[train:]

    def draw(self, rng: random.Random, split: Split, number: int) -> Task:
        """A question of the level."""
        content = generated(rng, self.options.level)
        labels: dict[str, Plain] = {"level": self.options.level}
        return self._task(self.task_name(split, number), content, labels)

    def reference_plan(self, task: Task) -> tuple[PlannedCall, ...]:
        """The supporting articles, one after the other, then the answer."""
        content = unpack(task.content, task.name)
        searches = (PlannedCall("search", (title,)) for title in content.supporting)
        return (*searches, PlannedCall("finish", (content.answer,)))

    def _task(self, name: str, content: QuestionContent, labels: dict[str, Plain]) -> Task:
        known: dict[str, Plain] = {"articles": len(content.articles), **labels}
        return Task(self.name, name, content.pack(), len(content.supporting) + 1, known)

    @cached_property
    def _published(self) -> tuple[Task, ...]:
        path = self.options.source
        try:
            entries = json.loads(read_text(Path(path).expanduser(), path, MOST_BYTES))
        except ValueError as error:
            raise TaskError(f"{path}: not JSON: {error}") from None
        wanted = self.options.train + self.options.test
        if not isinstance(entries, list) or len(entries) <= self.options.train:
            raise TaskError(f"{path}: must hold a list of more than {self.options.train} questions")
        found = (of_published(entry, f"{path}: entry {n}") for n, entry in enumerate(entries[:wanted]))
        return tuple(self._task(name, content, {"index": n}) for n, (name, content) in enumerate(found))


HOTPOTQA = DomainEntry("hotpotqa", HotpotqaOptions, HotpotqaDomain)
