"""`learnact sql`: asks the results."""

from __future__ import annotations

import contextlib
import sys
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
    query: Annotated[str | None, typer.Argument(help="A query; `results/queries/` has a cookbook.")] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="A file that holds the query.")] = None,
    results: Results = Path("results"),
    run: Annotated[
        str | None, typer.Option("--run", help="Only this run: its job's name, or the beginning of its id.")
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="Form of the answer.")] = "table",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the answer to a file.")] = None,
) -> None:
    """Ask the results in SQL (DuckDB).

    Without a query: the tables, and on a terminal a prompt.

    learnact sql "SELECT method, domain, avg(success::int), count(*) FROM episodes WHERE phase = 'test' GROUP BY ALL ORDER BY ALL"

    learnact sql --file results/queries/success.sql --format csv --output success.csv
    """
    if query is not None and file is not None:
        raise BadInput("give a query or --file, not both")
    if format == "parquet" and output is None:
        raise BadInput("--format parquet needs --output FILE")
    from learnact.results.query import QuerySession

    text = _query(query, file)
    questions = QuerySession(results, run)
    if text:
        _give(questions.ask(text), format, output)
        return
    _tables(questions)
    if sys.stdin.isatty():
        _converse(questions, format)


def _query(query: str | None, file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"--file {file}: cannot be read: {error}") from None
    if query is None and not sys.stdin.isatty():
        return sys.stdin.read().strip()
    return query or ""


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
    say(
        '\nlearnact sql "SELECT ..." asks; results/README.md explains the columns, results/queries/ has a cookbook.'
    )


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
