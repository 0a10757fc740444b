"""What a learner learns from: a whole attempt, or the first turn in which a learned action failed, and what
is shown of it. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from learnact.methods.observations import error_text
from learnact.methods.prompt_sections import opening, program_text, section
from learnact.methods.training import PlayedEpisode
from learnact.records import Turn, history_entries


@dataclass(frozen=True)
class FailedCall:
    """A failed call of a learned action: the episode, the turn, and the turns before it."""

    played: PlayedEpisode
    turn: Turn

    @property
    def before(self) -> tuple[Turn, ...]:
        """The turns that led to it."""
        return self.played.result.turns[: self.turn.index]


def first_failed_call(
    episodes: Sequence[PlayedEpisode], learn_from: Literal["failed_calls", "failed_tasks"]
) -> FailedCall | None:
    """The first failed call in order of tasks and then turns; with `failed_tasks` only in episodes that
    were not solved.
    """
    for played in episodes:
        if learn_from == "failed_tasks" and played.result.success:
            continue
        for turn in played.result.turns:
            if turn.learned and not turn.ok:
                return FailedCall(played, turn)
    return None


def attempt(played: PlayedEpisode) -> str:
    """A whole episode as it is shown to a learner, or as an example to an agent: how it began, every turn,
    and how it ended.
    """
    result = played.result
    lines = [opening(result.goal, result.first_observation)]
    for turn in result.turns:
        if turn.is_program:
            lines += [program_text(turn.said), f"Observation: {turn.observation}"]
        else:
            lines += [entry.rstrip("\n") for entry in history_entries([turn])]
    lines.append("The goal was reached." if result.success else "The goal was not reached.")
    return "\n".join(lines)


def what_happened(failure: FailedCall, context: Literal["last_observation", "history"]) -> str:
    """The section on a failed call: the goal, what led there (the last informative observation, or the
    whole history), the call, and the primitive actions that it made with their observations.
    """
    result = failure.played.result
    lines = [f"Goal: {result.goal}"]
    if context == "history":
        lines += [f"Observation: {result.first_observation}"]
        lines += [entry.rstrip("\n") for entry in history_entries(failure.before)]
    else:
        informative = [t.observation for t in failure.before if t.ok and t.kind == "action"]
        lines.append(f"Observation: {result.first_observation}")
        if informative:
            lines += ["Later on:", f"Observation: {informative[-1]}"]
    lines.append(f"Action: {failure.turn.said}")
    lines.append(primitives_made(failure.turn))
    return section("What happened", "\n".join(lines))


def primitives_made(turn: Turn) -> str:
    """The primitive actions of a turn with their observations, and the error that ended it."""
    made = "The program made" if turn.is_program else "The call made"
    lines = [f"{made} these primitive actions:" if turn.steps else f"{made} no primitive action."]
    lines += [f"{n}. {s.command} -> {s.observation}" for n, s in enumerate(turn.steps, 1)]
    if turn.error:
        lines.append(error_text(turn.error))
    if turn.printed:
        lines.append(f"It printed: {turn.printed}")
    return "\n".join(lines)
