"""`learnact sql`: asks the results."""

from __future__ import annotations

import contextlib
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from learnact.cli.options import Results
from learnact.cli.output import console, say, table
from learnact.errors import BadInput, ResultsError

if TYPE_CHECKING:
    from learnact.results.query import QueryResult, QuerySession

Format = Literal["table", "csv", "json", "parquet"]
SHOWN_ROWS = 200
"""Rows of a table on a terminal; the other forms have all."""
CELL = 100
"""Characters of a cell of a table on a terminal."""


def sql(
    query: Annotated[
        str | None, typer.Argument(help="A query; `learnact sql --queries` lists shipped ones.")
    ] = None,
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
) -> None:
    """Ask the results in SQL (DuckDB).

    Without a query: the tables, and on a terminal a prompt.

    Without --run, a query reads all runs of the folder (each table has a column `run`);
    a shipped query reads the latest run.

    learnact sql --run NAME "SELECT method, avg(success::int) FROM episodes WHERE phase = 'test' GROUP BY ALL"

    learnact sql --run NAME --file success --format csv --output success.csv
    """
    if queries:
        _list_queries()
        return
    if query is not None and file is not None:
        raise BadInput("give a query or --file, not both")
    if format == "parquet" and output is None:
        raise BadInput("--format parquet needs --output FILE")
    from learnact.results.query import QuerySession

    text, shipped = _query(query, file)
    if shipped and run is None:
        run = _latest(results)
    questions = QuerySession(results, run)
    if text:
        _give(questions.ask(text), format, output)
        return
    _tables(questions)
    if sys.stdin.isatty():
        _converse(questions, format)


def _query(query: str | None, file: Path | None) -> tuple[str, bool]:
    """The query's text, and whether it is a shipped query."""
    from learnact.results.query import shipped_queries

    if file is not None and not file.exists() and len(file.parts) == 1:
        known = shipped_queries()
        if found := known.get(file.name.removesuffix(".sql")):
            return found.text, True
        near = get_close_matches(file.name, known, n=3, cutoff=0.5)
        hint = f"nearest: {', '.join(near)}" if near else "`learnact sql --queries` lists them"
        raise BadInput(f"--file {file}: neither a file nor a shipped query; {hint}")
    if file is not None:
        try:
            return file.read_text(encoding="utf-8"), False
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"--file {file}: cannot be read: {error}") from None
    if query is None and not sys.stdin.isatty():
        return sys.stdin.read().strip(), False
    return query or "", False


def _latest(results: Path) -> str | None:
    """The latest run's id; says which it is, on standard error, when there are several."""
    from learnact.results.reader import runs

    known = runs(results)
    if not known:
        return None
    if len(known) > 1:
        name = known[-1].folder.name
        console(stderr=True).print(
            f"run {name}, the latest of {len(known)}; --run names another", markup=False, soft_wrap=True
        )
    return known[-1].run


def _list_queries() -> None:
    from learnact.results.query import shipped_queries

    shown = table("", "query", "what it answers")
    for query in shipped_queries().values():
        shown.add_row(query.name, query.summary)
    console().print(shown)
    say("\nlearnact sql --run RUN --file QUERY asks one of a run.")


def _give(answer: QueryResult, format: Format, output: Path | None) -> None:
    if format == "parquet":
        assert output is not None
        answer.parquet(output)
    elif format == "table" and output is None:
        _show(answer)
    else:
        text = answer.json() + "\n" if format == "json" else answer.csv()
        if output is None:
            sys.stdout.write(text)
        else:
            try:
                output.write_text(text, encoding="utf-8")
            except OSError as error:
                raise BadInput(f"--output {output}: cannot be written: {error}") from None


def _show(answer: QueryResult) -> None:
    from learnact.results.query import cell

    numbers = {
        name
        for name, field in zip(answer.columns, answer.table.schema, strict=True)
        if _is_number(str(field.type))
    }
    shown = table("", *(f"#{name}" if name in numbers else name for name in answer.columns))
    rows = answer.rows
    for row in rows[:SHOWN_ROWS]:
        shown.add_row(
            *(_short("" if v is None else f"{v:.4g}" if isinstance(v, float) else cell(v)) for v in row)
        )
    console().print(shown)
    if len(rows) > SHOWN_ROWS:
        say(f"{SHOWN_ROWS} of {len(rows)} rows; --format csv gives all")


def _is_number(kind: str) -> bool:
    return kind.startswith(("int", "uint", "float", "double", "decimal"))


def _short(text: str) -> str:
    from rich.markup import escape

    line = " ".join(text.split())
    return escape(line if len(line) <= CELL else line[: CELL - 4] + " ...")


def _tables(questions: QuerySession) -> None:
    shown = table("", "table", "#rows", "columns")
    for name, rows, columns in questions.tables():
        shown.add_row(name, str(rows), ", ".join(columns))
    console().print(shown)
    say('\nlearnact sql --run RUN "SELECT ..." asks a run; learnact sql --queries lists the shipped queries.')


def _converse(questions: QuerySession, format: Format) -> None:
    """A query after another, each ended by a semicolon, until the end of input."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 - gives input() its editing and history
    while True:
        lines: list[str] = []
        while not lines or not lines[-1].rstrip().endswith(";"):
            try:
                lines.append(input("sql> " if not lines else "...> "))
            except EOFError:
                say()
                return
            if lines[0].strip() in ("quit", "exit", ".quit"):
                return
        try:
            _give(questions.ask("\n".join(lines)), format if format != "parquet" else "table", None)
        except ResultsError as error:
            say(f"error: {error}")
