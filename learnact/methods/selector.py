"""The selector: scores a candidate from its training episodes, and picks the best (docs/method.md, section
2). Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from learnact.records import EpisodeResult, Terms


def terms(results: Sequence[EpisodeResult]) -> Terms:
    """The terms over a candidate's training episodes, pooled: calls and turns are counted over all of them
    together.

    step_correctness: successful calls of learned actions / calls of learned actions (0 when there are
    none); call_ratio: successful calls of learned actions / action turns; call_share: calls of learned
    actions / action turns.
    """
    if not results:
        return Terms()
    calls = sum(r.learned_calls for r in results)
    ok = sum(r.learned_calls_ok for r in results)
    turns = sum(r.action_turns for r in results)
    return Terms(
        success=fmean(r.success for r in results),
        progress=fmean(r.progress for r in results),
        step_correctness=ok / calls if calls else 0.0,
        call_ratio=ok / turns if turns else 0.0,
        call_share=calls / turns if turns else 0.0,
    )


def score(of: Terms, names: Sequence[str]) -> float:
    """The sum of the named terms."""
    return float(sum(getattr(of, name) for name in names))


def best(scores: Sequence[float | None]) -> int | None:
    """Index of the highest score; ties keep the earlier; candidates without a score cannot win.

    None when none has one.
    """
    scored = [(s, -i) for i, s in enumerate(scores) if s is not None]
    return -max(scored)[1] if scored else None
