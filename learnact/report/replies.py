"""What came of the replies of agents in tests: how many could not be read and why, and what was left out of
the others."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from learnact.records import Ignored, UnreadableCause
from learnact.report.data import ReportData, RowKey
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.score_table import NOTHING_PLAYED, ModelColumns
from learnact.results.reader import dictionaries

NOT_RECORDED = "not recorded"
"""The cause of unreadable replies in runs from before causes were written down."""
CAUSES: tuple[str, ...] = (*typing.get_args(UnreadableCause), NOT_RECORDED)
KINDS: tuple[str, ...] = typing.get_args(Ignored)
MEANING = "What each word means: docs/methods.md, Reading replies. Shares are of all replies."
KIND = "A reply of which several things were left out counts for each of them, and once in the column any."

PLAYED = """
SELECT e.domain, e.method, e.agent_model, e.learner_model, t.kind, coalesce(t.thought, '') <> '' AS both,
       if(t.kind = 'unreadable', coalesce(nullif(t.cause, ''), 'not recorded'), '') AS cause,
       list_sort(coalesce(t.ignored, [])) AS ignored, CAST(count(*) AS BIGINT) AS replies
FROM turns t JOIN report_episodes e ON e.run = t.run AND e.key = t.episode
WHERE e.phase = 'test' AND e.agent_model <> '' GROUP BY ALL ORDER BY ALL
"""


@dataclass
class ReplyCounts:
    """Numbers of replies of one row."""

    replies: int = 0
    thoughts: int = 0
    both: int = 0
    unreadable: int = 0
    partly: int = 0
    causes: dict[str, int] = field(default_factory=dict)
    ignored: dict[str, int] = field(default_factory=dict)

    def share(self, number: int) -> float:
        """A number as a share of all replies."""
        return number / self.replies


def count_replies(data: ReportData) -> Mapping[RowKey, ReplyCounts]:
    """The replies of each row's test episodes."""
    found: dict[RowKey, ReplyCounts] = {}
    for row in dictionaries(data.connection, PLAYED):
        key = RowKey(row["domain"], row["method"], row["agent_model"], row["learner_model"])
        counts, number = found.setdefault(key, ReplyCounts()), row["replies"]
        counts.replies += number
        counts.thoughts += number * (row["kind"] == "thought")
        counts.both += number * row["both"]
        if row["cause"]:
            counts.unreadable += number
            counts.causes[row["cause"]] = counts.causes.get(row["cause"], 0) + number
        counts.partly += number * bool(row["ignored"])
        for kind in row["ignored"]:
            counts.ignored[kind] = counts.ignored.get(kind, 0) + number
    return {key: found[key] for key in data.ordered(found)}


def reply_tables(data: ReportData) -> list[ResultTable]:
    """Unreadable replies by cause; then what was left out of readable ones, by kind."""
    rows = count_replies(data)
    causes = [cause for cause in CAUSES if any(cause in counts.causes for counts in rows.values())]
    kinds = [kind for kind in KINDS if any(kind in counts.ignored for counts in rows.values())]
    read = {
        key: (
            counts.replies,
            counts.share(counts.thoughts),
            counts.share(counts.both),
            counts.share(counts.unreadable),
            *(counts.share(counts.causes.get(cause, 0)) for cause in causes),
        )
        for key, counts in rows.items()
    }
    left_out = {
        key: (
            counts.replies,
            counts.share(counts.partly),
            *(counts.share(counts.ignored.get(kind, 0)) for kind in kinds),
        )
        for key, counts in rows.items()
    }
    names = ("thoughts", "thought and action", "unreadable", *causes)
    return [
        _table(data, "Replies 1: what could be read, and why not", names, read, (MEANING,)),
        _table(
            data,
            "Replies 2: what was left out of readable replies",
            ("any", *kinds),
            left_out,
            (MEANING, KIND),
        ),
    ]


def _table(
    data: ReportData,
    title: str,
    shares: Sequence[str],
    rows: Mapping[RowKey, Sequence[Cell]],
    notes: Sequence[str],
) -> ResultTable:
    models = ModelColumns(rows)
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("replies", "count"),
        *(Column(name, "share") for name in shares),
    )
    cells = tuple((key.domain, key.method, *models.cells(key), *row) for key, row in rows.items())
    below = (*notes, *models.notes, *(() if rows else (NOTHING_PLAYED,)))
    table = ResultTable(title, columns, cells, below)
    return table.mark_simulated([data.is_simulated(key) for key in rows])
