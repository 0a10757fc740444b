"""The selector: scores a candidate from its training episodes, and picks the best (docs/method.md, section
2). Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Literal

from learnact.methods.training import PlayedEpisode
from learnact.records import Candidate, Rules, Terms

Ties = Literal["efficient", "earlier"]
"""Which of several candidates with an equal score wins: the one with fewer turns, then fewer tokens, then the
earlier; or the earlier.
"""
MEANS: dict[str, Callable[[PlayedEpisode], float]] = {
    "success": lambda played: float(played.result.success),
    "progress": lambda played: played.result.progress,
    "turns": lambda played: _turns_left(played),
}
"""Terms that are a mean over tasks, each with its value on one; the others are ratios over all tasks."""
IDLE = "no call of its functions made a primitive action"


def terms(played: Sequence[PlayedEpisode]) -> Terms:
    """The terms over a candidate's training episodes, pooled: calls and turns are counted over all of them
    together. Without an episode no term is known.

    step_correctness: successful calls of learned actions / calls of learned actions (0 when there are
    none); call_ratio: successful calls of learned actions / action turns; call_share: calls of learned
    actions / action turns (with the published rule `unreadable: action` also over turns that could not be
    read); turns: the share of the turn budget that was left, 0 for a task that was not
    solved, a mean over tasks.
    """
    if not played:
        return Terms()
    results = [one.result for one in played]
    calls = sum(r.learned_calls for r in results)
    ok = sum(r.learned_calls_ok for r in results)
    turns = sum(r.action_turns for r in results)
    turns += sum(one.result.unreadable_turns for one in played if one.episode.rules.unreadable == "action")
    return Terms(
        success=fmean(r.success for r in results),
        progress=fmean(r.progress for r in results),
        step_correctness=ok / calls if calls else 0.0,
        call_ratio=ok / turns if turns else 0.0,
        call_share=calls / turns if turns else 0.0,
        turns=fmean(map(_turns_left, played)),
    )


def _turns_left(played: PlayedEpisode) -> float:
    """Share of the turn budget that a solved episode left."""
    budget = played.episode.budget.turns
    return max(0.0, 1 - len(played.result.turns) / budget) if played.result.success else 0.0


def task_scores(played: Sequence[PlayedEpisode], names: Sequence[str]) -> list[float]:
    """The score of each episode by terms that are means (`MEANS`): their mean is the candidate's score."""
    return [sum(MEANS[name](one) for name in names) for one in played]


def score(of: Terms, names: Sequence[str]) -> float | None:
    """The sum of the named terms; None where one is not known."""
    values = [getattr(of, name) for name in names]
    return None if None in values else float(sum(values))


def scored(row: Candidate, played: Sequence[PlayedEpisode], names: Sequence[str], rules: Rules) -> Candidate:
    """A candidate with what its training episodes show: terms, score, turns, tokens, and whether it can win.

    A candidate whose learned actions were called and never made a primitive action cannot win, whatever else
    it scores (published, with `empty_call: successful`: it can).
    """
    results = [one.result for one in played]
    values = terms(played)
    calls = [turn for result in results for turn in result.turns if turn.learned]
    idle = rules.empty_call == "failed" and bool(calls) and not any(turn.steps for turn in calls)
    return replace(
        row,
        terms=values,
        score=score(values, names),
        excluded=IDLE if idle else "",
        played_turns=sum(len(r.turns) for r in results),
        played_tokens=sum(r.tokens.prompt + r.tokens.completion for r in results),
    )


def best(candidates: Sequence[Candidate], ties: Ties = "efficient") -> int | None:
    """Index of the candidate with the highest score; one without a score, or excluded, cannot win.

    None when none can.
    """
    able = [index for index, one in enumerate(candidates) if one.score is not None and not one.excluded]

    def place(index: int) -> tuple[float, int, int]:
        one = candidates[index]
        # Rounded: equal sums of equal terms may differ in their last binary digit.
        score = -round(one.score or 0.0, 9)
        return (
            (score, one.played_turns or 0, one.played_tokens or 0) if ties == "efficient" else (score, 0, 0)
        )

    return min(able, key=place, default=None)
