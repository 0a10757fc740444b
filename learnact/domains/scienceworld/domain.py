"""The thirty domains: options, tasks, opening an episode. Imports neither `py4j` nor starts Java until an
episode is opened."""

from __future__ import annotations

import ast
import importlib.metadata
import random
from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any, Literal

from pydantic import model_validator

from learnact.domains import registry
from learnact.domains.base import Environment, Example, PlannedCall, Primitive, Profile
from learnact.domains.family import DomainEntry, FamilyDomain, FamilyOptions
from learnact.domains.family_text import FamilyText, read_family_text
from learnact.domains.made_tasks import MadeTasks
from learnact.domains.scienceworld import plans
from learnact.domains.scienceworld.package import PACKAGES
from learnact.domains.scienceworld.surface import PUBLISHED_COMMANDS, command_of, read_labels
from learnact.domains.scienceworld.tasks import (
    AGENTBOARD,
    KINDS,
    Simplification,
    Variation,
    shuffled,
    simplified,
    unpack,
)
from learnact.errors import JobError
from learnact.records import Plain, Task

PREFIX = "scienceworld-"
PUBLISHED_VERSION = "1.2.2"
"""The version of the simulator that AgentBoard's results were made with."""


@cache
def _family(surface: str) -> FamilyText:
    file = "text_agentboard.yaml" if surface == "agentboard" else "text.yaml"
    return read_family_text("learnact.domains.scienceworld", file)


@cache
def words(name: str, surface: str = "ours") -> FamilyText:
    """The words of one domain: the family's, with its title. All kinds share one worked example."""
    text = _family(surface)
    title = f"ScienceWorld: {KINDS[name.removeprefix(PREFIX)].title}"
    own = text.domains["scienceworld"].model_copy(update={"title": title})
    return text.model_copy(update={"domains": {name: own}})


def all_primitives() -> tuple[Primitive, ...]:
    """The primitive actions of all kinds and options."""
    name = f"{PREFIX}boil"
    return words(name).primitives_of(name)


class ScienceWorldOptions(FamilyOptions):
    """Options of the ScienceWorld domains. A split of a kind may have fewer tasks than are asked for."""

    simplifications: tuple[Simplification, ...] = AGENTBOARD
    """What makes the house simpler, in the simulator's words; default: AgentBoard's four."""
    surface: Literal["ours", "agentboard"] = "ours"
    """`agentboard`: observations and scores as the published wrapper gives them (scienceworld 1.2.2)."""
    labels: str | None = None
    """AgentBoard's label file: its tasks of this kind are the test tasks, its sub-goals the progress."""
    faults: bool = False
    """With labels: as published, success is that of the labels, and a negative score ends nothing."""

    @model_validator(mode="after")
    def _consistent(self) -> ScienceWorldOptions:
        if len(set(self.simplifications)) != len(self.simplifications):
            raise ValueError("simplifications: one is named twice")
        if self.labels is not None and self.surface != "agentboard":
            raise ValueError("labels: they are patterns of `surface: agentboard`")
        if self.faults and self.labels is None:
            raise ValueError("faults are those of the published wrapper with its labels: give labels too")
        return self


