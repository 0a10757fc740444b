"""The five BabyAI domains: options, tasks, words. minigrid is imported when a task is opened or drawn."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cached_property
from typing import Literal, Self

from pydantic import model_validator

from learnact.domains.babyai.content import unpack
from learnact.domains.babyai.labels import labelled, read_labels
from learnact.domains.babyai.levels import KINDS, PUBLISHED_SEEDS, STEPS, Kind, agentboard
from learnact.domains.babyai.package import PACKAGES
from learnact.domains.babyai.plans import GENERATOR, as_plan, solved
from learnact.domains.base import Environment, PlannedCall, Profile
from learnact.domains.family import DomainEntry, FamilyDomain, LevelledOptions, Split
from learnact.domains.family_text import FamilyText, read_family_text
from learnact.domains.levels import spread
from learnact.errors import TaskError
from learnact.records import Plain, Task, seed_from


class BabyaiOptions(LevelledOptions):
    """Options of the BabyAI domains."""

    source: Literal["generated", "agentboard"] = "generated"
    """`generated`, or `agentboard`: the tasks of AgentBoard's levels and seeds are the test tasks."""
    surface: Literal["steps", "agentboard"] = "steps"
    """`steps` (turn, move, pick up ...), or `agentboard`: its actions (`go_to('red ball 1')`) and text."""
    labels: str | None = None
    """AgentBoard's label file (data/babyai/test.jsonl); its sub-goals are then the progress."""
    faults: bool = False
    """With surface agentboard: play it with the faults of the published wrapper (docs/environments.md)."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.faults and self.surface != "agentboard":
            raise ValueError("faults are those of the published wrapper: give surface: agentboard with them")
        if self.labels is not None and (self.source, self.surface) != ("agentboard", "agentboard"):
            raise ValueError("labels belong to source: agentboard with surface: agentboard")
        if self.source == "agentboard" and "level" in self.model_fields_set:
            raise ValueError("level is of generated tasks; those of a source are as they are")
        return self


class BabyaiDomain(FamilyDomain[BabyaiOptions]):
    """`learnact.domains.base.Domain` of one kind of missions, played by single steps."""

    PROFILE = Profile(history=50, failure_context="history", explores=True)

    def __init__(self, name: str, options: BabyaiOptions, text: FamilyText | None = None) -> None:
        super().__init__(name, options, text or read_family_text(__package__ or ""), PACKAGES)
        self._plans: dict[str, tuple[PlannedCall, ...]] = {}

    def open(self, task: Task) -> Environment:
        """A fresh world. Raises `TaskError` for content that it cannot read."""
        from learnact.domains.babyai.environment import BabyaiEnvironment

        return BabyaiEnvironment(unpack(task.content, task.name), self.primitives, task.name)

    def tasks(self, split: Split) -> Sequence[Task]:
        """Generated tasks; with source agentboard the test tasks are the published ones."""
        return (
            self._published
            if self.options.source == "agentboard" and split == "test"
            else super().tasks(split)
        )

    def draw(self, rng: random.Random, split: Split, number: int) -> Task | None:
        """A task of one of the level's kinds, with a reference plan as long as the level says."""
        kinds = KINDS[self.name][self.options.level]
        offset = random.Random(seed_from(self.task_name(split, 0), "kinds")).random()
        task = self._drawn_from(
            spread(kinds, number, offset), rng.randrange(2**31), self.task_name(split, number)
        )
        least, most = STEPS[self.options.level]
        if task is None or task.reference is None or not least <= task.reference <= most:
            return None
        ordered = unpack(task.content, task.name).mission.parts
        return task if ordered or self.name != "babyai-seq" else None

    def reference_plan(self, task: Task) -> tuple[PlannedCall, ...] | None:
        """The bot's plan, by single steps."""
        if task.content not in self._plans and (plan := solved(task.content)) is not None:
            self._plans[task.content] = plan
        return self._plans.get(task.content)

    def version_parts(self) -> tuple[Plain, ...]:
        """The surface and its faults."""
        return (self.options.surface, self.options.faults)

    @cached_property
    def _published(self) -> tuple[Task, ...]:
        """AgentBoard's tasks: each level with four seeds, in its order; with its labels, where given."""
        labels = read_labels(self.options.labels) if self.options.labels else {}
        found = []
        for kind in agentboard(self.name):
            for number, seed in enumerate(PUBLISHED_SEEDS):
                task = self._drawn_from(kind, seed, f"{kind.label}-{seed}")
                if task is None:
                    raise TaskError(f"domain {self.name}: {kind.label} with seed {seed} cannot be drawn")
                ways = labels.get((kind.label, number), ())
                found.append(labelled(task, ways))
        return tuple(found)

    def _drawn_from(self, kind: Kind, seed: int, name: str) -> Task | None:
        """The task of a level of minigrid and a seed; None where drawing or solving it takes too long and
        only its plan could tell."""
        request = {"made": kind.made, "given": dict(kind.given), "seed": seed}
        reply = GENERATOR.ask({"draw": request})
        if reply is None:
            reply = GENERATOR.ask({"draw": {**request, "solved": False}})
        if reply is None:
            return None
        plan = as_plan(reply["plan"])
        if plan is not None:
            self._plans[reply["content"]] = plan
        labels: dict[str, Plain] = {"kind": kind.name, "seed": seed}
        if self.options.source == "generated":
            labels["level"] = self.options.level
        return Task(self.name, name, reply["content"], None if plan is None else len(plan), labels)


def build(name: str, options: BabyaiOptions) -> BabyaiDomain:
    """The domain with the surface that the options name."""
    if options.surface == "agentboard":
        from learnact.domains.babyai.surface import AgentboardDomain

        return AgentboardDomain(name, options)
    return BabyaiDomain(name, options)


GOTO, OPEN, PICKUP, UNLOCK, SEQ = (
    DomainEntry(f"babyai-{kind}", BabyaiOptions, build, PACKAGES)
    for kind in ("goto", "open", "pickup", "unlock", "seq")
)
