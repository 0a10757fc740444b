"""What the intervals of learnact/statistics cover, by simulation: `make coverage-simulation`.

Tasks and libraries are drawn anew in every simulated experiment: the log-odds of success are a constant, plus
a task's (sd 1.5), plus a library's (sd 0 or 1.0). The truth is the mean success over all tasks and libraries.
Methods of "shared seeds" have the same luck in half of the episodes of equal task and seed, as episodes that
begin in the same state; those of "independent seeds" in none. The formulas are those that the tables use
(components.py, intervals.py), over many experiments at a time. Prints the table in docs/statistics.md; with
`--write` puts it there.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from scipy import special

from learnact.statistics.components import crossed_terms, task_terms, total_variance, without_tasks
from learnact.statistics.intervals import student, wilson
from tests.marked_blocks import print_or_write

TASK_SD = 1.5
RUNS = 20_000
PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"
SHARED_LUCK = 0.5
KINDS = ("rate", "difference, independent seeds", "difference, shared seeds")


@dataclass(frozen=True)
class Design:
    """An experiment: `effect` is the difference in log-odds between two methods."""

    kind: str
    tasks: int
    libraries: int
    sd: float
    rate: float
    effect: float = 0.0
    repeats: int = 1


@dataclass(frozen=True)
class Covered:
    """Share of experiments whose interval holds the truth, and whose interval leaves out 0."""

    design: Design
    covered: float
    found: float
    width: float


def simulate(design: Design, runs: int = RUNS) -> Covered:
    """Many experiments of a design; the same numbers every time."""
    random = np.random.default_rng(zlib.crc32(repr(design).encode()))
    size = (runs, design.tasks, design.libraries)
    centre = special.logit(design.rate)
    task = TASK_SD * random.standard_normal((runs, design.tasks, 1))
    truth = mean_success(centre, design.sd)
    first, luck = play(random, centre + task, design, size)
    if design.kind == "rate":
        variance, freedom = total_variance(crossed_terms(first))
        cells = design.tasks * design.libraries
        low, high = wilson(first.mean((1, 2)), variance, freedom, design.tasks, cells)
    else:
        shared = luck if design.kind == "difference, shared seeds" else None
        second, _ = play(random, centre + design.effect + task, design, size, shared)
        truth = mean_success(centre + design.effect, design.sd) - truth
        low, high = difference_interval(second, first, paired=shared is not None, repeats=design.repeats)
    return Covered(
        design,
        float(((low <= truth) & (truth <= high)).mean()),
        float(((low > 0) | (high < 0)).mean()),
        float((high - low).mean()),
    )


def difference_interval(
    first: np.ndarray, second: np.ndarray, paired: bool, repeats: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The interval `method` of differences.py. Both: (runs, tasks, libraries), means over repeats."""
    apart = first - second
    if paired:
        terms = crossed_terms(apart)
    else:
        terms = [*task_terms(apart.mean(2)), *without_tasks(crossed_terms(first))]
        terms += without_tasks(crossed_terms(second))
    variance, freedom = total_variance(terms)
    pairs = first.shape[1] * first.shape[2] * repeats
    error = np.sqrt(np.maximum(variance, 1 / (pairs + 2) ** 2))
    mean, half = apart.mean((1, 2)), student(freedom) * error
    return mean - half, mean + half


def play(
    random: np.random.Generator,
    odds: np.ndarray,
    design: Design,
    size: tuple[int, int, int],
    luck: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Success of each task with each library of a method, and the luck of each episode."""
    libraries = design.sd * random.standard_normal((size[0], 1, size[2]))
    own = random.random((*size, design.repeats), dtype=np.float32)
    if luck is not None:
        same = random.random(own.shape, dtype=np.float32) < SHARED_LUCK
        own = np.where(same, luck, own)
    chance = special.expit(odds + libraries)[..., None]
    return (own < chance).mean(-1), own


def mean_success(odds: float, sd: float) -> float:
    """Mean success over tasks and libraries."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    return float(special.expit(odds + np.hypot(TASK_SD, sd) * nodes) @ weights / weights.sum())


def table(runs: int = RUNS) -> str:
    """The table as Markdown, and its extremes in a sentence."""
    lines = [
        "| typical success | tasks | libraries | libraries' sd | rate | no difference: independent seeds "
        "| shared | difference of 1.0: independent | shared |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    covered: list[float] = []
    wrong: list[float] = []
    for rate, tasks, libraries, sd in product((0.5, 0.8), (20, 60), (5, 10), (0.0, 1.0)):
        cells = [simulate(Design("rate", tasks, libraries, sd, rate), runs)]
        for effect, kind in product((0.0, 1.0), KINDS[1:]):
            cells.append(simulate(Design(kind, tasks, libraries, sd, rate, effect), runs))
        covered += [cell.covered for cell in cells]
        wrong += [cell.found for cell in cells[1:3]]
        shown = " | ".join(f"{100 * cell.covered:.1f}" for cell in cells)
        lines.append(f"| {100 * rate:.0f} % | {tasks} | {libraries} | {sd} | {shown} |")
    lines.append(
        f"\n{runs:,} simulated experiments a cell. Coverage {100 * min(covered):.1f} to "
        f"{100 * max(covered):.1f} %;\na difference of 0 is taken for one in {100 * min(wrong):.1f} to "
        f"{100 * max(wrong):.1f} % of experiments."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    print_or_write(__doc__, PAGE, "coverage", table, RUNS)