class ScienceWorldDomain(FamilyDomain[ScienceWorldOptions]):
    """`learnact.domains.base.Domain` of one kind of task; also its `TextActions`."""

    TEXT_VERSION = 2
    PROFILE = Profile(explores=True, blocking=True, history=50, failure_context="history")

    def __init__(self, name: str, options: ScienceWorldOptions) -> None:
        super().__init__(name, options, words(name, options.surface), PACKAGES)
        self._task = name.removeprefix(PREFIX)
        self._kind = KINDS[self._task]
        self._installed = importlib.metadata.version("scienceworld")
        if options.surface == "agentboard" and self._installed != PUBLISHED_VERSION:
            raise JobError(
                f"domain {name}: surface agentboard is that of scienceworld {PUBLISHED_VERSION}, and "
                f"{self._installed} is installed: pip install 'scienceworld=={PUBLISHED_VERSION}'"
            )
        without = {"connect", "disconnect"} if not self._kind.electrical else set()
        without |= {"teleport"} if "teleportAction" not in options.simplifications else set()
        self.primitives = tuple(p for p in self.primitives if p.name not in without)

    @cached_property
    def text_forms(self) -> tuple[tuple[str, str], ...]:
        """The simulator's command for each primitive action."""
        return tuple(
            (PUBLISHED_COMMANDS[p.name].format(*p.parameters), p.description) for p in self.primitives
        )

    @cached_property
    def text_example(self) -> Example:
        """The worked example in the simulator's commands."""
        kept = self.words.domains[self.name].example
        calls = [(step, read_call(step.do)) for step in kept.steps]
        steps = tuple(
            (step.think, command_of(name, given), step.observation) for step, (name, given) in calls
        )
        return Example(self.example.goal, self.example.first_observation, steps)

    def version_parts(self) -> tuple[Plain, ...]:
        """The surface changes observations."""
        return (self.options.surface, self.options.faults) if self.options.faults else (self.options.surface,)

    def tasks(self, split: Literal["train", "test"]) -> Sequence[Task]:
        """Training tasks are of the simulator's training variations and test tasks of its test variations, in
        an order that the seed decides; with `labels`, test tasks are those of the label file. The plan of a
        task is made when the task is first asked for (0.3 to 20 s)."""
        return self._series[split]

    def draw(
        self,
        rng: random.Random,  # noqa: ARG002  variations are not drawn but taken in the seed's order
        split: Literal["train", "test"],
        number: int,
    ) -> Task | None:
        """The task of a number, without its plan."""
        numbers = shuffled(self._kind, split, self.options.seed)
        return self._as_task(split, number, numbers[number]) if number < len(numbers) else None

    def open(self, task: Task) -> Environment:
        """The episode in this process's Java; call this in an engine process."""
        from learnact.domains.scienceworld import known_walk
        from learnact.domains.scienceworld.environment import ScienceWorldEnvironment
        from learnact.domains.scienceworld.published_environment import PublishedEnvironment

        known_walk.check(self._installed)
        if self.options.surface == "agentboard":
            return PublishedEnvironment(self._variation(task), self.primitives, self.options.faults)
        return ScienceWorldEnvironment(self._variation(task), self.primitives)

    def reference_plan(self, task: Task) -> tuple[PlannedCall, ...] | None:
        """The simulator's own way through the task."""
        return plans.plans([self._variation(task)])[0]

    @cached_property
    def _series(self) -> dict[str, MadeTasks]:
        labelled = self._labelled
        test = len(labelled) or len(self._kind.variations("test"))
        counts = {
            "train": min(self.options.train, self._kind.train),
            "test": min(self.options.test, test),
        }
        return {
            "train": MadeTasks(counts["train"], lambda numbers: self._planned("train", numbers)),
            "test": MadeTasks(counts["test"], lambda numbers: self._planned("test", numbers)),
        }

    @cached_property
    def _labelled(self) -> list[tuple[int, str, tuple[str, ...]]]:
        return read_labels(self.options.labels, self._task) if self.options.labels else []

    def _planned(self, split: Literal["train", "test"], numbers: Sequence[int]) -> dict[int, Task]:
        found = {}
        for number in numbers:
            if split == "test" and self._labelled:
                found[number] = self._as_task(split, number, *self._labelled[number])
            elif task := self.draw(random.Random(), split, number):
                found[number] = task
        made = plans.plans([self._variation(task) for task in found.values()])
        return {
            number: Task(t.domain, t.name, t.content, len(plan) if plan else None, labels=t.labels)
            for (number, t), plan in zip(found.items(), made, strict=True)
        }

    def _as_task(
        self, split: str, number: int, variation: int, goal: str = "", labels: tuple[str, ...] = ()
    ) -> Task:
        content = Variation(
            task=self._task,
            number=variation,
            simplifications=simplified(self._kind, self.options.simplifications),
            version=self._installed,
            goal=goal,
            labels=labels,
        ).pack()
        name = f"{self.name}-{split}-{self.options.seed}-{number}"
        return Task(self.name, name, content, labels={"variation": variation})

    def _variation(self, task: Task) -> Variation:
        return unpack(task.content, task.name, self._installed)


def read_call(written: str) -> tuple[str, tuple[str, ...]]:
    """A call of the worked example: its name and its arguments."""
    node = ast.parse(written, mode="eval").body
    assert isinstance(node, ast.Call)
    return ast.unparse(node.func), tuple(str(ast.literal_eval(value)) for value in node.args)


def __getattr__(attribute: str) -> DomainEntry[Any]:
    """The entry of a kind of task by the number that its authors gave it: `T4_3` is `find-plant`."""
    for task, number in registry.SCIENCEWORLD.items():
        if attribute == number:
            return DomainEntry(f"{PREFIX}{task}", ScienceWorldOptions, ScienceWorldDomain, PACKAGES)
    raise AttributeError(attribute)
