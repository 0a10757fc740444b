"""The static report: a folder of pages that open from the file system, without network and without scripts.

index.html       answer, charts, libraries, failures, cost, settings
learned/         a page for each trial that learned
episodes/        pages of the episodes that the report links to
charts/          each chart as SVG, PNG, CSV and SQL
job.yaml ...     the jobs, to run them again
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learnact import __version__
from learnact.errors import BadInput
from learnact.pages.answer import Answer, answers, reference_method
from learnact.pages.charts import PageChart, charts
from learnact.pages.episodes import episode_view
from learnact.pages.failures import FailureCause, failures
from learnact.pages.html import HtmlTable, dollars, html_table, percent, render
from learnact.pages.learned import TrialView, best, learned
from learnact.pages.settings import (
    RunSettings,
    overlap_checks,
    parameters,
    reproduce_text,
    run_settings,
    versions_text,
)
from learnact.pages.svg import inline
from learnact.report.commands import RUN_CHARS
from learnact.report.cost import cost_tables
from learnact.report.data import ALL, ReportData
from learnact.report.efficiency import efficiency_tables
from learnact.report.failed import CAUSES, failed_query, why_failed
from learnact.report.findings import findings
from learnact.report.result_table import SIMULATED, Column, ResultTable, join_tables
from learnact.report.summary import action_uses, unfinished_trials
from learnact.results.reader import dictionaries

MARK = ".learnact-report"
"""A file in each report's folder: only such a folder is written over."""
TOTALS = """
SELECT count(*) AS calls, sum(prompt_tokens + completion_tokens) AS tokens, sum(cost) AS dollars,
       count(*) FILTER (prompt_tokens = 0 AND completion_tokens = 0) AS uncounted,
       count(*) FILTER (cost IS NULL) AS unpriced
FROM (SELECT DISTINCT ON (unit, ordinal) * FROM calls)
"""


@dataclass(frozen=True)
class Written:
    """What a report's folder holds."""

    index: Path
    pages: int


def write_report(data: ReportData, folder: Path, episodes: int) -> Written:
    """Write the report into a folder. `episodes`: at most so many episodes get a page.

    Raises `BadInput` where the folder holds something that is no report, or cannot be written.
    """
    try:
        _prepare(folder)
        pages = 0
        for name, content in report_files(data, episodes):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            pages += name.endswith(".html")
    except OSError as error:
        raise BadInput(
            f"--output {folder}: cannot be written: {error.strerror}; name another folder"
        ) from None
    return Written(folder / "index.html", pages)


