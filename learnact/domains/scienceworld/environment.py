"""An episode through our interface: calls become commands, what is not possible gets its reason, the score is
the progress. Engine processes only."""

from __future__ import annotations

from collections.abc import Sequence

from learnact.domains.base import Primitive
from learnact.domains.family_environment import FamilyEnvironment, PrimitiveAnswer, shortened
from learnact.domains.scienceworld.engine import SimulatedHouse, SimulatorAnswer, meanings_of
from learnact.domains.scienceworld.surface import command_of
from learnact.domains.scienceworld.tasks import Variation
from learnact.records import Plain, Step

FAILED = "The task has failed: you focused on something that the task does not ask for."
UNKNOWN = "There is nothing of that name here, or that cannot be done with it."
_TEXT = "text"
"""Stands for a primitive's name where a command was given as text."""
_MOST_MEANINGS = 6
_LONGEST = 200


class ScienceWorldEnvironment(FamilyEnvironment):
    """`learnact.domains.base.Environment` on the simulator."""

    def __init__(self, variation: Variation, primitives: Sequence[Primitive]) -> None:
        super().__init__(primitives)
        self._episode = SimulatedHouse(variation)
        self._command = ""
        self.goal = variation.goal or self._episode.description
        look, carried = (self._episode.ask(f"freeAction{what}") for what in ("Look", "Inventory"))
        self.first_observation = f"{look.strip()}\n{carried.strip()}"

    def answer(self, name: str, values: tuple[Plain, ...]) -> PrimitiveAnswer:
        """Do the command that a call stands for."""
        if name == _TEXT:
            return self._told(self._command)
        given = [" ".join(str(value).split()) for value in values]
        if any(not part or len(part) > _LONGEST for part in given):
            return PrimitiveAnswer("There is nothing of that name here.", valid=False)
        return self._told(command_of(name, given))

    def text(self, command: str) -> Step:
        """Do a command of the simulator's own."""
        self._command = " ".join(command.split())
        if not self._command or len(self._command) > 3 * _LONGEST or self._command.lower() == "reset task":
            return self.invalid(shortened(command), "That is no command of this house.")
        return self.take(self._command, _TEXT, ())

    def close(self) -> None:
        """Let the episode go. Idempotent."""
        self._episode.close()

    def _told(self, command: str) -> PrimitiveAnswer:
        answered = self._episode.do(command)
        if not answered.possible:
            return PrimitiveAnswer(self._reason(answered), valid=False)
        return PrimitiveAnswer(
            answered.text,
            True,
            max(0.0, answered.score),
            success=answered.score >= 1,
            failed=FAILED if answered.score < 0 else "",
        )

    def _reason(self, answered: SimulatorAnswer) -> str:
        """Why a command was not done, in the simulator's words; of an ambiguous one, what it may mean."""
        if not answered.understood:
            return UNKNOWN
        meanings = list(dict.fromkeys(meanings_of(answered.text)))
        if not meanings:
            return answered.text or "That cannot be done with it."
        more = ", ..." if len(meanings) > _MOST_MEANINGS else "."
        return f"That may mean: {', '.join(meanings[:_MOST_MEANINGS])}{more} Say which, by its place."
