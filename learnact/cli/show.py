"""`learnact show`: a run, a trajectory, a library."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from learnact.cli.options import Results
from learnact.cli.output import console, say, say_json
from learnact.errors import BadInput

if TYPE_CHECKING:
    from learnact.results.reader import Connection


def show(
    run: Annotated[
        str,
        typer.Argument(
            help="A run: its job's name, the beginning of its id, its folder, or latest.", show_default=False
        ),
    ] = "latest",
    episode: Annotated[str | None, typer.Argument(help="An episode's key or the beginning of it.")] = None,
    other: Annotated[
        str | None, typer.Argument(help="Another episode of the same task, shown side by side.")
    ] = None,
    library: Annotated[
        str | None, typer.Option("--library", help="A library's id or the beginning of it.")
    ] = None,
    results: Results = Path("results"),
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object; a library's can be played with.")
    ] = False,
) -> None:
    """Show a run, a trajectory, two trajectories of a task side by side, or a learned library.

    learnact show quickstart

    learnact show quickstart 3f2a9c

    learnact show quickstart 3f2a9c 81d0b7

    learnact show quickstart --library 77b01d --json > library.json
    """
    if episode is not None and library is not None:
        raise BadInput("name an episode or a --library, not both")
    from learnact.report import trajectory
    from learnact.report.summary import page_json, render_page, run_page
    from learnact.results.reader import connect_folders, find_run

    info = find_run(results, run)
    with connect_folders([info.folder]) as connection:
        if library is not None:
            if json:
                say_json(_library(connection, library))
            else:
                say(trajectory.show_library(connection, library))
        elif episode is not None:
            if json and other is not None:
                say_json([_episode(connection, key) for key in (episode, other)])
            elif json:
                say_json(_episode(connection, episode))
            elif other is not None:
                say(trajectory.show_pair(connection, (episode, other)))
            else:
                say(trajectory.show_episode(connection, episode))
        else:
            page = run_page(info.folder)
            if json:
                typer.echo(page_json(page))
            else:
                console().print(render_page(page))
                _learning(connection)


def _learning(connection: Connection) -> None:
    """The candidates of each trial that learned, in order."""
    from learnact.report.trajectory import candidate_line
    from learnact.results.reader import dictionaries

    query = (
        "SELECT c.*, t.method, t.domain, t.learn_repeat FROM candidates c JOIN trials t USING (run, trial) "
        "ORDER BY t.method, t.domain, t.learn_repeat, c.trial, c.iteration, c.candidate"
    )
    trials: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in dictionaries(connection, query):
        trials.setdefault((row["method"], row["domain"], row["learn_repeat"], row["trial"]), []).append(row)
    for (method, domain, repeat, _), rows in trials.items():
        say(f"\n{method} on {domain}, repeat {repeat}\n" + "\n".join(map(candidate_line, rows)))


def _library(connection: Connection, wanted: str) -> dict[str, Any]:
    """A library as `--library` of `play` and `run` takes it, with its candidates' rows."""
    from learnact.library.files import library_json
    from learnact.results.reader import dictionaries, load_library

    library = load_library(connection, wanted)
    rows = dictionaries(
        connection,
        "SELECT * FROM candidates WHERE library = ? ORDER BY trial, iteration, candidate",
        [library.id],
    )
    return {**library_json(library), "candidates": rows}


def _episode(connection: Connection, wanted: str) -> dict[str, Any]:
    """An episode's row with its turns."""
    from learnact.results.reader import dictionaries, load_episode

    result = load_episode(connection, wanted)
    query = "SELECT * EXCLUDE (finished) FROM episodes WHERE starts_with(key, ?) ORDER BY key LIMIT 1"
    row = dictionaries(connection, query, [wanted])[0]
    return {**row, "turns": [dataclasses.asdict(turn) for turn in result.turns]}
