"""`learnact export`: a run in the form of another tool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from learnact.cli.options import Results
from learnact.cli.output import say


def export(
    run: Annotated[
        str, typer.Argument(help="A run: its job's name, the beginning of its id, its folder, or latest.")
    ],
    to: Annotated[
        Literal["inspect", "csv", "hf"],
        typer.Option("--to", help="inspect: logs of Inspect AI. csv: each table. hf: a dataset folder."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A new folder; default: export-TO.", show_default=False),
    ] = None,
    results: Results = Path("results"),
) -> None:
    """Export a run: logs of Inspect AI, tables as CSV, or a dataset that Hugging Face's datasets loads.

    inspect needs the extra `inspect`; look at the logs with `inspect view --log-dir FOLDER`.

    learnact export quickstart --to csv

    learnact export quickstart --to hf --output dataset
    """
    from learnact.exports.folders import new_folder, write_csv, write_dataset
    from learnact.exports.inspect_log import write_inspect_logs
    from learnact.results.damage import reading
    from learnact.results.query import QuerySession
    from learnact.results.reader import connect_folders, find_run

    info = find_run(results, run)
    folder = new_folder(output or Path(f"export-{to}"))
    with reading([info.folder]):
        if to == "inspect":
            with connect_folders([info.folder]) as connection:
                written = write_inspect_logs(connection, folder)
        else:
            session = QuerySession(results, info.folder.name)
            written = (
                write_csv(session, folder) if to == "csv" else write_dataset(session, folder, [info.name])
            )
    say(f"wrote {len(written)} files to {folder}")
