"""Sorts the rows of a table from many files into one, a slice at a time: memory does not grow with the rows.

Keys are hashes, so the rows fall evenly into ranges of their keys. A slice is one range of trials and keys:
it is read, sorted and written as a row group. Files that were merged before are sorted themselves, so a slice
reads few of their row groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from learnact.results.table_sql import rows_that_count
from learnact.results.tables import TableSchema

ROW_GROUP = 20_000
SLICE_BYTES = 32 * 1024 * 1024
"""A slice's rows take about so much memory, where rows are so long that `ROW_GROUP` of them take more."""
PREFIX = 5
"""Characters of a key that ranges are made of: a million ranges."""


@dataclass(frozen=True)
class RowSlice:
    """Rows from one place in a table's order up to another; None: from the beginning, to the end. A place is
    the first two columns of the order. `rows`: how many there are.
    """

    begin: tuple[str, str] | None
    end: tuple[str, str] | None
    rows: int

    def condition(self, first: str, second: str) -> tuple[str, list[str]]:
        """As SQL with its values, in a form that lets row groups be passed over."""
        parts, values = ["true"], []
        for place, inside, limit in ((self.begin, ">", ">="), (self.end, "<", "<")):
            if place is not None:
                parts.append(f"{first} {inside}= ?")
                parts.append(f"({first} {inside} ? OR {second} {limit} ?)")
                values += [place[0], place[0], place[1]]
        if self.begin and self.end and self.begin[0] == self.end[0]:
            parts.append(f"{second} >= ? AND {second} < ?")
            values += [self.begin[1], self.end[1]]
        return " AND ".join(parts), values


def slices(counted: Iterable[tuple[str, str, int]], most: int) -> Iterator[RowSlice]:
    """Slices of at most so many rows where that can be, from the rows of each place (first column, beginning
    of the second, rows), in order.
    """
    begin, held = None, 0
    for first, second, count in counted:
        if held and held + count > most:
            yield RowSlice(begin, (first, second), held)
            begin, held = (first, second), 0
        held += count
    yield RowSlice(begin, None, held)


def merge_rows(
    connection: duckdb.DuckDBPyConnection,
    table: TableSchema,
    source: str,
    files: Sequence[Path],
    target: Path,
) -> int:
    """Write the rows of `files`, which the SQL expression `source` reads, to `target` in order: all of them,
    or the last of each key where only that counts. Returns how many.

    A key's rows are in one slice, since slices are made of tables without keys alone.
    """
    order = ", ".join(table.order)
    writer: pq.ParquetWriter | None = None
    count = 0
    try:
        for part in _slices(connection, table, source, files):
            condition, values = part.condition(*_place(table)) if part.begin or part.end else ("true", [])
            query = f"SELECT * FROM ({rows_that_count(table, source, condition)}) ORDER BY {order}"
            rows: pa.Table = connection.sql(query, params=values).to_arrow_table()
            if writer is None:
                writer = pq.ParquetWriter(target, rows.schema, compression="zstd")
            writer.write_table(rows, row_group_size=ROW_GROUP)
            count += rows.num_rows
    finally:
        if writer is not None:
            writer.close()
    return count


def _place(table: TableSchema) -> tuple[str, str]:
    """The columns that tell slices apart."""
    return (table.order * 2)[0], (table.order * 2)[1]


def _slices(
    connection: duckdb.DuckDBPyConnection, table: TableSchema, source: str, files: Sequence[Path]
) -> Iterator[RowSlice]:
    """Ranges of about as many rows as fit a slice; one without bounds where all of them do."""
    rows, most = _rows_a_slice(files)
    types = {column.name: column.type for column in table.columns}
    first, second = _place(table)
    if table.key or rows <= most or types[first] != pa.string() or types[second] != pa.string():
        yield RowSlice(None, None, rows)
        return
    counted = connection.execute(
        f"SELECT {first}, left({second}, {PREFIX}), count(*) FROM {source} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    yield from slices(counted, most)


def _rows_a_slice(files: Sequence[Path]) -> tuple[int, int]:
    """The rows of the files, and how many a slice takes."""
    rows = size = 0
    for path in files:
        about = pq.read_metadata(path)
        rows += about.num_rows
        size += sum(about.row_group(index).total_byte_size for index in range(about.num_row_groups))
    return rows, max(1, min(ROW_GROUP, SLICE_BYTES * rows // max(size, 1)))
