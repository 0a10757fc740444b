"""What was learned: each trial's candidates in order with descent, scores, code and what changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup

from learnact.pages.code import DiffLine, difference, highlighted, library_source
from learnact.records import Library
from learnact.report.data import ReportData, TrialRow
from learnact.report.summary import LEAST_EPISODES
from learnact.results.reader import dictionaries
from learnact.results.rows import library_from

CANDIDATES = """
SELECT * FROM candidates
QUALIFY row_number() OVER (PARTITION BY trial, iteration, candidate ORDER BY run) = 1
ORDER BY trial, iteration, candidate
"""
TESTED = """
SELECT trial, count(*) AS episodes, avg(success::INT) AS success, avg(progress) AS progress,
       avg(turns) AS turns, sum(learned_calls) AS calls, sum(learned_calls_ok) AS calls_ok
FROM report_episodes WHERE phase = 'test' GROUP BY trial
"""
"""By trial, since an agent may be given a part of its library in each test (Voyager)."""


@dataclass(frozen=True)
class CandidateView:
    """A candidate with what a page shows of it."""

    row: Mapping[str, Any]
    library: Library
    changed: tuple[DiffLine, ...]
    """Against its parent; empty where there is none or nothing changed."""
    again: bool
    """The library was shown before on the same page."""

    @cached_property
    def code(self) -> Markup:
        """The library's code with notes."""
        return highlighted(library_source(self.library))


@dataclass(frozen=True)
class TrialView:
    """A trial that learned: its library in the end (or by now), how that did in tests, and its candidates."""

    trial: TrialRow
    library: Library
    tested: Mapping[str, Any] | None
    candidates: tuple[CandidateView, ...]
    repeat: int

    @property
    def name(self) -> str:
        """Method, domain and repeat."""
        return f"{self.trial.method} on {self.trial.label}, repeat {self.repeat}"

    @cached_property
    def code(self) -> Markup:
        """The final library's code with notes."""
        return highlighted(library_source(self.library))

    @property
    def training_score(self) -> float | None:
        """The score with which the final library was selected."""
        scores = [c.row["score"] for c in self.candidates if c.row["library"] == self.library.id]
        return next((score for score in reversed(scores) if score is not None), None)


def learned(data: ReportData) -> list[TrialView]:
    """The trials that learned or were given a library, in the order of the job."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in dictionaries(data.connection, CANDIDATES):
        rows.setdefault(row["trial"], []).append(row)
    trials = [trial for trial in data.trials.values() if trial.trial in rows or trial.library]
    ends = {trial.trial: _last_library(trial, rows.get(trial.trial, ())) for trial in trials}
    libraries = _libraries(data, set(ends.values()))
    tested = {row["trial"]: row for row in dictionaries(data.connection, TESTED)}
    repeats = {
        row["trial"]: row["learn_repeat"]
        for row in dictionaries(data.connection, "SELECT DISTINCT trial, learn_repeat FROM trials")
    }
    found = [
        TrialView(
            trial=trial,
            library=libraries.get(ends[trial.trial], Library()),
            tested=tested.get(trial.trial),
            candidates=tuple(candidate_views(rows.get(trial.trial, ()), libraries)),
            repeat=repeats.get(trial.trial) or 0,
        )
        for trial in trials
    ]
    place = data.place_of
    return sorted(found, key=lambda one: (place(one.trial.method), one.trial.label, one.repeat))


def _last_library(trial: TrialRow, rows: Iterable[Mapping[str, Any]]) -> str:
    """The library that a trial ended with, or has selected so far."""
    return trial.library or next((r["library"] for r in reversed(list(rows)) if r["selected"]), "")


def best(trials: Iterable[TrialView]) -> TrialView | None:
    """The trial whose library did best in tests: success, then progress, then fewer turns; none is ranked on
    a single episode.
    """
    played = [(one.tested, one) for one in trials if one.tested is not None and one.library.actions]
    tested = [(row, one) for row, one in played if row["episodes"] >= LEAST_EPISODES]
    if not tested:
        return None
    _, found = max(tested, key=lambda it: (it[0]["success"], it[0]["progress"], -it[0]["turns"]))
    return found


def _libraries(data: ReportData, more: set[str]) -> dict[str, Library]:
    """All libraries of candidates, and these, by id."""
    rows = dictionaries(
        data.connection,
        """SELECT DISTINCT ON (library) * FROM libraries
        WHERE library IN (SELECT library FROM candidates UNION SELECT parent FROM candidates
                          UNION SELECT unnest(?::TEXT[]))""",
        [sorted(more)],
    )
    return {row["library"]: library_from(row) for row in rows}


def candidate_views(
    rows: Iterable[Mapping[str, Any]], libraries: Mapping[str, Library]
) -> Iterator[CandidateView]:
    """Candidates of a trial from their rows in order. `libraries`: theirs and their parents', by id."""
    shown: set[str] = set()
    for row in rows:
        library = libraries.get(row["library"], Library())
        parent, again = libraries.get(row["parent"]), row["library"] in shown
        changed: list[DiffLine] = []
        if parent is not None and row["library"] and row["library"] != row["parent"] and not again:
            changed = difference(library_source(parent), library_source(library))
        yield CandidateView(row, library, tuple(changed), again)
        shown.add(row["library"])
