"""The page at the end of a run: scores, the best library, where everything is, and what to type next."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from learnact.records import Library
from learnact.records.text import json_text, printable
from learnact.report.commands import compare_command, report_command, run_command, show_command
from learnact.report.data import ReportData
from learnact.report.efficiency import short_table
from learnact.report.findings import findings
from learnact.report.result_table import Column, ResultTable, as_plain, note_text, to_rich
from learnact.report.score_table import score_table
from learnact.results.damage import reading
from learnact.results.location import Location
from learnact.results.reader import Connection, connect_folders, dictionaries, load_library
from learnact.runners.calls import Spending, spent_so_far

DESCRIPTION_CHARS = 160
"""Characters of a description or lesson on the page; `learnact show --library` has it whole."""
WITH_ACTIONS = "len(actions) > 0"
LESSONS_ONLY = "len(actions) = 0 AND len(lessons) > 0"


@dataclass(frozen=True)
class BestLibrary:
    """The library with the highest test success, and how its actions were used in tests."""

    library: Library
    method: str
    domain: str
    success: float
    episodes: int
    uses: ResultTable


@dataclass(frozen=True)
class RunPage:
    """The page as data."""

    run: str
    name: str
    folder: Location
    scores: ResultTable
    efficiency: ResultTable
    best: BestLibrary | None
    """The best library with learned actions."""
    lessons: BestLibrary | None
    """The best library that has lessons alone."""
    findings: tuple[str, ...]
    """What a reader of the scores must know (findings.py)."""
    unfinished: tuple[str, ...]
    """Trials that are not done, and why."""
    used: Spending
    """Calls, tokens and dollars of all sessions, as the display showed them."""
    commands: tuple[str, ...]
    """What to type next."""


def run_page(folder: Location, arguments: Sequence[str] = ()) -> RunPage:
    """The page of the run in a folder. `arguments`: those of the `learnact run` that continues it."""
    with reading([folder]), connect_folders([folder]) as connection:
        run, name = connection.execute("SELECT run, name FROM runs").fetchall()[0]
        best = best_library(connection, WITH_ACTIONS)
        lessons = best_library(connection, LESSONS_ONLY)
        unfinished = unfinished_trials(connection)
        data = ReportData(connection, folder.parent)
        libraries = [found.library.id for found in (best, lessons) if found is not None]
        return RunPage(
            run=run,
            name=name,
            folder=folder,
            scores=score_table(data),
            efficiency=short_table(data),
            best=best,
            lessons=lessons,
            findings=findings(data),
            unfinished=unfinished,
            used=spent_so_far(folder),
            commands=_commands(data, folder, libraries, arguments if unfinished else ()),
        )


LEAST_EPISODES = 2
"""A library is not ranked on fewer test episodes: one that was lucky once would be the best."""
BEST_LIBRARY = """
WITH tested AS (
    SELECT trial, count(*) AS episodes, sum(success::INT) AS solved, sum(progress) AS progress,
           sum(turns) AS turns, string_agg(DISTINCT domain, ', ' ORDER BY domain) AS domain,
           CASE WHEN min(library) = max(library) THEN min(library) END AS only_library
    FROM (SELECT DISTINCT ON (key) * FROM episodes WHERE phase = 'test') GROUP BY trial
), trial_libraries AS (
    SELECT DISTINCT ON (trial) coalesce(nullif(t.library, ''), e.only_library) AS library, t.method, e.*
    FROM tested e JOIN trials t USING (trial)
)
SELECT library, method, domain, list(trial ORDER BY trial) AS trials, sum(episodes)::BIGINT AS episodes,
       sum(solved) / sum(episodes) AS success
