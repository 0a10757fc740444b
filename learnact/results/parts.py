"""A run's data on disk: immutable Parquet files, and manifests that say which of them count.

    episodes.0000007.parquet  turns.0000007.parquet  ...    the files of part 7
    part.0000007.json    its manifest, written last: with it the whole part exists, without it none of it

A compaction is a part that replaces an unbroken range of older ones; its manifest makes the exchange in one
step. The files of the replaced parts are then removed, so that `*.parquet` has each row once. Where somebody
reads runs of the results folder (files.begin_reading), or the run lies in a bucket, they stay for a while
(`GRACE`); the next merge, the run's next start, or `learnact tidy` removes them. What a crash leaves behind
(temporary files, files without a manifest) is ignored by readers, and removed or set aside by the next
writer. Reading: manifests.py.

On an object store a driver that was taken for dead can wake up and write. Its next part has the number after
its last one, and a manifest is only ever created, never replaced. So a driver that starts *claims* all free
numbers up to its own first one with manifests of empty parts: then no other driver can add a part, and what
it read after that is all there is.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from learnact.errors import RunTakenOver
from learnact.results import files
from learnact.results.location import Location
from learnact.results.manifests import (
    DATA,
    MANIFEST,
    ResultsPart,
    live_parts,
    read_manifests,
    verify_copies,
)
from learnact.results.merging import ROW_GROUP, merge_rows
from learnact.results.storage import storage_of
from learnact.results.table_sql import read_parquet
from learnact.results.tables import SCHEMA_VERSION, TABLES
from learnact.results.turn_groups import NAME as TURN_GROUPS
from learnact.results.turn_groups import merge_groups

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

    def __init__(self, folder: Location) -> None:
        self.folder = folder
        self._storage = storage_of(folder)
        self.live = live_parts(folder)
        verify_copies(folder, self.live)
        self._merging = True
        self._next = self._tidy().highest + 1
        if self._storage.shared:
            self._claim()

    def _claim(self) -> None:
        """Take every free number up to the next one, and read what is there then."""
        while True:
            parts = read_manifests(self.folder)
            numbers = {part.number for part in parts}
            first = max(self._next, *numbers, 1)
            free = [
                number
                for number in range(1, first + 1)
                if number not in numbers and not any(part.covers(number) for part in parts)
            ]
            try:
                for number in free:
                    self._publish(ResultsPart(number, 0, {}))
            except RunTakenOver:  # somebody wrote there in the meantime: read that first
                continue
            if free:
                break
            self._next = first + 1
        self.live = live_parts(self.folder)

    def append(self, tables: Mapping[str, pa.Table]) -> None:
        """Commit tables as one part: when this returns, all of it is on stable storage."""
        sums: dict[str, str] = {}
        rows = {name: table.num_rows for name, table in tables.items() if table.num_rows}
        part = ResultsPart(self._next, 0, rows, sums=sums)
        contents = {}
        for name in part.rows:
            sink = BytesIO()
            pq.write_table(tables[name], sink, compression="zstd", row_group_size=ROW_GROUP)
            contents[name] = sink.getvalue()
        written = self._storage.write({part.file(name): content for name, content in contents.items()})
        sums.update((name, written[part.file(name)]) for name in contents)
        self._publish(part)
        self.live = [*self.live, part]
        self._merge_levels()

    def compact(self) -> None:
        """Merge everything into one part with its rows in order."""
        if len(self.live) > 1:
            self._try_merge(self.live)
        self._tidy()

    def _tidy(self) -> Tidied:
        """Remove what was replaced: at once where nobody reads it, else after a while."""
        with self._storage.unread() as alone:
            return tidy(self.folder, 0.0 if alone else GRACE)

    def _try_merge(self, old: list[ResultsPart]) -> None:
        """Merge parts; when that fails (memory, space) they stay as they are, which is slower to read and
        nothing worse.
        """
        try:
            self._merge(old)
        except (duckdb.Error, OSError) as error:
            self._merging = False
            _log.warning("parts of %s stay unmerged: %s", self.folder, error)
            if self._storage.shared:  # files of this number may be there already
                empty = ResultsPart(self._next, 0, {})
                self._publish(empty)
                self.live = [*self.live, empty]

    def _merge_levels(self) -> None:
        while self._merging:
            level = self.live[-1].level
            tail = [part for part in self.live if part.level == level]
            if len(tail) < FAN_IN:
                return
            self._try_merge(tail)
            self._tidy()

    def _merge(self, old: list[ResultsPart]) -> None:
        old = list(old)
        low = min(min(p.number, *(p.replaces or (p.number,))) for p in old)
        totals = {name: sum(p.rows.get(name, 0) for p in old) for name in TABLES if name != TURN_GROUPS}
        rows = {name: count for name, count in totals.items() if count}
        sums: dict[str, str] = {}
        level = max(p.level for p in old) + 1
        part = ResultsPart(self._next, level, rows, (low, old[-1].number), sums)
        verify_copies(self.folder, old)  # what is damaged must not be written anew as if it were whole
        with duckdb.connect(config={"temp_directory": str(files.SPILL), "threads": 1}) as connection:
            for name in list(rows):
                names = {p.file(name): p.files[p.file(name)] for p in old if name in p.rows}
                sources = self._storage.paths(names)
                temporary = self._storage.scratch(part.file(name))
                rows[name] = merge_rows(connection, TABLES[name], read_parquet(sources), sources, temporary)
                sums[name] = self._storage.take(temporary, part.file(name))
            temporary = self._storage.scratch(part.file(TURN_GROUPS))
            groups = merge_groups(connection, old, self._path, temporary)
            if groups is not None:
                sums[TURN_GROUPS] = self._storage.take(temporary, part.file(TURN_GROUPS))
                rows[TURN_GROUPS] = groups
        self._publish(part)
        replaced = {p.number for p in old}
        self.live = [*(p for p in self.live if p.number not in replaced), part]

    def _path(self, part: ResultsPart, table: str) -> Path:
        (path,) = self._storage.paths({part.file(table): part.files[part.file(table)]})
        return path

    def _publish(self, part: ResultsPart) -> None:
        self._storage.seal(manifest_name(part.number), manifest_bytes(part))
        self._next = part.number + 1


@dataclass(frozen=True)
class Tidied:
    """What tidying removed: files and their bytes. `highest` is the highest number of a part that was met."""

    files: int
    size: int
    highest: int


def tidy(folder: Location, grace: float = GRACE) -> Tidied:
    """Remove from a run's folder what does not count any more; only for the holder of the run's lock.

    Temporary files, and parts that were replaced `grace` seconds ago or earlier: whoever connected before may
    still read those. Files without a manifest are set aside (`SET_ASIDE`): as a rule a crash left them, but
    where a manifest was lost they hold results. On an object store only old ones are: another driver may
    be about to write their manifest.
    """
    storage = storage_of(folder)
    parts = read_manifests(folder)
    filled = {part.number for part in parts if part.rows}
    listing = storage.listing()
    highest, leftovers, orphans = 0, [], []
    for name, file in listing.files.items():
        found = MANIFEST.fullmatch(name) or DATA.fullmatch(name)
        if name.startswith(files.TEMPORARY):
            leftovers.append(name)
        elif found:
            number = int(found[found.lastindex or 1])
            highest = max(highest, number)
            replaced = [manifest_name(part.number) for part in parts if part.covers(number)]
            if replaced:
                times = [listing.files[one].changed for one in replaced if one in listing.files]
                if min(times, default=listing.now) <= listing.now - grace:
                    leftovers.append(name)
            elif number not in filled and DATA.fullmatch(name):
                old = file.changed <= listing.now - grace
                orphans += [name] if old or not storage.shared else []
    storage.set_aside(orphans, SET_ASIDE)
    size = storage.remove([name for name in leftovers if name.endswith(".json")])
    size += storage.remove([name for name in leftovers if not name.endswith(".json")])
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


def manifest_name(number: int) -> str:
    """The name of a part's manifest."""
    return f"part.{number:07d}.json"
