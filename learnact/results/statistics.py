"""Means with intervals that respect how episodes hang together, paired differences, rank correlation and
regret.

Episodes of the same task are alike (at temperature 0 nearly copies), so a task is a cluster, and every task
weighs the same however many of its episodes are finished. Nothing here reads files.

Shares (success: every value 0 or 1) get a Korn-Graubard interval (Korn and Graubard 1998; the rule of the US
National Center for Health Statistics for proportions from clustered samples): Clopper-Pearson with the
effective number of episodes, p (1 - p) over the between-task variance of the mean, scaled by (t(n-1) /
t(clusters-1))^2 for the few tasks that this variance comes from. Where all tasks agree there is no variance
to go by, and each task counts as one observation: 20 of 20 gives 83 to 100 %, never 100 to 100. It was chosen
over the bootstrap by task and plain t-intervals, which have width 0 at 0 and 1 and cover too little for few
clusters; tests/results/test_statistics.py measures coverage.

Other means (progress) get a t-interval over task means; differences likewise, and where several libraries or
trials were tested on the same tasks, a two-way clustered one (Cameron, Gelbach and Miller 2011) with the
degrees of freedom of the smaller of the two.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from scipy import special

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval, from so many episodes of so many clusters (tasks). NaN where there is
    nothing to go by.
    """

    mean: float
    low: float
    high: float
    episodes: int
    clusters: int

    @property
    def known(self) -> bool:
        """Whether there was anything to go by."""
        return self.episodes > 0


NOTHING = Interval(math.nan, math.nan, math.nan, 0, 0)


def _by_cluster(values: Iterable[tuple[Hashable, float]]) -> dict[Hashable, list[float]]:
    groups: dict[Hashable, list[float]] = {}
    for cluster, value in values:
        groups.setdefault(cluster, []).append(float(value))
    return groups


def _t(freedom: float) -> float:
    return float(special.stdtrit(freedom, 0.5 + LEVEL / 2))


def clustered_mean(values: Iterable[tuple[Hashable, float]]) -> Interval:
    """Mean over clusters of the clusters' means, with its interval. `values`: (cluster, value in 0 .. 1)."""
    groups = _by_cluster(values)
    if not groups:
        return NOTHING
    means = [sum(group) / len(group) for group in groups.values()]
    episodes, clusters = sum(map(len, groups.values())), len(groups)
    mean = sum(means) / clusters
    variance = _variance(means)
    binary = all(value in (0.0, 1.0) for group in groups.values() for value in group)
    if binary or variance <= 0.0:
        low, high = _korn_graubard(mean, variance, episodes, clusters)
    else:
        half = _t(clusters - 1) * math.sqrt(variance)
        low, high = max(0.0, mean - half), min(1.0, mean + half)
    return Interval(mean, low, high, episodes, clusters)


def pooled_share(values: Iterable[tuple[Hashable, float]]) -> Interval:
    """Share of ones among all values, of whatever cluster, with a Korn-Graubard interval that respects
    clusters. `values`: (cluster, 0 or 1).

    Unlike `clustered_mean` a cluster weighs as much as it has values (a ratio estimator, its variance
    linearised): for counts that a reader adds up.
    """
    groups = _by_cluster(values)
    if not groups:
        return NOTHING
    number, clusters = sum(map(len, groups.values())), len(groups)
    share = sum(map(sum, groups.values())) / number
    variance = 0.0
    if clusters > 1:
        off = [sum(group) - share * len(group) for group in groups.values()]
        variance = clusters / (clusters - 1) * sum(value * value for value in off) / number**2
    low, high = _korn_graubard(share, variance, number, clusters)
    return Interval(share, low, high, number, clusters)


def _variance(means: Sequence[float]) -> float:
    """Variance of the mean of independent clusters; 0 for one cluster or where all agree."""
    count = len(means)
    if count < 2 or max(means) - min(means) < 1e-12:
        return 0.0
    mean = sum(means) / count
    return sum((value - mean) ** 2 for value in means) / (count - 1) / count


