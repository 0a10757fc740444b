"""The three domains: options, tasks, opening a game. Imports neither `textworld` nor `jericho` until a game
is opened."""

from __future__ import annotations

import importlib.metadata
import random
from collections.abc import Sequence
from functools import cache, cached_property
from typing import Literal, cast

from learnact.domains.base import Environment, PlannedCall, Primitive, Profile
from learnact.domains.family import DomainEntry, FamilyDomain, LevelledOptions
from learnact.domains.family_text import FamilyText, read_family_text
from learnact.domains.made_tasks import MadeTasks
from learnact.domains.textworld import making
from learnact.domains.textworld.package import PACKAGES
from learnact.domains.textworld.tasks import GameSpec, Kind, settings_of, unpack
from learnact.errors import TaskError
from learnact.records import Task, seed_from

_MOST_TRIES = 20


@cache
def words() -> FamilyText:
    """The words of the family."""
    return read_family_text("learnact.domains.textworld")


def primitives() -> tuple[Primitive, ...]:
    """The primitive actions of all three domains."""
    found = {p.name: p for name in words().domains for p in words().primitives_of(name)}
    return tuple(found.values())


class TextWorldOptions(LevelledOptions):
    """Options of the TextWorld domains."""


class TextWorldDomain(FamilyDomain[TextWorldOptions]):
    """`learnact.domains.base.Domain` of one kind of game."""

    PROFILE = Profile(explores=True, blocking=True, history=50, failure_context="history")

    def __init__(self, name: str, options: TextWorldOptions) -> None:
        super().__init__(name, options, words(), PACKAGES)
        self._kind = cast(Kind, name.removeprefix("textworld-"))
        self._installed = importlib.metadata.version("textworld")

    def tasks(self, split: Literal["train", "test"]) -> Sequence[Task]:
        """Games by number, each made when it is first asked for (2 to 20 s), all at once when all are."""
        return self._series[split]

    def draw(self, rng: random.Random, split: Literal["train", "test"], number: int) -> Task:
        """The task of a number, without knowing whether the generator can make it."""
        settings = settings_of(self._kind, self.options.level, split, number)
        seed = rng.randrange(2**31)
        spec = GameSpec(kind=self._kind, seed=seed, settings=settings, version=self._installed)
        labels = {"level": self.options.level, "seed": seed}
        return Task(self.name, self.task_name(split, number), spec.pack(), labels=labels)

    def open(self, task: Task) -> Environment:
        """The game in its interpreter; imports it, so call this in an engine process."""
        from learnact.domains.textworld.engine import TextGame
        from learnact.domains.textworld.environment import TextWorldEnvironment

        return TextWorldEnvironment(TextGame(self._made(task).folder), self.primitives)

    def ready(self, task: Task) -> bool:
        """Whether the game has been made on this machine."""
        return making.kept(self._spec(task)) is not None

    def prepare(self, task: Task) -> None:
        """Make the game, for all processes of this machine."""
        self._made(task)

    def reference_plan(self, task: Task) -> tuple[PlannedCall, ...]:
        """The generator's walkthrough."""
        return self._made(task).plan

    @cached_property
    def _series(self) -> dict[str, MadeTasks]:
        return {
            "train": MadeTasks(self.options.train, lambda numbers: self._drawn_now("train", numbers)),
            "test": MadeTasks(self.options.test, lambda numbers: self._drawn_now("test", numbers)),
        }

    def _drawn_now(self, split: Literal["train", "test"], numbers: Sequence[int]) -> dict[int, Task]:
        """Draw and make games; for a number whose game the generator cannot make, draw again."""
        found: dict[int, Task] = {}
        for attempt in range(_MOST_TRIES):
            missing = [number for number in numbers if number not in found]
            drawn = [self._attempt(split, number, attempt) for number in missing]
            made = making.make([self._spec(task) for task in drawn])
            for number, task, game in zip(missing, drawn, made, strict=True):
                if isinstance(game, making.MadeGame):
                    found[number] = Task(
                        task.domain, task.name, task.content, len(game.plan), labels=task.labels
                    )
            if len(found) == len(set(numbers)):
                return found
        raise TaskError(f"{self.name}: {split} games cannot be made with these options: {made}")

    def _attempt(self, split: Literal["train", "test"], number: int, attempt: int) -> Task:
        return self.draw(random.Random(seed_from(self.task_name(split, number), attempt)), split, number)

    def _spec(self, task: Task) -> GameSpec:
        return unpack(task.content, task.name, self._installed)

    def _made(self, task: Task) -> making.MadeGame:
        game = making.make([self._spec(task)])[0]
        if isinstance(game, str):
            raise TaskError(f"{task.name}: {game}")
        return game


COOKING = DomainEntry("textworld-cooking", TextWorldOptions, TextWorldDomain, PACKAGES)
TREASURE = DomainEntry("textworld-treasure", TextWorldOptions, TextWorldDomain, PACKAGES)
COIN = DomainEntry("textworld-coin", TextWorldOptions, TextWorldDomain, PACKAGES)
