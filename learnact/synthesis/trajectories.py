"""Trajectories: turns read from a model's reply, and the rules that they must keep to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from learnact.records.synthesis import SynthesisScript, SynthesisTurn, refinements
from learnact.synthesis.patterns import ActionFit
from learnact.synthesis.rules import VerificationRule

PLAYER, MASTER = "Player", "DM"
THOUGHT, ACTION, OBSERVATION, COMPLETED = "Thought", "Action", "Observation", "completed"
MARKS = ("parameter_error", "place_error", "logic_error")
KEYS_OF = {
    PLAYER: ("turn", "role", THOUGHT, ACTION),
    MASTER: ("turn", "role", THOUGHT, OBSERVATION, *MARKS, COMPLETED),
}
"""The keys of a turn by its role: AgentRefine's, with `completed` added (docs/synthesis.md)."""
LEAST_REFINEMENTS = 2
"""Error-refine turns of an accepted trajectory (AgentRefine, figure 3)."""


@dataclass(frozen=True)
class ReadTurn:
    """A turn that is looked at: as read, as it is taken, what came before it, and how the action that it
    answers fits the script (None where it answers none).
    """

    raw: Any
    turn: SynthesisTurn
    before: tuple[SynthesisTurn, ...]
    script: SynthesisScript
    fit: ActionFit | None

    @property
    def content(self) -> Mapping[str, Any]:
        """The keys and values that were read."""
        return self.raw if isinstance(self.raw, dict) else {}

    @property
    def masters(self) -> bool:
        """Whether it is the game master's."""
        return self.turn.role == MASTER


@dataclass(frozen=True)
class ReadTrajectory:
    """A whole trajectory, whose turns have been found right, one by one; `problem`: why its last reply is
    not JSON as a whole.
    """

    script: SynthesisScript
    turns: tuple[SynthesisTurn, ...]
    problem: str = ""


def turn_from(raw: Any) -> SynthesisTurn:
    """A turn from whatever was read: what does not fit is left out."""
    content = raw if isinstance(raw, dict) else {}
    number = content.get("turn")
    completed = content.get(COMPLETED)
    return SynthesisTurn(
        turn=number if type(number) is int and abs(number) < 1 << 31 else 0,
        role=_text(content.get("role")),
        thought=_text(content.get(THOUGHT)),
        text=_text(content.get(ACTION if content.get("role") == PLAYER else OBSERVATION)),
        parameter_error=content.get("parameter_error") is True,
        place_error=content.get("place_error") is True,
        logic_error=content.get("logic_error") is True,
        completed=tuple(c for c in completed if isinstance(c, str)) if isinstance(completed, list) else (),
    )


def turns_as_json(turns: Sequence[SynthesisTurn]) -> str:
    """Turns as a prompt shows them: a list of the objects that a model writes, one a line."""
    lines = []
    for turn in turns:
        shown: dict[str, Any] = {"turn": turn.turn, "role": turn.role, THOUGHT: turn.thought}
        if turn.role == PLAYER:
            shown[ACTION] = turn.text
        else:
            marks = (turn.parameter_error, turn.place_error, turn.logic_error)
            shown |= {OBSERVATION: turn.text, **dict(zip(MARKS, marks, strict=True))}
            shown[COMPLETED] = list(turn.completed)
        lines.append(json.dumps(shown, ensure_ascii=False))
    return "[\n" + ",\n".join(lines) + "\n]"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def reached(script: SynthesisScript, turn: SynthesisTurn) -> bool:
    """Whether a turn of the game master says that every condition is met."""
    return turn.role == MASTER and bool(script.conditions) and set(script.conditions) <= set(turn.completed)


# Rules of a turn --------------------------------------------------------------------------------------------


def _keys(read: ReadTurn) -> str:
    wanted = KEYS_OF.get(read.turn.role, ("turn", "role"))
    missing = [key for key in wanted if key not in read.content]
    more = [key[:80] for key in read.content if key not in wanted] if read.turn.role in KEYS_OF else []
    if not missing and not more:
        return ""
    return f"its keys must be {', '.join(wanted)}, not {', '.join(read.content)[:200] or 'none'}"


def _types(read: ReadTurn) -> str:
    if not isinstance(read.raw, dict):
        return "a turn is an object"
    given = read.raw
    if "turn" in given and type(given["turn"]) is not int:
        return "turn must be a number"
    for key in ("role", THOUGHT, ACTION, OBSERVATION):
        if key in given and not isinstance(given[key], str):
            return f"{key} must be text"
    for key in MARKS:
        if key in given and not isinstance(given[key], bool):
            return f"{key} must be true or false"
    completed = given.get(COMPLETED, [])
    if not isinstance(completed, list) or not all(isinstance(c, str) for c in completed):
        return f"{COMPLETED} must be a list of completion conditions"
    return ""


