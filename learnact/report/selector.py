"""Does the selector choose well? Training scores of candidates against their test success, where every candidate was tested.

Needs a run with `test_every_candidate: true`. Other selectors choose from the same candidates after the fact; that later iterations improved the
candidate that was really chosen is not undone.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from learnact.report.played import ALL, Played, Score, Trial, played, score, simulated_models, trials
from learnact.report.sheet import Cell, Column, Sheet, mark
from learnact.report.tables import Beside, Models
from learnact.results.reader import Connection, dictionaries
from learnact.results.statistics import LEVEL, NOTHING, Interval, rank_correlation, regret
from learnact.results.statistics import mean_of as mean_over_trials

BEST = "best candidate"
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
    rate: Score
    chosen: bool
    """Whether the trial ended with it."""

    @property
    def test(self) -> float:
        """Test success."""
        return self.rate.success.mean


SELECTORS: dict[str, Callable[[Tested], float]] = {
    "success only": lambda c: c.success,
    "step terms only": lambda c: c.step_correctness + c.call_ratio,
    "success + call ratio": lambda c: c.success + c.call_ratio,
    "success + step correctness": lambda c: c.success + c.step_correctness,
}
"""Other selectors, each by what it would have scored; ties keep the earlier."""


def candidates_tested(connection: Connection) -> dict[str, list[Tested]]:
    """Created candidates with their test success, by trial, in the order in which they were made; an equal library counts once. Only trials that
    tested all their candidates: winners alone are no fair sample."""
    tests: dict[tuple[str, str], list[Played]] = defaultdict(list)
    for episode in played(connection, ("test", "survey")):
        tests[episode.trial, episode.library].append(episode)
    known, simulated = trials(connection), simulated_models(connection)
    rows = dictionaries(
        connection,
        "SELECT * FROM candidates WHERE score IS NOT NULL AND origin <> 'incumbent' AND library <> '' "
        "QUALIFY row_number() OVER (PARTITION BY trial, library ORDER BY iteration, candidate, run) = 1 "
        "ORDER BY trial, iteration, candidate",
    )
    made: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        about = known.get(row["trial"])
        asked = about is not None and about.settings.get("test_every_candidate")
        if asked and tests.get((row["trial"], row["library"])):
            made[row["trial"]].append(row)
    found: dict[str, list[Tested]] = {}
    for trial, candidates in made.items():
        sides = [tests[trial, row["library"]] for row in candidates]
        about, most = known[trial], max(map(len, sides))
        meant = max(most, about.test_episodes or 0)
        rates = [score(about.group, side, meant - len(side), simulated) for side in sides]
        found[trial] = [_tested(row, rate, about) for row, rate in zip(candidates, rates, strict=True)]
    return {trial: candidates for trial, candidates in found.items() if len(candidates) > 1}


def _tested(row: dict[str, Any], rate: Score, trial: Trial) -> Tested:
    return Tested(
        row["iteration"],
        row["candidate"],
        row["library"],
        row["score"],
        row["success"],
        row["step_correctness"],
        row["call_ratio"],
        rate,
        row["library"] == trial.library,
    )


def choose(candidates: Sequence[Tested], by: Callable[[Tested], float]) -> Tested:
    """The candidate with the highest value; ties keep the earlier."""
    return max(candidates, key=lambda c: (by(c), -candidates.index(c)))


def selector_sheets(connection: Connection) -> list[Sheet]:
    """How the training score ranks candidates, and what each selector would have got."""
    found, known = candidates_tested(connection), trials(connection)
    simulated = any(c.rate.simulated for candidates in found.values() for c in candidates)
    return [_ranking(found, known), replace(_selectors(found, known), simulated=simulated)]


def score_terms(trial: Trial) -> str:
    """The terms that the trial's selector added up, in words."""
    return (
        " + ".join(term.replace("_", " ") for term in trial.settings.get("score") or ()) or "the domain's own"
    )


