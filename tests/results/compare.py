"""Says whether two runs are equal in all columns but times, places and attempts, and if not, where they
differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from learnact.results.reader import connect_folders, dictionaries
from learnact.results.tables import TABLES


@dataclass(frozen=True)
class Difference:
    """Rows of a table that are in one run only, with the first of them in words."""

    table: str
    only_first: int
    only_second: int
    example: str


def compare(first: Path, second: Path) -> list[Difference]:
    """Differences between the runs in two folders; empty when they are equal. The run's id does not count."""
    one, two = connect_folders([first]), connect_folders([second])
    found = []
    for table, declared in TABLES.items():
        if not declared.compared:
            continue
        skip = declared.temporal | {"run"}
        names = [name for name in declared.schema.names if name not in skip]
        keys = [name for name in declared.order if name not in skip]
        listed = ", ".join(f'"{name}"' for name in names)
        query = f"SELECT {listed} FROM stored.{table} ORDER BY {listed}"
        if table in ("candidates", "trials", "checks", "reply_checks"):
            query = f"SELECT {listed} FROM {table} ORDER BY {listed}"
        rows_one = [repr(row) for row in dictionaries(one, query)]
        rows_two = [repr(row) for row in dictionaries(two, query)]
        if rows_one == rows_two:
            continue
        less, more = set(rows_one) - set(rows_two), set(rows_two) - set(rows_one)
        found.append(Difference(table, len(less), len(more), _example(one_row(less), one_row(more), keys)))
    return found


def one_row(texts: set[str]) -> str:
    """The first row of a set, shortened."""
    return min(texts, default="(none)")


def _example(first: str, second: str, keys: list[str]) -> str:
    place = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), 0)
    begin = max(0, place - 80)
    return f"by {', '.join(keys)}: ...{first[begin : place + 80]}... | ...{second[begin : place + 80]}..."
