"""SQL over results: an answer row by row, or a clear error; its forms; the shipped queries.

Without `write`, a query only reads, and only the runs' tables: DuckDB may touch no other file, its settings
are locked, and statements other than SELECT (with DESCRIBE, SHOW, SUMMARIZE, PIVOT and EXPLAIN) are refused.
"""

from __future__ import annotations

import csv
import datetime
import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, TextIO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from learnact.errors import ResultsError
from learnact.records.text import spreadsheet_text
from learnact.results.location import Location
from learnact.results.overview import overview
from learnact.results.reader import VIEWS, Connection, Places, connect, connect_folders, find_run, runs

QUERIES = files("learnact.results") / "queries"
SIMULATED_COLUMN = "simulated"
BATCH = 2_000
"""Rows that are in memory at a time."""
_READING = {duckdb.StatementType.SELECT, duckdb.StatementType.MULTI}
_EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?(\([^)]*\)\s*)?", re.IGNORECASE)


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


class QueryResult:
    """What a query gives, read once, from the first row to the last."""

    def __init__(self, reader: pa.RecordBatchReader, source: Connection) -> None:
        self._reader = reader
        self._source = source
        self.columns: tuple[str, ...] = tuple(reader.schema.names)
        self.numeric: tuple[bool, ...] = tuple(_is_number(kind) for kind in reader.schema.types)
        """Whether a column holds numbers."""

    def marked(self, simulated: bool | None) -> QueryResult:
        """The same with a last column `simulated` that holds this (None: it may be) in each row; itself where
        it has such a column.
        """
        if SIMULATED_COLUMN in self.columns:
            return self
        schema = self._reader.schema.append(pa.field(SIMULATED_COLUMN, pa.bool_()))

        def batches() -> Iterator[pa.RecordBatch]:
            for batch in self._reader:
                mark = pa.repeat(pa.scalar(simulated, pa.bool_()), batch.num_rows)
                yield pa.RecordBatch.from_arrays([*batch.columns, mark], schema=schema)

        return QueryResult(pa.RecordBatchReader.from_batches(schema, batches()), self._source)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Rows, some at a time. Raises `ResultsError` where the query fails on the way."""
        try:
            yield from self._reader
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise _query_error(error) from None

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Rows of plain Python values."""
        for batch in self.batches():
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

    def first(self, count: int) -> tuple[list[tuple[Any, ...]], bool]:
        """The next rows, at most `count`, and whether there are more."""
        rows = list(itertools.islice(self, count + 1))
        return rows[:count], len(rows) > count

    def write_csv(self, stream: TextIO) -> None:
        """As CSV with a head line; lists and structures as JSON; no cell is a formula to a spreadsheet."""
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([spreadsheet_cell(name) for name in self.columns])
        for row in self:
            writer.writerow(["" if value is None else spreadsheet_cell(value) for value in row])

    def write_json(self, stream: TextIO) -> None:
        """As a JSON array with one object per row and line; NaN becomes null."""
        separator = "[\n"
        for row in self:
            values = dict(zip(self.columns, map(_plain, row), strict=True))
            stream.write(separator + json.dumps(values, ensure_ascii=False))
            separator = ",\n"
        stream.write("\n]\n" if separator == ",\n" else "[]\n")

    def write_arrow(self, path: Path) -> None:
        """As a file of Arrow's IPC format (Feather 2). Raises `ResultsError` where it cannot be written."""
        try:
            with path.open("wb") as file, pa.ipc.new_file(file, self._reader.schema) as writer:
                for batch in self.batches():
                    writer.write_batch(batch)
        except (OSError, pa.ArrowException) as error:
            raise ResultsError(f"{path}: cannot be written: {error}; name another file") from None

    def table(self) -> pa.Table:
        """All rows as an Arrow table."""
        return pa.Table.from_batches(self.batches(), self._reader.schema)

    def write_parquet(self, path: Path) -> None:
        """As a Parquet file. Raises `ResultsError` where it cannot be written."""
        try:
            # Opened here, since pyarrow removes a path that it cannot write, even a device.
            with (
                path.open("wb") as file,
                pq.ParquetWriter(file, self._reader.schema, compression="zstd") as writer,
            ):
                for batch in self.batches():
                    writer.write_batch(batch)
        except (OSError, pa.ArrowException) as error:
            raise ResultsError(f"{path}: cannot be written: {error}; name another file") from None


def cell(value: Any) -> str:
    """A value as one cell of a table."""
    if isinstance(value, list | dict):
        return json.dumps(_plain(value), ensure_ascii=False)
    return str(_plain(value))


