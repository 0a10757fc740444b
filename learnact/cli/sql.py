"""`learnact sql`: asks the results."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

import typer
from rich.markup import escape

from learnact.cli.options import Results
from learnact.cli.output import console, read_file, say, table
from learnact.cli.sql_prompt import EXPORT, statements
from learnact.errors import BadInput, LearnactError, suggestion
from learnact.records.text import printable
from learnact.report.result_table import SIMULATED
from learnact.results.location import Location
from learnact.results.query import (
    SIMULATED_COLUMN,
    QueryResult,
    QuerySession,
    TableOverview,
    cell,
    shipped_queries,
    table_overview,
)
from learnact.results.reader import runs

Format = Literal["table", "csv", "json", "parquet", "arrow"]
FILES_ONLY = ("parquet", "arrow")
"""Forms that no terminal shows."""
FORMS: dict[str, Format] = {
    ".csv": "csv",
    ".json": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
"""The form of a file by the ending of its name."""
SHOWN_ROWS = 200
"""Rows of a table on a terminal; the other forms have all."""
CELL = 100
"""Characters of a cell of a table on a terminal."""
NARROW = 12
"""Columns on a terminal for each column of a table below which rows are shown vertically."""


def sql(
    query: Annotated[
        str | None, typer.Argument(help="A query; `learnact sql --queries` lists shipped ones.")
    ] = None,
    *,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="A file that holds the query, or the name of a shipped query."),
    ] = None,
    queries: Annotated[bool, typer.Option("--queries", help="List the shipped queries.")] = False,
    results: Results = Path("results"),
    run: Annotated[
        str | None, typer.Option("--run", help="Only this run: its job's name, or the beginning of its id.")
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="Form of the answer.")] = "table",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the answer to a file.")] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="Write the answer as .csv, .json, .parquet or .arrow."),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Permit everything that DuckDB can do: files, tables, settings.")
    ] = False,
) -> None:
    """Ask the results in SQL (DuckDB).

    Without a query: the tables, and on a terminal a prompt with completion and history.

    Without --run, a query reads all runs of the folder (each table has a column `run`);
    a shipped query reads the latest run. Queries only read, unless --write is given.

    learnact sql --run NAME "SELECT method, avg(success::int) FROM episodes WHERE phase = 'test' GROUP BY ALL"

    learnact sql --run NAME --file success --format csv --output success.csv

    learnact sql --run NAME "FROM success_by_method" --to success.parquet

    A file that holds figures of a simulated model gets a column `simulated`, where it has none.
    """
    if queries:
        _list_queries()
        return
    if query is not None and file is not None:
        raise BadInput("give a query or --file, not both")
    if format in FILES_ONLY and output is None:
        raise BadInput(f"--format {format} needs --output FILE")
    text, shipped = _query(query, file)
    if shipped and run is None:
        run = _latest(results)
    if to is not None:
        if output is not None or format != "table":
            raise BadInput("give --to FILE alone: the ending of its name says the form")
        format, output = _form_of(to), to
    if text:
        _answer(QuerySession(results, run, write=write), text, format, output)
        return
    tables = table_overview(results, run)
    _tables(tables)
    if sys.stdin.isatty():
        _converse(QuerySession(results, run, write=write), tables)


def _query(query: str | None, file: Path | None) -> tuple[str, bool]:
    """The query's text, and whether it is a shipped query."""
    if file is not None and len(file.parts) == 1 and not file.exists():
        known = shipped_queries()
        if found := known.get(file.name.removesuffix(".sql")):
            return found.text, True
        raise BadInput(
            f"--file {file}: neither a file nor a shipped query; {suggestion(file.name, known, near=0.5)}"
        )
    if file is not None:
        return read_file(file, "--file"), False
    if query is None and not sys.stdin.isatty():
        try:
            return sys.stdin.read().strip(), False
        except UnicodeDecodeError:
            raise BadInput("the query on standard input is no text in UTF-8") from None
    return query or "", False


def _latest(results: Location) -> str | None:
    """The latest run's folder; says which it is, on standard error, when there are several."""
    known = runs(results)
    if len(known) > 1:
        message = f"run {known[-1].folder.name}, the latest of {len(known)}; --run names another"
        console(stderr=True).print(message, markup=False, soft_wrap=True)
    return known[-1].run if known else None


def _list_queries() -> None:
    shown = table("", "query", "what it answers")
    for query in shipped_queries().values():
        shown.add_row(query.name, query.summary)
    console().print(shown)
    say("\n`learnact sql --run RUN --file QUERY` asks one of a run.")


