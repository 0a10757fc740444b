"""Means with intervals that respect how episodes hang together.

Episodes of the same task are alike (at temperature 0 nearly copies), so a task is a cluster, and every task
weighs the same however many of its episodes are finished. Nothing here reads files. There are two kinds of
interval, and each says which it is (`Interval.scope`):

- `tasks`, "these libraries, other tasks": what these very libraries would do on other tasks.
- `method`, "this method, other libraries and tasks": what the method would do that learns anew. It needs
  several libraries; below `ENOUGH_LIBRARIES` it is not to be trusted (`Interval.trusted`).

Shares (success: every value 0 or 1) of these libraries get a Korn-Graubard interval (Korn and Graubard 1998;
the rule of the US National Center for Health Statistics for proportions from clustered samples):
Clopper-Pearson with the effective number of episodes, p (1 - p) over the between-task variance of the mean,
scaled by (t(n-1) / t(clusters-1))^2 for the few tasks that this variance comes from. Where all tasks agree
there is no variance to go by, and each task counts as one observation: 20 of 20 gives 83 to 100 %, never 100
to 100. It was chosen over the bootstrap by task and plain t-intervals, which have width 0 at 0 and 1 and
cover too little for few clusters. Other means (progress) get a t-interval over task means.

A share of the method gets Wilson's interval with p (1 - p) over the variance of components.py as the number
of observations and Student's t in place of z. Of the forms that were simulated (plain t, t of the logit,
Clopper-Pearson, Jeffreys) it alone covers 93 to 98 % from 10 to 90 % success (docs/statistics.md).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from learnact.statistics.components import Numbers, least_libraries, terms_of_cells, total_variance

LEVEL = 0.95
ENOUGH_LIBRARIES = 5
"""Below it the variance between libraries is known too badly: with 2 or 3 neither this nor a bootstrap
covers what it claims."""
Scope = Literal["tasks", "method"]


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval, from so many episodes of so many clusters (tasks). NaN where there is
    nothing to go by.

    `scope`: what it speaks of (the module's docstring). `libraries`: of a method that learns, how many
    libraries it comes from, the least of all domains and sides; 0 where nothing is learned.
    """

    mean: float
    low: float
    high: float
    episodes: int
    clusters: int
    scope: Scope = "tasks"
    libraries: int = 0

    @property
    def known(self) -> bool:
        """Whether there was anything to go by."""
        return self.episodes > 0

    @property
    def trusted(self) -> bool:
        """Whether there are libraries enough for what it speaks of."""
        return self.scope == "tasks" or not 0 < self.libraries < ENOUGH_LIBRARIES


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


def method_mean(values: Iterable[tuple[Hashable, Hashable, float]]) -> Interval:
    """Mean over tasks of the tasks' means, with its interval for the method: other libraries and tasks.

    `values`: (task, library, value in 0 .. 1); the library is "" for a method that learns nothing.
    Its bounds are NaN where there is a single library: nothing is known of others.
    """
    played = list(values)
    if not played:
        return NOTHING
    cells = cells_of(played)
    means = [sum(group) / len(group) for group in _by_cluster((t, v) for t, _, v in played).values()]
    mean, libraries = sum(means) / len(means), least_libraries(cells)
    low, high = math.nan, math.nan
    if libraries != 1:
        variance, freedom = total_variance(terms_of_cells(cells))
        if all(value in (0.0, 1.0) for *_, value in played) or variance <= 0:
            lower, upper = wilson(mean, variance, freedom, len(means), len(cells))
        else:
            half = student(freedom) * np.sqrt(variance)
            lower, upper = mean - half, mean + half
        low, high = max(0.0, float(lower)), min(1.0, float(upper))
    return Interval(mean, low, high, len(played), len(means), scope="method", libraries=libraries)


def cells_of(
    values: Iterable[tuple[Hashable, Hashable, float]],
) -> dict[tuple[Hashable, Hashable], tuple[float, float]]:
    """The mean of each task and library, and the number of its values."""
    groups: dict[tuple[Hashable, Hashable], list[float]] = {}
    for task, library, value in values:
        groups.setdefault((task, library), []).append(float(value))
    return {cell: (sum(group) / len(group), float(len(group))) for cell, group in groups.items()}


def wilson(
    mean: npt.ArrayLike, variance: npt.ArrayLike, freedom: npt.ArrayLike, least: int, most: int
) -> tuple[Numbers, Numbers]:
    """Wilson's interval of a share whose variance is known with these degrees of freedom.

    `least`: observations that count where all agree (tasks); `most`: observations at most (cells).
    """
    share, spread = np.asarray(mean, dtype=float), np.asarray(variance, dtype=float)
    product = share * (1 - share)
    with np.errstate(divide="ignore", invalid="ignore"):
        number = np.where((spread > 0) & (product > 0), np.minimum(product / spread, most), least)
    squared = student(freedom) ** 2
    middle = (share + squared / (2 * number)) / (1 + squared / number)
    half = np.sqrt(squared * (product / number + squared / (4 * number**2))) / (1 + squared / number)
    return np.minimum(middle - half, share), np.maximum(middle + half, share)


def student(freedom: npt.ArrayLike) -> Numbers:
    """Student's t at the level of all intervals."""
    found: Numbers = np.asarray(special.stdtrit(np.asarray(freedom, dtype=float), 0.5 + LEVEL / 2))
    return found


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
