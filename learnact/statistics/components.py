"""Where the variance of a mean comes from: the tasks, the libraries, and both together.

Values lie in cells, one for each task and library. Tasks and libraries are crossed and both are samples: a
method would learn other libraries from other seeds, and there are other tasks. The variance of the mean over
all cells is then

    V = V(tasks) + V(libraries) - V(both)

with each term a mean square divided by the number of cells (Searle, Casella and McCulloch 1992, chapter 4;
`both` is subtracted since each of the others holds it). A sum that comes out below one of its terms has a
negative component, which counts as 0: V is never below V(tasks) or V(libraries). The degrees of freedom of
such a sum are Satterthwaite's (1946).

Arrays may have leading axes, for many data sets at a time (tests/coverage_simulation.py).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Numbers: TypeAlias = npt.NDArray[np.float64]
TermKind = Literal["tasks", "libraries", "both"]
Cell: TypeAlias = tuple[Hashable, Hashable]
Cells: TypeAlias = Mapping[Cell, tuple[float, float]]
"""(task, library) to the mean of its values and their number."""
NO_LIBRARY = ""
"""The library of a method that learns nothing: it adds no variance."""
SMALL = 1e-15
"""A variance below this is rounding."""


@dataclass(frozen=True)
class VarianceTerm:
    """One term of the variance of a mean, with its degrees of freedom, from so many tasks or libraries."""

    kind: TermKind
    variance: Numbers
    freedom: float
    number: int


def crossed_terms(cells: npt.ArrayLike) -> list[VarianceTerm]:
    """The terms of the mean of a full table. `cells`: (..., tasks, libraries), two or more of each."""
    values = np.asarray(cells, dtype=float)
    tasks, libraries = values.shape[-2:]
    mean = values.mean((-2, -1), keepdims=True)
    by_task, by_library = values.mean(-1, keepdims=True), values.mean(-2, keepdims=True)
    rest = values - by_task - by_library + mean
    freedom = (tasks - 1) * (libraries - 1)
    both = (rest**2).sum((-2, -1)) / freedom / (tasks * libraries)
    return [
        _term("tasks", by_task[..., 0].var(-1, ddof=1) / tasks, tasks - 1, tasks),
        _term("libraries", by_library[..., 0, :].var(-1, ddof=1) / libraries, libraries - 1, libraries),
        _term("both", both, freedom, tasks * libraries),
    ]


def task_terms(means: npt.ArrayLike) -> list[VarianceTerm]:
    """The term of the mean of independent tasks. `means`: (..., tasks), two or more."""
    values = np.asarray(means, dtype=float)
    count = values.shape[-1]
    return [_term("tasks", values.var(-1, ddof=1) / count, count - 1, count)]


def without_tasks(terms: Iterable[VarianceTerm]) -> list[VarianceTerm]:
    """The terms of libraries alone, for a side of a difference whose tasks are counted by the difference."""
    return [term for term in terms if term.kind != "tasks"]


def scaled(terms: Iterable[VarianceTerm], weight: float) -> list[VarianceTerm]:
    """The terms of a mean that counts with `weight` in another."""
    return [_term(t.kind, t.variance * weight**2, t.freedom, t.number) for t in terms]


def _term(kind: TermKind, variance: Any, freedom: float, number: int) -> VarianceTerm:
    clean = np.where(np.asarray(variance) > SMALL, variance, 0.0)
    return VarianceTerm(kind, clean, float(freedom), number)


def sums(terms: Iterable[VarianceTerm]) -> dict[TermKind, tuple[Numbers, Numbers]]:
    """By kind: the sum of variances, and the sum of their squares over degrees of freedom."""
    found: dict[TermKind, tuple[Numbers, Numbers]] = {
        "tasks": (np.zeros(()), np.zeros(())),
        "libraries": (np.zeros(()), np.zeros(())),
        "both": (np.zeros(()), np.zeros(())),
    }
    for term in terms:
        variance, spread = found[term.kind]
        found[term.kind] = (variance + term.variance, spread + term.variance**2 / term.freedom)
    return found


def total_variance(terms: Sequence[VarianceTerm]) -> tuple[Numbers, Numbers]:
    """The variance of the mean and its degrees of freedom (1 or more); variance 0 where all cells agree."""
    by_kind = sums(terms)
    (tasks, of_tasks), (libraries, of_libraries), (both, of_both) = by_kind.values()
    whole = tasks + libraries - both
    larger = np.maximum(tasks, libraries)
    spread = np.where(tasks >= libraries, of_tasks, of_libraries)
    variance = np.maximum(whole, larger)
    spread = np.where(whole >= larger, of_tasks + of_libraries + of_both, spread)
    least = min((term.freedom for term in terms if term.kind != "both"), default=1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.where(spread > 0, variance**2 / spread, least)
    return variance, np.maximum(freedom, 1.0)


def unclipped_variance(terms: Iterable[VarianceTerm]) -> float:
    """V(tasks) + V(libraries) - V(both), unbiased because a negative component is kept: for estimates that
    take it away from something else."""
    found = sums(terms)
    return float(found["tasks"][0] + found["libraries"][0] - found["both"][0])


def terms_of_cells(cells: Cells) -> list[VarianceTerm]:
    """The terms of the mean over tasks, each task counting the same, of cells that may be missing.

    Within a task a cell counts by its number of values. Tasks and libraries that no cell connects (those of
    different domains) are strata: the mean is over these domains, not over others.
    """
    found: list[VarianceTerm] = []
    tasks_in_all = len({task for task, _ in cells})
    for stratum in strata(cells):
        share = len({task for task, _ in stratum}) / tasks_in_all
        found += scaled(_stratum_terms(stratum), share)
    return found


def _stratum_terms(cells: Cells) -> list[VarianceTerm]:
    tasks = {task: place for place, task in enumerate(dict.fromkeys(task for task, _ in cells))}
    libraries = {name: place for place, name in enumerate(dict.fromkeys(name for _, name in cells))}
    rows = np.array([tasks[task] for task, _ in cells])
    columns = np.array([libraries[name] for _, name in cells])
    values = np.array([mean for mean, _ in cells.values()])
    numbers = np.array([number for _, number in cells.values()])
    weights = numbers / np.bincount(rows, numbers)[rows] / len(tasks)
    if len(tasks) < 2:
        return []
    if len(libraries) > 1 and len(cells) == len(tasks) * len(libraries) and len(set(numbers)) == 1:
        table = np.empty((len(tasks), len(libraries)))
        table[rows, columns] = values
        return crossed_terms(table)
    mean = weights @ values
    parts = weights * (values - mean)
    found = [_clustered("tasks", rows, parts)]
    if len(libraries) < 2:
        return found
    found.append(_clustered("libraries", columns, parts))
    freedom = len(cells) - len(tasks) - len(libraries) + 1
    if freedom > 0:
        rest = values - _additive_fit(rows, columns, values)
        both = len(cells) / freedom * float(((weights * rest) ** 2).sum())
        found.append(_term("both", both, freedom, len(cells)))
    return found


def _clustered(kind: TermKind, members: npt.NDArray[np.int64], parts: Numbers) -> VarianceTerm:
    """The variance of a sum of independent clusters of parts."""
    totals = np.bincount(members, parts)
    count = len(totals)
    return _term(kind, count / (count - 1) * float((totals**2).sum()), count - 1, count)


def _additive_fit(rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], values: Numbers) -> Numbers:
    """What a task and a library give together without acting on each other, by least squares."""
    design = np.zeros((len(values), int(rows.max()) + int(columns.max()) + 2))
    cells = np.arange(len(values))
    design[cells, rows] = 1.0
    design[cells, int(rows.max()) + 1 + columns] = 1.0
    fit: Numbers = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return fit


def least_libraries(cells: Cells) -> int:
    """The least number of libraries in any stratum; 0 where nothing was learned."""
    known = {library for _, library in cells} - {NO_LIBRARY}
    if not known:
        return 0
    return min(len({name for _, name in stratum} & known) for stratum in strata(cells))


def strata(cells: Cells) -> list[Cells]:
    """The cells by connected tasks and libraries. Those with a single task are one stratum together: alone
    they say nothing about other tasks."""
    root: dict[tuple[str, Hashable], tuple[str, Hashable]] = {}

    def find(node: tuple[str, Hashable]) -> tuple[str, Hashable]:
        root.setdefault(node, node)
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for task, library in cells:
        root[find(("task", task))] = find(("library", library))
    groups: dict[tuple[str, Hashable], dict[tuple[Hashable, Hashable], tuple[float, float]]] = {}
    for (task, library), cell in cells.items():
        groups.setdefault(find(("task", task)), {})[task, library] = cell
    whole, single = [], {}
    for group in groups.values():
        if len({task for task, _ in group}) > 1:
            whole.append(group)
        else:
            single.update(group)
    return [*whole, single] if single else list(whole)
