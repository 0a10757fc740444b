"""`learnact show`: a run, a trajectory, a library."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from learnact.cli.options import Results
from learnact.cli.output import console, say, say_json
from learnact.errors import BadInput
from learnact.results.location import Location

if TYPE_CHECKING:
    from learnact.results.reader import Connection


def show(
    run: Annotated[
        str,
        typer.Argument(
            help="A run: its job's name, the beginning of its id, its folder, or latest.", show_default=False
        ),
    ] = "latest",
    episode: Annotated[
        str | None, typer.Argument(help="An episode's key or the beginning of it, or the name of a task.")
    ] = None,
    other: Annotated[
        str | None, typer.Argument(help="Another episode of the same task, shown side by side.")
    ] = None,
    *,
    task: Annotated[str | None, typer.Option("--task", help="Test episodes of this task.")] = None,
    method: Annotated[str | None, typer.Option("--method", help="Test episodes of this method.")] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Test episodes that did not solve their task.")
    ] = False,
    library: Annotated[
        str | None, typer.Option("--library", help="A library's id or the beginning of it.")
    ] = None,
    example: Annotated[
        int | None,
        typer.Option(
            "--example", min=0, help="An example of a synthesis, by its number.", show_default=False
        ),
    ] = None,
    results: Results = Path("results"),
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object; a library's can be played with.")
    ] = False,
) -> None:
    """Show a run, a trajectory, two trajectories of a task side by side, or a learned library.

    With a task, --task, --method or --failed: the test episodes that fit, or the trajectory of the only one.

    learnact show quickstart

    learnact show quickstart --method learnact --failed

    learnact show quickstart gripper-published-test-0-1

    learnact show quickstart 3f2a9c 81d0b7

    learnact show quickstart --library 77b01d --json > library.json

    learnact show synthesize --example 3
    """
    from learnact.results.damage import reading
    from learnact.results.reader import connect_folders, find_run

    listed = task is not None or method is not None or failed
    if (episode is not None) + (library is not None) + (example is not None) + listed > 1:
        raise BadInput(
            "name an episode or a task, a --library, an --example, or episodes by --task, --method and "
            "--failed: one of these"
        )
    info = find_run(results, run)
    with reading([info.folder]), connect_folders([info.folder]) as connection:
        if episode is not None and other is None and not _is_key(connection, episode):
            task, episode, listed = episode, None, True
        if example is not None:
            _show_example(connection, example, json)
        elif library is not None:
            _show_library(connection, library, json)
        elif episode is not None:
            _show_episodes(connection, [key for key in (episode, other) if key is not None], json)
        elif listed:
            _list_episodes(connection, EpisodeChoice(task, method, failed), info.folder, json)
        else:
            _show_run(connection, info.folder, json)


@dataclass(frozen=True)
class EpisodeChoice:
    """Which test episodes are listed."""

    task: str | None
    method: str | None
    failed: bool


def _is_key(connection: Connection, text: str) -> bool:
    """Whether an episode's key begins so; else it is the name of a task."""
    from learnact.results.reader import dictionaries

    return bool(dictionaries(connection, "SELECT 1 FROM episodes WHERE starts_with(key, ?) LIMIT 1", [text]))


def _show_library(connection: Connection, library: str, json: bool) -> None:
    from learnact.report.trajectory import show_library

    if json:
        say_json(_library(connection, library))
    else:
        say(show_library(connection, library))


def _show_episodes(connection: Connection, keys: list[str], json: bool) -> None:
    from learnact.report.trajectory import show_episode, show_pair

    if json:
        found = [_episode(connection, key) for key in keys]
        say_json(found if len(found) > 1 else found[0])
    elif len(keys) > 1:
        say(show_pair(connection, (keys[0], keys[1])))
    else:
        say(show_episode(connection, keys[0]))


def _list_episodes(connection: Connection, choice: EpisodeChoice, folder: Location, json: bool) -> None:
    from learnact.report.commands import show_command
    from learnact.report.failed import why_all_failed
    from learnact.report.trajectory import episode_line, find_episodes

    rows = find_episodes(connection, choice.task, choice.method, choice.failed)
    why = why_all_failed(connection, [row["key"] for row in rows if not row["success"]])
    if json:
        say_json([{**row, "failed": asdict(why[row["key"]]) if row["key"] in why else None} for row in rows])
    elif not rows:
        say("No test episode fits.")
    elif len(rows) == 1:
        _show_episodes(connection, [rows[0]["key"]], json)
    else:
        for row in rows:
            say(episode_line(row, why.get(row["key"])))
        say(f"\nOpen one: {show_command(folder.name, folder.parent, rows[0]['key'][:12])}")


def _show_example(connection: Connection, number: int, json: bool) -> None:
    from learnact.synthesis.showing import example_row, example_text

    if json:
        say_json(example_row(connection, number))
    else:
        say(example_text(connection, number))


def _show_run(connection: Connection, folder: Location, json: bool) -> None:
    from learnact.report.summary import page_json, render_page, run_page
    from learnact.synthesis.showing import is_synthesis, run_state, run_text

    if is_synthesis(connection):
        if json:
            say_json(run_state(connection))
        else:
            say(run_text(connection))
        return
    page = run_page(folder)
    if json:
        typer.echo(page_json(page))
    else:
        console().print(render_page(page), crop=False)
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
    """An episode's row with why it failed and its turns."""
    from learnact.report.failed import why_failed
    from learnact.results.reader import dictionaries, load_episode

    result = load_episode(connection, wanted)
    query = "SELECT * EXCLUDE (finished) FROM episodes WHERE starts_with(key, ?) ORDER BY key LIMIT 1"
    row = dictionaries(connection, query, [wanted])[0]
    why = why_failed(connection, row, result)
    return {
        **row,
        "failed": asdict(why) if why else None,
        "turns": [asdict(turn) for turn in result.turns],
    }
