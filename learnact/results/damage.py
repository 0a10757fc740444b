"""Names the damaged file when a run cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from learnact.errors import ResultsError
from learnact.results.manifests import live_parts
from learnact.results.parts import quoted
from learnact.results.tables import TABLES


@contextmanager
def reading(folders: Sequence[Path]) -> Iterator[None]:
    """While runs are read: a database error becomes a `ResultsError` if one of their files is damaged."""
    try:
        yield
    except duckdb.Error:
        if (found := _first_damaged(folders)) is None:
            raise
        path, reason = found
        raise ResultsError(
            f"{path} cannot be read ({reason}); restore it from a copy, or move the folder {path.parent} "
            "away: other runs can be read without it"
        ) from None


def _first_damaged(folders: Sequence[Path]) -> tuple[Path, str] | None:
    """The first file that cannot be read whole, and why."""
    with duckdb.connect() as connection:
        for folder in folders:
            for part in live_parts(folder):
                for path in (part.path(folder, table) for table in TABLES if table in part.rows):
                    try:
                        connection.execute(
                            f"SELECT bit_xor(hash(t)) FROM read_parquet({quoted(str(path))}) t"
                        ).fetchall()
                    except duckdb.Error as error:
                        return path, " ".join(str(error).split())[:200]
    return None