def _ranking(found: dict[str, list[Tested]], known: dict[str, Trial]) -> Sheet:
    chosen = {trial: next((c for c in found[trial] if c.chosen), None) for trial in found}
    models = Models(known[trial].group for trial in found)
    beside = Beside(c.rate for candidates in found.values() for c in candidates)
    rows: list[tuple[Cell, ...]] = []
    for trial, candidates in found.items():
        about, pick = known[trial], chosen[trial]
        top = max(candidates, key=lambda c: c.test).rate.success
        rows.append(
            (
                about.group.domain,
                about.method,
                *models.cells(about.group),
                trial[:8],
                score_terms(about),
                len(candidates),
                _one(rank_correlation([c.score for c in candidates], [c.test for c in candidates])),
                pick.rate.success if pick else None,
                top,
                _one(regret(pick.test, [c.test for c in candidates]) if pick else None),
                sum(c.rate.unfinished for c in candidates),
                *(beside.cells(pick.rate) if pick else (None,) * len(beside.columns)),
            )
        )
    if rows:
        rows.append(_overall(found, models, beside))
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("trial"),
        Column("score", aside=len({score_terms(known[trial]) for trial in found}) < 2),
        Column("candidates", "count"),
        Column("rank correlation", "number", over="trials"),
        Column("chosen", "share", counted=True),
        Column("best candidate", "share", counted=True),
        Column("regret", "share", over="trials"),
        Column("unfinished of all candidates", "count", aside=not beside.gaps),
        *beside.columns,
    )
    notes = (
        "Rank correlation (Spearman) of training score and test success over the candidates of a trial; - where all scores or all tests are "
        "equal. The row of all trials: means over trials with t-intervals.",
        "Regret: test success of the best candidate minus that of the one the trial ended with. The best of several measured rates is "
        "flattered by luck, so regret is too.",
        "Unfinished, unreadable: of the chosen candidate's tests.",
        *_scores_used(found, known),
        *models.notes,
        *beside.notes,
        *(() if rows else (MISSING,)),
    )
    marks = [any(c.rate.simulated for c in candidates) for candidates in found.values()]
    sheet = Sheet("Selector: training score against test success", columns, tuple(rows), notes)
    return mark(sheet, [*marks, any(marks)] if rows else [])


def _overall(found: dict[str, list[Tested]], models: Models, beside: Beside) -> tuple[Cell, ...]:
    """Over all trials: correlation and regret with their intervals."""
    picks = [(next((c for c in candidates if c.chosen), None), candidates) for candidates in found.values()]
    lost = [regret(pick.test, [c.test for c in candidates]) for pick, candidates in picks if pick]
    return (
        ALL,
        None,
        *(None for _ in models.columns),
        None,
        None,
        sum(map(len, found.values())),
        correlation_over_trials(found),
        None,
        None,
        mean_over_trials(lost, 0.0, 1.0),
        sum(c.rate.unfinished for candidates in found.values() for c in candidates),
        *(None for _ in beside.columns),
    )


def _one(value: float | None) -> Interval:
    """A single trial's value, which has no interval."""
    return NOTHING if value is None else Interval(value, math.nan, math.nan, 1, 1)


def _scores_used(found: dict[str, list[Tested]], known: dict[str, Trial]) -> tuple[str, ...]:
    used = {score_terms(known[trial]) for trial in found}
    return (f"Score as run: {used.pop()}; ties keep the earlier.",) if len(used) == 1 else ()


def _selectors(found: dict[str, list[Tested]], known: dict[str, Trial]) -> Sheet:
    chosen: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for candidates in found.values():
        tests = [c.test for c in candidates]
        picks = {name: choose(candidates, by).test for name, by in SELECTORS.items()}
        real = next((c.test for c in candidates if c.chosen), math.nan)
        average = sum(tests) / len(tests)
        for name, value in {"as run": real, **picks, "random": average, BEST: max(tests)}.items():
            if not math.isnan(value):
                chosen[name].append((value, max(tests) - value))
    rates = [c.rate for candidates in found.values() for c in candidates]
    rows = []
    for name, pairs in chosen.items():
        test = mean_over_trials([value for value, _ in pairs], 0.0, 1.0)
        lost = mean_over_trials([lost for _, lost in pairs], 0.0, 1.0)
        rows.append((name, test, _one(0.0) if name == BEST else lost, len(pairs)))
    columns = (
        Column("selector"),
        Column("test success", "share", over="trials"),
        Column("regret", "share", over="trials"),
        Column("trials", "count"),
    )
    notes = (
        f"Means over trials with t-intervals ({LEVEL:.0%}). Random: the mean over a trial's candidates. Best candidate: chosen by the tests "
        "themselves, an upper bound. Ties keep the earlier candidate.",
        *_scores_used(found, known),
        *((_tests_behind(rates),) if rates else (MISSING,)),
    )
    return Sheet("Selectors: what each would have chosen", columns, tuple(rows), notes)


def _tests_behind(rates: Sequence[Score]) -> str:
    """How many tests the rates of all candidates stand on, and what is wrong with them."""
    numbers = sorted({rate.success.episodes for rate in rates})
    each = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    missing = sum(rate.unfinished for rate in rates)
    unreadable = sum(rate.unreadable * rate.turns * rate.success.episodes for rate in rates)
    turns = sum(rate.turns * rate.success.episodes for rate in rates)
    return (
        f"{len(rates)} candidates with {each} test episodes each; unfinished: {missing}; unreadable replies: "
        f"{100 * unreadable / turns if turns else 0.0:.1f} %."
        + (" Rates are over finished episodes." if missing else "")
    )


def correlation_over_trials(found: dict[str, list[Tested]]) -> Interval:
    """Mean rank correlation over trials in which it is defined."""
    values = [
        value
        for candidates in found.values()
        if (value := rank_correlation([c.score for c in candidates], [c.test for c in candidates]))
        is not None
    ]
    return mean_over_trials(values, -1.0, 1.0)
