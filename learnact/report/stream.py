"""Streams: success on tasks as they come, what is kept of earlier ones, and how libraries grow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import fmean

from learnact.report.data import ReportData, RowKey
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.score_table import ModelColumns
from learnact.results.reader import dictionaries
from learnact.statistics.intervals import Interval, clustered_mean

EPISODES = """
WITH played AS (
    SELECT DISTINCT ON (e.key) e.trial, e.phase, e.task_hash, e.replicate AS learned_from, e.success,
           e.simulated,
           coalesce(len(l.actions), 0) AS functions, coalesce(len(l.lessons), 0) AS sentences,
           (SELECT count(DISTINCT t.callee) FROM turns t
            WHERE t.run = e.run AND t.episode = e.key AND t.learned) AS called
    FROM episodes e LEFT JOIN libraries l
      ON l.run = e.run AND l.trial = e.trial AND l.library = e.library
    WHERE e.phase = 'stream' OR (e.phase = 'test' AND e.trial IN
        (SELECT DISTINCT trial FROM episodes WHERE phase = 'stream'))
    ORDER BY e.key, e.run
)
SELECT *, min(learned_from) OVER (PARTITION BY trial, phase, task_hash) AS place
FROM played ORDER BY trial, phase, place, learned_from
"""
"""Each episode of a stream, and of the test after it, with its task's place (0 is the first) and the size of
the library."""
NOTES = (
    "Before: each task as it comes, with what was learned from those before it. After: the same tasks right "
    "after they were learned from. End: all tasks with the final library. Forgotten: tasks that were solved "
    "at some time after they were learned from and not at the end, a share of all. Two or more: solved "
    "episodes that called at least two different learned actions, a share of the solved ones. Test: the test "
    "tasks with the final library; with the domain's option composition they ask for a combination of what "
    "single training tasks asked.",
    "Intervals: 95 %, clustered by task; they speak of these streams.",
    "Functions, sentences: of the final library, means over trials.",
)
NO_STREAM = "No trial of these runs is a stream; run the job with protocol: stream."


@dataclass
class StreamTask:
    """A task of a stream: success by the number of tasks that were learned from."""

    task: str
    place: int
    success: dict[int, bool] = field(default_factory=dict)

    @property
    def before(self) -> bool | None:
        """Whether it was solved when it came."""
        return self.success.get(self.place)

    @property
    def after(self) -> bool | None:
        """Whether it was solved right after it was learned from."""
        return self.success.get(self.place + 1)

    @property
    def end(self) -> bool:
        """Whether it was solved with the final library."""
        return self.success[max(self.success)]

    @property
    def forgotten(self) -> bool:
        """Whether it was solved after it was learned from, and not at the end."""
        return not self.end and any(ok for number, ok in self.success.items() if number > self.place)


@dataclass
class Streams:
    """The streams of a row: their tasks, and what their libraries came to."""

    tasks: dict[tuple[str, str], StreamTask] = field(default_factory=dict)
    libraries: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    """By trial and number of tasks that were learned from: functions and sentences of the library; of parts
    that single tasks were given, the largest."""
    solved: int = 0
    combined: int = 0
    tested: list[tuple[str, bool]] = field(default_factory=list)
    """The test episodes after the streams: task and success."""
    tested_combined: int = 0
    simulated: bool = False

    @property
    def number(self) -> int:
        """How many streams there are."""
        return len({trial for trial, _ in self.libraries})

    @property
    def growth(self) -> dict[int, tuple[float, float]]:
        """Functions and sentences by number of tasks that were learned from, means over streams."""
        numbers = sorted({number for _, number in self.libraries})
        found = {}
        for number in numbers:
            sizes = [size for (_, at), size in self.libraries.items() if at == number]
            found[number] = (fmean(size[0] for size in sizes), fmean(size[1] for size in sizes))
        return found


def read_streams(data: ReportData) -> dict[RowKey, Streams]:
    """The streams of runs by row, in order."""
    found: dict[RowKey, Streams] = defaultdict(Streams)
    for row in dictionaries(data.connection, EPISODES):
        trial = data.trials.get(row["trial"])
        if trial is None:
            continue
        streams = found[trial.row_key]
        combined = row["success"] and row["called"] > 1
        streams.simulated |= row["simulated"]
        if row["phase"] == "test":
            streams.tested.append((row["task_hash"], row["success"]))
            streams.tested_combined += combined
            continue
        key = (row["trial"], row["task_hash"])
        task = streams.tasks.setdefault(key, StreamTask(row["task_hash"], row["place"]))
        task.success[row["learned_from"]] = row["success"]
        size = (row["functions"], row["sentences"])
        at = (row["trial"], row["learned_from"])
        streams.libraries[at] = max(streams.libraries.get(at, size), size)
        streams.solved += row["success"]
        streams.combined += combined
    return {key: found[key] for key in data.ordered(found)}


def stream_tables(data: ReportData) -> list[ResultTable]:
    """One row for each domain and method."""
    found = read_streams(data)
    models = ModelColumns(found)
    rows: list[tuple[Cell, ...]] = []
    for key, streams in found.items():
        tasks = list(streams.tasks.values())
        *_, last = streams.growth.values()
        rows.append(
            (
                key.domain,
                key.method,
                *models.cells(key),
                streams.number,
                max(task.place for task in tasks) + 1,
                _share((t.task, t.before) for t in tasks),
                _share((t.task, t.after) for t in tasks),
                _share((t.task, t.end) for t in tasks),
                _share((t.task, t.forgotten) for t in tasks),
                streams.combined / streams.solved if streams.solved else None,
                _share(streams.tested),
                streams.tested_combined / won if (won := sum(ok for _, ok in streams.tested)) else None,
                *last,
            )
        )
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("streams", "count"),
        Column("tasks", "count"),
        Column("before", "share"),
        Column("after", "share"),
        Column("end", "share"),
        Column("forgotten", "share"),
        Column("two or more", "share"),
        Column("test", "share"),
        Column("test, two or more", "share"),
        Column("functions", "number"),
        Column("sentences", "number"),
    )
    notes = (*NOTES, *models.notes, *(() if rows else (NO_STREAM,)))
    table = ResultTable("Streams: learning one task after another", columns, tuple(rows), notes)
    return [table.mark_simulated([streams.simulated for streams in found.values()])]


def _share(values: Iterable[tuple[str, bool | None]]) -> Interval:
    known = [(task, float(ok)) for task, ok in values if ok is not None]
    return clustered_mean(known)
