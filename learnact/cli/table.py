"""`learnact table` and `learnact figure`: the paper's tables and figure from the results."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from learnact.cli.choices import Results
from learnact.cli.output import console, say
from learnact.errors import BadInput

if TYPE_CHECKING:
    from learnact.report.sheet import Sheet

Form = Literal["table", "csv", "markdown", "json"]
Runs = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...", help="Runs by job's name, beginning of id or folder; several are read together."
    ),
]
Shape = Annotated[Form, typer.Option("--format", help="Form of the tables.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write to a file instead of the terminal.", show_default=False),
]


def table(
    which: Annotated[
        str,
        typer.Argument(
            metavar="TABLE", help="2, 3, 4, 5, 6, 7, selector, robustness, cost.", show_default=False
        ),
    ],
    runs: Runs,
    results: Results = Path("results"),
    format: Shape = "table",
    output: Output = None,
) -> None:
    """Print a table of the paper from runs.

    2 and 3 success by method; 4 updates against notes; 5 actions before and after learning; 6 and 7 the ablations; selector: does
    the selector choose well; robustness: changed interfaces; cost: tokens, calls, dollars, turns and steps of learning and of acting.
    Each rate with interval and number of episodes.

    learnact table 2 table2

    learnact table 7 table7 --format markdown --output table7.md
    """
    from learnact.report.paper import TABLES
    from learnact.results.reader import connect
    from learnact.spec.source import nearest

    if which not in TABLES:
        raise BadInput(f"no table {which!r}; {nearest(which, TABLES)}")
    with connect(results, runs) as connection:
        give(TABLES[which](connection), format, output)


def figure(
    which: Annotated[str, typer.Argument(metavar="FIGURE", help="3.", show_default=False)],
    runs: Runs,
    results: Results = Path("results"),
    output: Annotated[Path, typer.Option("--output", "-o", help="Path without ending.")] = Path("figure3"),
    format: Shape = "table",
) -> None:
    """Draw a figure of the paper from runs, as SVG and PNG, and print its numbers.

    3: success and use of learned actions against iterations; the job needs test_each_iteration: true.

    learnact figure 3 figure3 --output figure3
    """
    from learnact.report.figures import draw_figure3, figure3, figure3_sheet
    from learnact.results.reader import connect

    if which != "3":
        raise BadInput(f"no figure {which!r}; there is: 3")
    with connect(results, runs) as connection:
        found = figure3(connection)
    written = draw_figure3(found, output)
    give([figure3_sheet(found)], format, None)
    console(stderr=True).print("wrote " + ", ".join(map(str, written)), markup=False)


def give(sheets: list[Sheet], form: Form, output: Path | None) -> None:
    """Print sheets, or write them to a file; as CSV each to a file of its own."""
    from learnact.report.sheet import FORMATS, to_rich

    if form == "table" and output is None:
        for sheet in sheets:
            console().print(to_rich(sheet))
            say()
        return
    texts = [FORMATS["markdown" if form == "table" else form](sheet).rstrip("\n") + "\n" for sheet in sheets]
    between = "" if form == "json" else "\n"
    if output is None:
        sys.stdout.write(between.join(texts))
    elif form == "csv":
        for number, text in enumerate(texts, start=1):
            _write(output if number == 1 else output.with_stem(f"{output.stem}-{number}"), text)
    else:
        _write(output, between.join(texts))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--output {path}: cannot be written: {error}") from None
    console(stderr=True).print(f"wrote {path}", markup=False)