def _prepare(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise BadInput(
            f"--output {folder}: this folder holds something that is no report; name another, or a new one"
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(f"learnact {__version__}\n", encoding="utf-8")
    for old in [*folder.glob("episodes/*.html"), *folder.glob("learned/*.html"), *folder.glob("charts/*.*")]:
        old.unlink()


def report_files(data: ReportData, episodes: int) -> Iterator[tuple[str, str | bytes]]:
    """Names and contents of a report's files."""
    runs, drawn, trials, causes = run_settings(data), charts(data), learned(data), failures(data)
    jobs = ["job.yaml"] if len(runs) == 1 else [f"job-{number}.yaml" for number in range(1, len(runs) + 1)]
    keys = list(dict.fromkeys(key for cause in causes for key in cause.examples))[:episodes]
    title = ", ".join(dict.fromkeys(run.name for run in runs))
    simulated = SIMULATED if any(score.simulated for score in data.scores) else ""
    contents = ReportContents(data, runs, trials, causes)
    more = {
        "title": title,
        "simulated": simulated,
        "charts": [_chart(one) for one in drawn],
        "episode_pages": set(keys),
        "reproduce": reproduce_text(runs, jobs),
    }
    yield "index.html", render("report.html", report={**contents.values(), **more})
    for run, file in zip(runs, jobs, strict=True):
        yield file, run.job
    for chart in drawn:
        yield from _chart_files(chart)
    yield "charts/failures.sql", failed_query()
    yield "charts/failures.csv", join_tables([_failure_table(causes)], "csv")
    shared = {"title": title, "back": "../index.html", "simulated": simulated}
    for trial in trials:
        yield trial_file(trial), render("trial.html", trial=trial, **shared)
    for key in keys:
        view = episode_view(data.connection, key)
        text = render(
            "episode.html",
            episode=view,
            first_failure=view.first_failure,
            why=why_failed(data.connection, view.row, view.result),
            **shared,
        )
        yield f"episodes/{key}.html", text


def trial_file(trial: TrialView) -> str:
    """The file of a trial's page within a report."""
    return f"learned/{trial.trial.trial}.html"


def _chart(chart: PageChart) -> dict[str, Any]:
    return {
        "name": chart.name,
        "title": chart.title,
        "caption": chart.caption,
        "table": chart.table,
        "shown": html_table(chart.table),
        "sql": chart.sql,
        "drawing": inline(chart.svg, chart.name, f"{chart.title}; the data are in the table below"),
    }


def _chart_files(chart: PageChart) -> Iterator[tuple[str, str | bytes]]:
    yield f"charts/{chart.name}.svg", chart.svg
    yield f"charts/{chart.name}.png", chart.png
    yield f"charts/{chart.name}.csv", join_tables([chart.table], "csv")
    yield f"charts/{chart.name}.sql", chart.sql


def _failure_table(causes: Sequence[FailureCause]) -> ResultTable:
    columns = (
        Column("domain"),
        Column("method"),
        Column("cause"),
        Column("episodes", "count"),
        Column("of", "count"),
        Column("progress", "share"),
        Column("often"),
    )
    rows = tuple((c.domain, c.method, c.cause, c.episodes, c.of, c.progress, c.often) for c in causes)
    return ResultTable("Failures by cause", columns, rows)


@dataclass(frozen=True)
class ReportContents:
    """What the report's first page says, from what was read."""

    data: ReportData
    runs: Sequence[RunSettings]
    trials: Sequence[TrialView]
    causes: Sequence[FailureCause]

    def values(self) -> dict[str, Any]:
        """The values of the template `report.html`."""
        found, top = answers(self.data), best(self.trials)
        totals = dictionaries(self.data.connection, TOTALS)[0]
        return {
            "subtitle": self._subtitle(),
            "question": self._question(),
            "answers": found,
            "overall": _overall(found),
            "reference": found[0].reference if found else "",
            "nothing": self._nothing(),
            "findings": findings(self.data),
            "cards": [*self._cards(found, top), _cost_card(totals)],
            "best": top and _trial(top),
            "best_uses": self._uses(top),
            "trials": [_trial(one) for one in self.trials],
            "failures": self.causes,
            "causes": CAUSES,
            "cost": _cost(totals),
            "costs": [html_table(t) for t in (*efficiency_tables(self.data), *cost_tables(self.data))],
            "unfinished": self._unfinished(),
            "runs": self.runs,
            "parameters": parameters(self.data),
            "checks": overlap_checks(self.data),
            "versions": versions_text(list(self.runs)),
            "version": __version__,
            "source": ", ".join(f"{run.name} ({run.run[:RUN_CHARS]})" for run in self.runs),
            "open_command": self._command("view"),
            "sql_command": f"Ask it yourself: {self._command('sql', '--run', self._run)} --file QUERY.sql",
        }

    @property
    def _run(self) -> str:
        return self.runs[0].run[:RUN_CHARS] if self.runs else "RUN"

    def _command(self, *words: str) -> str:
        results = self.data.results
        folder = [] if results in (None, Path("results")) else ["--results", str(results)]
        return shlex.join(["learnact", *words, *folder])

    def _subtitle(self) -> str:
        tests = sum(len(sample) for sample in self.data.test_samples.values())
        ids = ", ".join(run.run[:RUN_CHARS] for run in self.runs)
        title = "Runs" if len(self.runs) > 1 else "Run"
        return f"{title} {ids}: {tests:,} test episodes, {len(self.data.trials)} trials"

    def _question(self) -> str:
        methods = sorted({trial.method for trial in self.data.trials.values()}, key=self.data.place_of)
        domains = sorted({trial.label for trial in self.data.trials.values()})
        reference = reference_method(self.data, methods)
        others = [method for method in methods if method != reference]
        where = f"on {', '.join(domains)}" if domains else ""
        if not others:
            return f"How often does {reference or 'the agent'} solve its test tasks {where}?"
        return f"Do {', '.join(others)} solve more test tasks than {reference} {where}?".replace(
            "Do ", "Does " if len(others) == 1 else "Do ", 1
        )

    def _nothing(self) -> str:
        scores = [score for score in self.data.scores if score.success.known]
        if not scores:
            return "No test episode has a result yet."
        return "; ".join(
            f"{s.key.method} on {s.key.domain}: {percent(s.success.mean)} ({percent(s.success.low)} to "
            f"{percent(s.success.high)}, {s.success.episodes} episodes)"
            for s in scores
        )

    def _cards(self, found: Sequence[Answer], top: TrialView | None) -> Iterator[dict[str, str]]:
        for one in _overall(found)[:2]:
            yield {
                "label": f"{one.method} minus {one.reference}"
                + (f", {one.domain}" if one.domain != ALL else ""),
                "value": one.points,
                "text": f"{one.verdict}; {one.certainty}",
                "link": "",
                "link_text": "",
            }
        if top is not None and top.tested is not None:
            yield {
                "label": "best library in tests",
                "value": f"{percent(top.tested['success'])} of {top.tested['episodes']}",
                "text": top.name + ":",
                "link": trial_file(top),
                "link_text": f"library {top.library.id[:RUN_CHARS]}",
            }
        if self.causes:
            failed = sum(cause.episodes for cause in self.causes)
            most = max(self.causes, key=lambda cause: cause.episodes)
            total = sum(one.episodes for one in self.causes if one.cause == most.cause)
            yield {
                "label": "failed test episodes",
                "value": f"{failed:,}",
                "text": f"{total:,} of them: {most.cause}.",
                "link": "#failures",
                "link_text": "why they failed",
            }

    def _uses(self, top: TrialView | None) -> HtmlTable | None:
        return html_table(action_uses(self.data.connection, top.library, [top.trial.trial])) if top else None

    def _unfinished(self) -> list[str]:
        lines = [
            f"{n} test episodes have no result: {key.method} on {key.domain}"
            for key, n in sorted(self.data.unfinished.items())
        ]
        return [*unfinished_trials(self.data.connection), *lines]


def _overall(found: Sequence[Answer]) -> list[Answer]:
    """The answers over all domains, or those of the only domain."""
    whole = [one for one in found if one.domain == ALL]
    covered = {(one.method, one.models) for one in whole}
    return [*whole, *(one for one in found if one.domain != ALL and (one.method, one.models) not in covered)]


def _trial(trial: TrialView) -> Mapping[str, Any]:
    notes = sum(len(action.notes) for action in trial.library.actions) + len(trial.library.lessons)
    names = ("trial", "name", "repeat", "library", "tested", "candidates", "code")
    return {
        **{name: getattr(trial, name) for name in names},
        "training_score": trial.training_score,
        "link": trial_file(trial),
        "notes": notes,
    }


def _used(totals: Mapping[str, Any]) -> str:
    """Calls and tokens in words."""
    uncounted = totals["uncounted"]
    some = f" (the server counted none of {uncounted:,} calls)" if uncounted else ""
    return f"{totals['calls']:,} calls of models, {totals['tokens'] or 0:,} tokens{some}"


def _cost(totals: Mapping[str, Any]) -> str:
    some = (
        f" ({totals['unpriced']:,} calls have no price)" if totals["unpriced"] and totals["dollars"] else ""
    )
    return f"{_used(totals)}: {dollars(totals['dollars'])}{some}."


def _cost_card(totals: Mapping[str, Any]) -> dict[str, str]:
    return {
        "label": "cost",
        "value": dollars(totals["dollars"]),
        "text": f"{_used(totals)}.",
        "link": "#cost",
        "link_text": "by method",
    }
