"""Differences between two methods, paired by task and, where both sides share seeds, by repeat.

Every task weighs the same, and within a task every pair: a difference is what was won minus what was lost.
Two intervals come from the same pairs (intervals.py says what each speaks of):

- `tasks`: a t-interval from the variance between tasks of their mean difference.
- `method`: the variance has terms for tasks and for libraries (components.py). Pairs of equal seeds are one
  table of tasks by pairs of libraries: what two libraries of equal seed have in common drops out. Where the
  sides share no seeds, or a library of one side meets several of the other, the tasks count by their mean
  difference and each side adds the variance of its own libraries.

Shares have a variance of at least 1 / (pairs + 2)^2, as if one pair of each outcome had been seen beside (the
rule of Agresti and Min 2005): all pairs tied is no certainty that none would differ. The same episodes on
both sides differ by 0 (0 to 0).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from scipy import special

from learnact.statistics.components import (
    NO_LIBRARY,
    Cells,
    VarianceTerm,
    least_libraries,
    scaled,
    strata,
    task_terms,
    terms_of_cells,
    total_variance,
    without_tasks,
)
from learnact.statistics.intervals import NOTHING, Interval, Scope, cells_of, student

Outcome: TypeAlias = (
    tuple[Hashable, Hashable, float]  # task, library, value: no seeds are known
    | tuple[Hashable, Hashable, Hashable, float]  # task, library, repeat (seed), value
)
UNPAIRED = 0.2
"""Share of a side's values without a partner above which pairing by repeat would lose too much."""


@dataclass(frozen=True)
class Pair:
    """The difference of one pair of values; the library is that of both sides."""

    task: Hashable
    library: Hashable
    value: float


@dataclass(frozen=True)
class Difference:
    """First minus second over the tasks that both played. `tasks` and `method` are the two intervals."""

    pairs: tuple[Pair, ...]
    by_repeat: bool
    """Whether values of equal task and seed are paired; else `pairs` has one for each value of the first
    side, less the second side's mean on its task."""
    same: bool
    """Both sides are the same episodes."""
    terms: tuple[VarianceTerm, ...]
    """Of the mean difference, for `method`."""
    libraries: int
    """The least number of libraries of a side that learns; 0 where none does."""
    shares: bool
    """Every value is 0 or 1."""
    limits: tuple[float, float]

    @property
    def known(self) -> bool:
        """Whether there is anything to go by."""
        return bool(self.pairs)

    @cached_property
    def by_task(self) -> Mapping[Hashable, float]:
        """The mean difference of each task."""
        groups: dict[Hashable, list[float]] = {}
        for pair in self.pairs:
            groups.setdefault(pair.task, []).append(pair.value)
        return {task: sum(values) / len(values) for task, values in groups.items()}

    @property
    def mean(self) -> float:
        """The difference."""
        if self.same:
            return 0.0
        return sum(self.by_task.values()) / len(self.by_task) if self.pairs else math.nan

    @property
    def tasks(self) -> Interval:
        """These libraries, other tasks."""
        return self._interval([term for term in self.terms if term.kind == "tasks"], "tasks")

    @property
    def method(self) -> Interval:
        """This method, other libraries and tasks; bounds are NaN where a side has a single library."""
        found = self._interval(self.terms, "method")
        if self.libraries == 1 and not self.same:
            return replace(found, low=math.nan, high=math.nan)
        return found

    def p_value(self, scope: Scope) -> float:
        """Two-sided p-value of no difference, by Student's t; 1 where all pairs tie, NaN where unknown."""
        if not self.pairs or (scope == "method" and self.libraries == 1 and not self.same):
            return math.nan
        if self.same or all(abs(value) < 1e-12 for value in self.by_task.values()):
            return 1.0
        terms = self.terms if scope == "method" else [t for t in self.terms if t.kind == "tasks"]
        error, freedom = self.error(terms)
        if not terms:
            return math.nan
        return float(2 * special.stdtr(freedom, -abs(self.mean) / error)) if error > 0 else 0.0

    def error(self, terms: Sequence[VarianceTerm]) -> tuple[float, float]:
        """Standard error of the difference with these terms, and its degrees of freedom."""
        variance, freedom = total_variance(terms)
        least = 1 / (len(self.pairs) + 2) ** 2 if self.shares else 0.0
        return math.sqrt(max(float(variance), least)), float(freedom)

    def _interval(self, terms: Sequence[VarianceTerm], scope: Scope) -> Interval:
        if not self.pairs:
            return NOTHING
        mean, (lowest, highest) = self.mean, self.limits
        low, high = mean, mean
        if not self.same and terms:
            error, freedom = self.error(terms)
            half = float(student(freedom)) * error
            low, high = max(lowest, mean - half), min(highest, mean + half)
        elif not self.same:
            low, high = lowest, highest
        libraries = self.libraries if scope == "method" else 0
        return Interval(mean, low, high, len(self.pairs), len(self.by_task), scope=scope, libraries=libraries)


