"""The page at the end of a run: what came of it, the best library, where everything is, and what to type next."""

from __future__ import annotations

import json
import shlex
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Group as Lines
from rich.console import RenderableType
from rich.text import Text

from learnact.records import Library
from learnact.report.sheet import Column, Sheet, as_plain, to_rich
from learnact.report.tables import score_table
from learnact.results.reader import Connection, connect_folders, dictionaries, load_library

DESCRIBED = 160
"""Characters of a description or lesson on the page."""
DEFAULT_RESULTS = "results"


@dataclass(frozen=True)
class Best:
    """The library that did best in tests, with how its actions were used there; of lessons alone there is no use to count."""

    library: Library
    method: str
    domain: str
    success: float
    episodes: int
    uses: Sheet


@dataclass(frozen=True)
class Page:
    """The end of a run as data. `best`: the best library with learned actions; `lessons`: the best one of lessons alone; `troubles`: trials
    that are not done, and why; `commands`: what to type next."""

    run: str
    name: str
    folder: Path
    scores: Sheet
    best: Best | None
    lessons: Best | None
    troubles: tuple[str, ...]
    commands: tuple[str, ...]


def page(folder: Path, job: str = "") -> Page:
    """The page of the run in a folder. `job`: the job file, for the command that continues it."""
    with connect_folders([folder]) as connection:
        run, name = connection.execute("SELECT run, name FROM runs").fetchall()[0]
        best = best_library(connection)
        lessons = best_library(connection, "len(actions) = 0 AND len(lessons) > 0")
        troubles = _troubles(connection)
        shown = [found.library for found in (best, lessons) if found is not None]
        commands = _commands(connection, folder, shown, job if troubles else "")
        return Page(run, name, folder, score_table(connection), best, lessons, troubles, commands)


def best_library(connection: Connection, kind: str = "len(actions) > 0") -> Best | None:
    """Of the libraries that trials ended with, the one with the highest test success; None where there is none. `kind`: a condition in SQL,
    by default those with learned actions."""
    rows = connection.execute(
        f"""SELECT e.library, any_value(e.method), any_value(e.domain), avg(e.success::INT) AS success, count(*)
        FROM episodes e JOIN (SELECT DISTINCT library FROM libraries WHERE {kind}) USING (library)
        WHERE e.phase = 'test' GROUP BY e.library
        ORDER BY success DESC, avg(e.progress) DESC, count(*) DESC, e.library LIMIT 1"""
    ).fetchall()
    if not rows:
        return None
    library, method, domain, success, episodes = rows[0]
    found = load_library(connection, library)
    return Best(found, method, domain, success, episodes, action_uses(connection, found))


def action_uses(connection: Connection, library: Library) -> Sheet:
    """Learned actions of a library with how often each was called in tests, and with what success."""
    counts = {
        callee: (calls, ok)
        for callee, calls, ok in connection.execute(
            "SELECT t.callee, count(*), count(*) FILTER (t.ok) FROM turns t JOIN episodes e ON e.run = t.run AND e.key = t.episode "
            "WHERE t.learned AND e.phase = 'test' AND e.library = ? GROUP BY t.callee",
            [library.id],
        ).fetchall()
    }
    rows = []
    for action in library.actions:
        calls, ok = counts.get(action.name, (0, 0))
        told = " ".join([action.description, *(f"Note: {note}" for note in action.notes)]).strip()
        rows.append((action.signature, told, calls, ok / calls if calls else None))
    columns = (
        Column("learned action"),
        Column("description"),
        Column("calls", "count"),
        Column("ok", "share"),
    )
    found = connection.execute(
        "SELECT bool_or(simulated) FROM episodes WHERE library = ?", [library.id]
    ).fetchone()
    return Sheet("Learned actions", columns, tuple(rows), (), bool(found and found[0]))


