"""What racing saves, and how often it loses the winner, by simulation: `python -m tests.racing_simulation`.

A round has four candidates and n training tasks. A candidate's chance of solving a task follows from the task
(log-odds with sd 1.5) and from the candidate; the score is success. "Lost": the winner of the full design is
stopped. It is counted against the error rate of a round (the nominal rate over three rounds), so at most that
much may be lost. "Equal" candidates are the hardest case. The decisions are those of methods/racing.py
(`first_above` of statistics/sequences.py; a test holds both against each other). With `--write` the table
goes into docs/racing.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import special

from learnact.statistics.sequences import first_above
from tests.marked_blocks import print_or_write

PAGE = Path(__file__).parents[1] / "docs" / "racing.md"
RUNS = 2_000
CANDIDATES, ROUNDS, BLOCK, TASK_SD = 4, 3, 4, 1.5
NOMINAL = 0.05
GAPS = {
    "all equal": (0.0, 0.0, 0.0, 0.0),
    "one better by 1.0": (1.0, 0.0, 0.0, 0.0),
    "one better by 2.0": (2.0, 0.0, 0.0, 0.0),
    "one better by 4.0": (4.0, 0.0, 0.0, 0.0),
    "steps of 1.0": (0.0, -1.0, -2.0, -3.0),
}
"""Candidates' log-odds above a centre of 0."""
TASKS = (12, 24, 48, 96)
Table = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Raced:
    """Shares of simulated rounds, and of episodes."""

    lost: float
    other: float
    saved: float


def stops(scores: Table, error: float, block: int) -> npt.NDArray[np.int64]:
    """After how many tasks each candidate is stopped (their number: not at all); scores: (runs, candidates,
    tasks), the tasks in the order in which they are played.
    """
    runs, candidates, tasks = scores.shape
    found = first_above(scores[:, :, None] - scores[:, None], tasks, 1.0, error / (candidates - 1))
    stopped = np.full((runs, candidates), tasks)
    for done in range(block, tasks, block):
        decided = (found > 0) & (found <= done)
        for one in range(candidates):
            by = decided[:, :, one] & (stopped == tasks)
            stopped[(stopped[:, one] == tasks) & by.any(1), one] = done
    return stopped


def simulate(tasks: int, gaps: tuple[float, ...], runs: int, block: int = BLOCK) -> Raced:
    """Many rounds; the same numbers every time."""
    random = np.random.default_rng([tasks, *(int(10 * gap) % 97 for gap in gaps)])
    odds = TASK_SD * random.standard_normal((runs, 1, tasks)) + np.array(gaps)[:, None]
    scores = (random.random((runs, len(gaps), tasks)) < special.expit(odds)).astype(float)
    stopped = stops(scores, NOMINAL / ROUNDS, block)
    totals = scores.sum(-1)
    winner = totals.argmax(1)  # the first of several: which of them, the selector decides by their turns
    lost = stopped[np.arange(runs), winner] < tasks
    best = np.where(stopped == tasks, totals, -1).argmax(1)
    return Raced(float(lost.mean()), float((best != winner).mean()), float(1 - stopped.mean() / tasks))


def table(runs: int = RUNS) -> str:
    """The table as Markdown, and its extremes in a sentence."""
    lines = [
        "| candidates | training tasks | winner lost % | episodes saved % |",
        "| --- | ---: | ---: | ---: |",
    ]
    most = 0.0
    for name, gaps in GAPS.items():
        for tasks in TASKS:
            raced = simulate(tasks, gaps, runs)
            most = max(most, raced.lost)
            lines.append(f"| {name} | {tasks} | {100 * raced.lost:.2f} | {100 * raced.saved:.1f} |")
    lines.append(
        f"\n{runs:,} simulated rounds a row, {CANDIDATES} candidates, decisions every {BLOCK} tasks. The "
        f"winner of the full\ndesign is lost in at most {100 * most:.2f} % of rounds; nominal: "
        f"{100 * NOMINAL / ROUNDS:.2f} % of a round, {100 * NOMINAL:.0f} % of a trial of\n{ROUNDS} rounds. "
        "*Better by* is in log-odds of solving a task."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    print_or_write(__doc__, PAGE, "racing", table, RUNS)
