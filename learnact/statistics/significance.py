"""p-values of no difference: by permutation, McNemar's, and Holm's correction for several at once."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from learnact.statistics.components import NO_LIBRARY
from learnact.statistics.differences import Difference
from learnact.statistics.intervals import Scope

EXACT = 14
"""Up to so many units all changes of sign are tried, else `DRAWS` at random."""
DRAWS = 20_000
SEED = 20_240_607
"""Of the random changes of sign: the same results give the same p-value."""


@dataclass(frozen=True)
class PermutationTest:
    """A two-sided p-value, from so many units whose signs were changed; `least` is the smallest possible."""

    p_value: float
    units: int
    least: float


def permute_tasks(difference: Difference) -> PermutationTest:
    """Whether these libraries differ on other tasks: the signs of the tasks' differences are exchangeable."""
    return sign_flips(list(difference.by_task.values()))


def permute_libraries(difference: Difference) -> PermutationTest | None:
    """Whether the methods differ: the signs of the differences of pairs of libraries are exchangeable.

    None where no library is paired with one of the other side (or with a method that learns nothing). With 5
    pairs no p-value is below 2 / 2^5 = 0.0625.
    """
    if not difference.by_repeat:
        return None
    sums: dict[Hashable, float] = {}
    number = len(difference.by_task)
    sizes: dict[Hashable, int] = {}
    for pair in difference.pairs:
        sizes[pair.task] = sizes.get(pair.task, 0) + 1
    for pair in difference.pairs:
        part = pair.value / sizes[pair.task] / number
        sums[pair.library] = sums.get(pair.library, 0.0) + part
    if len(sums) < 2 or all(name == (NO_LIBRARY, NO_LIBRARY) for name in sums):
        return None
    return sign_flips(list(sums.values()))


def sign_flips(values: Sequence[float]) -> PermutationTest:
    """The share of changes of sign that give a sum as far from 0 as the values have."""
    given = np.asarray(values, dtype=float)
    given = given[np.abs(given) > 1e-12]
    least = 2 / 2**EXACT if len(values) > EXACT else 2 / 2 ** len(values)
    if not len(given):
        return PermutationTest(1.0, len(values), min(1.0, least))
    observed = abs(given.sum()) * (1 - 1e-9) - 1e-12
    if len(given) <= EXACT:
        signs = np.array(list(product((1.0, -1.0), repeat=len(given))))
        found = float((np.abs(signs @ given) >= observed).mean())
    else:
        draws = np.random.default_rng(SEED).integers(0, 2, (DRAWS, len(given)), dtype=np.int8)
        hits = int((np.abs((2.0 * draws - 1.0) @ given) >= observed).sum())
        found, least = (hits + 1) / (DRAWS + 1), 1 / (DRAWS + 1)
    return PermutationTest(found, len(values), min(1.0, least))


def deciding_scope(difference: Difference) -> Scope:
    """What several comparisons are corrected by: the method where there are libraries enough, else these
    libraries."""
    return "method" if difference.method.trusted else "tasks"


def deciding_p(difference: Difference) -> float:
    """The p-value of that scope: Student's t of the method, else the permutation of tasks."""
    if deciding_scope(difference) == "method":
        return difference.p_value("method")
    return permute_tasks(difference).p_value


@dataclass(frozen=True)
class McNemarTest:
    """Pairs that only the first side solved, that only the second solved, and the exact two-sided p-value."""

    first_only: int
    second_only: int
    p_value: float


def mcnemar(difference: Difference) -> McNemarTest | None:
    """McNemar's exact test; None where it does not apply: a task with several pairs (they are not
    independent), values that are no shares, or no pairs by repeat."""
    values = [pair.value for pair in difference.pairs]
    if not difference.shares or not difference.by_repeat or len(values) != len(difference.by_task):
        return None
    won, lost = values.count(1.0), values.count(-1.0)
    if won + lost == 0:
        return McNemarTest(0, 0, 1.0)
    tail = sum(math.comb(won + lost, k) for k in range(min(won, lost) + 1)) / 2 ** (won + lost)
    return McNemarTest(won, lost, min(1.0, 2 * tail))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for being several (Holm 1979), in the order given; NaN stays and does not count."""
    known = sorted((p, place) for place, p in enumerate(p_values) if not math.isnan(p))
    adjusted, highest = list(p_values), 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        adjusted[place] = highest
    return adjusted
