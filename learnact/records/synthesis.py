"""What synthesis makes: scripts, trajectories of a player and a game master, and what was found in replies.

The keys of the JSON that models write are those of AgentRefine (docs/synthesis.md); these are its contents.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

MarkedError = Literal["", "parameter", "place", "logic"]
"""What a game master says was wrong with an action; "" for nothing."""
SynthesisStage = Literal["script", "trajectory"]


@dataclass(frozen=True)
class ScriptAction:
    """An action of a script: its name with places for values (`go to {place}`), a regular expression with a
    group for each, and the values that each may have.
    """

    name: str
    pattern: str
    parameters: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class SynthesisScript:
    """A world to play in. `environment` is JSON of nested places and things."""

    environment: str
    goal: str
    conditions: tuple[str, ...]
    actions: tuple[ScriptAction, ...]


@dataclass(frozen=True)
class SynthesisTurn:
    """A turn of the player (`text` is the action) or the game master (`text` is the observation).

    The marks and `completed`, the conditions that are met after the turn, are the game master's.
    """

    turn: int
    role: str
    thought: str = ""
    text: str = ""
    parameter_error: bool = False
    place_error: bool = False
    logic_error: bool = False
    completed: tuple[str, ...] = ()

    @property
    def marked(self) -> MarkedError:
        """The kind of the mistake that the game master marks; of several marks the first."""
        if self.parameter_error:
            return "parameter"
        return "place" if self.place_error else "logic" if self.logic_error else ""


@dataclass(frozen=True)
class ReplyCheck:
    """What verification found in one reply. `rule` is "" where it was accepted, else the rule that was broken
    first, with the `turn` (0: the whole) and the `problem` in words; `verified` turns are kept.
    """

    trial: str
    example: int
    stage: SynthesisStage
    attempt: int
    request: str
    accepted: bool
    rule: str = ""
    turn: int = 0
    problem: str = ""
    verified: int = 0


@dataclass(frozen=True)
class SynthesizedExample:
    """An example of a persona: its script and the last verified turns.

    `key` is the content address of persona, number, model and settings. `status`: verified; or refused, when
    all calls of a stage were used up (`reason`).
    """

    key: str
    trial: str
    example: int
    persona: str
    status: Literal["verified", "refused"]
    reason: str
    model: str
    simulated: bool
    seed: int
    script: SynthesisScript | None
    turns: tuple[SynthesisTurn, ...]
    calls: int

    @property
    def refinements(self) -> int:
        """Mistakes that the next action repaired."""
        return refinements(self.turns)


def refinements(turns: tuple[SynthesisTurn, ...]) -> int:
    """How many marked mistakes are followed by an action that is not marked."""
    marks = [turn.marked for turn in turns if turn.role == "DM"]
    return sum(bool(one) and not after for one, after in pairwise(marks))
