"""Reference plans: moves that reach a success against this opponent with this seed, found by playing on from
each state of the game. Where the moves are few all lines are tried; else a search plays for the agent."""

from __future__ import annotations

from learnact.domains.base import PlannedCall
from learnact.domains.games.engine import Match
from learnact.domains.games.opponents import searched
from learnact.records import seed_from

PLAY = "play"
"""The primitive that makes a move."""
_TRIED = ("leduc_poker", "tiny_hanabi", "bargaining")
"""Games in which all lines are tried, up to `_MOST_LINES` positions."""
_MOST_LINES = 600
_SIMULATIONS = (300, 1500)
"""How much a search for the agent thinks, at its first and at its second try."""


def winning_moves(match: Match) -> tuple[str, ...] | None:
    """Moves that reach a success from here; None where none were found."""
    if match.name in _TRIED:
        return _tried(match, [_MOST_LINES])
    for number, simulations in enumerate(_SIMULATIONS):
        found = _searched(match.copy(), simulations, number)
        if found is not None:
            return found
    return None


def as_calls(moves: tuple[str, ...]) -> tuple[PlannedCall, ...]:
    """Moves as calls."""
    return tuple(PlannedCall(PLAY, (move,)) for move in moves)


def _searched(match: Match, simulations: int, number: int) -> tuple[str, ...] | None:
    moves: list[str] = []
    while not match.is_over:
        action = searched(match.state, simulations, seed_from("plan", number, match.state.history()))
        moves.append(match.rules.move(match.state, action))
        match.play(action)
    return tuple(moves) if match.result.success else None


def _tried(match: Match, left: list[int]) -> tuple[str, ...] | None:
    if match.is_over:
        return () if match.result.success else None
    for move, action in match.moves().items():
        left[0] -= 1
        if left[0] < 0:
            return None
        then = match.copy()
        then.play(action)
        rest = _tried(then, left)
        if rest is not None:
            return (move, *rest)
    return None
