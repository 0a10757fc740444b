"""What is committed, found by key. Rows are read from the parts a trial at a time and kept for the trials
asked for last.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from learnact.records import Episode, EpisodeResult, Library, Outcome, Turn, history_entries
from learnact.results import rows
from learnact.results.blocks import prompt_addresses
from learnact.results.location import Location
from learnact.results.manifests import ResultsPart
from learnact.results.storage import storage_of
from learnact.results.tables import TABLES

KEPT_TURNS = 200_000
"""Rows of `turns` and `calls` held in memory for finding; one trial is held at least."""

KEPT_OUTCOMES = 1000
"""Outcomes of this session held in memory as they came."""


@dataclass
class _Trial:
    """Rows of one trial, with where each unit's rows begin and end."""

    units: dict[str, tuple[str, dict[str, Any]]]
    parts: dict[str, tuple[pa.Table, dict[str, tuple[int, int]]]]
    attempts: dict[str, list[dict[str, Any]]]
    texts: dict[str, str]

    @property
    def size(self) -> int:
        return sum(table.num_rows for table, _ in self.parts.values())

    def rows_of(self, table: str, unit: str) -> list[dict[str, Any]]:
        found, places = self.parts[table]
        start, count = places.get(unit, (0, 0))
        result: list[dict[str, Any]] = found.slice(start, count).to_pylist()
        return result


@dataclass(frozen=True)
class FinishedTrial:
    """A trial that is done: the library that it ended with, its test episodes, how many of them solved their
    task, and the units that it took.
    """

    library: str
    episodes: int
    successes: int
    units: int


class LiveParts(Protocol):
    """The parts of a run that count now."""

    @property
    def live(self) -> Sequence[ResultsPart]:
        """In order of their numbers."""
        ...


