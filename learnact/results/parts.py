"""A run's data on disk: immutable Parquet files, and manifests that say which of them count.

    episodes.0000007.parquet  turns.0000007.parquet  ...    the files of part 7
    part.0000007.json    its manifest, written last: with it the whole part exists, without it none of it

A compaction is a part that replaces an unbroken range of older ones; its manifest makes the exchange in one
step. The files of the replaced parts stay for a while (`GRACE`), for readers that connected before; the next
merge, the run's next start, or `learnact tidy` removes them. What a crash leaves behind (temporary files,
files without a manifest) is ignored by readers, and removed or set aside by the next writer. Reading:
manifests.py.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from learnact.results import files
from learnact.results.manifests import (
    DATA,
    MANIFEST,
    ResultsPart,
    checksum,
    file_checksum,
    live_parts,
    read_manifests,
    verify,
)
from learnact.results.merging import ROW_GROUP, merge_rows
from learnact.results.tables import SCHEMA_VERSION, TABLES

FAN_IN = 64
"""Parts of one level that are merged into one of the next: bounds both their number and how often a row is
rewritten.
"""
GRACE = 600.0
"""Seconds for which replaced parts stay, for readers that connected before."""
SET_ASIDE = "set-aside"
"""The folder, inside a run's, for files that no manifest names."""
_log = logging.getLogger("learnact.results")


class Parts:
    """The writer's side. One at a time per folder: the run's lock sees to that."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.live = live_parts(folder)
        verify(folder, self.live)
        self._merging = True
        self._next = tidy(folder).highest + 1

    def append(self, tables: Mapping[str, pa.Table]) -> None:
        """Commit tables as one part: when this returns, all of it is on stable storage."""
        sums: dict[str, str] = {}
        rows = {name: table.num_rows for name, table in tables.items() if table.num_rows}
        part = ResultsPart(self._next, 0, rows, sums=sums)
        for name in part.rows:
            sink = BytesIO()
            pq.write_table(tables[name], sink, compression="zstd", row_group_size=ROW_GROUP)
            sums[name] = checksum(sink.getvalue())
            files.put(part.path(self.folder, name), sink.getvalue())
        self._publish(part)
        self.live = [*self.live, part]
        self._merge_levels()

    def compact(self) -> None:
        """Merge everything into one part with its rows in order."""
        if len(self.live) > 1:
            self._try_merge(self.live)
        tidy(self.folder)

    def _try_merge(self, old: list[ResultsPart]) -> None:
        """Merge parts; when that fails (memory, space) they stay as they are, which is slower to read and
        nothing worse.
        """
        try:
            self._merge(old)
        except (duckdb.Error, OSError) as error:
            self._merging = False
            _log.warning("parts of %s stay unmerged: %s", self.folder, error)

    def _merge_levels(self) -> None:
        cleaned = False
        while self._merging:
            level = self.live[-1].level
            tail = [part for part in self.live if part.level == level]
            if len(tail) < FAN_IN:
                return
            if not cleaned:
                tidy(self.folder)
                cleaned = True
            self._try_merge(tail)

    def _merge(self, old: list[ResultsPart]) -> None:
        old = list(old)
        low = min(min(p.number, *(p.replaces or (p.number,))) for p in old)
        rows = {name: sum(p.rows.get(name, 0) for p in old) for name in TABLES}
        sums: dict[str, str] = {}
        part = ResultsPart(
            self._next,
            max(p.level for p in old) + 1,
            {name: count for name, count in rows.items() if count},
            (low, old[-1].number),
            sums,
        )
        verify(self.folder, old)  # what is damaged must not be written anew as if it were whole
        with duckdb.connect(config={"temp_directory": str(files.SPILL), "threads": 1}) as connection:
            for name in part.rows:
                sources = [p.path(self.folder, name) for p in old if name in p.rows]
                target = part.path(self.folder, name)
                temporary = target.with_name(f"{files.TEMPORARY}{target.name}")
                merge_rows(connection, TABLES[name], read_parquet(sources), sources, temporary)
                sums[name] = file_checksum(temporary)
                files.publish(temporary, target)
        self._publish(part)
        replaced = {p.number for p in old}
        self.live = [*(p for p in self.live if p.number not in replaced), part]

    def _publish(self, part: ResultsPart) -> None:
        files.put(manifest_path(self.folder, part.number), manifest_bytes(part))
        files.sync_folder(self.folder)
        self._next = part.number + 1


@dataclass(frozen=True)
class Tidied:
    """What tidying removed: files and their bytes. `highest` is the highest number of a part that was met."""

    files: int
    size: int
    highest: int


def tidy(folder: Path, grace: float = GRACE) -> Tidied:
    """Remove from a run's folder what does not count any more; only for the holder of the run's lock.

    Temporary files, and parts that were replaced `grace` seconds ago or earlier: whoever connected before may
    still read those. Files without a manifest are set aside (`SET_ASIDE`): as a rule a crash left them, but
    where a manifest was lost they hold results.
    """
    parts = read_manifests(folder)
    by_number = {part.number: part for part in parts}
    now, highest, leftovers, orphans = time.time(), 0, [], []
    for path in folder.iterdir():
        found = MANIFEST.fullmatch(path.name) or DATA.fullmatch(path.name)
        if path.name.startswith(files.TEMPORARY):
            leftovers.append(path)
        elif found:
            number = int(found[found.lastindex or 1])
            highest = max(highest, number)
            replaced = [manifest_path(folder, part.number) for part in parts if part.covers(number)]
            if replaced:
                if min(_changed(place, now) for place in replaced) <= now - grace:
                    leftovers.append(path)
            elif number not in by_number:
                orphans.append(path)
    for path in orphans:
        place = folder / SET_ASIDE
        place.mkdir(exist_ok=True)
        path.rename(place / path.name)
    size = 0
    for path in sorted(leftovers, key=lambda path: path.suffix != ".json"):
        size += files.remove(path)
    return Tidied(len(leftovers), size, highest)


def manifest_bytes(part: ResultsPart) -> bytes:
    """The manifest of a part."""
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "number": part.number,
        "level": part.level,
        "rows": dict(part.rows),
        "replaces": part.replaces,
        "sums": dict(part.sums),
    }
    return json.dumps(manifest).encode()


def manifest_path(folder: Path, number: int) -> Path:
    """Where the manifest of a part lies."""
    return folder / f"part.{number:07d}.json"


def _changed(path: Path, missing: float) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return missing


def read_parquet(paths: Iterable[Path]) -> str:
    """The files as a table in SQL: columns by name, and nothing taken from the names of folders (`a=b`)."""
    listed = ", ".join(quoted(str(path)) for path in paths)
    return f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"


def quoted(text: str) -> str:
    """A string literal in SQL."""
    return "'" + text.replace("'", "''") + "'"
