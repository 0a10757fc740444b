"""`learnact report`: a folder of pages about runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from learnact.cli.options import Results
from learnact.cli.output import say

Runs = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...",
        help="Runs by job's name, beginning of id or folder, or latest; several are read together.",
    ),
]


def report(
    runs: Runs,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to write; a report in it is replaced.")
    ] = Path("report"),
    episodes: Annotated[
        int, typer.Option("--episodes", min=0, help="Failed episodes that get a page of their own, at most.")
    ] = 200,
    results: Results = Path("results"),
) -> None:
    """Write a report on runs: pages that open without a network, in any browser.

    What was asked and the answer with its certainty, charts of success, efficiency and learning (each with
    its data, its SQL, SVG and PNG), what was learned, why episodes failed, what it cost, settings, versions,
    and how to reproduce it.

    learnact report quickstart

    learnact report quickstart --output pages
    """
    from learnact.pages.report import write_report
    from learnact.report.data import ReportData
    from learnact.results.damage import reading
    from learnact.results.reader import connect_folders, find_run

    folders = list(dict.fromkeys(find_run(results, name).folder for name in runs))
    with reading(folders), connect_folders(folders) as connection:
        written = write_report(ReportData(connection, results), output, episodes)
    say(f"wrote {written.pages} pages; open {written.index}")
