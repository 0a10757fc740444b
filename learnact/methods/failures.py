"""What a learner learns from: a whole attempt, or the first turn in which a learned action failed, and what
is shown of it. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from learnact.methods.observations import error_text
from learnact.methods.prompt_sections import opening, section
from learnact.methods.training import PlayedEpisode
from learnact.records import EpisodeResult, Turn, history_entries


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
    return f"{told(played.result, played.result.turns)}\n{ending(played)}"


def told(result: EpisodeResult, turns: Sequence[Turn]) -> str:
    """How an episode began, and some of its turns."""
    lines = [opening(result.goal, result.first_observation)]
    return "\n".join(lines + [entry.rstrip("\n") for entry in history_entries(turns)])


def ending(played: PlayedEpisode) -> str:
    """How an episode ended, and, unless the rules leave it out (`show_turns`), after how many turns."""
    success, used = played.result.success, len(played.result.turns)
    episode = played.episode
    if not episode.rules.show_turns:
        return "The goal was reached." if success else "The goal was not reached."
    turns = f"{used} turn{'' if used == 1 else 's'}"
    if success:
        return f"The goal was reached after {turns}."
    all_used = ", all that it had" if used >= episode.budget.turns else ""
    return f"The goal was not reached. The attempt ended after {turns}{all_used}."


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
    lines.append(primitives_made(failure.played, failure.turn))
    if failure.played.episode.rules.show_turns:
        later = len(result.turns) - failure.turn.index - 1
        more = (
            f"{later} more turn{' was' if later == 1 else 's were'} played after this call. " if later else ""
        )
        lines.append(f"{more}{ending(failure.played)}")
    return section("What happened", "\n".join(lines))


def primitives_made(played: PlayedEpisode, turn: Turn, maker: str = "") -> str:
    """The primitive actions of a turn with their observations, the error that ended it, and what it
    returned (where the rules show that) and printed. `maker`: what the learner calls the code that was run.
    """
    made = f"{maker or ('The program' if turn.is_program else 'The call')} made"
    lines = [f"{made} these primitive actions:" if turn.steps else f"{made} no primitive action."]
    lines += [f"{n}. {s.command} -> {s.observation}" for n, s in enumerate(turn.steps, 1)]
    if turn.error:
        lines.append(error_text(turn.error))
    shown = {s.observation for s in turn.steps}
    if turn.returned and turn.returned not in shown and played.episode.rules.show_returns:
        lines.append(f"It returned: {turn.returned}")
    if turn.printed:
        lines.append(f"It printed: {turn.printed}")
    return "\n".join(lines)
