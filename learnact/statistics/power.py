"""How small a difference a design can show, and how many tasks and libraries a difference would need.

A design shows a difference when its 95 % interval leaves out 0 in `POWER` of all repetitions of the
experiment: the difference is then (t(97.5 %) + t(80 %)) standard errors. The variance comes from results
(`variances`), or before a run from assumptions about tasks and libraries (`assumed_variances`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from learnact.statistics.components import VarianceTerm
from learnact.statistics.differences import Difference
from learnact.statistics.intervals import LEVEL, Scope

POWER = 0.8
TASK_SD, LIBRARY_SD = 1.5, 1.0
"""Standard deviations of the log-odds of success between tasks, and between libraries of one method, as runs
on gripper show them."""
MOST_TASKS = 10_000
LIBRARY_CHOICES = (5, 10, 20, 50)
"""Numbers of libraries for which the number of tasks is told."""


@dataclass(frozen=True)
class Variances:
    """Variance of a difference between tasks, between (pairs of) libraries, and of a single cell else."""

    tasks: float
    libraries: float
    cells: float

    def error(self, tasks: int, libraries: int) -> tuple[float, float]:
        """Standard error with so many tasks and libraries, and its degrees of freedom.

        Without any variance between libraries they only add cells.
        """
        both = self.cells / (tasks * libraries)
        by_task = self.tasks / tasks + both
        spread = by_task**2 / max(1, tasks - 1)
        variance = by_task
        if libraries > 1 and self.libraries > 0:
            by_library = self.libraries / libraries + both
            variance += by_library - both
            spread += by_library**2 / (libraries - 1) + both**2 / max(1, (tasks - 1) * (libraries - 1))
        elif self.libraries > 0:
            return math.inf, 1.0
        return math.sqrt(variance), variance**2 / spread if spread > 0 else 1.0

    def smallest(self, tasks: int, libraries: int) -> float:
        """The smallest difference that so many tasks and libraries can show; infinite for a single
        library."""
        error, freedom = self.error(tasks, libraries)
        if math.isinf(error):
            return math.inf
        freedom = max(1.0, freedom)
        return error * float(special.stdtrit(freedom, 0.5 + LEVEL / 2) + special.stdtrit(freedom, POWER))

    def tasks_for(self, wanted: float, libraries: int) -> int | None:
        """The least number of tasks that shows a difference with so many libraries; None where no number
        does."""
        if not wanted or self.smallest(MOST_TASKS, libraries) > wanted:
            return None
        low, high = 2, MOST_TASKS
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.smallest(middle, libraries) <= wanted else (middle + 1, high)
        return low


@dataclass(frozen=True)
class DesignNeed:
    """A design that can show a difference: libraries on each domain, and tasks in all; `tasks` is None where
    no number of them is enough."""

    libraries: int
    tasks: int | None


def designs_for(spread: Variances, wanted: float, libraries: int, domains: int = 1) -> list[DesignNeed]:
    """How many tasks (of all domains) show a difference, for the libraries of each domain at hand and for
    more of them. `libraries`: 0 where nothing is learned."""
    choices = [libraries, *(number for number in LIBRARY_CHOICES if number > libraries)] if libraries else [0]
    return [DesignNeed(number, spread.tasks_for(abs(wanted), max(1, number) * domains)) for number in choices]


def variances(difference: Difference, scope: Scope = "method") -> Variances:
    """What a difference that was measured says about the variance of another."""
    tasks, libraries, both = (_single(difference.terms, kind) for kind in ("tasks", "libraries", "both"))
    number = len(difference.by_task)
    if difference.shares and not difference.same:
        tasks = max(tasks, 1 / (len(difference.pairs) + 2) ** 2)
    if not libraries or scope == "tasks":
        return Variances(tasks * number, 0.0, 0.0)
    pairs = sum(term.number for term in difference.terms if term.kind == "libraries")
    if not difference.by_repeat and _both_sides(difference.terms):
        pairs = max(1, pairs // 2)
    return Variances(
        max(0.0, tasks - both) * number, max(0.0, libraries - both) * pairs, both * number * pairs
    )


def _single(terms: Sequence[VarianceTerm], kind: str) -> float:
    return float(sum(float(term.variance) for term in terms if term.kind == kind))


def _both_sides(terms: Sequence[VarianceTerm]) -> bool:
    """Whether both sides learn: then each stratum has a term of libraries for either."""
    count = {kind: sum(term.kind == kind for term in terms) for kind in ("tasks", "libraries")}
    return count["libraries"] > count["tasks"]


def assumed_variances(
    rate: float, repeats: int, learners: int, task_sd: float = TASK_SD, library_sd: float = LIBRARY_SD
) -> Variances:
    """The variance of a difference between two methods near this rate, before there are results.

    `repeats`: episodes of a task for each library. `learners`: how many of the two methods learn. What makes
    a task hard is hard for both, so that it drops out of the difference; the log-odds of tasks and libraries
    are normal. `rate` is the success at a typical task and library.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    centre = math.log(rate / (1 - rate))
    odds = centre + task_sd * nodes[:, None] + (library_sd if learners else 0.0) * nodes[None, :]
    success = special.expit(odds)
    by_library = weights @ success
    mean = float(by_library @ weights)
    between = float((by_library - mean) ** 2 @ weights)
    by_task = success @ weights
    rest = success - by_task[:, None] - by_library[None, :] + mean
    together = float(weights @ rest**2 @ weights)
    noise = float(weights @ (success * (1 - success)) @ weights)
    return Variances(0.0, learners * between, learners * together + 2 * noise / repeats)
