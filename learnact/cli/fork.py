"""`learnact fork`: on from a recorded turn, with another library or model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from learnact.again.fork import ForkChange, ForkSummary
from learnact.again.fork import fork as fork_run
from learnact.cli.options import Results
from learnact.cli.output import say, say_json
from learnact.records import EpisodeResult

UNFINISHED = 1
NO_RESULT = "without result"


def fork(
    run: Annotated[
        str,
        typer.Argument(
            help="A run: its job's name, the beginning of its id, or its folder.", show_default=False
        ),
    ],
    episode: Annotated[
        str,
        typer.Argument(
            help="The key of an episode, or the beginning of it; without: every test episode that calls the "
            "action of --without.",
            show_default=False,
        ),
    ] = "",
    *,
    turn: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="The first turn that is played anew, from 0; default: the first call of the action of "
            "--without.",
            show_default=False,
        ),
    ] = None,
    library: Annotated[
        str, typer.Option(help="Another library of the run, by the beginning of its id, or empty.")
    ] = "",
    without: Annotated[str, typer.Option(help="A learned action to leave out of the library.")] = "",
    model: Annotated[str, typer.Option(help="Another model of the job, by name.")] = "",
    address: Annotated[
        str | None, typer.Option(help="Where, as for learnact run: auto, ray://HOST:10001 or local.")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="limits... or cluster... of the job, e.g. --set limits.dollars=2 (of all these forks).",
            show_default=False,
        ),
    ] = None,
    results: Results = Path("results"),
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Go on from a recorded turn with another library or model; paid only from there.

    The turns before it are taken over: their primitive actions are done again, and no model is asked. Forks
    are kept in a run of their own (the same command again continues it) and count for no method's result.
    `learnact table credit` says what a change is worth.

    learnact fork RUN EPISODE --turn 1 --library empty

    learnact fork RUN --without ACTION --set limits.dollars=2
    """
    found = fork_run(
        run,
        episode,
        turn,
        ForkChange(library, without, model),
        results=results,
        address=address,
        settings=overrides or (),
    )
    if json:
        say_json(_as_json(found))
    else:
        _show(found)
    if any(result is None for _, result in found.forks):
        raise typer.Exit(UNFINISHED)


def _show(found: ForkSummary) -> None:
    for one, result in found.forks:
        before = one.recorded.result
        assert isinstance(before, EpisodeResult)
        now = _told(result) if result else found.failures.get(one.unit.key, NO_RESULT)
        say(
            f"{one.recorded.key[:12]} from turn {one.turn}, {one.unit.domain.name} {one.unit.task.name}: "
            f"recorded {_told(before)}; now {now}"
        )
    say(f"{len(found.forks)} forks, {found.calls:,} calls of models now. Run: {found.folder.name}")


def _told(result: EpisodeResult) -> str:
    return f"{'solved' if result.success else 'not solved'} after {len(result.turns)} turns"


def _as_json(found: ForkSummary) -> dict[str, object]:
    return {
        "run": found.run,
        "folder": str(found.folder),
        "calls": found.calls,
        "forks": [
            {
                "key": one.unit.key,
                "episode": one.recorded.key,
                "turn": one.turn,
                "success": result.success if result else None,
                "turns": len(result.turns) if result else None,
            }
            for one, result in found.forks
        ],
    }
