"""Reads rows of runs as pages need them: connections, kept while a run stays as it is, and queries."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from learnact.results.location import Location
from learnact.results.overview import fingerprint
from learnact.results.reader import Connection, connect_folders, dictionaries, find_run
from learnact.viewer.searching import FoundText, search

KEPT = 4
"""Runs whose connection is kept."""
PAGE = 100
"""Episodes on a page."""
ORDER = "ORDER BY domain, task, method, learn_repeat, test_repeat, key"


class RunReaders:
    """Connections to the runs of a folder. A run that has grown is connected to again."""

    def __init__(self, results: Location) -> None:
        self.results = results
        self._kept: OrderedDict[Location, tuple[tuple[str, ...], Connection]] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def open(self, name: str) -> Iterator[RunReader]:
        """A reader of a run by the name of its folder, its id or its job's name, for one page.

        Raises `ResultsError` where there is none, or it cannot be read.
        """
        info = find_run(self.results, name)
        with self._lock:
            cursor = self._connection(info.folder).cursor()
        try:
            yield RunReader(cursor, info.folder, info.name)
        finally:
            cursor.close()

    def _connection(self, folder: Location) -> Connection:
        now = fingerprint(folder)
        known = self._kept.pop(folder, None)
        if known is None or known[0] != now:
            known = (now, connect_folders([folder], read_only=True))
        self._kept[folder] = known
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return known[1]


@dataclass(frozen=True)
class EpisodeFilter:
    """Which episodes a list shows; empty: all."""

    method: str = ""
    domain: str = ""
    phase: str = ""
    outcome: str = ""
    model: str = ""
    task: str = ""
    library: str = ""
    text: str = ""
    """Words in replies or observations, in any case."""

    def condition(self) -> tuple[str, list[Any]]:
        """As SQL on `episodes` with its values, all but the text."""
        parts, values = ["true"], []
        for column in ("method", "domain", "phase", "model"):
            if wanted := getattr(self, column):
                parts.append(f"{column} = ?")
                values.append(wanted)
        for column in ("task", "library"):
            if wanted := getattr(self, column):
                parts.append(f"starts_with({column}, ?)")
                values.append(wanted)
        if self.outcome:
            parts.append("success = ?")
            values.append(self.outcome == "solved")
        return " AND ".join(parts), values


@dataclass(frozen=True)
class RunReader:
    """The rows of one run."""

    connection: Connection
    folder: Location
    name: str

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows of a query."""
        return dictionaries(self.connection, query, values)

    def scores(self) -> list[dict[str, Any]]:
        """Success by domain and method in tests so far."""
        return self.rows(
            """SELECT domain, method, model, bool_or(simulated) AS simulated, count(*) AS episodes,
                   count(*) FILTER (success) AS solved, avg(success::INT) AS success,
                   avg(progress) AS progress, avg(turns) AS turns,
                   avg(prompt_tokens + completion_tokens) AS tokens, sum(cost) AS cost
            FROM episodes WHERE phase = 'test' GROUP BY ALL ORDER BY domain, method, model"""
        )

    def trials(self) -> list[dict[str, Any]]:
        """Trials with their last status and candidates so far."""
        return self.rows(
            """SELECT t.*, coalesce(c.candidates, 0) AS candidates
            FROM trials t LEFT JOIN (SELECT trial, count(*) AS candidates FROM candidates GROUP BY trial) c
              USING (trial)
            ORDER BY t.domain, t.method, t.learn_repeat, t.trial"""
        )

    def about(self) -> dict[str, Any]:
        """The run's row."""
        found = self.rows("SELECT * FROM runs")
        return (
            found[0] if found else {"run": "", "name": self.name, "state": "", "started": None, "last": None}
        )

    def choices(self) -> Mapping[str, Sequence[str]]:
        """What each filter can be set to."""
        columns = {"method": "method", "domain": "domain", "model": "model", "phase": "phase"}
        (row,) = self.rows(
            "SELECT "
            + ", ".join(
                f"list(DISTINCT {column} ORDER BY {column}) AS {name}" for name, column in columns.items()
            )
            + " FROM episodes"
        )
        return {name: [value for value in row[name] or () if value] for name in columns}

    def episodes(self, wanted: EpisodeFilter, page: int) -> tuple[list[dict[str, Any]], int]:
        """A page of episodes, from 1, and how many there are."""
        condition, values = wanted.condition()
        rows = self._listed(f"{condition} {ORDER} LIMIT {PAGE} OFFSET ?", [*values, (page - 1) * PAGE])
        (count,) = self.rows(f"SELECT count(*) AS number FROM episodes WHERE {condition}", values)
        return rows, count["number"]

    def search(self, wanted: EpisodeFilter, after: str) -> tuple[list[dict[str, Any]], FoundText]:
        """Episodes with the text that is wanted, from a place of the search on, and how far it has come."""
        found = search(self.connection, wanted.text, wanted.condition(), after, PAGE)
        return self._listed(f"key IN (SELECT unnest(?::TEXT[])) {ORDER}", [list(found.keys)]), found

    def _listed(self, condition: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        return self.rows(
            f"""SELECT key, method, domain, task, phase, model, learn_repeat, test_repeat, success, progress,
                   turns, primitive_steps, library, prompt_tokens + completion_tokens AS tokens, seconds,
                   simulated
            FROM episodes WHERE {condition}""",
            values,
        )

    def same_task(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Other episodes of the same task, to look at side by side."""
        return self.rows(
            """SELECT key, method, phase, learn_repeat, test_repeat, success, turns FROM episodes
            WHERE domain = ? AND task_hash = ? AND key <> ? ORDER BY phase DESC, method, learn_repeat, key
            LIMIT 60""",
            [row["domain"], row["task_hash"], row["key"]],
        )

    def calls(self, trial: str, unit: str) -> list[dict[str, Any]]:
        """What each call of a unit took."""
        return self.rows(
            """SELECT ordinal, purpose, finish, prompt_tokens, cached_tokens, completion_tokens,
                   reasoning_tokens, cost, model, parameters, tries, latency, reply, reasoning
            FROM calls WHERE trial = ? AND unit = ? ORDER BY ordinal""",
            [trial, unit],
        )

    def libraries(self) -> list[dict[str, Any]]:
        """Libraries with where they come from and how they did in tests."""
        return self.rows(
            """WITH tested AS (
                SELECT library, count(*) AS episodes, avg(success::INT) AS success FROM episodes
                WHERE phase IN ('test', 'survey') AND library <> '' GROUP BY library
            ), origins AS (
                SELECT library, min(iteration) AS iteration, arg_min(origin, iteration) AS origin,
                       bool_or(selected) AS selected, max(score) AS score, any_value(trial) AS trial
                FROM candidates WHERE library <> '' AND origin <> 'incumbent' GROUP BY library
            )
            SELECT l.library, l.number, l.names, o.origin, o.iteration, o.selected, o.score, t.method,
                   t.domain, t.learn_repeat, coalesce(o.trial, l.trial) AS trial, e.episodes, e.success
            FROM (SELECT library, any_value(trial) AS trial, any_value(len(actions)) AS number,
                         any_value(list_transform(actions, lambda a: a.name)) AS names
                  FROM libraries GROUP BY library) l
            LEFT JOIN origins o USING (library) LEFT JOIN tested e USING (library)
            LEFT JOIN trials t ON t.trial = coalesce(o.trial, l.trial)
            ORDER BY t.domain, t.method, t.learn_repeat, o.iteration, l.library"""
        )
