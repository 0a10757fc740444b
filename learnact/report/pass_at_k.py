"""pass@k: the chance that one of k attempts at a task solves it.

Attempts are all finished test episodes of a task by one method: repeats of testing, and of learning where it
learns (each attempt then has the library of its repeat).
"""

from __future__ import annotations

from collections import defaultdict

from learnact.report.data import ALL, ReportData, Score
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.score_table import NOTHING_PLAYED, ModelColumns, RateColumns
from learnact.statistics.intervals import Interval, clustered_mean
from learnact.statistics.ranking import pass_at_k

MOST = 10
"""The largest k that is shown."""
NOTES = (
    "pass@k: the chance that one of k attempts solves a task, from all of its attempts (unbiased: 1 - C(n - "
    "c, k) / C(n, k)), a mean over tasks that have k attempts. Attempts: repeats of learning and testing.",
    "Intervals: 95 %, clustered by task.",
)


def pass_tables(data: ReportData) -> list[ResultTable]:
    """One row for each method and domain, one column for each k."""
    attempts = {score.key: _attempts(data, score) for score in data.scores}
    most = max((len(tries) for tasks in attempts.values() for tries in tasks.values()), default=0)
    shown = [k for k in range(1, min(MOST, most) + 1) if k < 6 or k in (most, MOST)]
    models, rates = ModelColumns(score.key for score in data.scores), RateColumns(data.scores)
    rows: list[tuple[Cell, ...]] = [
        (
            score.key.domain,
            *models.cells(score.key),
            score.key.method,
            *(_pass(attempts[score.key], k) for k in shown),
            score.success.episodes,
            score.success.clusters,
            *rates.cells(score),
        )
        for score in data.scores
    ]
    columns = (
        Column("domain"),
        *models.columns,
        Column("method"),
        *(Column(f"pass@{k}", "share") for k in shown),
        Column("episodes", "count"),
        Column("tasks", "count"),
        *rates.columns,
    )
    notes = (*NOTES, *models.notes, *rates.notes, *(() if rows else (NOTHING_PLAYED,)))
    table = ResultTable("pass@k: success in k attempts", columns, tuple(rows), notes)
    return [table.mark_simulated([score.simulated for score in data.scores])]


def _attempts(data: ReportData, score: Score) -> dict[str, list[bool]]:
    """The attempts at each task of a row (or of all domains)."""
    found: dict[str, list[bool]] = defaultdict(list)
    for key, sample in data.test_samples.items():
        if key == score.key or (key._replace(domain=ALL) == score.key):
            for task, success in zip(sample.tasks, sample.success, strict=True):
                found[task].append(success)
    return found


def _pass(attempts: dict[str, list[bool]], k: int) -> Interval | None:
    found = [(task, pass_at_k(tries, k)) for task, tries in attempts.items() if len(tries) >= k]
    return clustered_mean(found) if found else None
