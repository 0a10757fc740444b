"""What a run was told to do and what it was made with: settings, parameters as sent, versions, checks."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from learnact.pages.html import HtmlTable, html_table
from learnact.report.commands import RUN_CHARS
from learnact.report.data import ReportData
from learnact.report.result_table import Column, ResultTable
from learnact.results.reader import dictionaries

MOST_PARAMETERS = 40
PARAMETERS = """
SELECT purpose, model, any_value(fingerprint) AS fingerprint,
       regexp_replace(parameters, '"seed": ?-?[0-9]+,? ?', '') AS parameters, count(*) AS calls
FROM (SELECT DISTINCT ON (unit, ordinal) * FROM calls) GROUP BY ALL
ORDER BY calls DESC, purpose, model, parameters
"""


@dataclass(frozen=True)
class RunSettings:
    """One run: facts for people, and its job."""

    run: str
    name: str
    facts: tuple[tuple[str, str], ...]
    resolved: str
    job: str
    """The job as given, in YAML; secrets hidden."""
    versions: Mapping[str, str]


def run_settings(data: ReportData) -> list[RunSettings]:
    """The runs, in the order in which they started."""
    rows = dictionaries(data.connection, "SELECT * FROM runs ORDER BY started, run")
    return [_settings(row) for row in rows]


def _settings(row: dict[str, Any]) -> RunSettings:
    job = _parsed(row["resolved"])
    learner, repeats, models = job.get("learner") or {}, job.get("repeats") or {}, job.get("models") or {}
    facts = (
        ("State", f"{row['state']}; {row['sessions']} session(s)"),
        ("Time", f"{row['started']:%Y-%m-%d %H:%M} to {row['last']:%Y-%m-%d %H:%M} UTC on {row['host']}"),
        ("Domains", _names(job.get("domains"))),
        ("Methods", _names(job.get("methods"))),
        ("Agent model", _names(models.get("agent"))),
        ("Learner model", _names(models.get("learner"))),
        ("Repeats", f"learning {repeats.get('learn', 1)}, tests of each task {repeats.get('test', 1)}"),
        (
            "Learning",
            f"{learner.get('candidates', '-')} candidates, {learner.get('iterations', '-')} iterations",
        ),
        ("Seed", str(job.get("seed", ""))),
    )
    return RunSettings(
        run=row["run"],
        name=row["name"],
        facts=facts,
        resolved=_yaml(job),
        job=_yaml(_parsed(row["job"]) or job),
        versions={name: str(value) for name, value in _parsed(row["versions"]).items()},
    )


def _parsed(text: str | None) -> dict[str, Any]:
    found = json.loads(text or "{}")
    return found if isinstance(found, dict) else {}


def _yaml(value: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=100)


def _names(value: Any) -> str:
    """Names of what a job lists, as people say them."""
    entries = value if isinstance(value, list) else [value]
    names = []
    for entry in entries:
        if isinstance(entry, dict):
            more = [f"{key} {entry[key]}" for key in entry if key not in ("name", "label")]
            name = str(entry.get("label") or entry.get("name") or "")
            names.append(f"{name} ({', '.join(more)})" if more else name)
        elif entry is not None:
            names.append(str(entry))
    return ", ".join(names) or "none"


def parameters(data: ReportData) -> HtmlTable:
    """What was sent to models with each kind of call, without the seed, which differs in each."""
    rows = dictionaries(data.connection, PARAMETERS)
    cells = tuple(
        (r["purpose"], r["model"], r["fingerprint"] or "-", r["parameters"] or "-", r["calls"])
        for r in rows[:MOST_PARAMETERS]
    )
    columns = (
        Column("purpose"),
        Column("model, as it answered"),
        Column("fingerprint"),
        Column("parameters"),
        Column("calls", "count"),
    )
    more = len(rows) - len(cells)
    notes = (f"and {more} other sets of parameters",) if more > 0 else ()
    if not cells:
        notes = ("No model was called yet.",)
    return html_table(ResultTable("Parameters as sent to models", columns, cells, notes))


def overlap_checks(data: ReportData) -> HtmlTable:
    """How many test tasks equal a training task, or the worked example of the prompt."""
    rows = dictionaries(
        data.connection,
        "SELECT DISTINCT name, facts FROM checks WHERE starts_with(name, 'disjoint') ORDER BY name",
    )
    cells = []
    for row in rows:
        facts = _parsed(row["facts"])
        cells.append(
            (
                str(facts.get("learned_on", "")),
                str(facts.get("tested_on", "")),
                facts.get("train"),
                facts.get("test", facts.get("test_tasks")),
                _number(facts.get("shared")),
                _number(facts.get("example")),
            )
        )
    columns = (
        Column("learned on"),
        Column("tested on"),
        Column("training tasks", "count"),
        Column("test tasks", "count"),
        Column("in both", "count"),
        Column("equal the prompt's example", "count"),
    )
    notes = () if cells else ("The run has checked nothing yet.",)
    return html_table(ResultTable("Training tasks among test tasks", columns, tuple(cells), notes))


def _number(value: Any) -> int | None:
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, int) else None


def versions_text(runs: list[RunSettings]) -> str:
    """The versions of all runs in words."""
    found = dict.fromkeys(", ".join(f"{k} {v}" for k, v in run.versions.items() if v) for run in runs)
    return "Made with " + "; and with ".join(found) + "."


def reproduce_text(runs: list[RunSettings], files: list[str]) -> str:
    """Commands that play the runs again, from the job files beside the report."""
    lines = []
    for run, file in zip(runs, files, strict=True):
        lines += [f"# {run.name}, run {run.run[:RUN_CHARS]}", f"learnact run {shlex.quote(file)}"]
    return "\n".join(lines)
