"""How two episodes of the same task came apart: the turn at which they part, and where the loser's turns went. Pure.

An episode of a language agent that fails has, as a rule, run out of turns. So the account of a pair is an account of turns: of which kind did
the loser spend the most that the winner did not need? It says where the turns went, not what would have happened otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from learnact.records import Turn

Kind: TypeAlias = Literal[
    "learned call", "failed call", "primitive action", "invalid action", "thought", "unreadable"
]
Cause: TypeAlias = Literal[
    "ended early", "failed calls", "invalid actions", "no action", "fewer steps a turn", "detours"
]
CAUSES: dict[Cause, str] = {
    "ended early": "the loser's episode ended before its turns were used up (a program that ended)",
    "failed calls": "calls of learned actions that failed",
    "invalid actions": "other actions that were not valid",
    "no action": "thoughts and unreadable replies",
    "fewer steps a turn": "valid actions, since the winner's learned calls packed more steps into a turn",
    "detours": "valid actions, since the loser made more steps (or as many) and was not at the goal",
}
"""Why a loser lost where the winner won, in the order in which ties are settled; what each means in words."""


@dataclass(frozen=True)
class Move:
    """One turn, as far as a comparison goes. `what` is the call, or what was said where there was none; `why` what made it fail."""

    kind: Kind
    what: str
    callee: str
    steps: int
    seen: str
    why: str = ""


def move(turn: Turn) -> Move:
    """A turn as a move."""
    refused = next((f"{_function(step.command)} not possible" for step in turn.steps if not step.ok), "")
    why = turn.error.type if turn.error else refused
    said = turn.call or turn.said
    return Move(_kind(turn), said, turn.callee, len(turn.steps), turn.observation, "" if turn.ok else why)


def _kind(turn: Turn) -> Kind:
    if turn.kind != "action":
        return "thought" if turn.kind == "thought" else "unreadable"
    if turn.learned:
        return "learned call" if turn.ok else "failed call"
    return "primitive action" if turn.ok else "invalid action"


def _function(command: str) -> str:
    """The name of a primitive action: of a call, or the first word of a command."""
    return command.split("(")[0].split(" ")[0]


@dataclass(frozen=True)
class Spent:
    """Where the turns of an episode went: turns = valid + failed + invalid + idle. `saved`: steps of valid turns beyond one a turn."""

    valid: int
    failed: int
    invalid: int
    idle: int
    saved: int


def spent(moves: Sequence[Move]) -> Spent:
    """The turns of an episode by kind."""
    valid = [m for m in moves if m.kind in ("learned call", "primitive action")]
    failed = sum(m.kind == "failed call" for m in moves)
    invalid = sum(m.kind == "invalid action" for m in moves)
    idle = len(moves) - len(valid) - failed - invalid
    return Spent(len(valid), failed, invalid, idle, sum(m.steps for m in valid) - len(valid))


def cause(winner: Sequence[Move], loser: Sequence[Move], limit: int | None = None) -> Cause:
    """Where the loser's turns went that the winner did not need. `limit`: the loser's turns at most, if known."""
    if limit is not None and len(loser) < limit:
        return "ended early"
    won, lost = spent(winner), spent(loser)
    more: dict[Cause, int] = {
        "failed calls": lost.failed - won.failed,
        "invalid actions": lost.invalid - won.invalid,
        "no action": lost.idle - won.idle,
    }
    most = max(more, key=lambda name: more[name])
    if more[most] > 0 and more[most] >= lost.valid - won.valid:
        return most
    unsaved = won.saved - lost.saved
    detour = lost.valid + lost.saved - won.valid - won.saved
    return "fewer steps a turn" if unsaved > max(0, detour) else "detours"


def parting(first: Sequence[Move], second: Sequence[Move]) -> int | None:
    """The first turn (from 0) in which two episodes differ; None when they are the same."""
    for index, (one, two) in enumerate(zip(first, second, strict=False)):
        if one != two:
            return index
    shorter = min(len(first), len(second))
    return None if len(first) == len(second) else shorter


def moved(moves: Sequence[Move], turn: int) -> str:
    """What an episode did in a turn: the kind of move, or `end`."""
    return moves[turn].kind if turn < len(moves) else "end"
