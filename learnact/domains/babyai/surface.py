"""`surface: agentboard`: the domain with the published wrapper's actions, as calls and as text."""

from __future__ import annotations

from dataclasses import replace

from learnact.domains.babyai.content import unpack
from learnact.domains.babyai.domain import BabyaiDomain, BabyaiOptions
from learnact.domains.base import Environment, Example, PlannedCall
from learnact.domains.family_text import read_family_text
from learnact.records import Task

_FORMS = {
    "go_to": "go to OBJ",
    "pick_up": "pick up OBJ",
    "go_through": "go through DOOR",
    "toggle_and_go_through": "toggle and go through DOOR",
}


class AgentboardDomain(BabyaiDomain):
    """BabyAI through AgentBoard's wrapper; also `learnact.domains.base.TextActions`."""

    def __init__(self, name: str, options: BabyaiOptions) -> None:
        super().__init__(name, options, read_family_text(__package__ or "", "text_agentboard.yaml"))
        self.profile = replace(self.profile, invalid="No change in state.", history=100)
        self.text_forms = tuple(
            (_FORMS.get(p.name, p.name.replace("_", " ")), p.description) for p in self.primitives
        )
        steps = [(think, _as_text(action), seen) for think, action, seen in self.example.steps]
        self.text_example = Example(self.example.goal, self.example.first_observation, tuple(steps))

    def open(self, task: Task) -> Environment:
        """A fresh world. Raises `TaskError` for content that it cannot read."""
        from learnact.domains.babyai.published_environment import AgentboardEnvironment

        content = unpack(task.content, task.name)
        return AgentboardEnvironment(content, self.primitives, task.name, self.options.faults)

    def reference_plan(self, task: Task) -> tuple[PlannedCall, ...] | None:  # noqa: ARG002
        """None: the bot plans by single steps, and the wrapper has other actions."""
        return None


def _as_text(action: str) -> str:
    """`go_to('red ball 1')` as `go to red ball 1`."""
    name, _, rest = action.partition("(")
    return f"{name.replace('_', ' ')} {rest.rstrip(')').strip(chr(39))}".strip()