class Committed:
    """Index of keys, and lazily the rows behind them."""

    def __init__(self, folder: Location, parts: LiveParts) -> None:
        self._storage = storage_of(folder)
        self._trials: dict[str, str] = {}
        self._loaded: OrderedDict[str, _Trial] = OrderedDict()
        self._recent: OrderedDict[str, Outcome] = OrderedDict()
        self._library_rows: dict[tuple[str, str], Library] | None = None
        self._live = parts
        for table in ("episodes", "requests"):
            found = self.read(table, ["key", "trial"])
            names = {name: name for name in found["trial"].unique().to_pylist()}
            for key, trial in zip(found["key"].to_pylist(), found["trial"].to_pylist(), strict=True):
                self._trials[key] = names[trial]

    def __contains__(self, key: str) -> bool:
        return key in self._trials

    def read(
        self, table: str, columns: Sequence[str] | None = None, where: pc.Expression | None = None
    ) -> pa.Table:
        """Rows of a table in the parts that count now."""
        schema = TABLES[table].schema
        while True:
            live = self._live.live
            names = {p.file(table): p.files[p.file(table)] for p in live if table in p.rows}
            if not names:
                return schema.empty_table().select(list(columns or schema.names))
            try:
                paths = [str(path) for path in self._storage.paths(names)]
                return ds.dataset(paths, schema=schema, format="parquet").to_table(
                    columns=list(columns) if columns else None, filter=where
                )
            except FileNotFoundError:
                if (
                    self._live.live is live
                ):  # not merged in the meantime by the writing thread: really missing
                    raise

    def block_hashes(self) -> list[str]:
        """Addresses of the texts on file."""
        found: list[str] = self.read("blocks", ["hash"])["hash"].to_pylist()
        return found

    def libraries(self) -> dict[tuple[str, str], Library]:
        """Libraries on file, by trial and id."""
        if self._library_rows is None:
            self._library_rows = {
                (row["trial"], row["library"]): rows.library_from(row)
                for row in self.read("libraries").to_pylist()
            }
        return self._library_rows

    def next_seq(self) -> int:
        """The highest number given to a row so far."""
        highest = 0
        for table in ("candidates", "trials", "events", "checks", "reply_checks"):
            highest = max(highest, pc.max(self.read(table, ["seq"])["seq"]).as_py() or 0)
        return highest

    def trial_rows(self) -> dict[str, tuple[str, str]]:
        """The last status of each trial, and the library that it ended with."""
        found = self.read("trials", ["seq", "trial", "status", "library"]).sort_by("seq").to_pylist()
        return {row["trial"]: (row["status"] or "", row["library"] or "") for row in found}

    def finished_trials(self, done: Mapping[str, str]) -> dict[str, FinishedTrial]:
        """What the trials named have come to, counted from their rows; `done` gives their libraries."""
        if not done:
            return {}
        tested = pc.field("phase") == "test"
        episodes = self.read("episodes", ["trial", "success"], tested).group_by("trial")
        counts = {
            row["trial"]: row
            for row in episodes.aggregate([("success", "count"), ("success", "sum")]).to_pylist()
        }
        units = Counter(self._trials.values())
        return {
            trial: FinishedTrial(library, found["success_count"], found["success_sum"] or 0, units[trial])
            for trial, library in done.items()
            if (found := counts.get(trial)) is not None
        }

    def examples(self) -> dict[tuple[str, int], str]:
        """The examples of a synthesis that have ended, by trial and number, with how (`status`)."""
        found = self.read("trajectories", ["trial", "example", "status"]).to_pylist()
        return {(row["trial"], row["example"]): row["status"] for row in found}

    def keyed_rows(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of the tables in which the last row of a key counts, oldest first."""
        keyed = [name for name, table in TABLES.items() if table.key]
        return {name: self.read(name).sort_by("seq").to_pylist() for name in keyed}

    def add(self, outcome: Outcome) -> None:
        """An outcome has been committed in this session."""
        self._trials[outcome.key] = outcome.unit.trial
        self._recent[outcome.key] = replace(outcome, calls=())
        if len(self._recent) > KEPT_OUTCOMES:
            self._recent.popitem(last=False)

    def find(self, key: str) -> Outcome | None:
        """The outcome of a unit with its result, from the parts."""
        trial = self._trials.get(key)
        if trial is None or key in self._recent:
            return self._recent.get(key)
        loaded = self._load(trial, key)
        kind, row = loaded.units[key]
        attempts = tuple(rows.attempt_from(a) for a in loaded.attempts.get(key, ()))
        if kind == "episodes":
            turns: tuple[Turn, ...] = tuple(rows.turn_from(t) for t in loaded.rows_of("turns", key))
            library, second = (
                self.libraries()[trial, row[of]] if row[of] else Library()
                for of in ("library", "opponent_library")
            )
            episode: Episode = rows.episode_from(row, loaded.texts.__getitem__, library, second)
            return Outcome(episode, rows.result_from(row, turns), attempts, (), row["finished"], row["node"])
        calls = loaded.rows_of("calls", key)
        request = rows.request_from(row, loaded.texts.__getitem__)
        return Outcome(request, rows.reply_from(calls[-1]), attempts, (), row["finished"], row["node"])

    def with_calls(self, trial: str, *keys: str) -> Iterator[Outcome]:
        """The outcomes of a trial with the calls that made them: all, or those of some units."""
        wanted = keys or tuple(key for key, of in self._trials.items() if of == trial)
        where = pc.field("trial") == trial
        if keys:
            where &= pc.field("unit").isin(pa.array(keys, pa.string()))
        rows_of: dict[str, list[dict[str, Any]]] = {}
        for row in self.read("calls", where=where).sort_by("ordinal").to_pylist():
            rows_of.setdefault(row["unit"], []).append(row)
        texts = self._texts({a for found in rows_of.values() for row in found for a in prompt_addresses(row)})
        for key in wanted:
            outcome = self.find(key)
            if outcome is not None:
                turns = outcome.result.turns if isinstance(outcome.result, EpisodeResult) else ()
                entries = history_entries(turns)
                calls = (rows.call_from(row, texts.__getitem__, entries) for row in rows_of.get(key, ()))
                yield replace(outcome, calls=tuple(calls))

    def trial_of(self, key: str) -> str:
        """The trial that a unit belongs to."""
        return self._trials[key]

    def keys_of(self, table: str) -> list[str]:
        """The keys of the units in a table (`episodes`, `requests`)."""
        found: list[str] = self.read(table, ["key"])["key"].to_pylist()
        return found

    def _load(self, trial: str, key: str) -> _Trial:
        if trial in self._loaded and key in self._loaded[trial].units:
            self._loaded.move_to_end(trial)
            return self._loaded[trial]
        here = pc.field("trial") == trial
        units = {
            row["key"]: (table, row)
            for table in ("episodes", "requests")
            for row in self.read(table, where=here).to_pylist()
        }
        texts = self._texts({address for _, row in units.values() for address in _addresses(row)})
        asked = pa.array([key for key, (table, _) in units.items() if table == "requests"], pa.string())
        loaded = _Trial(
            units,
            {
                "turns": _by_unit(self.read("turns", where=here), "episode", "turn"),
                "calls": _by_unit(
                    self.read("calls", where=here & pc.field("unit").isin(asked)), "unit", "ordinal"
                ),
            },
            {},
            texts,
        )
        for row in self.read("attempts", where=here).sort_by("attempt").to_pylist():
            loaded.attempts.setdefault(row["unit"], []).append(row)
        self._loaded[trial] = loaded
        while len(self._loaded) > 1 and sum(t.size for t in self._loaded.values()) > KEPT_TURNS:
            self._loaded.popitem(last=False)
        return loaded

    def _texts(self, addresses: set[str]) -> dict[str, str]:
        wanted = pa.array(sorted(addresses), pa.string())
        found = self.read("blocks", ["hash", "text"], pc.field("hash").isin(wanted))
        return dict(zip(found["hash"].to_pylist(), found["text"].to_pylist(), strict=True))


def _addresses(row: Mapping[str, Any]) -> Iterable[str]:
    """The texts that a unit is rebuilt from."""
    yield row["setup"]
    if "task_block" in row:
        yield row["task_block"]
    else:
        yield from prompt_addresses(row)


def _by_unit(table: pa.Table, unit: str, index: str) -> tuple[pa.Table, dict[str, tuple[int, int]]]:
    table = table.sort_by([(unit, "ascending"), (index, "ascending")])
    counts: dict[str, int] = {}
    for value in table[unit].to_pylist():
        counts[value] = counts.get(value, 0) + 1
    places, start = {}, 0
    for value, count in counts.items():
        places[value] = (start, count)
        start += count
    return table, places
