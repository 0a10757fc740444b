"""Does the selector choose well? Training scores of candidates against their test success, where every candidate was tested.

Needs a run with `test_every_candidate: true`. Other selectors choose from the same candidates after the fact; that later iterations improved the
candidate that was really chosen is not undone.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from learnact.report.played import Played, learner_is_simulated, played, trials
from learnact.report.sheet import Column, Sheet
from learnact.results.reader import Connection, dictionaries
from learnact.results.statistics import LEVEL, NOTHING, Interval, clustered_mean, rank_correlation, regret
from learnact.results.statistics import mean_of as mean_over_trials

MISSING = "No trial has more than one tested candidate; run the job with learner.test_every_candidate: true."


@dataclass(frozen=True)
class Tested:
    """A candidate with its training score and terms, and its test success."""

    iteration: int
    candidate: int
    library: str
    score: float
    success: float
    step_correctness: float
    call_ratio: float
    test: float
    chosen: bool
    """Whether the trial ended with it."""


SELECTORS: dict[str, Callable[[Tested], float]] = {
    "success only": lambda c: c.success,
    "step terms only": lambda c: c.step_correctness + c.call_ratio,
    "success + call ratio": lambda c: c.success + c.call_ratio,
    "success + step correctness": lambda c: c.success + c.step_correctness,
}
"""Other selectors, each by what it would have scored; ties keep the earlier."""


def candidates_tested(connection: Connection) -> dict[str, list[Tested]]:
    """Created candidates with their test success, by trial, in the order in which they were made; an equal library counts once."""
    tests: dict[tuple[str, str], list[Played]] = defaultdict(list)
    for episode in played(connection, ("test", "survey")):
        tests[episode.trial, episode.library].append(episode)
    ended = {trial.trial: trial.library for trial in trials(connection).values()}
    rows = dictionaries(
        connection,
        "SELECT * FROM candidates WHERE score IS NOT NULL AND origin <> 'incumbent' AND library <> '' "
        "QUALIFY row_number() OVER (PARTITION BY trial, library ORDER BY iteration, candidate, run) = 1 "
        "ORDER BY trial, iteration, candidate",
    )
    found: dict[str, list[Tested]] = defaultdict(list)
    for row in rows:
        episodes = tests.get((row["trial"], row["library"]))
        if episodes:
            rate = clustered_mean((e.task, e.success) for e in episodes).mean
            candidate = Tested(
                row["iteration"],
                row["candidate"],
                row["library"],
                row["score"],
                row["success"],
                row["step_correctness"],
                row["call_ratio"],
                rate,
                row["library"] == ended.get(row["trial"]),
            )
            found[row["trial"]].append(candidate)
    return {trial: candidates for trial, candidates in found.items() if len(candidates) > 1}


def choose(candidates: Sequence[Tested], by: Callable[[Tested], float]) -> Tested:
    """The candidate with the highest value; ties keep the earlier."""
    return max(candidates, key=lambda c: (by(c), -candidates.index(c)))


def selector_sheets(connection: Connection) -> list[Sheet]:
    """How the training score ranks candidates, and what each selector would have got."""
    found = candidates_tested(connection)
    simulated = learner_is_simulated(connection) or any(e.simulated for e in played(connection))
    sheets = [_ranking(connection, found), _selectors(found)]
    return [replace(sheet, simulated=simulated) for sheet in sheets]


def _ranking(connection: Connection, found: dict[str, list[Tested]]) -> Sheet:
    known = trials(connection)
    rows = []
    for trial, candidates in found.items():
        about = known[trial]
        scores, tests = [c.score for c in candidates], [c.test for c in candidates]
        correlation = rank_correlation(scores, tests)
        chosen = next((c.test for c in candidates if c.chosen), None)
        lost = None if chosen is None else regret(chosen, tests)
        rows.append(
            (about.domain, about.method, trial[:12], len(candidates), correlation, chosen, max(tests), lost)
        )
    columns = (
        Column("domain"),
        Column("method"),
        Column("trial"),
        Column("candidates", "count"),
        Column("rank correlation", "number"),
        Column("chosen", "share"),
        Column("best candidate", "share"),
        Column("regret", "share"),
    )
    notes = (
        "Rank correlation (Spearman) of training score and test success over the candidates of a trial; - where all scores or all tests are equal.",
        "Regret: test success of the best candidate minus that of the one the trial ended with. The best of several measured rates is "
        "flattered by luck, so regret is too.",
        *(() if rows else (MISSING,)),
    )
    return Sheet("Selector: training score against test success", columns, tuple(rows), notes)


def _selectors(found: dict[str, list[Tested]]) -> Sheet:
    chosen: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for candidates in found.values():
        tests = [c.test for c in candidates]
        picks = {name: choose(candidates, by).test for name, by in SELECTORS.items()}
        real = next((c.test for c in candidates if c.chosen), math.nan)
        average = sum(tests) / len(tests)
        for name, value in {"as run": real, **picks, "random": average, "best candidate": max(tests)}.items():
            if not math.isnan(value):
                chosen[name].append((value, max(tests) - value))
    rows = []
    for name, pairs in chosen.items():
        test = mean_over_trials([value for value, _ in pairs], 0.0, 1.0)
        lost = mean_over_trials([lost for _, lost in pairs], 0.0, 1.0)
        rows.append((name, test, lost, len(pairs)))
    columns = (
        Column("selector"),
        Column("test success", "share"),
        Column("regret", "share"),
        Column("trials", "count"),
    )
    notes = (
        f"Means over trials with t-intervals ({LEVEL:.0%}). Random: the mean over a trial's candidates. Best candidate: chosen by the tests "
        "themselves, an upper bound.",
        *(() if rows else (MISSING,)),
    )
    return Sheet("Selectors: what each would have chosen", columns, tuple(rows), notes)


def correlation_over_trials(found: dict[str, list[Tested]]) -> Interval:
    """Mean rank correlation over trials in which it is defined."""
    values = [
        value
        for candidates in found.values()
        if (value := rank_correlation([c.score for c in candidates], [c.test for c in candidates]))
        is not None
    ]
    return mean_over_trials(values, -1.0, 1.0) if values else NOTHING
