"""`learnact tidy`: frees the space of files that do not count any more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from learnact.cli.options import Results
from learnact.cli.output import say
from learnact.errors import ResultsError
from learnact.results.parts import GRACE
from learnact.results.parts import tidy as tidy_folder
from learnact.results.reader import find_run, runs
from learnact.results.storage import storage_of


def tidy(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="Only this run.", show_default=False)
    ] = None,
    results: Results = Path("results"),
    now: Annotated[
        bool,
        typer.Option(
            "--now", help="Also what was replaced in the last 10 minutes: no program may be reading."
        ),
    ] = False,
) -> None:
    """Remove files of runs that do not count any more, and say how much space that frees.

    When a run ends, its many small files are merged; the merged ones stay for programs that are reading them.
    A run that is being driven is left alone.

    learnact tidy --results results
    """
    for info in [find_run(results, run)] if run else runs(results):
        try:
            lock = storage_of(info.folder).lock()
            try:
                tidied = tidy_folder(info.folder, 0.0 if now else GRACE)
            finally:
                lock.release()
        except ResultsError as error:
            say(f"{info.folder.name}: left alone: {error}")
        except OSError as error:
            say(f"{info.folder.name}: left alone: cannot be written: {error.strerror}")
        else:
            say(f"{info.folder.name}: {tidied.files} files removed, {tidied.size / 1e6:.1f} MB")
