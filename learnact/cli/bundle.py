"""`learnact bundle`: a run as one file that others can check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from learnact.cli.options import Results
from learnact.cli.output import console, say


def bundle(
    run: Annotated[
        str, typer.Argument(help="A run: its job's name, the beginning of its id, its folder, or latest.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A new file; default: RUN.bundle.zip.", show_default=False),
    ] = None,
    results: Results = Path("results"),
) -> None:
    """Pack a run into one file that others can check: `learnact verify` makes its numbers again, offline.

    It holds the run's Parquet files, prompts, libraries, queries, all tables and answers, and the versions of
    all packages. Hosts, paths, addresses and keys are left out. The seal that is printed is a checksum of the
    whole file: publish it beside the file.

    learnact bundle quickstart

    learnact bundle quickstart --output paper.bundle.zip
    """
    from learnact.exports.bundle import ENDING, write_bundle
    from learnact.results.damage import reading
    from learnact.results.reader import find_run

    info = find_run(results, run)
    console(stderr=True).print(f"packing {info.folder.name}: tables and queries are made", markup=False)
    with reading([info.folder]):
        made = write_bundle(info, output or Path(f"{info.folder.name}{ENDING}"))
    say(f"wrote {made.path}: {made.size / 1e6:.1f} MB, {made.files} files, {made.cells:,} published cells")
    if made.hidden:
        say("left out what says where it was made: " + ", ".join(sorted(made.hidden)))
    say(f"seal: {made.seal}")
