"""Which files of a run count: reading and checking manifests. Format: parts.py."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from learnact.errors import ResultsError
from learnact.results.run_file import check_version, damaged
from learnact.results.tables import TABLES

MANIFEST = re.compile(r"part\.(\d+)\.json")
DATA = re.compile(r"(\w+)\.(\d+)\.parquet")
READINGS = 5
"""How often a folder is read again that changes while it is read."""


@dataclass(frozen=True)
class ResultsPart:
    """One manifest: number, level (0 as committed, higher as merged), rows by table, range of numbers that it
    replaces, checksum of each table's file (none in parts of earlier versions).
    """

    number: int
    level: int
    rows: Mapping[str, int]
    replaces: tuple[int, int] | None = None
    sums: Mapping[str, str] = field(default_factory=dict)

    def path(self, folder: Path, table: str) -> Path:
        """The file of one table."""
        return folder / f"{table}.{self.number:07d}.parquet"

    def covers(self, number: int) -> bool:
        """Whether it stands for an older part."""
        return self.replaces is not None and self.replaces[0] <= number <= self.replaces[1]


def live_parts(folder: Path) -> list[ResultsPart]:
    """The parts that count, in order of their numbers.

    Raises `ResultsError` for an unknown schema, and where a manifest or a file that counts is missing or
    damaged.
    """
    for _ in range(READINGS):
        parts = read_manifests(folder)
        live = [part for part in parts if not any(other.covers(part.number) for other in parts)]
        try:
            _check_files(folder, parts, live)
        except ResultsError:
            if [part.number for part in parts] == [part.number for part in read_manifests(folder)]:
                raise
        else:
            return live
    raise ResultsError(f"{folder} changes while it is read; try again")


def read_manifests(folder: Path) -> list[ResultsPart]:
    """All manifests of a folder, in order of their numbers."""
    found = []
    for name in sorted(_names(folder)):
        if MANIFEST.fullmatch(name):
            try:
                found.append(_read_manifest(folder / name))
            except FileNotFoundError:  # replaced, and removed since the folder was listed
                continue
    return sorted(found, key=lambda part: part.number)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError as error:
        raise ResultsError(f"{folder} cannot be read: {error.strerror}") from error


def _read_manifest(path: Path) -> ResultsPart:
    try:
        data = json.loads(path.read_bytes())
        check_version(data.get("schema_version"), path)
        replaces = data.get("replaces")
        return ResultsPart(
            number=int(data["number"]),
            level=int(data["level"]),
            rows={table: int(count) for table, count in data["rows"].items() if table in TABLES},
            replaces=(int(replaces[0]), int(replaces[1])) if replaces else None,
            sums={table: str(value) for table, value in (data.get("sums") or {}).items()},
        )
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        if isinstance(error, ResultsError):
            raise
        raise damaged(path, error) from error


def checksum(content: bytes) -> str:
    """Checksum of a file, as manifests hold it."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def file_checksum(path: Path) -> str:
    """`checksum` of a file's content, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


@dataclass(frozen=True)
class VerifiedFiles:
    """How many files were compared with their checksums, and how many have none (earlier versions)."""

    whole: int
    without: int


def verify(folder: Path, parts: Iterable[ResultsPart]) -> VerifiedFiles:
    """Compare the files of parts with the checksums in their manifests.

    Raises `ResultsError` naming the first file that is not as it was written.
    """
    whole = without = 0
    for part in parts:
        for table in part.rows:
            path, expected = part.path(folder, table), part.sums.get(table)
            if expected is None:
                without += 1
                continue
            try:
                found = file_checksum(path)
            except OSError as error:
                raise damaged(path, error.strerror or error) from error
            if found != expected:
                raise damaged(path, "its content is not what was written: the checksum differs")
            whole += 1
    return VerifiedFiles(whole, without)


def _check_files(folder: Path, parts: Iterable[ResultsPart], live: Iterable[ResultsPart]) -> None:
    """Each file that counts is there, whole, and of its table; no manifest is missing."""
    for part in live:
        for table, count in part.rows.items():
            _check_file(part.path(folder, table), table, count)
    numbers = {part.number for part in parts}
    highest = max(numbers, default=0)
    for name in sorted(_names(folder)):
        found = DATA.fullmatch(name)
        if found is None or found[1] not in TABLES or int(found[2]) in numbers:
            continue
        number = int(found[2])
        # A crash leaves files without a manifest too: those of the last part, or of the very first one.
        if (number < highest and not any(part.covers(number) for part in parts)) or (
            not numbers and (number > 1 or found[1] != "events")
        ):
            raise damaged(folder / f"part.{number:07d}.json", "it is missing")


def _check_file(path: Path, table: str, count: int) -> None:
    try:
        metadata = pq.read_metadata(path)
        kept: pa.Schema = metadata.schema.to_arrow_schema()
        rows: int = metadata.num_rows
    except FileNotFoundError as error:
        raise damaged(path, "it is missing") from error
    except (OSError, ValueError, pa.ArrowException) as error:  # ValueError: a name that is no UTF-8
        raise damaged(path, error) from error
    if rows != count:
        raise damaged(path, f"{rows} rows instead of {count}")
    if missing := set(TABLES[table].order) - set(kept.names):
        raise damaged(path, f"it is no table {table}: there is no column {', '.join(sorted(missing))}")
