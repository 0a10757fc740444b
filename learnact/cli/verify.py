"""`learnact verify`: are results as they were written?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from learnact.cli.options import Results
from learnact.cli.output import say
from learnact.errors import BadInput, ResultsError
from learnact.results.manifests import live_parts
from learnact.results.manifests import verify as verify_files
from learnact.results.reader import find_run
from learnact.results.reader import runs as all_runs

DAMAGED = 1


def verify(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...", help="Runs by name, id or folder; default: all.", show_default=False
        ),
    ] = None,
    results: Results = Path("results"),
) -> None:
    """Compare every file of runs with its checksum; nothing is changed.

    Exit code 0: all is as it was written; 1: a file is damaged, and is named. A run is also compared before
    it is continued, and before its parts are merged.

    learnact verify
    """
    infos = [find_run(results, name) for name in runs] if runs else all_runs(results)
    if not infos:
        raise BadInput(f"{results}: there is no run yet; `learnact run quickstart` makes one")
    damaged = False
    for info in infos:
        try:
            found = verify_files(info.folder, live_parts(info.folder))
        except ResultsError as error:
            damaged = True
            say(f"{info.folder.name}: damaged. {error}")
            continue
        older = f"; {found.without} of an earlier version have no checksum" if found.without else ""
        say(f"{info.folder.name}: {found.whole} files are as they were written{older}")
    if damaged:
        raise typer.Exit(DAMAGED)
