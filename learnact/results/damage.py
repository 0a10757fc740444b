"""Names the damaged file when a run cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import duckdb

from learnact.errors import ResultsError
from learnact.results.location import Location
from learnact.results.manifests import live_parts
from learnact.results.storage import storage_of
from learnact.results.table_sql import quoted


@contextmanager
def reading(folders: Sequence[Location]) -> Iterator[None]:
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


def _first_damaged(folders: Sequence[Location]) -> tuple[Location, str] | None:
    """The first file that cannot be read whole, and why."""
    with duckdb.connect() as connection:
        for folder in folders:
            for part in live_parts(folder):
                paths = storage_of(folder).paths(part.files)
                for name, path in zip(part.files, paths, strict=True):
                    try:
                        connection.execute(
                            f"SELECT bit_xor(hash(t)) FROM read_parquet({quoted(str(path))}) t"
                        ).fetchall()
                    except duckdb.Error as error:
                        return folder / name, " ".join(str(error).split())[:200]
    return None
