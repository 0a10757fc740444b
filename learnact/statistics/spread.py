"""How much means differ between conditions (interfaces), without the share that sampling noise adds.

The sample variance of the means of I conditions is half the mean square of their differences, d(i, j):

    S^2 = sum over i < j of d(i, j)^2 / (I (I - 1))

and each d(i, j)^2 is too large by the variance of d(i, j), which the tasks (and libraries) of the pair tell.
What is left is an unbiased estimate of the variance between conditions; below 0 it counts as 0. With one
value a task and condition it is that of the analysis of variance: (MS of conditions - MS of the rest) /
tasks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from learnact.statistics.components import unclipped_variance
from learnact.statistics.differences import Difference, Outcome, difference
from learnact.statistics.intervals import Scope
from learnact.statistics.significance import DRAWS, SEED


@dataclass(frozen=True)
class Spread:
    """Standard deviations between conditions; NaN where fewer than two have a task in common."""

    measured: float
    """Of the means as they are."""
    variance: float
    """Between conditions, without noise; may be below 0."""
    means: Sequence[Sequence[float]]
    """Of each task that was played in every condition (only these count), its mean in each of them."""
    scope: Scope
    """Whether the noise of libraries is taken away too (`method`), or that of tasks alone (`tasks`)."""

    @property
    def tasks(self) -> int:
        """Tasks that were played in every condition."""
        return len(self.means)

    @cached_property
    def p_value(self) -> float:
        """Of no difference between conditions, for these libraries: conditions permuted within tasks."""
        return permute_conditions(np.array(self.means)) if self.means else math.nan

    @property
    def sd(self) -> float:
        """The standard deviation without noise."""
        return math.sqrt(max(0.0, self.variance)) if not math.isnan(self.variance) else math.nan


UNKNOWN = Spread(math.nan, math.nan, (), "tasks")


def spread(conditions: Sequence[Sequence[Outcome]]) -> Spread:
    """The spread of the means of several conditions, each given as outcomes of the same tasks."""
    shared = set.intersection(*({v[0] for v in values} for values in conditions)) if conditions else set()
    if len(conditions) < 2 or len(shared) < 2:
        return UNKNOWN
    kept = [[v for v in values if v[0] in shared] for values in conditions]
    pairs = [difference(one, two) for one, two in combinations(kept, 2)]
    several = all(pair.libraries != 1 for pair in pairs)
    number = len(conditions) * (len(conditions) - 1)
    measured = sum(pair.mean**2 for pair in pairs) / number
    noise = sum(_noise(pair, "method" if several else "tasks") for pair in pairs) / number
    return Spread(
        measured=math.sqrt(measured),
        variance=measured - noise,
        means=[[_mean(values, task) for values in kept] for task in sorted(shared, key=repr)],
        scope="method" if several else "tasks",
    )


def _noise(pair: Difference, scope: Scope) -> float:
    terms = pair.terms if scope == "method" else [term for term in pair.terms if term.kind == "tasks"]
    return 0.0 if pair.same else unclipped_variance(terms)


def _mean(values: Sequence[Outcome], task: object) -> float:
    own = [v[-1] for v in values if v[0] == task]
    return sum(own) / len(own)


def permute_conditions(table: np.typing.NDArray[np.float64]) -> float:
    """The share of orders of conditions within tasks (at random, a fixed seed) whose means are as far apart
    as these. `table`: (tasks, conditions).
    """
    observed = float(table.mean(0).var())
    if observed <= 1e-15:
        return 1.0
    random = np.random.default_rng(SEED)
    hits, batch = 0, 500
    for _ in range(DRAWS // batch):
        drawn = random.permuted(np.broadcast_to(table, (batch, *table.shape)), axis=-1)
        hits += int((drawn.mean(1).var(-1) >= observed * (1 - 1e-9)).sum())
    return (hits + 1) / (DRAWS + 1)
