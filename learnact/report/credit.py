"""What one learned action is worth: episodes that called it, against the same episodes played on without it.

The pairs are made by `learnact fork RUN --without ACTION` (docs/forks.md).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from learnact.report.data import ReportData
from learnact.report.result_table import Column, ResultTable
from learnact.results.reader import dictionaries
from learnact.statistics.differences import difference

FORKS = "SELECT facts FROM checks WHERE name = 'forks' ORDER BY run"
PLAYED = "SELECT DISTINCT key, success, progress, turns FROM episodes WHERE phase = 'survey'"


@dataclass(frozen=True)
class ForkedPair:
    """An episode as it was recorded, and as it went on after the fork (None: it has no result)."""

    fact: Mapping[str, Any]
    forked: Mapping[str, Any] | None


def credit_tables(data: ReportData) -> list[ResultTable]:
    """One row for each method, domain and change: recorded minus forked, paired by episode."""
    columns = (
        Column("method"),
        Column("domain"),
        Column("change"),
        Column("forks", "count"),
        Column("unfinished", "count"),
        Column("success as recorded", "share"),
        Column("success after the fork", "share"),
        Column("worth", "difference"),
        Column("progress worth", "difference"),
        Column("turns saved", "number"),
    )
    groups: dict[tuple[str, str, str], list[ForkedPair]] = {}
    for pair in forked_pairs(data):
        key = (pair.fact["method"], pair.fact["domain"], pair.fact["change"])
        groups.setdefault(key, []).append(pair)
    rows = []
    marks = []
    for key, pairs in groups.items():
        played = [(p.fact, p.forked) for p in pairs if p.forked is not None]
        worth, further, saved = (
            _difference(played, name, sign) for name, sign in (("success", 1), ("progress", 1), ("turns", -1))
        )
        rows.append(
            (
                *key,
                len(pairs),
                len(pairs) - len(played),
                _mean(fact["success"] for fact, _ in played),
                _mean(forked["success"] for _, forked in played),
                worth,
                further,
                saved,
            )
        )
        marks.append(any(p.fact.get("simulated") for p in pairs))
    notes = (
        (
            "Each fork is an episode that was played on from a turn with something changed. Worth: the "
            "recorded episode's success minus the forked one's. Intervals are paired by task, over tasks "
            "(95 %). Turns saved: turns of the forked episode minus those of the recorded one.",
        )
        if rows
        else ("These runs hold no forks: make some with `learnact fork RUN --without ACTION`.",)
    )
    return [ResultTable("What a learned action is worth", columns, tuple(rows), notes).mark_simulated(marks)]


def forked_pairs(data: ReportData) -> list[ForkedPair]:
    """All forks of the runs with what came of them, each once."""
    played = {row["key"]: row for row in dictionaries(data.connection, PLAYED)}
    facts: dict[str, Mapping[str, Any]] = {}
    for row in dictionaries(data.connection, FORKS):
        facts.update({fact["key"]: fact for fact in json.loads(row["facts"])})
    return [ForkedPair(fact, played.get(key)) for key, fact in facts.items()]


def _difference(pairs: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]], name: str, sign: int) -> Any:
    recorded, forked = [], []
    for number, (fact, other) in enumerate(pairs):
        recorded.append((fact["task"], fact["trial"], number, float(fact[name])))
        forked.append((fact["task"], fact["trial"], number, float(other[name])))
    sides = (recorded, forked) if sign > 0 else (forked, recorded)
    limits = (-1.0, 1.0) if name != "turns" else (-math.inf, math.inf)
    return difference(*sides, limits=limits).tasks


def _mean(values: Iterable[float]) -> float | None:
    found = [float(value) for value in values]
    return sum(found) / len(found) if found else None
