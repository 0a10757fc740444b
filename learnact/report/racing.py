"""What racing saved against the full design: training episodes, tokens, dollars (docs/racing.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from learnact.report.data import ReportData
from learnact.report.result_table import Column, ResultTable
from learnact.results.reader import dictionaries

CANDIDATES = """
WITH played AS (
    SELECT run, trial, library, avg(cost) AS cost, count(cost) = count(*) AS priced
    FROM episodes WHERE phase = 'learn' GROUP BY ALL
)
SELECT t.method, t.domain, t.simulated, t.options, c.trial, c.played_tasks, c.planned_tasks, c.played_tokens,
       CASE WHEN p.priced THEN p.cost END AS cost
FROM candidates c
JOIN trials t ON t.run = c.run AND t.trial = c.trial
LEFT JOIN played p ON p.run = c.run AND p.trial = c.trial AND p.library = c.library
WHERE c.origin <> 'incumbent' AND c.played_tasks > 0
ORDER BY t.domain, t.method, c.trial, c.iteration, c.candidate
"""
"""Candidates that played training tasks, with dollars of one of their episodes."""
COLUMNS = (
    Column("domain"),
    Column("method"),
    Column("trials", "count"),
    Column("candidates", "count"),
    Column("stopped", "count"),
    Column("episodes of the full design", "count"),
    Column("episodes played", "count"),
    Column("episodes saved", "share"),
    Column("tokens saved", "count"),
    Column("dollars saved", "dollars"),
)
NOTES = (
    "Episodes are training episodes of candidates; where the previous best plays again, these are left out. "
    "Tokens and dollars saved are estimates: what a stopped candidate's played episodes took on average, for "
    "each that it did not play. The winner of each round played all tasks.",
)
NONE = ("These runs did not race: `learner: {racing: true}` in the job (docs/racing.md).",)


def racing_tables(data: ReportData) -> list[ResultTable]:
    """One row for each method and domain that raced."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in dictionaries(data.connection, CANDIDATES):
        if json.loads(row["options"] or "{}").get("settings", {}).get("racing"):
            groups.setdefault((row["domain"], row["method"]), []).append(row)
    rows = [(*place, *_saved(found)) for place, found in groups.items()]
    marks = [any(row["simulated"] for row in found) for found in groups.values()]
    return [
        ResultTable("What racing saved", COLUMNS, tuple(rows), NOTES if rows else NONE).mark_simulated(marks)
    ]


def _saved(rows: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    planned, played = (sum(row[name] for row in rows) for name in ("planned_tasks", "played_tasks"))
    stopped = [row for row in rows if row["played_tasks"] < row["planned_tasks"]]
    tokens = sum(_missing(row) * row["played_tokens"] / row["played_tasks"] for row in stopped)
    priced = all(row["cost"] is not None for row in stopped)
    return (
        len({row["trial"] for row in rows}),
        len(rows),
        len(stopped),
        planned,
        played,
        1 - played / planned,
        round(tokens),
        sum(_missing(row) * row["cost"] for row in stopped) if priced else None,
    )


def _missing(row: Mapping[str, Any]) -> int:
    """Episodes that were not played."""
    return int(row["planned_tasks"] - row["played_tasks"])