def _print(answer: QueryResult, format: Format, output: Path | None) -> None:
    if format in FILES_ONLY:
        assert output is not None
        answer.write_parquet(output) if format == "parquet" else answer.write_arrow(output)
    elif format == "table" and output is None:
        with _writing(None):
            _show(answer)
    else:
        with _writing(output) as stream:
            answer.write_json(stream) if format == "json" else answer.write_csv(stream)


@contextlib.contextmanager
def _writing(output: Path | None) -> Iterator[TextIO]:
    """The stream to write to: a file, or standard output. Raises `BadInput` where it cannot be written."""
    try:
        if output is not None:
            with output.open("w", encoding="utf-8", newline="") as stream:
                yield stream
        elif sys.stdout.isatty():
            yield _Terminal(sys.stdout.write)  # type: ignore[misc]
        else:
            yield sys.stdout
            sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        place = "standard output" if output is None else f"--output {output}"
        raise BadInput(f"{place}: cannot be written: {error.strerror}; name another file") from None


class _Terminal:
    """Writes to a terminal without characters that control it."""

    def __init__(self, write: Callable[[str], Any]) -> None:
        self._write = write

    def write(self, text: str) -> None:
        """Write printable text."""
        self._write(printable(text, keep="\n"))


def _show(answer: QueryResult) -> None:
    rows, more = answer.first(SHOWN_ROWS)
    cells = [[_cell(value) for value in row] for row in rows]
    names = [printable(name) for name in answer.columns]
    if _is_wide(names, cells):
        for place, row in enumerate(cells):
            shown = table("", f"row {place + 1}", "")
            for name, text in zip(names, row, strict=True):
                shown.add_row(escape(name), escape(text))
            console().print(shown)
    else:
        shown = table("", *(f"#{n}" if num else n for n, num in zip(names, answer.numeric, strict=True)))
        for row in cells:
            shown.add_row(*map(escape, row))
        console().print(shown)
    if more:
        say(f"the first {SHOWN_ROWS} rows; --format csv gives all")


def _is_wide(names: list[str], cells: list[list[str]]) -> bool:
    """Whether rows are shown vertically: they do not fit, and columns would be narrow or there is but one
    row.
    """
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    width = console().width
    return sum(widths) + len(widths) > width and (len(cells) == 1 or len(names) * NARROW > width)


def _cell(value: Any) -> str:
    text = "" if value is None else f"{value:.4g}" if isinstance(value, float) else cell(value)
    line = printable(" ".join(text[: 4 * CELL].split()))
    return line if len(line) <= CELL else line[: CELL - 4] + " ..."


def _tables(tables: Iterable[TableOverview]) -> None:
    shown = table("", "table", "#rows", "columns")
    for one in tables:
        shown.add_row(one.name, "" if one.rows is None else str(one.rows), ", ".join(one.columns))
    console().print(shown)
    say(
        "\n`learnact sql --run RUN 'SELECT 1'` asks a run; `learnact sql --queries` lists the shipped "
        "queries."
    )


def _converse(session: QuerySession, tables: Sequence[TableOverview]) -> None:
    """A query after another; `.to FILE` writes the answer to the last one."""
    say("A query ends with a semicolon; .to FILE writes the last answer; Tab completes; quit leaves.")
    last = ""
    for text in statements(tables):
        command, _, argument = text.partition(" ")
        try:
            if command == EXPORT:
                _export(session, last, Path(argument.strip()))
            elif text.startswith("."):
                say(f"no command {printable(command)}; there are {EXPORT} FILE and quit")
            else:
                _answer(session, text, "table", None)
                last = text
        except LearnactError as error:
            say(f"error: {printable(str(error), keep=chr(10))}")


def _export(session: QuerySession, query: str, place: Path) -> None:
    if not query:
        raise BadInput("there is no answer yet: ask first, then .to FILE")
    _answer(session, query, _form_of(place), place)
    say(f"wrote {place}")


def _form_of(place: Path) -> Format:
    """The form of a file by its ending. Raises `BadInput`."""
    if form := FORMS.get(place.suffix.lower()):
        return form
    raise BadInput(f"{place}: which form? End the name with {', '.join(FORMS)}")


def _answer(session: QuerySession, query: str, form: Format, output: Path | None) -> None:
    """Print or write an answer, with a mark where figures of a simulated model may be in it: a line, and in a
    file a column, which stays with it."""
    simulated = session.simulated(query)  # before the answer, which is read from the same connection
    mark = session.mark if simulated else None
    answer = session.ask(query)
    simulated = simulated and SIMULATED_COLUMN not in answer.columns
    _print(answer.marked(mark) if simulated and output else answer, form, output)
    if simulated:
        shown = form == "table" and output is None
        console(stderr=not shown).print(SIMULATED, markup=False, soft_wrap=True, style="dim")
