"""A run's data on disk: immutable Parquet files, and manifests that say which of them count.

    episodes.0000007.parquet  turns.0000007.parquet  ...    the files of part 7
    part.0000007.json    its manifest, written last: with it the whole part exists, without it none of it

A compaction is a part that replaces an unbroken range of older ones; its manifest makes the exchange in one
step. The files of the replaced parts stay until the next compaction, for readers that have looked already.
Whatever a crash leaves behind (temporary files, files without a manifest, replaced parts) is ignored by
readers and removed by the next writer.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from learnact.errors import ResultsError
from learnact.results import files
from learnact.results.run_file import check_version
from learnact.results.tables import SCHEMA_VERSION, TABLES

FAN_IN = 64
"""Parts of one level that are merged into one of the next: bounds both their number and how often a row is
rewritten.
"""
ROW_GROUP = 20_000
_log = logging.getLogger("learnact.results")
_MANIFEST = re.compile(r"part\.(\d+)\.json")
_DATA = re.compile(r"\w+\.(\d+)\.parquet")


@dataclass(frozen=True)
class ResultsPart:
    """One manifest: number, level (0 as committed, higher as merged), rows by table, range of numbers that it
    stands for.
    """

    number: int
    level: int
    rows: Mapping[str, int]
    replaces: tuple[int, int] | None = None

    def path(self, folder: Path, table: str) -> Path:
        """The file of one table."""
        return folder / f"{table}.{self.number:07d}.parquet"


def live_parts(folder: Path) -> list[ResultsPart]:
    """The parts that count, in order of their numbers. Raises `ResultsError` for an unknown schema."""
    found: dict[int, ResultsPart] = {}
    for path in folder.glob("part.*.json"):
        if not _MANIFEST.fullmatch(path.name):
            continue
        try:
            data = json.loads(path.read_text())
        except FileNotFoundError:
            continue
        except ValueError as error:
            raise ResultsError(f"{path} is damaged ({error}); restore it from a copy") from error
        check_version(data.get("schema_version"), path)
        replaces = data.get("replaces")
        part = ResultsPart(data["number"], data["level"], data["rows"], tuple(replaces) if replaces else None)
        found[part.number] = part
    gone = {
        number
        for part in found.values()
        if part.replaces
        for number in found
        if part.replaces[0] <= number <= part.replaces[1]
    }
    return [found[number] for number in sorted(found) if number not in gone]


class Parts:
    """The writer's side. One at a time per folder: the run's lock sees to that."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.live = live_parts(folder)
        self._merging = True
        self._next = self._clean() + 1

    def _clean(self) -> int:
        """Remove what a crash or an ended compaction left behind. Returns the highest number in use."""
        numbers = {part.number for part in self.live}
        highest = max(
            (max(p.number, *(p.replaces or ())) if p.replaces else p.number for p in self.live), default=0
        )
        leftovers: list[Path] = []
        for path in self.folder.iterdir():
            match = _MANIFEST.fullmatch(path.name) or _DATA.fullmatch(path.name)
            if path.name.startswith(files.TEMPORARY):
                files.remove(path)
            elif match:
                highest = max(highest, int(match[1]))
                if int(match[1]) not in numbers:
                    leftovers.append(path)
        for path in sorted(leftovers, key=lambda path: path.suffix != ".json"):
            files.remove(path)
        return highest

    def append(self, tables: Mapping[str, pa.Table]) -> None:
        """Commit tables as one part: when this returns, all of it is on stable storage."""
        part = ResultsPart(
            self._next, 0, {name: table.num_rows for name, table in tables.items() if table.num_rows}
        )
        for name in part.rows:
            sink = BytesIO()
            pq.write_table(tables[name], sink, compression="zstd", row_group_size=ROW_GROUP)
            files.put(part.path(self.folder, name), sink.getvalue())
        self._publish(part)
        self.live = [*self.live, part]
        self._merge_levels()

    def compact(self) -> None:
        """Merge everything into one part with its rows in order."""
        if len(self.live) > 1:
            self._try_merge(self.live)
        self._clean()

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
                self._clean()
                cleaned = True
            self._try_merge(tail)

    def _merge(self, old: list[ResultsPart]) -> None:
        old = list(old)
        low = min(min(p.number, *(p.replaces or (p.number,))) for p in old)
        rows = {name: sum(p.rows.get(name, 0) for p in old) for name in TABLES}
        part = ResultsPart(
            self._next,
            max(p.level for p in old) + 1,
            {name: count for name, count in rows.items() if count},
            (low, old[-1].number),
        )
        with duckdb.connect() as connection:
            for name in part.rows:
                sources = [p.path(self.folder, name) for p in old if name in p.rows]
                self._merge_table(connection, name, sources, part.path(self.folder, name))
        self._publish(part)
        replaced = {p.number for p in old}
        self.live = [*(p for p in self.live if p.number not in replaced), part]

    def _merge_table(
        self, connection: duckdb.DuckDBPyConnection, name: str, sources: Iterable[Path], target: Path
    ) -> None:
        temporary = target.with_name(f"{files.TEMPORARY}{target.name}")
        listed = ", ".join(quoted(str(path)) for path in sources)
        order = ", ".join(TABLES[name].order)
        connection.execute(
            f"COPY (SELECT * FROM read_parquet([{listed}], union_by_name = true) ORDER BY {order}) "
            f"TO {quoted(str(temporary))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
        )
        files.publish(temporary, target)

    def _publish(self, part: ResultsPart) -> None:
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "number": part.number,
            "level": part.level,
            "rows": dict(part.rows),
            "replaces": part.replaces,
        }
        files.put(self.folder / f"part.{part.number:07d}.json", json.dumps(manifest).encode())
        files.sync_folder(self.folder)
        self._next = part.number + 1


def quoted(text: str) -> str:
    """A string literal in SQL."""
    return "'" + text.replace("'", "''") + "'"
