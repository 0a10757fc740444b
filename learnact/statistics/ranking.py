"""Rank correlation, regret, and pass@k."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation, ties shared; None with fewer than three pairs or where one side is
    constant.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} values against {len(second)}: they must come in pairs")
    if len(first) < 3 or len(set(first)) < 2 or len(set(second)) < 2:
        return None
    from scipy import stats  # takes a second to import, and only this needs it

    return float(stats.spearmanr(first, second).statistic)


def regret(chosen: float, others: Iterable[float]) -> float:
    """What was given up by the choice: the best value (the chosen one among them) minus the chosen one; 0 or
    more.
    """
    return max([chosen, *others]) - chosen
