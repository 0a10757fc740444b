"""What a list of runs shows of each: read from manifests and the last event, whatever a run's size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from learnact.errors import ResultsError
from learnact.results.location import Location
from learnact.results.manifests import MANIFEST, read_manifests
from learnact.results.reader import runs
from learnact.results.run_file import RunInfo
from learnact.results.storage import storage_of


@dataclass(frozen=True)
class RunOverview:
    """A run with its last event and the rows of its tables. `created` and `changed` in seconds since 1970."""

    info: RunInfo
    state: str
    """The last event, or `damaged`."""
    changed: float
    rows: Mapping[str, int]
    problem: str = ""
    """Why it cannot be read."""


def overviews(results: Location) -> list[RunOverview]:
    """The runs of a folder, the latest first. Raises `ResultsError` when there is no such folder."""
    return [overview(info) for info in reversed(runs(results))]


def overview(info: RunInfo) -> RunOverview:
    """One run."""
    end_reading = storage_of(info.folder).begin_reading()
    try:
        return _overview(info)
    finally:
        end_reading()


def _overview(info: RunInfo) -> RunOverview:
    try:
        parts = read_manifests(info.folder)
        live = [part for part in parts if not any(other.covers(part.number) for other in parts)]
        rows: Counter[str] = Counter()
        for part in live:
            rows.update(part.rows)
        state, changed = "", info.created
        for part in reversed([part for part in live if "events" in part.rows]):
            name = part.file("events")
            (path,) = storage_of(info.folder).paths({name: part.files[name]})
            table = pq.read_table(path, columns=["event", "recorded", "seq"])
            last = max(table.to_pylist(), key=lambda row: row["seq"])
            state, changed = last["event"], last["recorded"]
            break
    except (ResultsError, OSError, pa.ArrowException, ValueError) as error:
        return RunOverview(info, "damaged", info.created, {}, " ".join(str(error).split())[:300])
    return RunOverview(info, state, changed, dict(rows))


def fingerprint(folder: Location) -> tuple[str, ...]:
    """Names of a run's manifests: they change whenever something was committed."""
    return tuple(sorted(name for name in storage_of(folder).names() if MANIFEST.fullmatch(name)))
