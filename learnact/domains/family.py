"""A family of environments: domains that share an engine, words and options (docs/environments.md).

`DomainEntry` is what an entry point names; `FamilyDomain` is `learnact.domains.base.Domain` but for how a
task is drawn, opened and solved.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from learnact.domains.base import Domain, Environment, PlannedCall, Profile
from learnact.domains.extra_packages import ExtraPackages
from learnact.domains.family_environment import NOTHING
from learnact.domains.family_text import FamilyText
from learnact.domains.levels import Level
from learnact.domains.option_errors import option_fault
from learnact.errors import JobError, TaskError
from learnact.records import Plain, Task, digest, seed_from

_MOST_TRIES = 400

Split = Literal["train", "test"]


class FamilyOptions(BaseModel):
    """Options that all families share."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    """Seed of generated tasks."""
    train: int = Field(default=3, ge=1, le=1000)
    """How many training tasks."""
    test: int = Field(default=20, ge=0, le=100_000)
    """How many test tasks."""


class LevelledOptions(FamilyOptions):
    """Options of a family whose tasks have levels of difficulty."""

    level: Level = "published"
    """Difficulty of generated tasks: `easy`, `published`, `hard`, `harder`."""


Options = TypeVar("Options", bound=FamilyOptions)


@dataclass(frozen=True)
class DomainEntry(Generic[Options]):
    """One domain of a family without its options: the callable that an entry point of `learnact.domains`
    names. `build` makes the domain of a name and its options; `packages` are what the family's extra brings
    (None: nothing is needed). `plans`: whether it knows how its tasks are solved."""

    name: str
    options_model: type[Options]
    build: Callable[[str, Options], Domain]
    packages: ExtraPackages | None = None
    plans: bool = True

    def __call__(self, options: dict[str, Any]) -> Domain:
        """The domain. Raises `MissingExtra` without its extra, `JobError` for options that it does not
        have."""
        if self.packages is not None:
            self.packages.require(f"the domain {self.name}")
        try:
            checked = self.options_model.model_validate(options)
        except ValidationError as error:
            fault = option_fault(error, self.options_model)
            raise JobError(f"domain {self.name}: {fault}") from None
        return self.build(self.name, checked)


class FamilyDomain(ABC, Generic[Options]):
    """`learnact.domains.base.Domain` for a family; also its `ReferencePlans` and `PlayableExample`.

    A subclass says how a task is drawn (`draw`), opened (`open`) and solved (`reference_plan`). Where tasks
    are read from data rather than drawn, override `tasks`.
    """

    TEXT_VERSION: ClassVar[int] = 1
    """Goes up whenever a change of the code could change an observation, a goal or a task."""
    PROFILE: ClassVar[Profile] = Profile()

    def __init__(
        self, name: str, options: Options, text: FamilyText, packages: ExtraPackages | None = None
    ) -> None:
        self.name = name
        self.options = options
        self.words = text
        self.title = text.domains[name].title
        self.instruction = text.instruction_of(name)
        self.primitives = text.primitives_of(name)
        self.example = text.example(name)
        self.function_example = text.function_example(name)
        self.profile = replace(
            self.PROFILE, possible=text.possible.strip(), impossible=text.impossible.strip(), invalid=NOTHING
        )
        self._packages = packages

    @abstractmethod
    def draw(self, rng: random.Random, split: Split, number: int) -> Task | None:
        """Draw the task of a number; everything random comes from `rng`. None: draw again, with another
        `rng`. Give it a name with `task_name` and, where one is known, the length of its reference plan."""

    @abstractmethod
    def open(self, task: Task) -> Environment:
        """A fresh environment. Raises `TaskError` for content that it cannot read."""

    @abstractmethod
    def reference_plan(self, task: Task) -> tuple[PlannedCall, ...] | None:
        """Calls that solve the task, played one after the other; None where none is known."""

    def tasks(self, split: Split) -> Sequence[Task]:
        """The tasks of a split, each unlike the others, those of the training split and the example."""
        return self._training if split == "train" else self._testing

    def read(self, path: str) -> Task:
        """Families whose tasks come in files override it. Raises `TaskError`."""
        raise TaskError(f"{path}: tasks of {self.name} are not files; choose one with --task")

    def version_parts(self) -> tuple[Plain, ...]:
        """What changes prompts or observations beside the words and the packages: options such as the
        surface."""
        return ()

    @cached_property
    def version(self) -> str:
        """Address of text and engine."""
        installed = self._packages.versions() if self._packages is not None else ""
        words = [self.instruction, self.primitives, self.example, self.function_example, self.profile]
        return digest(self.name, self.TEXT_VERSION, words, installed, self.version_parts())

    @cached_property
    def example_task(self) -> Task:
        """The task of the worked example."""
        return Task(self.name, "example", self.words.domains[self.name].example.content.strip())

    def task_name(self, split: Split, number: int) -> str:
        """The name of a drawn task: domain, level where there are levels, split, seed, number."""
        level = [self.options.level] if isinstance(self.options, LevelledOptions) else []
        return "-".join([self.name, *level, split, str(self.options.seed), str(number)])

    @cached_property
    def _training(self) -> tuple[Task, ...]:
        return tuple(self._drawn("train", self.options.train, ()))

    @cached_property
    def _testing(self) -> tuple[Task, ...]:
        return tuple(self._drawn("test", self.options.test, self._training))

    def _drawn(self, split: Split, count: int, before: Sequence[Task]) -> Iterator[Task]:
        seen = {task.hash for task in before} | {self.example_task.hash}
        for number in range(count):
            for attempt in range(_MOST_TRIES):
                seed = seed_from(self.task_name(split, number), attempt)
                task = self.draw(random.Random(seed), split, number)
                if task is not None and task.hash not in seen:
                    break
            else:
                raise TaskError(
                    f"domain {self.name}: only {number} different {split} tasks with these options; ask for "
                    "fewer, or for another level"
                )
            seen.add(task.hash)
            yield task