def paired_difference(
    first: Iterable[Outcome], second: Iterable[Outcome], scope: Scope = "tasks"
) -> Interval:
    """First minus second with its interval of that scope. Values are (task, library, value), or (task,
    library, repeat, value) where a repeat has the same seed on both sides.
    """
    found = difference(first, second)
    return found.tasks if scope == "tasks" else found.method


def difference(
    first: Iterable[Outcome],
    second: Iterable[Outcome],
    limits: tuple[float, float] = (-1.0, 1.0),
) -> Difference:
    """First minus second over the tasks that both played.

    Values as in `paired_difference`; a library is any name of what was learned at one time (a trial), "" for
    a method that learns nothing. `limits`: what the difference can be at most.
    """
    one, two = list(first), list(second)
    shared = {value[0] for value in one} & {value[0] for value in two}
    one = [value for value in one if value[0] in shared]
    two = [value for value in two if value[0] in shared]
    shares = all(value[-1] in (0.0, 1.0) for value in (*one, *two))
    same = bool(one) and Counter(one) == Counter(two)
    pairs = _by_repeat(one, two)
    by_repeat = pairs is not None
    if pairs is None:
        means = _task_means(two)
        pairs = [Pair(value[0], value[1], value[-1] - means[value[0]]) for value in one]
        terms = _independent_terms(one, two)
    else:
        terms = terms_of_cells(cells_of((pair.task, pair.library, pair.value) for pair in pairs))
    counts = [least_libraries(cells_of((v[0], v[1], v[-1]) for v in side)) for side in (one, two)]
    libraries = min((count for count in counts if count), default=0)
    return Difference(
        pairs=tuple(pairs),
        by_repeat=by_repeat,
        same=same,
        terms=tuple(terms),
        libraries=libraries,
        shares=shares,
        limits=limits,
    )


def _by_repeat(one: Sequence[Outcome], two: Sequence[Outcome]) -> list[Pair] | None:
    """Pairs of equal task and repeat; None where the sides do not share them one to one."""
    tables: list[dict[tuple[Hashable, Hashable], tuple[Hashable, float]]] = []
    for side in (one, two):
        table = {(v[0], v[2]): (v[1], v[3]) for v in side if len(v) == 4}
        if len(table) < len(side):
            return None
        tables.append(table)
    a, b = tables
    both = [key for key in a if key in b]
    if len(both) < (1 - UNPAIRED) * max(len(a), len(b)):
        return None
    met = {(a[key][0], b[key][0]) for key in both}
    for own, other in ((0, 1), (1, 0)):
        partners = Counter(pair[own] for pair in met if pair[other] != NO_LIBRARY)
        if any(number > 1 for name, number in partners.items() if name != NO_LIBRARY):
            return None
    return [Pair(key[0], (a[key][0], b[key][0]), a[key][1] - b[key][1]) for key in both]


def _task_means(values: Iterable[Outcome]) -> dict[Hashable, float]:
    groups: dict[Hashable, list[float]] = {}
    for value in values:
        groups.setdefault(value[0], []).append(value[-1])
    return {task: sum(group) / len(group) for task, group in groups.items()}


def _independent_terms(one: Sequence[Outcome], two: Sequence[Outcome]) -> list[VarianceTerm]:
    """The terms where each side has libraries of its own: tasks by their differences, libraries by side."""
    first, second = _task_means(one), _task_means(two)
    sides = [cells_of((v[0], v[1], v[-1]) for v in side) for side in (one, two)]
    found: list[VarianceTerm] = []
    for stratum in strata(_joined(*sides)):
        tasks = list(dict.fromkeys(task for task, _ in stratum))
        share = len(tasks) / len(first)
        if len(tasks) > 1:
            found += scaled(task_terms([first[task] - second[task] for task in tasks]), share)
        inside = _within(tasks)
        for cells in sides:
            part: Cells = {cell: value for cell, value in cells.items() if inside(cell[0])}
            found += scaled(without_tasks(terms_of_cells(part)), share)
    return found


def _joined(first: Cells, second: Cells) -> Cells:
    """Cells of both sides, for their strata; a method that learns nothing connects no tasks."""
    cells: dict[tuple[Hashable, Hashable], tuple[float, float]] = {}
    for side, found in enumerate((first, second)):
        for (task, library), value in found.items():
            cells[task, (side, task if library == NO_LIBRARY else library)] = value
    return cells


def _within(tasks: Iterable[Hashable]) -> Callable[[Hashable], bool]:
    known = set(tasks)
    return known.__contains__
