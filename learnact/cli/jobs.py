"""`learnact jobs`: the jobs that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from learnact.cli.output import console, say, say_json, say_next, table, write_file
from learnact.errors import BadInput
from learnact.job.shipped import ShippedJob, find_shipped, shipped_jobs


def jobs(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Print this job's file.", show_default=False)
    ] = None,
    copy: Annotated[
        Path | None,
        typer.Option(
            "--copy", metavar="PATH", help="Copy the job to a file, to be edited.", show_default=False
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One line of JSON for each job.")] = False,
) -> None:
    """List the jobs that are ready to run; print one, or copy it to edit.

    learnact jobs

    learnact jobs quickstart --copy my.yaml
    """
    if name is None and copy is not None:
        raise BadInput("--copy: name the job to be copied; `learnact jobs` lists them")
    chosen = list(shipped_jobs().values()) if name is None else [find_shipped(name)]
    if copy is not None:
        write_file(copy, chosen[0].text, force)
        say_next(copy, makes_data=chosen[0].makes_data)
    elif json:
        for job in chosen:
            say_json({"name": job.name, "question": job.question, "time": job.time, "cost": job.cost})
    elif name is not None:
        say(chosen[0].text.rstrip())
    else:
        _list(chosen)


def _list(known: list[ShippedJob]) -> None:
    shown = table("", "job", "what it asks", "how long", "calls and cost at most")
    for job in known:
        shown.add_row(job.name, job.question, job.time, job.cost)
    console().print(shown)
    say(
        "\n`learnact run NAME` runs one (`learnact synthesize NAME` one that makes data), "
        "`learnact jobs NAME` prints its file, `learnact jobs NAME --copy my.yaml` copies it to edit."
    )
