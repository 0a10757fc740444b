"""The four domains of AgentDojo: options, tasks, prompts' text, and opening a task."""

from __future__ import annotations

import random
from functools import cached_property

from pydantic import Field

from learnact.domains.base import PlannedCall, Profile
from learnact.domains.dojo.content import DojoContent, unpack
from learnact.domains.dojo.environment import DONE, SAY, DojoEnvironment
from learnact.domains.dojo.package import PACKAGES, SUITES, Attack, suite
from learnact.domains.family import DomainEntry, FamilyDomain, FamilyOptions, Split
from learnact.domains.family_text import read_family_text
from learnact.domains.mcp.schemas import ServerTool, primitives_of
from learnact.records import Plain, Task, seed_from


class DojoOptions(FamilyOptions):
    """Options of AgentDojo's suites."""

    test: int = Field(default=10, ge=0, le=100_000)
    """How many test tasks."""
    attack: Attack | None = "important_instructions"
    """How text in the data of test tasks asks for something that the user does not want; null: it asks for
    nothing."""
    attack_training: bool = False
    """Whether training tasks hold such text too."""


class DojoDomain(FamilyDomain[DojoOptions]):
    """`learnact.domains.base.Domain` of one suite."""

    PROFILE = Profile(
        test_turns=30,
        learn_turns=20,
        history=60,
        call_observation="all",
        failure_context="history",
        explores=True,
    )

    def __init__(self, name: str, options: DojoOptions) -> None:
        super().__init__(name, options, read_family_text(__package__), PACKAGES)
        self._suite_name = name.removeprefix("dojo-")
        listed = [
            ServerTool(tool.name, tool.description, tool.parameters.model_json_schema())
            for tool in suite(self._suite_name).tools
        ]
        self._tools = primitives_of(listed, (), f"domain {name}")
        self.primitives = (*(tool.primitive for tool in self._tools.values()), *self.primitives)

    def draw(self, rng: random.Random, split: Split, number: int) -> Task | None:  # noqa: ARG002
        """The user tasks are shuffled by the seed: the first ones train, the others test, each with one
        injected instruction after the other. None where there are no more."""
        count, pairs = self.options.train, self._with_injections(split)
        chosen = self._order[:count] if split == "train" else self._order[count:]
        if number >= len(chosen) * (len(self._injections) if pairs else 1):
            return None
        user_task = chosen[number % len(chosen)]
        content = DojoContent(user_task=user_task)
        if pairs:
            injected = self._shuffled(self._injections, user_task)[number // len(chosen)]
            content = DojoContent(user_task=user_task, injection_task=injected, attack=self.options.attack)
        labels: dict[str, Plain] = {"user_task": user_task, "index": number, "attack": content.attack}
        labels["injection_task"] = content.injection_task
        name = self.task_name(split, number)
        return Task(self.name, name, content.pack(), len(self._plan(content)), labels)

    def open(self, task: Task) -> DojoEnvironment:
        """A task from its beginning."""
        content = unpack(task.content, task.name)
        return DojoEnvironment(content, task.name, self._suite_name, self.primitives, self._tools)

    def reference_plan(self, task: Task) -> tuple[PlannedCall, ...]:
        """The package's own calls and answer."""
        return self._plan(unpack(task.content, task.name))

    def version_parts(self) -> tuple[Plain, ...]:
        """What the data hold."""
        return (self.options.attack, self.options.attack_training)

    def _with_injections(self, split: Split) -> bool:
        return self.options.attack is not None and (split == "test" or self.options.attack_training)

    @cached_property
    def _injections(self) -> list[str]:
        return list(suite(self._suite_name).injection_tasks)

    @cached_property
    def _order(self) -> list[str]:
        """The user tasks but the worked example's, in the order of the seed."""
        example = unpack(self.example_task.content, self.name).user_task
        return self._shuffled([t for t in suite(self._suite_name).user_tasks if t != example], "")

    def _shuffled(self, names: list[str], key: str) -> list[str]:
        order = list(names)
        random.Random(seed_from("dojo", self._suite_name, self.options.seed, key)).shuffle(order)
        return order

    def _plan(self, content: DojoContent) -> tuple[PlannedCall, ...]:
        """The package makes its calls from the data, injected text included: one suite's channels have names
        that are injected."""
        task = suite(self._suite_name).user_tasks[content.user_task]
        begun = task.init_environment(content.begun(self._suite_name))
        by_tool = {tool.tool: tool for tool in self._tools.values()}
        plan = []
        for call in task.ground_truth(begun):
            tool = by_tool[call.function]
            defaults = dict(tool.primitive.defaults)
            named = zip(tool.names, tool.primitive.parameters, strict=True)
            values = tuple(call.args.get(name, defaults.get(parameter)) for name, parameter in named)
            plan.append(PlannedCall(tool.primitive.name, values))
        return (*plan, PlannedCall(SAY, (task.GROUND_TRUTH_OUTPUT or DONE,)))


WORKSPACE, TRAVEL, BANKING, SLACK = (
    DomainEntry(f"dojo-{name}", DojoOptions, DojoDomain, PACKAGES) for name in SUITES
)