FROM trial_libraries WHERE library IN (SELECT library FROM libraries WHERE {condition})
GROUP BY library, method, domain HAVING sum(episodes) >= {least}
ORDER BY success DESC, sum(progress) / sum(episodes) DESC, sum(turns) / sum(episodes), episodes DESC, library
LIMIT 1
"""
"""The best of the libraries that trials ended with, by all test episodes of these trials: an agent may be
given a part of the library in each (Voyager). A trial that has not ended names none; it has what all its
tests had.
"""


def best_library(connection: Connection, condition: str) -> BestLibrary | None:
    """Of the libraries that trials ended with, the one with the highest test success, of equal ones that with
    more progress and fewer turns; None if there is none.

    `condition`: which libraries count, in SQL on `libraries`.
    """
    query = BEST_LIBRARY.format(condition=condition, least=LEAST_EPISODES)
    rows = dictionaries(connection, query)
    if not rows:
        return None
    trials, library = rows[0].pop("trials"), load_library(connection, rows[0].pop("library"))
    return BestLibrary(library, **rows[0], uses=action_uses(connection, library, trials))


def action_uses(connection: Connection, library: Library, trials: Sequence[str]) -> ResultTable:
    """Learned actions of a library with how often each was called in the tests of trials, and how many calls
    succeeded.
    """
    found = connection.execute(
        """SELECT t.callee, count(*), count(*) FILTER (t.ok)
        FROM turns t JOIN (SELECT DISTINCT ON (key) run, key, phase, trial FROM episodes) e
          ON e.run = t.run AND e.key = t.episode
        WHERE t.learned AND e.phase = 'test' AND list_contains(?, e.trial) GROUP BY t.callee""",
        [list(trials)],
    ).fetchall()
    counts = {callee: (calls, ok) for callee, calls, ok in found}
    rows = []
    for action in library.actions:
        calls, ok = counts.get(action.name, (0, 0))
        texts = [action.description, *(f"Note: {note}" for note in action.notes)]
        rows.append((action.signature, " ".join(texts).strip(), calls, ok / calls if calls else None))
    columns = (
        Column("learned action"),
        Column("description"),
        Column("calls", "count"),
        Column("ok", "share"),
    )
    simulated = connection.execute(
        "SELECT bool_or(simulated) FROM episodes WHERE list_contains(?, trial)", [list(trials)]
    ).fetchone()
    return ResultTable("Learned actions", columns, tuple(rows), simulated=bool(simulated and simulated[0]))


def unfinished_trials(connection: Connection) -> tuple[str, ...]:
    """One line for each status and reason, with the trials that have it."""
    rows = dictionaries(
        connection,
        """SELECT status, coalesce(reason, '') AS reason, count(*) AS number,
               list(DISTINCT method || ' on ' || domain ORDER BY method || ' on ' || domain) AS trials
        FROM trials WHERE status <> 'done' GROUP BY ALL ORDER BY number DESC, status, reason""",
    )
    return tuple(
        f"{row['number']} {row['status']}: {'; '.join(row['trials'])}"
        + (f": {printable(row['reason'])}" if row["reason"] else "")
        for row in rows
    )


def _commands(
    data: ReportData, folder: Location, libraries: Sequence[str], arguments: Sequence[str]
) -> tuple[str, ...]:
    run, results = folder.name, folder.parent
    commands = [run_command(arguments, results)] if arguments else []
    played = {
        row["trial"]
        for row in dictionaries(data.connection, "SELECT DISTINCT trial FROM episodes WHERE phase = 'test'")
    }
    trials = [trial for name, trial in data.trials.items() if name in played]
    learning = {trial.method for trial in trials if trial.learns or trial.learner_model}
    methods = sorted({trial.method for trial in trials}, key=data.place_of)
    first = next((method for method in methods if method in learning), None)
    second = next((method for method in methods if method not in learning), None)
    if first is not None and second is not None:
        commands.append(compare_command(run, results, first, second))
    commands += [show_command(run, results, "--library", library[:12]) for library in libraries]
    commands.append(report_command(run, results))
    tested = dictionaries(
        data.connection,
        "SELECT key, success FROM episodes WHERE phase = 'test' ORDER BY success, key LIMIT 1",
    )
    commands += [
        show_command(run, results, row["key"][:12] if row["success"] else "--failed") for row in tested
    ]
    return tuple(commands)


def render_page(page: RunPage) -> RenderableType:
    """For a terminal; print it without cropping, since commands are not broken into lines."""
    parts: list[RenderableType] = [
        Text(""),
        to_rich(page.scores),
        Text(""),
        to_rich(page.efficiency),
        Text(""),
    ]
    if page.best is not None:
        parts += _library_head("Best library", page.best, page.scores.simulated)
        parts += [to_rich(_shortened(page.best.uses)), Text("")]
    if page.lessons is not None:
        parts += _library_head("Best lessons", page.lessons, page.scores.simulated)
        parts += [Text(f"  - {_short(lesson)}", overflow="fold") for lesson in page.lessons.library.lessons]
        parts.append(Text(""))
    if page.findings:
        parts += [note_text(one, "red") for one in page.findings]
        parts.append(Text(""))
    if page.unfinished:
        parts.append(
            Text("Trials that are not done; `learnact run` with the same job continues them:", style="red")
        )
        parts += [Text(f"  {reason}", overflow="fold") for reason in page.unfinished]
        parts.append(Text(""))
    parts += [note_text(f"Used: {used_text(page.used)}", ""), Text(f"Results: {page.folder}"), Text("Next:")]
    parts += [note_text(f"  {command}", "") for command in page.commands]
    return Group(*parts)


def used_text(used: Spending) -> str:
    """What a run has used, in the quantities of `learnact plan`."""
    price = "no price" if used.unpriced and not used.dollars else f"${used.dollars:,.2f}"
    part = f" ({used.unpriced:,} calls without a price)" if used.unpriced and used.dollars else ""
    return (
        f"{used.calls:,} calls, {used.prompt_tokens:,} prompt tokens, {used.completion_tokens:,} completion "
        f"tokens, {price}{part}"
    )


def _library_head(title: str, best: BestLibrary, simulated: bool) -> list[Text]:
    found = f"{best.method} on {best.domain}: success {best.success:.0%} in {best.episodes} test episodes"
    return [
        Text(f"{title}: {best.library.id[:12]}", style="bold"),
        Text(found + (" (simulated)" if simulated else "")),
    ]


def _short(text: str) -> str:
    return printable(textwrap.shorten(text, DESCRIPTION_CHARS, placeholder=" ..."))


def _shortened(uses: ResultTable) -> ResultTable:
    rows = tuple(tuple(_short(cell) if isinstance(cell, str) else cell for cell in row) for row in uses.rows)
    return replace(uses, rows=rows)


def page_json(page: RunPage) -> str:
    """As one JSON object."""
    best = page.best and {**_library_json(page.best), "actions": as_plain(page.best.uses)["rows"]}
    lessons = page.lessons and {
        **_library_json(page.lessons),
        "lessons": list(page.lessons.library.lessons),
    }
    return json_text(
        {
            "run": page.run,
            "name": page.name,
            "folder": str(page.folder),
            "scores": as_plain(page.scores),
            "efficiency": as_plain(page.efficiency),
            "best_library": best,
            "best_lessons": lessons,
            "findings": list(page.findings),
            "unfinished": list(page.unfinished),
            "used": asdict(page.used),
            "commands": list(page.commands),
        }
    )


def _library_json(best: BestLibrary) -> dict[str, Any]:
    return {
        "library": best.library.id,
        "method": best.method,
        "domain": best.domain,
        "success": best.success,
        "episodes": best.episodes,
    }
