"""`learnact table` and `learnact figure`: the paper's tables and figure from the results."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from learnact.cli.options import Results
from learnact.cli.output import console, say
from learnact.errors import BadInput, suggestion
from learnact.results.location import Location

if TYPE_CHECKING:
    from learnact.report.data import ReportData
    from learnact.report.result_table import ResultTable
    from learnact.results.reader import Connection

FIGURES = {"3": "figure3", "efficiency": "efficiency", "stream": "stream"}
"""Figures by name, each with the name of its files."""
Form = Literal["table", "csv", "markdown", "latex", "json"]
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
            metavar="TABLE",
            help="1 to 7, pass@k, robustness, selector, transfer, cost, stream, causes, replies, credit, "
            "tournament, racing.",
            show_default=False,
        ),
    ],
    runs: Runs,
    results: Results = Path("results"),
    format: Shape = "table",
    output: Output = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            "--figure",
            help="2 and 3: also draw success against tokens, as SVG and PNG; path without ending.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print a table of the paper from runs.

    1: what each method learns from, keeps and costs. 2, 3: success by method and domain, then efficiency:
    turns, steps, tokens, dollars and model seconds per test episode and per solved task, and after how many
    episodes learning is paid back (--figure draws it).
    4: updates against notes. 5: actions before and after learning. 6, 7: the ablations. robustness: changed
    interfaces. selector: does the selector choose well. transfer: learned libraries on other tasks, against
    Act. cost: calls, tokens, dollars, turns and steps of learning and of acting, success per dollar. causes:
    where each difference between LearnAct, its variants and the other methods comes from, in libraries and
    trajectories. replies: why replies could not be read, and what was left out of the others. credit: what
    one learned action is worth, from forks (`learnact fork`). tournament: Elo ratings of methods and learned
    libraries, from who did better on the same tasks. racing: what racing saved.

    Each rate has its 95 % interval and number of episodes (n); the columns after it count unfinished episodes
    and unreadable replies. As csv: fractions, intervals in columns _low and _high, the table's title in the
    first column; several tables follow each other after an empty line, and with --output lie in NAME.csv,
    NAME-2.csv. As json: one array of tables. As latex: for papers, with the package booktabs.

    learnact table 2 table2

    learnact table 7 table7 --format markdown --output table7.md

    learnact table 2 table2 --format latex --output table2.tex
    """
    from learnact.report.data import ReportData
    from learnact.report.paper import TABLES, make_tables

    if which not in TABLES:
        raise BadInput(f"no table {which!r}; {suggestion(which, TABLES)}")
    if figure is not None and which not in ("2", "3"):
        raise BadInput(f"--figure: table {which} has no figure; tables 2 and 3 have one")
    written: list[Path] = []
    with _connection(results, runs) as connection:
        data = ReportData(connection, results)
        tables = make_tables(data, which)
        if figure is not None:
            _, written = draw_figure("efficiency", data, figure)
    write_tables(tables, format, output)
    if written:
        console(stderr=True).print("wrote " + ", ".join(map(str, written)), markup=False)


def figure(
    which: Annotated[
        str, typer.Argument(metavar="FIGURE", help="3, efficiency, stream.", show_default=False)
    ],
    runs: Runs,
    results: Results = Path("results"),
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Path without ending [its name].", show_default=False),
    ] = None,
    format: Shape = "table",
) -> None:
    """Draw a figure from runs, as SVG and PNG, and print its numbers.

    3: success and use of learned actions against iterations, with Act for reference; the job needs
    test_each_iteration: true. efficiency: success against tokens of a test episode, learning left out and
    included. stream: success on the next task and size of the library as tasks come one after another; the
    job needs protocol: stream.

    learnact figure 3 figure3 --output figure3

    learnact figure efficiency quickstart
    """
    from learnact.report.data import ReportData

    if which not in FIGURES:
        raise BadInput(f"no figure {which!r}; {suggestion(which, FIGURES)}")
    stem = output or Path(FIGURES[which])
    with _connection(results, runs) as connection:
        table, written = draw_figure(which, ReportData(connection), stem)
    write_tables([table], format, None)
    console(stderr=True).print("wrote " + ", ".join(map(str, written)), markup=False)


def draw_figure(which: str, data: ReportData, stem: Path) -> tuple[ResultTable, list[Path]]:
    """A figure's numbers and its files.

    Raises:
        BadInput: the files cannot be written.
    """
    from learnact.report.drawing import draw_figure3
    from learnact.report.efficiency_figure import draw_efficiency, efficiency_figure, figure_table
    from learnact.report.figure3 import figure3, figure3_table
    from learnact.report.stream import read_streams, stream_tables
    from learnact.report.stream_figure import draw_streams

    try:
        if which == "efficiency":
            points = efficiency_figure(data)
            return figure_table(points), draw_efficiency(points, stem)
        if which == "stream":
            streams = read_streams(data)
            return stream_tables(data)[0], draw_streams(streams, stem)
        found = figure3(data)
        return figure3_table(found), draw_figure3(found, stem)
    except OSError as error:
        raise BadInput(f"--output {stem}: cannot be written: {error.strerror}") from None


@contextmanager
def _connection(results: Location, runs: list[str]) -> Iterator[Connection]:
    """A connection to the runs named; a damaged file of theirs is named."""
    from learnact.results.damage import reading
    from learnact.results.reader import connect_folders, find_run

    folders = [find_run(results, name).folder for name in runs]
    with reading(folders), connect_folders(folders) as connection:
        yield connection


def write_tables(tables: list[ResultTable], form: Form, output: Path | None) -> None:
    """Print tables, or write them to a file; as CSV each to a file of its own."""
    from learnact.report.result_table import to_csv, to_rich

    if form == "table" and output is None:
        for one in tables:
            console().print(to_rich(one), crop=False)
            say()
    elif output is None:
        sys.stdout.write(_joined(tables, form))
    elif form == "csv":
        for number, one in enumerate(tables, start=1):
            _write(output if number == 1 else output.with_stem(f"{output.stem}-{number}"), to_csv(one))
    else:
        _write(output, _joined(tables, form))


def _joined(tables: list[ResultTable], form: Form) -> str:
    """All tables as one text."""
    from learnact.report.latex import to_latex
    from learnact.report.result_table import join_tables

    if form == "latex":
        return "\n".join(map(to_latex, tables))
    return join_tables(tables, "markdown" if form == "table" else form)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"--output {path}: cannot be written: {error}") from None
    console(stderr=True).print(f"wrote {path}", markup=False)