def _troubles(connection: Connection) -> tuple[str, ...]:
    rows = dictionaries(
        connection, "SELECT * FROM trials WHERE status <> 'done' ORDER BY method, domain, trial"
    )
    told = []
    for row in rows:
        why = f": {row['reason']}" if row["reason"] else ""
        told.append(f"{row['method']} on {row['domain']} (trial {row['trial'][:12]}) is {row['status']}{why}")
    return tuple(told)


def _commands(connection: Connection, folder: Path, libraries: list[Library], job: str) -> tuple[str, ...]:
    results = "" if str(folder.parent) == DEFAULT_RESULTS else f" --results {shlex.quote(str(folder.parent))}"
    run = shlex.quote(folder.name)
    commands = [f"learnact run {shlex.quote(job)}{results}"] if job else []
    commands += [f"learnact show {run} --library {library.id[:12]}{results}" for library in libraries]
    episode = connection.execute(
        "SELECT key FROM episodes WHERE phase = 'test' ORDER BY learned_calls > 0 DESC, success, progress, key LIMIT 1"
    ).fetchone()
    if episode:
        commands.append(f"learnact show {run} {episode[0][:12]}{results}")
    question = (
        "SELECT domain, method, avg(success::int) AS success, avg(turns) AS turns FROM episodes "
        "WHERE phase = 'test' GROUP BY ALL ORDER BY ALL"
    )
    commands.append(f'learnact sql "{question}"{results}')
    commands.append(f"learnact show {run}{results}")
    return tuple(commands[: max(3, len(libraries) + 2)])


def render(shown: Page) -> RenderableType:
    """For a terminal."""
    parts: list[RenderableType] = [Text(""), to_rich(shown.scores), Text("")]
    if shown.best is not None:
        parts += [
            *_headed("Best library", shown.best, shown.scores.simulated),
            to_rich(_shortened(shown.best.uses)),
            Text(""),
        ]
    if shown.lessons is not None:
        parts += _headed("Best lessons", shown.lessons, shown.scores.simulated)
        parts += [Text(f"  - {_short(lesson)}", overflow="fold") for lesson in shown.lessons.library.lessons]
        parts.append(Text(""))
    if shown.troubles:
        parts.append(
            Text(
                f"{len(shown.troubles)} trials are not done; the same command again continues them",
                style="red",
            )
        )
        parts += [Text(f"  {trouble}", overflow="fold") for trouble in shown.troubles[:10]]
        parts.append(Text(""))
    parts += [Text(f"Results: {shown.folder}"), Text("Next:")]
    parts += [Text(f"  {command}", overflow="fold", no_wrap=False) for command in shown.commands]
    return Lines(*parts)


def _headed(title: str, best: Best, simulated: bool) -> list[Text]:
    told = f"{best.method} on {best.domain}: success {best.success:.0%} in {best.episodes} test episodes"
    return [
        Text(f"{title}: {best.library.id[:12]}", style="bold"),
        Text(told + (" (simulated)" if simulated else "")),
    ]


def _short(text: str) -> str:
    """A description or lesson cut to a line or two; `learnact show --library` has it whole."""
    return textwrap.shorten(text, DESCRIBED, placeholder=" ...")


def _shortened(uses: Sheet) -> Sheet:
    rows = tuple(tuple(_short(cell) if isinstance(cell, str) else cell for cell in row) for row in uses.rows)
    return replace(uses, rows=rows)


def to_json(shown: Page) -> str:
    """As one JSON object."""
    return json.dumps(
        {
            "run": shown.run,
            "name": shown.name,
            "folder": str(shown.folder),
            "scores": as_plain(shown.scores),
            "best_library": shown.best
            and {**_told(shown.best), "actions": as_plain(shown.best.uses)["rows"]},
            "best_lessons": shown.lessons
            and {**_told(shown.lessons), "lessons": list(shown.lessons.library.lessons)},
            "unfinished": list(shown.troubles),
            "commands": list(shown.commands),
        },
        ensure_ascii=False,
    )


def _told(best: Best) -> dict[str, Any]:
    return {
        "library": best.library.id,
        "method": best.method,
        "domain": best.domain,
        "success": best.success,
        "episodes": best.episodes,
    }
