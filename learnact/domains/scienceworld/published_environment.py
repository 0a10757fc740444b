"""An episode as AgentBoard's wrapper has it (`surface: agentboard`): the simulator's words as they are, and
labels for rewards. Engine processes only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from learnact.domains.base import Primitive
from learnact.domains.family_environment import FamilyEnvironment, PrimitiveAnswer, shortened
from learnact.domains.scienceworld.engine import SimulatedHouse
from learnact.domains.scienceworld.surface import CHECK, command_of
from learnact.domains.scienceworld.tasks import Variation
from learnact.records import Plain, Step


class PublishedEnvironment(FamilyEnvironment):
    """`learnact.domains.base.Environment` with the published wrapper's observations and rewards.

    What is not possible takes time, and an ambiguous command waits for its number. A negative score ends the
    episode (`Step.over`); the simulator still answers after it. With `faults` the episode goes on then, and
    success is that of the labels.
    """

    def __init__(self, variation: Variation, primitives: Sequence[Primitive], faults: bool) -> None:
        super().__init__(primitives)
        self._episode = SimulatedHouse(variation)
        self._faults = faults
        self._labels = [re.compile(label) for label in variation.labels]
        self._seen = [False] * len(self._labels)
        self._lost = False
        self.goal = variation.goal or self._episode.description
        look = self._episode.raw("look around").text
        self.first_observation = f"{look}\n{self._episode.ask('freeActionInventory')}"

    def answer(self, name: str, values: tuple[Plain, ...]) -> PrimitiveAnswer:
        """Send the command that a call stands for."""
        return self._sent(command_of(name, [str(value) for value in values]))

    def text(self, command: str) -> Step:
        """Send a command of the simulator's own."""
        said = command.strip()
        return self._as_step(shortened(said), self._sent(said))

    def invalid(self, command: str, reason: str) -> Step:
        """The step of an action that was not possible, in the simulator's words alone."""
        return self._step(command, False, reason)

    def close(self) -> None:
        """Let the episode go. Idempotent."""
        self._episode.close()

    def _step(self, command: str, valid: bool, observation: str) -> Step:
        return replace(super()._step(command, valid, observation), over=self._lost and not self._faults)

    def _sent(self, command: str) -> PrimitiveAnswer:
        if command == CHECK:
            offered = [form for form in self._episode.commands if "reset" not in form]
            told = f"Choose an action from these valid actions: {', '.join([*offered, CHECK])}"
            return PrimitiveAnswer(told)
        answered = self._episode.raw(command)
        for index, label in enumerate(self._labels):
            self._seen[index] = self._seen[index] or bool(label.search(answered.text))
        self._lost = self._lost or answered.score < 0
        share = sum(self._seen) / len(self._seen) if self._seen else max(0.0, answered.score)
        success = share >= 1 if self._faults else answered.score >= 1
        return PrimitiveAnswer(answered.text, answered.possible, share, success)
