"""The page at the end of a run: what came of it, the best library, where everything is, and what to type next."""

from __future__ import annotations

import json
import shlex
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Group as Lines
from rich.console import RenderableType
from rich.text import Text

from learnact.records import Library
from learnact.report.sheet import Column, Sheet, as_plain, to_rich
from learnact.report.tables import score_table
from learnact.results.reader import Connection, connect_folders, dictionaries, load_library

DESCRIBED = 160
"""Characters of a description on the page."""
DEFAULT_RESULTS = "results"


@dataclass(frozen=True)
class Best:
    """The library that did best in tests, with how its actions were used there."""

    library: Library
    method: str
    domain: str
    success: float
    episodes: int
    uses: Sheet


@dataclass(frozen=True)
class Page:
    """The end of a run as data. `troubles`: trials that are not done, and why; `commands`: what to type next."""

    run: str
    name: str
    folder: Path
    scores: Sheet
    best: Best | None
    troubles: tuple[str, ...]
    commands: tuple[str, ...]


def page(folder: Path, job: str = "") -> Page:
    """The page of the run in a folder. `job`: the job file, for the command that continues it."""
    with connect_folders([folder]) as connection:
        run, name = connection.execute("SELECT run, name FROM runs").fetchall()[0]
        best = best_library(connection)
        troubles = _troubles(connection)
        commands = _commands(connection, folder, best, job if troubles else "")
        return Page(run, name, folder, score_table(connection), best, troubles, commands)


def best_library(connection: Connection) -> Best | None:
    """Of the libraries with learned actions that trials ended with, the one with the highest test success; None where there is none."""
    rows = connection.execute(
        """SELECT e.library, any_value(e.method), any_value(e.domain), avg(e.success::INT) AS success, count(*)
        FROM episodes e JOIN (SELECT DISTINCT library FROM libraries WHERE len(actions) > 0) USING (library)
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


def _commands(connection: Connection, folder: Path, best: Best | None, job: str) -> tuple[str, ...]:
    results = "" if str(folder.parent) == DEFAULT_RESULTS else f" --results {shlex.quote(str(folder.parent))}"
    run = shlex.quote(folder.name)
    commands = [f"learnact run {shlex.quote(job)}{results}"] if job else []
    if best is not None:
        commands.append(f"learnact show {run} --library {best.library.id[:12]}{results}")
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
    return tuple(commands[:3])


def render(shown: Page) -> RenderableType:
    """For a terminal."""
    parts: list[RenderableType] = [Text(""), to_rich(shown.scores), Text("")]
    if shown.best is not None:
        best = shown.best
        parts += [
            Text(f"Best library: {best.library.id[:12]}", style="bold"),
            Text(
                f"{best.method} on {best.domain}: success {best.success:.0%} in {best.episodes} test episodes"
                + (" (simulated)" if shown.scores.simulated else "")
            ),
            to_rich(_shortened(best.uses)),
            Text(""),
        ]
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


def _shortened(uses: Sheet) -> Sheet:
    """Descriptions cut to a line or two; `learnact show --library` has them whole."""
    rows = tuple(
        tuple(
            textwrap.shorten(cell, DESCRIBED, placeholder=" ...") if isinstance(cell, str) else cell
            for cell in row
        )
        for row in uses.rows
    )
    return replace(uses, rows=rows)


def to_json(shown: Page) -> str:
    """As one JSON object."""
    best = shown.best
    return json.dumps(
        {
            "run": shown.run,
            "name": shown.name,
            "folder": str(shown.folder),
            "scores": as_plain(shown.scores),
            "best_library": best
            and {
                "library": best.library.id,
                "method": best.method,
                "domain": best.domain,
                "success": best.success,
                "episodes": best.episodes,
                "actions": as_plain(best.uses)["rows"],
            },
            "unfinished": list(shown.troubles),
            "commands": list(shown.commands),
        },
        ensure_ascii=False,
    )
