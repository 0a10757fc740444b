"""The six domains of tools: options, tasks, prompts' text, and opening a conversation."""

from __future__ import annotations

import copy
import random
from functools import cached_property
from typing import cast

from pydantic import Field, model_validator

from learnact.domains.base import PlannedCall, Profile
from learnact.domains.family import DomainEntry, FamilyDomain, LevelledOptions, Split
from learnact.domains.family_text import read_family_text
from learnact.domains.tools import plans, tasks
from learnact.domains.tools.apis import Api, all_methods
from learnact.domains.tools.content import unpack
from learnact.domains.tools.environment import Check, ToolsEnvironment
from learnact.domains.tools.package import PACKAGES
from learnact.domains.tools.plans import SAY
from learnact.records import Plain, Task


class ToolsOptions(LevelledOptions):
    """Options of the tool domains."""

    apis: tuple[Api, ...] | None = Field(default=None, min_length=1)
    """Only conversations that use no other APIs than these, and only their methods; default: all."""
    check: Check = "state"
    """When a turn is right. `state`: the state is that of the reference, and an agent that changed nothing in
    the turn has received the answers of the reference's calls. `published`: as BFCL's checker has it, the
    answers of all calls of the reference must have been received, whatever was changed."""
    long_context: bool = False
    """BFCL's category of the same name: the APIs answer with much text around what matters."""

    @model_validator(mode="after")
    def _consistent(self) -> ToolsOptions:
        if self.long_context and self.level != "published":
            raise ValueError("long_context: BFCL has it for the level `published` only")
        return self


class ToolsDomain(FamilyDomain[ToolsOptions]):
    """`learnact.domains.base.Domain` of the conversations around one API."""

    TEXT_VERSION = 2
    PROFILE = Profile(
        test_turns=30,
        learn_turns=20,
        history=60,
        call_observation="all",
        failure_context="history",
        explores=True,
    )

    def __init__(self, name: str, options: ToolsOptions) -> None:
        super().__init__(name, options, read_family_text(__package__), PACKAGES)
        own = cast(Api, name.removeprefix("tools-"))
        self._kept = tasks.conversations(own, options.level, options.apis, options.long_context)
        used = tasks.apis_of(self._kept) or (own,)
        methods = all_methods([own, *(api for api in used if api != own)])
        self.primitives = (*(method.primitive for method in methods.values()), *self.primitives)

    def draw(self, rng: random.Random, split: Split, number: int) -> Task | None:  # noqa: ARG002
        """The conversation of a number: all are shuffled by the seed, the first ones train, the next ones
        test. None where there are no more."""
        place = number if split == "train" else self.options.train + number
        if place >= len(self._shuffled):
            return None
        return tasks.task_of(self._shuffled[place], self.name, self.options.level)

    def open(self, task: Task) -> ToolsEnvironment:
        """A conversation from its beginning."""
        return ToolsEnvironment(unpack(task.content, task.name), self.primitives, self.options.check)

    def for_task(self, task: Task) -> ToolsDomain:
        """With the methods of the conversation's own tools, as BFCL gives them to a model."""
        used = set(all_methods(unpack(task.content, task.name).apis)) | {SAY}
        narrowed = copy.copy(self)
        narrowed.__dict__["version"] = self.version
        narrowed.primitives = tuple(p for p in self.primitives if p.name in used)
        return narrowed

    def reference_plan(self, task: Task) -> tuple[PlannedCall, ...]:
        """The package's own calls."""
        return plans.reference_plan(unpack(task.content, task.name))

    def version_parts(self) -> tuple[Plain, ...]:
        """What a turn must be to be right."""
        return (self.options.check,)

    @cached_property
    def _shuffled(self) -> list[tasks.Kept]:
        return tasks.shuffled(self._kept, self.options.seed)


FILES, VEHICLE, TRADING, TRAVEL, MESSAGES, TICKETS = (
    DomainEntry(f"tools-{name}", ToolsOptions, ToolsDomain, PACKAGES)
    for name in ("files", "vehicle", "trading", "travel", "messages", "tickets")
)