def _korn_graubard(mean: float, variance: float, episodes: int, clusters: int) -> tuple[float, float]:
    if variance > 0.0 and 0.0 < mean < 1.0:
        effective = min(episodes, mean * (1 - mean) / variance)
        if clusters > 1 and episodes > 1:
            effective *= (_t(episodes - 1) / _t(clusters - 1)) ** 2
    else:
        effective = float(clusters)
    hits, tail = mean * effective, (1 - LEVEL) / 2
    misses = effective - hits
    low = float(special.betaincinv(hits, misses + 1, tail)) if hits > 1e-9 else 0.0
    high = float(special.betaincinv(hits + 1, misses, 1 - tail)) if misses > 1e-9 else 1.0
    return min(low, mean), max(high, mean)


def paired_difference(
    first: Iterable[tuple[Hashable, Hashable, float]], second: Iterable[tuple[Hashable, Hashable, float]]
) -> Interval:
    """First minus second over the tasks that both played. Each value: (task, group, value); a group is a
    library, trial or repeat of learning.

    Every task weighs the same, and within a task every value: so a difference is the sum of whatever shares
    `clustered_mean` finds in it. With two groups or more on the first side, the interval is clustered by task
    and by group: it then speaks of other tasks and of other libraries. With one group it speaks of other
    tasks only. `episodes` counts the first side's.
    """
    one, two = list(first), list(second)
    base = {task: sum(v) / len(v) for task, v in _by_cluster((task, value) for task, _, value in two).items()}
    differences = [(task, group, value - base[task]) for task, group, value in one if task in base]
    if not differences:
        return NOTHING
    means = [sum(v) / len(v) for v in _by_cluster((task, value) for task, _, value in differences).values()]
    mean = sum(means) / len(means)
    variance, freedom = _variance(means), len(means) - 1
    groups = {group for _, group, _ in differences}
    if len(groups) > 1:
        variance = max(variance, _two_way(differences, mean))
        freedom = min(freedom, len(groups) - 1)
    if variance > 0.0 and freedom > 0:
        half = _t(freedom) * math.sqrt(variance)
    else:
        half = 1 - ((1 - LEVEL) / 2) ** (1 / len(means))
    return Interval(mean, max(-1.0, mean - half), min(1.0, mean + half), len(differences), len(means))


def _two_way(values: Sequence[tuple[Hashable, Hashable, float]], mean: float) -> float:
    """Variance of the mean over tasks, clustered by task and by group: by task + by group - by both, each
    with its small-sample factor.
    """
    sizes = Counter(task for task, _, _ in values)
    parts = [(task, group, (value - mean) / (sizes[task] * len(sizes))) for task, group, value in values]

    def clustered(named: Iterable[tuple[Hashable, float]]) -> float:
        sums = [sum(group) for group in _by_cluster(named).values()]
        factor = len(sums) / (len(sums) - 1) if len(sums) > 1 else 1.0
        return factor * sum(value * value for value in sums)

    return (
        clustered((task, part) for task, _, part in parts)
        + clustered((group, part) for _, group, part in parts)
        - clustered(((task, group), part) for task, group, part in parts)
    )


def mean_of(values: Sequence[float], lowest: float, highest: float) -> Interval:
    """Mean of independent values (one a trial) with its t-interval, kept within what is possible; with a
    single value all of that.
    """
    if not values:
        return NOTHING
    count, mean = len(values), sum(values) / len(values)
    variance = _variance(values)
    if count < 2:
        return Interval(mean, lowest, highest, count, count)
    half = _t(count - 1) * math.sqrt(variance)
    if variance <= 0.0:
        half = (highest - lowest) * (1 - ((1 - LEVEL) / 2) ** (1 / count))
    return Interval(mean, max(lowest, mean - half), min(highest, mean + half), count, count)


def bounds(successes: float, finished: int, unfinished: int) -> tuple[float, float]:
    """Worst and best success rate: all unfinished episodes are failures, or all successes."""
    total = finished + unfinished
    if not total:
        return math.nan, math.nan
    return successes / total, (successes + unfinished) / total


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