def _order(read: ReadTurn) -> str:
    number = read.before[-1].turn + 1 if read.before else 1
    role = MASTER if not read.before or read.before[-1].role == PLAYER else PLAYER
    if (read.turn.turn, read.turn.role) == (number, role):
        return ""
    return (
        f"turn {number} of the {role} was due, not turn {read.turn.turn} of {read.turn.role[:40] or 'nobody'}"
    )


def _quick(read: ReadTurn) -> str:
    return "a pattern takes too long on the action" if read.fit and read.fit.kind == "slow" else ""


def _unmarked_form(read: ReadTurn) -> str:
    unmarked = read.fit is not None and read.fit.kind == "other" and not read.turn.parameter_error
    return (
        f"the action {_action(read)} is none of the script's, and parameter_error is false"
        if unmarked
        else ""
    )


def _unmarked_value(read: ReadTurn) -> str:
    fit = read.fit
    if fit is None or fit.kind != "value" or read.turn.parameter_error:
        return ""
    given = f"{fit.given[:80]!r}, which is no value of {fit.parameter}"
    return f"the action {_action(read)} holds {given}, and parameter_error is false"


def _marked_right(read: ReadTurn) -> str:
    wrong = read.fit is not None and read.fit.kind == "fits" and read.turn.parameter_error
    return f"the action {_action(read)} is one of the script's, and parameter_error is true" if wrong else ""


def _marked_nothing(read: ReadTurn) -> str:
    wrong = read.masters and not read.before and read.turn.marked
    return "no action came before it, and an error is marked" if wrong else ""


def _known_conditions(read: ReadTurn) -> str:
    other = next((c for c in read.turn.completed if c not in read.script.conditions), "")
    return f"{other[:80]!r} is no completion condition" if other else ""


def _failed_completes(read: ReadTurn) -> str:
    if not read.masters or not read.turn.marked:
        return ""
    earlier = next((t.completed for t in reversed(read.before) if t.role == MASTER), ())
    new = [c for c in read.turn.completed if c not in earlier]
    return f"the action failed, and met the condition {new[0][:80]!r}" if new else ""


def _after_goal(read: ReadTurn) -> str:
    ended = any(reached(read.script, turn) for turn in read.before)
    return "the goal was reached before" if ended else ""


def _action(read: ReadTurn) -> str:
    return repr(read.before[-1].text[:120]) if read.before else ""


TURN_RULES: tuple[VerificationRule[ReadTurn], ...] = (
    VerificationRule("keys", "a turn has the keys of its role", _keys),
    VerificationRule("types", "each value has its type", _types),
    VerificationRule("order", "turns are numbered on; game master and player take turns, he begins", _order),
    VerificationRule("after_goal", "nothing follows the turn that reaches the goal", _after_goal),
    VerificationRule("quick", "the patterns match an action within their bound on CPU time", _quick),
    VerificationRule("unmarked_form", "an action that no pattern matches is marked", _unmarked_form),
    VerificationRule(
        "unmarked_value", "an action with a value that is not allowed is marked", _unmarked_value
    ),
    VerificationRule("marked_right", "an action that fits is not marked parameter_error", _marked_right),
    VerificationRule("marked_nothing", "the first observation marks no error", _marked_nothing),
    VerificationRule("known_conditions", "what is completed are conditions of the script", _known_conditions),
    VerificationRule("failed_completes", "an action that is marked completes nothing", _failed_completes),
)
"""Of each turn, in the order in which they are asked."""


# Rules of the whole -----------------------------------------------------------------------------------------


def _whole_json(read: ReadTrajectory) -> str:
    return read.problem


def _goal_reached(read: ReadTrajectory) -> str:
    if read.turns and reached(read.script, read.turns[-1]):
        return ""
    return "the last turn does not meet every completion condition"


def _refined(read: ReadTrajectory) -> str:
    found = refinements(read.turns)
    if found >= LEAST_REFINEMENTS:
        return ""
    return f"{found} mistakes are marked and then repaired; at least {LEAST_REFINEMENTS} are wanted"


WHOLE_RULES: tuple[VerificationRule[ReadTrajectory], ...] = (
    VerificationRule("json", "the reply is one JSON list and nothing else, no key twice", _whole_json),
    VerificationRule("goal_reached", "the last turn reaches the goal", _goal_reached),
    VerificationRule("refinements", f"at least {LEAST_REFINEMENTS} mistakes are repaired", _refined),
)
"""Of a trajectory whose turns are right, in the order in which they are asked."""
REFINEMENTS = "refinements"
"""The rule after whose breach nothing is kept (AgentRefine, algorithm 1)."""