def spreadsheet_cell(value: Any) -> str:
    """A value as one cell of CSV. Text that a spreadsheet would compute gets an apostrophe in front."""
    text = cell(value)
    return spreadsheet_text(text) if isinstance(value, str) else text


class QuerySession:
    """A connection to the runs of a folder, for one query after another.

    `write` permits everything that DuckDB can do. Raises `ResultsError` for a folder or run that is not
    there.
    """

    def __init__(self, results: Places, run: str | None = None, *, write: bool = False) -> None:
        self._connection = connect(results, run, read_only=not write)
        self._write = write

    def ask(self, query: str) -> QueryResult:
        """The answer to a query (of several statements, the last one's).

        Raises `ResultsError` with DuckDB's own words, or for a statement that is more than a query.
        """
        try:
            query.encode()
        except UnicodeEncodeError:
            raise ResultsError("the query is no text in UTF-8") from None
        try:
            if not self._write:
                refuse_writing(query)
            found = self._connection.sql(query)
            reader = pa.table({}).to_reader() if found is None else found.to_arrow_reader(BATCH)
        except (duckdb.Error, pa.ArrowException) as error:
            raise _query_error(error) from None
        return QueryResult(reader, self._connection)

    def simulated(self, query: str) -> bool:
        """Whether a query reads tables of runs in which a simulated model played."""
        try:
            named = self._connection.get_table_names(query)
        except duckdb.Error:  # several statements, or one that is no query
            named = set(VIEWS)
        return bool(named & set(VIEWS)) and self._any_simulated

    @property
    def mark(self) -> bool | None:
        """What a row without a mark of its own is marked with: true where all was played by simulated models,
        None where some was.
        """
        found = self._connection.execute(
            "SELECT EXISTS (FROM stored.episodes WHERE NOT simulated AND model <> '') OR EXISTS (FROM "
            "stored.requests WHERE NOT simulated AND model <> '')"
        ).fetchall()
        return None if found[0][0] else True

    @cached_property
    def _any_simulated(self) -> bool:
        found = self._connection.execute(
            "SELECT EXISTS (FROM stored.episodes WHERE simulated) OR EXISTS (FROM stored.requests WHERE "
            "simulated)"
        ).fetchall()  # not fetchone, which leaves the connection with a result that is not finished
        return bool(found[0][0])


@dataclass(frozen=True)
class TableOverview:
    """A table that can be asked, its columns, and its number of rows where that needs no reading of it."""

    name: str
    rows: int | None
    columns: tuple[str, ...]


COUNTED = ("events", "episodes", "turns", "libraries", "requests", "calls", "attempts", "blocks")
"""Views with a row for each stored row: the manifests know how many."""


def table_overview(results: Location, run: str | None = None) -> list[TableOverview]:
    """Every table, from manifests alone: as fast with many runs as with few.

    Raises `ResultsError` for a folder or run that is not there.
    """
    infos = runs(results) if run is None else [find_run(results, run)]
    rows: Counter[str] = Counter(runs=len(infos))
    for info in infos:
        rows.update(overview(info).rows)
    columns = view_columns()
    counted = {"runs", *COUNTED}
    return [TableOverview(name, rows[name] if name in counted else None, columns[name]) for name in VIEWS]


@cache
def view_columns() -> dict[str, tuple[str, ...]]:
    """The columns of each view."""
    with connect_folders([]) as connection:
        return {name: tuple(connection.sql(f"SELECT * FROM {name} LIMIT 0").columns) for name in VIEWS}


def refuse_writing(query: str) -> None:
    """Raise `ResultsError` for a statement that does more than read, `duckdb.Error` for a wrong one."""
    for statement in duckdb.extract_statements(query):
        kind, text = statement.type, statement.query
        if kind == duckdb.StatementType.EXPLAIN:
            refuse_writing(_EXPLAIN.sub("", text, count=1))
        elif kind not in _READING or (kind == duckdb.StatementType.MULTI and "pivot" not in text.lower()):
            name = str(kind).rpartition(".")[2].replace("_", " ")
            raise ResultsError(
                f"{name} is refused: `learnact sql` reads only; --write permits everything that DuckDB can do"
            )


def _query_error(error: BaseException) -> ResultsError:
    text = str(error).strip()
    if "disabled by configuration" in text or "Permission Error" in text:
        way_out = "`learnact sql` reads the runs' tables only; --write permits other files."
    else:
        way_out = "`learnact sql` without a query lists the tables."
    return ResultsError(f"{text}\n{way_out}")


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, bool | int | float | str | None):
        return value
    return str(value)
