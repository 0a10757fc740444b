"""A game between two agents: one state, seen from two seats. Nobody plays here but the two; chance follows
from the task's seed."""

from __future__ import annotations

from typing import Any

from learnact.domains.base import Primitive
from learnact.domains.family_environment import PrimitiveAnswer
from learnact.domains.games.content import MatchContent
from learnact.domains.games.engine import begun, drawn_by_chance, name_of
from learnact.domains.games.environment import GameEnvironment
from learnact.domains.games.rules import RULES, Result
from learnact.records import Plain, Step


class SharedBoard:
    """A game in play. `told`: what each seat has yet to hear."""

    def __init__(self, content: MatchContent, where: str) -> None:
        self._content = content
        self.rules = RULES[name_of(content.game)]
        self.state: Any = begun(content, where)
        self.told: tuple[list[str], list[str]] = ([], [])
        self.gave_up: int | None = None
        self._chance()

    @property
    def is_over(self) -> bool:
        """Whether the game has ended."""
        return self.gave_up is not None or bool(self.state.is_terminal())

    def result(self, seat: int) -> Result:
        """How it ended for a seat."""
        if self.gave_up is None:
            return self.rules.result(self.state, seat)
        return self.rules.given_up(self.state, seat, own=self.gave_up == seat)

    def play(self, seat: int, action: int) -> None:
        """A legal move of the seat whose turn it is, and what chance brings then."""
        self.told[1 - seat].append(f"The opponent plays {self.rules.move(self.state, action)!r}.")
        self.state.apply_action(action)
        self._chance()

    def _chance(self) -> None:
        while self.state.is_chance_node():
            self.state.apply_action(drawn_by_chance(self._content, self.state))


class SeatView:
    """The board from one seat: what `GameEnvironment` asks a match for."""

    def __init__(self, board: SharedBoard, seat: int) -> None:
        self.board = board
        self.seat = seat

    @property
    def told(self) -> list[str]:
        """What happened since its last move, in words."""
        return self.board.told[self.seat]

    @property
    def is_over(self) -> bool:
        """Whether the game has ended."""
        return self.board.is_over

    @property
    def result(self) -> Result:
        """How it ended for this seat."""
        return self.board.result(self.seat)

    def shown(self) -> str:
        """What this seat knows of the state."""
        return self.board.rules.show(self.board.state, self.seat)

    def moves(self) -> dict[str, int]:
        """Its legal moves with OpenSpiel's actions."""
        board = self.board
        if board.is_over or board.state.current_player() != self.seat:
            return {}
        return {board.rules.move(board.state, action): action for action in board.state.legal_actions()}

    def play(self, action: int) -> None:
        """Its move."""
        self.told.clear()
        self.board.play(self.seat, action)


class GameSeat(GameEnvironment):
    """One seat of a game between two agents (`learnact.domains.base.SeatEnvironment`)."""

    def __init__(self, view: SeatView, primitives: tuple[Primitive, ...], goal: str) -> None:
        super().__init__(view, primitives, goal)
        self._view = view

    @property
    def waits(self) -> bool:
        """Whether it is the other seat's turn."""
        board = self._view.board
        return not board.is_over and board.state.current_player() != self._view.seat

    @property
    def progress(self) -> float:
        """0 until the game is over, then what it is worth to this seat."""
        self._judge()
        return super().progress

    @property
    def success(self) -> bool:
        """Whether the game is over and a success for this seat."""
        self._judge()
        return super().success

    def answer(self, name: str, values: tuple[Plain, ...]) -> PrimitiveAnswer:
        """As in a game against a built-in opponent; a move says nothing until it is answered."""
        answered = super().answer(name, values)
        return PrimitiveAnswer("") if answered.valid and self.waits else answered

    def resume(self, step: Step) -> Step:
        """The step of the move, now that the opponent has answered it or the game is over."""
        return self._as_step(step.command, self.after_move())

    def give_up(self) -> None:
        """The game ends: this seat has no turns left."""
        if not self._view.is_over:
            self._view.board.gave_up = self._view.seat

    def _judge(self) -> None:
        if self._view.is_over:
            self.reached(self._view.result.score, self._view.result.success)


def open_seats(
    content: MatchContent, where: str, primitives: tuple[Primitive, ...], goal: str
) -> tuple[GameSeat, GameSeat]:
    """The agent's seat of a game, then the second player's. Raises `TaskError` naming `where`."""
    board = SharedBoard(content, where)
    first, second = (
        GameSeat(SeatView(board, seat), primitives, goal) for seat in (content.seat, 1 - content.seat)
    )
    return first, second
