"""Parquet files and their tables as SQL."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from learnact.results.tables import TableSchema


def quoted(text: str) -> str:
    """A string literal in SQL."""
    return "'" + text.replace("'", "''") + "'"


def read_parquet(paths: Iterable[Path]) -> str:
    """The files as a table in SQL: columns by name, and nothing taken from the names of folders (`a=b`)."""
    listed = ", ".join(quoted(str(path)) for path in paths)
    return f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"


def table_query(table: TableSchema, paths: Iterable[Path]) -> str:
    """A query for the rows of a table in these files, with all columns that it has today: those that older
    files lack are null.
    """
    columns = ", ".join(f'NULL::{_sql_type(c.type)} AS "{c.name}"' for c in table.columns)
    query, found = f"SELECT {columns} WHERE false", list(paths)
    return f"{query} UNION ALL BY NAME SELECT * FROM {read_parquet(found)}" if found else query


def rows_that_count(table: TableSchema, source: str, where: str = "true") -> str:
    """A query for rows of a table: of each key the last one, with the `seq` of the first, so that keys stay
    in the order in which they were first written.
    """
    if not table.key:
        return f"SELECT * FROM {source} WHERE {where}"
    key = ", ".join(f"s.{name}" for name in table.key)
    return (
        f"SELECT s.* REPLACE (min(s.seq) OVER (PARTITION BY {key}) AS seq) FROM {source} AS s WHERE {where} "
        f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY s.seq DESC) = 1"
    )


def _sql_type(kind: pa.DataType) -> str:
    """DuckDB's name of an Arrow type."""
    if pa.types.is_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        fields = [kind.field(index) for index in range(kind.num_fields)]
        return "STRUCT(" + ", ".join(f'"{f.name}" {_sql_type(f.type)}' for f in fields) + ")"
    return {
        "string": "VARCHAR",
        "double": "DOUBLE",
        "int64": "BIGINT",
        "int32": "INTEGER",
        "bool": "BOOLEAN",
    }[str(kind)]
