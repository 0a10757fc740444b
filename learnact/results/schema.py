"""What a table is: columns, order, key; and how rows become records again. The tables: tables.py."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import pyarrow as pa

from learnact.results.bounded import BoundedValue, array_of

SCHEMA_VERSION = 1
READABLE_VERSIONS = frozenset({1})

Row: TypeAlias = tuple[Any, ...]
"""Values in the order of a table's columns, as the record has them (`TableColumn.dump` is applied by
`arrow`).
"""

T = TypeVar("T")
TEXT, REAL, INT64, INT32, FLAG = pa.string(), pa.float64(), pa.int64(), pa.int32(), pa.bool_()
TEXTS = pa.list_(TEXT)


@dataclass(frozen=True)
class TableColumn:
    """One column.

    `source` is where the value is found: a keyword of `TableSchema.row`, then attributes of what it is given
    (e.g. `turn.index`). `dump` turns the value into what is stored, `load` turns it back; a column with
    `dump` alone is derived and never read into a record. `temporal` columns (times, places, attempts) may
    differ between equal runs.
    """

    name: str
    type: pa.DataType
    source: str
    meaning: str
    dump: Callable[[Any], Any] | None = None
    load: Callable[[Any], Any] | None = None
    temporal: bool = False


@dataclass(frozen=True)
class TableSchema:
    """A table: columns, order of rows after compaction, whether equal runs have equal rows in it.

    `key`: of the rows that are equal in these columns the one with the highest `seq` counts; empty where all
    rows count.
    """

    name: str
    columns: tuple[TableColumn, ...]
    order: tuple[str, ...]
    compared: bool = True
    key: tuple[str, ...] = ()
    row: Callable[..., Row] = field(init=False, repr=False)
    """A row, from keywords: the first names of the columns' sources, e.g. `TURNS.row(run=..., turn=...)`."""

    def __post_init__(self) -> None:
        # Compiled, as namedtuple compiles its constructor: operator.attrgetter takes twice the time.
        names = dict.fromkeys(column.source.partition(".")[0] for column in self.columns)
        values = ", ".join(column.source for column in self.columns)
        object.__setattr__(self, "row", eval(f"lambda *, {', '.join(names)}: ({values},)"))

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema of its files."""
        columns = [(column.name, column.type) for column in self.columns]
        return pa.schema(columns, metadata={"learnact_schema": str(SCHEMA_VERSION)})

    @property
    def temporal(self) -> frozenset[str]:
        """Names of the columns that may differ between equal runs."""
        return frozenset(column.name for column in self.columns if column.temporal)

    def arrow(self, rows: Sequence[Row]) -> tuple[pa.Table, list[BoundedValue]]:
        """Rows as a table, and the values that had to be bounded to fit their columns."""
        bounded: list[BoundedValue] = []
        arrays = []
        by_column: Sequence[Row] = list(zip(*rows, strict=True)) if rows else [()] * len(self.columns)
        for column, values in zip(self.columns, by_column, strict=True):
            stored = [column.dump(value) for value in values] if column.dump else values
            arrays.append(array_of(stored, column.type, f"{self.name}.{column.name}", bounded))
        return pa.Table.from_arrays(arrays, schema=self.schema), bounded


def record_reader(
    table: TableSchema, record: type[T], prefix: str, given: Collection[str] = ()
) -> Callable[..., T]:
    """A function that makes a record from a row (a mapping by column name); fields `given` are its keywords.

    Raises `TypeError` now when a field without default has neither a column nor is given.
    """
    hints = typing.get_type_hints(record)
    plain: list[tuple[str, str]] = []
    loaded: list[tuple[str, str, Callable[[Any], Any]]] = []
    nested: list[tuple[str, Callable[..., Any]]] = []
    columns = {column.source: column for column in table.columns if column.load or not column.dump}
    for item in dataclasses.fields(record):  # type: ignore[arg-type]
        path = f"{prefix}.{item.name}"
        column = columns.get(path)
        if item.name in given:
            continue
        if column is not None and column.load:
            loaded.append((item.name, column.name, column.load))
        elif column is not None:
            plain.append((item.name, column.name))
        elif any(source.startswith(f"{path}.") for source in columns):
            nested.append((item.name, record_reader(table, hints[item.name], path)))
        elif item.default is item.default_factory is dataclasses.MISSING:
            raise TypeError(f"{record.__name__}.{item.name} has no column in {table.name} (source {path})")

    def read(row: Mapping[str, Any], **more: Any) -> T:
        for name, column in plain:
            more[name] = row[column]
        for name, column, load in loaded:
            more[name] = load(row[column])
        for name, make in nested:
            more[name] = make(row)
        return record(**more)

    return read
