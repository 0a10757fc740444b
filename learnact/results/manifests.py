"""Which files of a run count: reading and checking manifests. Format: parts.py."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from learnact.errors import ResultsError, StoreUnavailable
from learnact.results.location import Location, damaged
from learnact.results.run_file import check_version
from learnact.results.storage import storage_of
from learnact.results.storage.protocol import file_checksum
from learnact.results.tables import TABLES

MANIFEST = re.compile(r"part\.(\d+)\.json")
DATA = re.compile(r"(\w+)\.(\d+)\.parquet")
DIFFERS = "its content is not what was written: the checksum differs"
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

    def file(self, table: str) -> str:
        """The name of one table's file."""
        return f"{table}.{self.number:07d}.parquet"

    @property
    def files(self) -> dict[str, str]:
        """The names of its files with their checksums ("" for none)."""
        return {self.file(table): self.sums.get(table, "") for table in self.rows}

    def covers(self, number: int) -> bool:
        """Whether it stands for an older part."""
        return self.replaces is not None and self.replaces[0] <= number <= self.replaces[1]


def live_parts(folder: Location) -> list[ResultsPart]:
    """The parts that count, in order of their numbers.

    Raises `ResultsError` for an unknown schema, and where a manifest or a file that counts is missing or
    damaged.
    """
    end_reading = storage_of(folder).begin_reading()
    try:
        return _live_parts(folder)
    finally:
        end_reading()


def _live_parts(folder: Location) -> list[ResultsPart]:
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


def read_manifests(folder: Location) -> list[ResultsPart]:
    """All manifests of a folder, in order of their numbers."""
    try:
        found = storage_of(folder).read_matching(MANIFEST)
    except StoreUnavailable:
        raise
    except OSError as error:
        raise ResultsError(f"{folder} cannot be read: {error.strerror}") from error
    parts = [_parse_manifest(folder / name, content) for name, content in found.items()]
    return sorted(parts, key=lambda part: part.number)


def _names(folder: Location) -> list[str]:
    try:
        return storage_of(folder).names()
    except StoreUnavailable:
        raise
    except OSError as error:
        raise ResultsError(f"{folder} cannot be read: {error.strerror}") from error


def _parse_manifest(path: Location, content: bytes) -> ResultsPart:
    try:
        data = json.loads(content)
        check_version(data.get("schema_version"), path)
        replaces = data.get("replaces")
        return ResultsPart(
            number=int(data["number"]),
            level=int(data["level"]),
            rows={table: int(count) for table, count in data["rows"].items() if table in TABLES},
            replaces=(int(replaces[0]), int(replaces[1])) if replaces else None,
            sums={table: str(value) for table, value in (data.get("sums") or {}).items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        if isinstance(error, ResultsError):
            raise
        raise damaged(path, error) from error


@dataclass(frozen=True)
class VerifiedFiles:
    """How many files were compared with their checksums, and how many have none (earlier versions)."""

    whole: int
    without: int


def verify(folder: Location, parts: Iterable[ResultsPart]) -> VerifiedFiles:
    """Compare the files of parts, as they are stored, with the checksums in their manifests.

    Raises `ResultsError` naming the first file that is not as it was written.
    """
    whole = without = 0
    storage = storage_of(folder)
    for part in parts:
        for name, expected in part.files.items():
            if not expected:
                without += 1
                continue
            try:
                found = storage.checksum_of(name)
            except StoreUnavailable:
                raise
            except OSError as error:
                raise damaged(folder / name, error.strerror or error) from error
            if found != expected:
                raise damaged(folder / name, DIFFERS)
            whole += 1
    return VerifiedFiles(whole, without)


def verify_copies(folder: Location, parts: Iterable[ResultsPart]) -> None:
    """Compare what DuckDB and Arrow read of parts (`Storage.paths`) with their checksums.

    Raises `ResultsError` naming the first file that is not as it was written.
    """
    for part in parts:
        for (name, expected), path in zip(
            part.files.items(), storage_of(folder).paths(part.files), strict=True
        ):
            if expected and file_checksum(path) != expected:
                raise damaged(folder / name, DIFFERS)


def _check_files(folder: Location, parts: Iterable[ResultsPart], live: Sequence[ResultsPart]) -> None:
    """Each file that counts is there, whole, and of its table; no manifest is missing."""
    wanted = {name: value for part in live for name, value in part.files.items()}
    try:
        paths = dict(zip(wanted, storage_of(folder).paths(wanted), strict=True))
    except FileNotFoundError as error:
        raise damaged(folder / str(error.filename), "it is missing") from error
    for part in live:
        for table, count in part.rows.items():
            name = part.file(table)
            _check_file(paths[name], folder / name, table, count)
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


def _check_file(path: Path, place: Location, table: str, count: int) -> None:
    try:
        metadata = pq.read_metadata(path)
        kept: pa.Schema = metadata.schema.to_arrow_schema()
        rows: int = metadata.num_rows
    except FileNotFoundError as error:
        raise damaged(place, "it is missing") from error
    except (OSError, ValueError, pa.ArrowException) as error:  # ValueError: a name that is no UTF-8
        raise damaged(place, error) from error
    if rows != count:
        raise damaged(place, f"{rows} rows instead of {count}")
    if missing := set(TABLES[table].order) - set(kept.names):
        raise damaged(place, f"it is no table {table}: there is no column {', '.join(sorted(missing))}")
