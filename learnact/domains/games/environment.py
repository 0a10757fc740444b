"""A game being played: looking, listing moves, and moving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from learnact.domains.base import Primitive
from learnact.domains.family_environment import FamilyEnvironment, PrimitiveAnswer, shortened
from learnact.domains.games.plans import PLAY
from learnact.domains.games.rules import Result
from learnact.records import Plain

MOST_LISTED = 300
"""Characters of legal moves that a reason lists."""


class BoardView(Protocol):
    """A game as the player of an environment sees it. `told`: what happened since its last move."""

    @property
    def told(self) -> list[str]: ...  # noqa: D102
    @property
    def is_over(self) -> bool: ...  # noqa: D102
    @property
    def result(self) -> Result: ...  # noqa: D102
    def shown(self) -> str: ...  # noqa: D102
    def moves(self) -> dict[str, int]: ...  # noqa: D102
    def play(self, action: int) -> None: ...  # noqa: D102


class GameEnvironment(FamilyEnvironment):
    """A game (`learnact.domains.base.Environment`)."""

    def __init__(self, match: BoardView, primitives: Sequence[Primitive], goal: str) -> None:
        super().__init__(primitives)
        self._match = match
        self.goal = goal
        self.first_observation = self.now()

    def now(self) -> str:
        """What happened since the player's last move, and what the game looks like."""
        return "\n".join([*self._match.told, self._match.shown()])

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
        return self.after_move()

    def after_move(self) -> PrimitiveAnswer:
        """What is said once a move has been answered: the game now, or how it ended."""
        match = self._match
        if not match.is_over:
            return PrimitiveAnswer(self.now())
        result = match.result
        told = " ".join([*match.told, result.told])
        return PrimitiveAnswer(told, True, result.score, result.success, f"The game is over. {result.told}")
