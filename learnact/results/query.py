"""SQL over results for a person: an answer of plain columns and rows, or a clear error; and its forms (CSV,
JSON, Parquet).
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from learnact.errors import ResultsError
from learnact.results.reader import VIEWS, connect

QUERIES = files("learnact.results") / "queries"


@dataclass(frozen=True)
class ShippedQuery:
    """A query that comes with the package; `summary` is the comment on its first line. Each is meant for one
    run.
    """

    name: str
    summary: str
    text: str


def shipped_queries() -> dict[str, ShippedQuery]:
    """The queries in `learnact/results/queries`, by name."""
    found = {}
    for path in sorted(QUERIES.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".sql"):
            text, name = path.read_text(encoding="utf-8"), path.name.removesuffix(".sql")
            found[name] = ShippedQuery(name, text.partition("\n")[0].removeprefix("-- "), text)
    return found


@dataclass(frozen=True)
class QueryResult:
    """What a query gave."""

    columns: tuple[str, ...]
    table: pa.Table

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        """Rows of plain Python values."""
        return list(zip(*(column.to_pylist() for column in self.table.columns), strict=True))

    def csv(self) -> str:
        """As CSV with a head line; lists and structures as JSON."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([["" if value is None else cell(value) for value in row] for row in self.rows])
        return out.getvalue()

    def json(self) -> str:
        """As a JSON array of objects; NaN becomes null."""
        rows = [dict(zip(self.columns, map(_plain, row), strict=True)) for row in self.rows]
        return json.dumps(rows, ensure_ascii=False, indent=1)

    def parquet(self, path: Path) -> None:
        """As a Parquet file. Raises `ResultsError` where it cannot be written."""
        try:
            pq.write_table(self.table, path, compression="zstd")
        except OSError as error:
            raise ResultsError(f"{path}: cannot be written: {error}") from None


def cell(value: Any) -> str:
    """A value as one cell of a table."""
    if isinstance(value, list | dict):
        return json.dumps(_plain(value), ensure_ascii=False)
    return str(_plain(value))


class QuerySession:
    """A connection to the runs of a folder, for one query after another. Raises `ResultsError` for a folder
    or run that is not there.
    """

    def __init__(self, results: Path, run: str | None = None) -> None:
        self._connection = connect(results, run)

    def ask(self, query: str) -> QueryResult:
        """The answer to a query (of several statements, the last one's). Raises `ResultsError` with DuckDB's
        own words.
        """
        try:
            found = self._connection.sql(query)
            table = pa.table({}) if found is None else found.to_arrow_table()
        except duckdb.Error as error:
            raise ResultsError(
                f"{str(error).strip()}\n`learnact sql` without a query lists the tables."
            ) from None
        return QueryResult(tuple(table.column_names), table)

    def tables(self) -> list[tuple[str, int, Sequence[str]]]:
        """Every table with its number of rows and its columns."""
        found: list[tuple[str, int, Sequence[str]]] = []
        for name in VIEWS:
            count = self._connection.execute(f"SELECT count(*) FROM {name}").fetchone()
            columns = self._connection.execute(f"DESCRIBE {name}").fetchall()
            found.append((name, int(count[0]) if count else 0, [column[0] for column in columns]))
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
