"""Rank correlation, regret, and pass@k."""

from __future__ import annotations

import math
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


def pass_at_k(attempts: Sequence[bool], k: int) -> float:
    """The chance that one of k attempts solves a task, from n attempts of which c did: the unbiased 1 - C(n -
    c, k) / C(n, k) (Chen et al. 2021). Raises `ValueError` for fewer than k attempts.
    """
    number, failed = len(attempts), len(attempts) - sum(attempts)
    if not 0 < k <= number:
        raise ValueError(f"pass@{k} needs {k} attempts, not {number}")
    return 1 - math.comb(failed, k) / math.comb(number, k)
