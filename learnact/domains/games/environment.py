"""A game being played: looking, listing moves, and moving."""

from __future__ import annotations

from collections.abc import Sequence

from learnact.domains.base import Primitive
from learnact.domains.family_environment import FamilyEnvironment, PrimitiveAnswer, shortened
from learnact.domains.games.engine import Match
from learnact.domains.games.plans import PLAY
from learnact.records import Plain

MOST_LISTED = 300
"""Characters of legal moves that a reason lists."""


class GameEnvironment(FamilyEnvironment):
    """A game (`learnact.domains.base.Environment`)."""

    def __init__(self, match: Match, primitives: Sequence[Primitive], goal: str) -> None:
        super().__init__(primitives)
        self._match = match
        self.goal = goal
        self.first_observation = self._told()

    def answer(self, name: str, values: tuple[Plain, ...]) -> PrimitiveAnswer:
        """The state, the legal moves, or what happens after a move."""
        match = self._match
        if match.is_over:
            return PrimitiveAnswer("The game is over.", valid=False)
        if name != PLAY:
            return PrimitiveAnswer(match.shown() if name == "state" else ", ".join(match.moves()))
        moves = match.moves()
        move = " ".join(str(values[0]).lower().split())
        if move not in moves:
            listed = shortened(", ".join(moves), MOST_LISTED)
            return PrimitiveAnswer(f"{shortened(move)!r} is no legal move. Legal are: {listed}.", valid=False)
        match.play(moves[move])
        if not match.is_over:
            return PrimitiveAnswer(self._told())
        result = match.result
        told = " ".join([*match.told, result.told])
        return PrimitiveAnswer(told, True, result.score, result.success, f"The game is over. {result.told}")

    def _told(self) -> str:
        return "\n".join([*self._match.told, self._match.shown()])
