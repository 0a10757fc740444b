"""What a job could show before it is run: the smallest difference in success between two of its methods.

There are no results yet, so the variance is assumed: log-odds of success differ between tasks (sd 1.5) and
between libraries of one method (sd 1.0, as runs on gripper show), near a success of 50 %, where differences
are hardest to show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from learnact.records.trials import TrialSpec
from learnact.report.comparison import needed_text
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.statistics.intervals import ENOUGH_LIBRARIES
from learnact.statistics.power import LIBRARY_SD, POWER, TASK_SD, Variances, assumed_variances, designs_for
from learnact.trial import planned_episodes

RATE = 0.5
NOTES = (
    f"Smallest: the difference that {POWER:.0%} of all repetitions of the experiment would show, for the "
    "libraries that are learned and for the method. Needed: what would show the wanted difference.",
    f"Assumed: typical success {RATE:.0%}; standard deviation of log-odds {TASK_SD} between tasks and "
    f"{LIBRARY_SD} between libraries; both methods meet the same tasks. After a run, `learnact compare` says "
    "it from the results.",
)
FEW = (
    f"Fewer than {ENOUGH_LIBRARIES} libraries on a domain (repeats.learn): what is said of a method is then "
    "not to be trusted."
)
ONE_METHOD = "The job has one method: there is nothing to compare it with."


def design_table(trials: Sequence[TrialSpec], points: float) -> ResultTable:
    """One row for each method of a job against its first one without learning, else its first.

    `points`: the wanted difference in percentage points of success.
    """
    methods: dict[str, list[TrialSpec]] = {}
    for trial in trials:
        methods.setdefault(trial.label, []).append(trial)
    reference = next((name for name, own in methods.items() if not own[0].learns), next(iter(methods), ""))
    rows = [
        (name, reference, *_cells(own, methods[reference], points / 100))
        for name, own in methods.items()
        if name != reference
    ]
    columns = (
        Column("first"),
        Column("second"),
        Column("tasks", "count"),
        Column("libraries", "count"),
        Column("episodes of each", "count"),
        Column("smallest", "share"),
        Column("smallest of the method", "share"),
        Column(f"tasks needed for {points:g} %", "count"),
        Column("needed for the method"),
    )
    few = any(isinstance(row[3], int) and 0 < row[3] < ENOUGH_LIBRARIES for row in rows)
    notes = (*NOTES, *((FEW,) if few else ()), *(() if rows else (ONE_METHOD,)))
    return ResultTable(f"Can this job show {points:g} points of success?", columns, tuple(rows), notes)


def _cells(first: Sequence[TrialSpec], second: Sequence[TrialSpec], wanted: float) -> tuple[Cell, ...]:
    domains = {trial.domain for trial in first}
    tasks = sum(_tasks(next(t for t in first if t.domain == domain)) for domain in domains)
    libraries = len({trial.learn_repeat for trial in first}) if first[0].learns else 0
    repeats = first[0].test_repeats
    learners = int(first[0].learns) + int(second[0].learns)
    spread = assumed_variances(RATE, repeats, learners)
    number = max(1, libraries) * len(domains)
    alone = Variances(spread.tasks + spread.cells / max(1, libraries), 0.0, 0.0)
    smallest = spread.smallest(tasks, number) if libraries != 1 else math.inf
    return (
        tasks,
        libraries,
        repeats,
        alone.smallest(tasks, 1),
        smallest if math.isfinite(smallest) else None,
        alone.tasks_for(wanted, 1),
        needed_text(designs_for(spread, wanted, libraries, len(domains))),
    )


def _tasks(trial: TrialSpec) -> int:
    return planned_episodes(trial) // trial.test_repeats
