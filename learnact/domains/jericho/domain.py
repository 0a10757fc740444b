"""The domain: options, tasks, opening a game. Imports neither `jericho` nor `adventure` until a game is
opened."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache, cached_property
from typing import Literal

from pydantic import model_validator

from learnact.domains.base import Environment, PlannedCall, Profile
from learnact.domains.family import DomainEntry, FamilyDomain, LevelledOptions
from learnact.domains.family_text import FamilyText, read_family_text
from learnact.domains.jericho.package import PACKAGES
from learnact.domains.jericho.plans import plan_of
from learnact.domains.jericho.tasks import CAVE, StoryTask, draw_cave, game_file, own_tasks, unpack
from learnact.errors import TaskError
from learnact.records import Task


@cache
def words() -> FamilyText:
    """The words of the family."""
    return read_family_text("learnact.domains.jericho")


class JerichoOptions(LevelledOptions):
    """Options of the text adventures."""

    games: str = CAVE
    """`adventure`: generated tasks of Colossal Cave; or the path of a folder with your own game files."""
    tasks: str | None = None
    """A file of goals for your games (JSON lines); without it each game is played to its end."""

    @model_validator(mode="after")
    def _consistent(self) -> JerichoOptions:
        if self.games == CAVE and self.tasks is not None:
            raise ValueError("tasks: they belong to your own games; name their folder in `games`")
        if self.games != CAVE and "level" in self.model_fields_set:
            raise ValueError("level is of generated tasks; your own games are as they are")
        return self


class JerichoDomain(FamilyDomain[JerichoOptions]):
    """`learnact.domains.base.Domain` of text adventures."""

    PROFILE = Profile(explores=True, blocking=True, history=50, failure_context="history")

    def __init__(self, name: str, options: JerichoOptions) -> None:
        super().__init__(name, options, words(), PACKAGES)

    def tasks(self, split: Literal["train", "test"]) -> Sequence[Task]:
        """Generated tasks of the cave game; or those of your games: a task file says which ones train, and
        without one the first games do."""
        return super().tasks(split) if self.options.games == CAVE else self._own[split]

    def draw(self, rng: random.Random, split: Literal["train", "test"], number: int) -> Task:
        """A task of the cave game."""
        return self._as_task(self.task_name(split, number), draw_cave(rng, self.options.level))

    def open(self, task: Task) -> Environment:
        """The game; imports its engine, so call this in an engine process."""
        from learnact.domains.jericho.cave import CaveGame
        from learnact.domains.jericho.engine import GameFile, Story
        from learnact.domains.jericho.environment import StoryEnvironment

        kept = unpack(task.content, task.name)
        story: Story
        if kept.game == CAVE:
            story = CaveGame(kept)
        else:
            story = GameFile(game_file(self.options.games, kept, task.name), kept.seed, kept.points)
        return StoryEnvironment(story, kept.goal, kept.labels, self.primitives)

    def reference_plan(self, task: Task) -> tuple[PlannedCall, ...] | None:
        """Of the cave game our own; of your games that of the task file."""
        return plan_of(unpack(task.content, task.name))

    @cached_property
    def _own(self) -> dict[str, list[Task]]:
        kept = own_tasks(self.options.games, self.options.tasks)
        if not kept["train"]:
            if len(kept["test"]) <= self.options.train:
                raise TaskError(
                    f"domain {self.name}: {len(kept['test'])} tasks are too few to learn from "
                    f"{self.options.train} and test on others; say `train: N`, or `split` in the task file"
                )
            kept["train"] = kept["test"][: self.options.train]
            kept["test"] = kept["test"][self.options.train :]
        counts = {"train": self.options.train, "test": self.options.test}
        return {
            split: [
                self._as_task(f"{self.name}-{split}-{number}-{task.game}", task)
                for number, task in enumerate(tasks[: counts[split]])
            ]
            for split, tasks in kept.items()
        }

    def _as_task(self, name: str, kept: StoryTask) -> Task:
        plan = plan_of(kept)
        labels = {"game": kept.game}
        return Task(self.name, name, kept.pack(), len(plan) if plan else None, labels=labels)


JERICHO = DomainEntry("jericho", JerichoOptions, JerichoDomain, PACKAGES)
