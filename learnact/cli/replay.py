"""`learnact replay`: a run again, from its recorded calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from learnact.again.replay import Found, ReplayReport, check_finished
from learnact.again.replay import replay as replay_run
from learnact.cli.options import Results
from learnact.cli.output import say, say_json

DIFFERENT = 1


def replay(
    run: Annotated[
        str,
        typer.Argument(
            help="A run: its job's name, the beginning of its id, its folder, or latest.", show_default=False
        ),
    ] = "latest",
    results: Results = Path("results"),
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Do a run again from its recorded calls; no model is asked.

    Learners and episodes run as they would now, with the replies that were recorded. Exit code 0: everything
    came out as recorded; 1: something differs, and the first place is named; 2: the run cannot be read.

    learnact replay quickstart
    """
    report = replay_run(run, results=results)
    check_finished(report)
    if json:
        say_json(_as_json(report))
    else:
        _show(report)
    if not report.identical:
        raise typer.Exit(DIFFERENT)


def _show(report: ReplayReport) -> None:
    done = f"{report.episodes:,} episodes and {report.requests:,} requests of run {report.run}"
    if report.unplayed:
        say(f"{report.unplayed:,} units have no result on file: the run is not finished.")
    if report.first is not None:
        say(f"Different. {_told(report.first)}")
    elif report.unasked:
        say(
            f"Different. {done} came out as recorded, but {report.unasked:,} recorded units were not "
            "asked for."
        )
    else:
        say(f"Identical: {done} came out as recorded.")


def _told(found: Found) -> str:
    difference = found.difference
    turn = "" if difference.turn is None else f", turn {difference.turn}"
    key = f" ({difference.unit[:12]})" if difference.unit else ""
    place = f"{found.unit}{key}{turn}" if found.unit else "the whole trial"
    lines = [f"{found.trial}: {place}: {difference.what}."]
    if difference.recorded or difference.now:
        lines += [f"  recorded: {difference.recorded!r}", f"  now:      {difference.now!r}"]
    return "\n".join(lines)


def _as_json(report: ReplayReport) -> dict[str, object]:
    found = report.first
    return {
        "run": report.run,
        "identical": report.identical,
        "episodes": report.episodes,
        "requests": report.requests,
        "unplayed": report.unplayed,
        "unasked": report.unasked,
        "first": None
        if found is None
        else {
            "trial": found.trial,
            "unit": found.unit,
            "key": found.difference.unit,
            "turn": found.difference.turn,
            "what": found.difference.what,
            "recorded": found.difference.recorded,
            "now": found.difference.now,
        },
    }
