"""The domain `gym`: a text environment of Gymnasium. Its words are the user's; a task is a seed."""

from __future__ import annotations

import random
from functools import cached_property

from learnact.domains.base import Environment, PlannedCall, Profile
from learnact.domains.family import DomainEntry, FamilyDomain, Split
from learnact.domains.family_text import (
    DomainText,
    ExampleStepText,
    ExampleText,
    FamilyText,
    FunctionText,
    read_family_text,
)
from learnact.domains.gym.options import GymOptions
from learnact.domains.gym.package import PACKAGES
from learnact.errors import TaskError
from learnact.records import Plain, Task, digest

_EXAMPLE = "example"
_GUESS = GymOptions().env


class GymDomain(FamilyDomain[GymOptions]):
    """`learnact.domains.base.Domain` of one environment. It runs in an engine process, since nobody knows
    what its code does."""

    PROFILE = Profile(history=50, failure_context="history", blocking=True)

    def __init__(self, name: str, options: GymOptions) -> None:
        super().__init__(name, options, _words(name, options), PACKAGES)

    @cached_property
    def example_task(self) -> Task:
        """The task of the worked example; seed 0 where the options' example names none."""
        return Task(self.name, "example", self.words.domains[self.name].example.content or "0")

    def open(self, task: Task) -> Environment:
        """A fresh environment, reset with the task's seed. Raises `TaskError` where it cannot be made."""
        from learnact.domains.gym.environment import GymEnvironment

        if not task.content.isdecimal():
            raise TaskError(f"{task.name}: not the content of a task of gym: it must be a seed")
        return GymEnvironment(self.options, self.primitives, int(task.content))

    def draw(self, rng: random.Random, split: Split, number: int) -> Task:
        """A task: a seed of the environment."""
        seed = rng.randrange(2**31)
        return Task(self.name, self.task_name(split, number), str(seed), None, {"seed": seed})

    def reference_plan(self, task: Task) -> tuple[PlannedCall, ...] | None:  # noqa: ARG002
        """None: nothing is known of the environment."""
        return None

    def version_parts(self) -> tuple[Plain, ...]:
        """Everything that the options say, but which tasks are drawn."""
        kept = self.options.model_dump(mode="json", exclude={"seed", "train", "test"})
        return (digest(kept),)


def _words(name: str, options: GymOptions) -> FamilyText:
    kept = read_family_text(__package__ or "")
    example = options.example or (kept.domains[_EXAMPLE].example if options.env == _GUESS else None)
    nothing = ExampleText(goal=options.goal, observation="", steps=tuple[ExampleStepText, ...]())
    function: FunctionText = options.function or kept.function
    return FamilyText(
        instruction=options.instruction,
        impossible=kept.impossible,
        primitives={action.call: action.does for action in options.actions},
        function=function,
        domains={name: DomainText(title=options.title, example=example or nothing)},
    )


GYM = DomainEntry("gym", GymOptions, GymDomain, PACKAGES, plans=False)
