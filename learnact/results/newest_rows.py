"""Rows of tables in which the last row of a key counts (`TableSchema.key`): which of them have to be written.

A resumed learner runs again from its beginning and records what it recorded before. Nothing of that is
written a second time, also where the first driver was killed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from learnact.results.tables import TABLES, Row, TableSchema

RowKey: TypeAlias = tuple[str, tuple[Any, ...]]
"""A table with the values of its key."""


class NewestRows:
    """The last row of each key that is on file or waits to be written.

    `stored`: rows on file of each such table, oldest first.
    """

    def __init__(self, stored: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        self._last = {
            _key(TABLES[table], cells): _content(cells) for table, rows in stored.items() for cells in rows
        }
        self._earlier = frozenset(self._last)
        self._held: dict[RowKey, Row] = {}
        self._waiting: dict[RowKey, Row] = {}

    def put(self, table: TableSchema, row: Row) -> bool:
        """Take a row to be written; False where the last of its key is equal."""
        cells = _cells(table, row)
        key, content = _key(table, cells), _content(cells)
        if self._last.get(key) == content:
            return False
        self._last[key] = content
        place = table.schema.names.index("seq")
        before = self._waiting.get(key, row)[place]  # as in a merge: the key's first number stays
        self._waiting[key] = (*row[:place], before, *row[place + 1 :])
        return True

    def put_anew(self, table: TableSchema, row: Row) -> bool:
        """The same for what a resumed learner records again on its way to what an earlier session left: a row
        whose key that session wrote is held back until `settle`. False where it is not written now.
        """
        key = _key(table, _cells(table, row))
        if key not in self._earlier:
            return self.put(table, row)
        self._held[key] = row
        return False

    def settle(self, table: TableSchema, **values: Any) -> None:
        """The rows held back that have these values are the last of their keys: those that differ from what
        is on file are written.
        """
        places = [(table.key.index(name), value) for name, value in values.items()]
        for key in list(self._held):
            if key[0] == table.name and all(key[1][place] == value for place, value in places):
                self.put(table, self._held.pop(key))

    def take(self) -> dict[str, list[Row]]:
        """The rows that wait, by table; none waits afterwards."""
        taken: dict[str, list[Row]] = {}
        for (table, _), row in self._waiting.items():
            taken.setdefault(table, []).append(row)
        self._waiting = {}
        return taken


def _cells(table: TableSchema, row: Row) -> dict[str, Any]:
    """A row as it will be on file."""
    (cells,) = table.arrow([row])[0].to_pylist()
    found: dict[str, Any] = cells
    return found


def _key(table: TableSchema, cells: Mapping[str, Any]) -> RowKey:
    return table.name, tuple(cells[name] for name in table.key)


def _content(cells: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(value for name, value in cells.items() if name != "seq")
