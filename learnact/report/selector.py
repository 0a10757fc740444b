"""Does the selector choose well? Training scores of candidates against their test success.

Needs a run with `test_every_candidate: true`. Other selectors choose from the same candidates after the fact;
that later iterations improved the candidate that was really chosen is not undone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from learnact.report.data import ALL, EpisodeSample, ReportData, Score, TrialRow
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.score_table import ModelColumns, RateColumns
from learnact.results.reader import dictionaries
from learnact.statistics.intervals import LEVEL, NOTHING, Interval, mean_of
from learnact.statistics.ranking import rank_correlation, regret
from learnact.statistics.significance import sign_flips

BEST = "best candidate"
AS_RUN = "as run"
NOT_TESTED = (
    "No trial has more than one tested candidate; run the job with learner.test_every_candidate: true."
)
CANDIDATES = """
SELECT trial, library, score, success, step_correctness, call_ratio FROM candidates
WHERE score IS NOT NULL AND origin <> 'incumbent' AND library <> ''
QUALIFY row_number() OVER (PARTITION BY trial, library ORDER BY iteration, candidate, run) = 1
ORDER BY trial, iteration, candidate
"""
"""Created candidates in the order in which they were made; an equal library counts once."""


@dataclass(frozen=True)
class TestedCandidate:
    """A candidate with its training score, the terms of it, and its test success."""

    library: str
    score: float
    success: float
    step_correctness: float
    call_ratio: float
    rate: Score
    """Its tests."""

    @property
    def test(self) -> float:
        """Test success."""
        return self.rate.success.mean


SELECTORS: dict[str, Callable[[TestedCandidate], float]] = {
    "success only": lambda c: c.success,
    "step terms only": lambda c: c.step_correctness + c.call_ratio,
    "success + call ratio": lambda c: c.success + c.call_ratio,
    "success + step correctness": lambda c: c.success + c.step_correctness,
}
"""Other selectors, each by the score that it gives; ties keep the earlier candidate."""


@dataclass(frozen=True)
class TrialCandidates:
    """A trial that tested all its candidates, and these."""

    trial: TrialRow
    candidates: Sequence[TestedCandidate]

    @property
    def chosen(self) -> TestedCandidate | None:
        """The candidate that the trial ended with."""
        return next((c for c in self.candidates if c.library == self.trial.library), None)

    @property
    def tests(self) -> list[float]:
        """Test success of each candidate."""
        return [c.test for c in self.candidates]

    @property
    def correlation(self) -> float | None:
        """Rank correlation of training score and test success; None where it is not defined."""
        return rank_correlation([c.score for c in self.candidates], self.tests)

    @property
    def regret(self) -> float | None:
        """Test success of the best candidate minus that of the chosen one."""
        return regret(self.chosen.test, self.tests) if self.chosen else None

    @property
    def simulated(self) -> bool:
        """Whether any of its tests comes from a simulated model."""
        return any(c.rate.simulated for c in self.candidates)

    @property
    def score_terms(self) -> str:
        """The terms that the trial's selector added up, in words."""
        terms = self.trial.settings.get("score") or ()
        return " + ".join(term.replace("_", " ") for term in terms) or "the domain's own"

    @property
    def ties(self) -> str:
        """Which of several candidates with an equal score it took, in words. Runs that do not say took the
        earlier.
        """
        if self.trial.settings.get("ties") == "efficient":
            return "fewer turns, then fewer tokens, then the earlier"
        return "the earlier"


def tested_candidates(data: ReportData) -> list[TrialCandidates]:
    """The trials that tested all their candidates, if these are several."""
    samples = data.samples(("trial", "library"), phases=("test", "survey"))
    made: dict[str, list[dict[str, Any]]] = {}
    for row in dictionaries(data.connection, CANDIDATES):
        trial = str(row.pop("trial"))
        about = data.trials.get(trial)
        asked = about is not None and about.settings.get("test_every_candidate")
        if asked and samples.get((trial, row["library"])):
            made.setdefault(trial, []).append(row)
    found = [_with_tests(data, data.trials[trial], rows, samples) for trial, rows in made.items()]
    return [one for one in found if len(one.candidates) > 1]


def _with_tests(
    data: ReportData,
    trial: TrialRow,
    rows: Sequence[Mapping[str, Any]],
    samples: Mapping[tuple[str, ...], EpisodeSample],
) -> TrialCandidates:
    tests = [samples[trial.trial, str(row["library"])] for row in rows]
    planned = max(trial.test_episodes or 0, *map(len, tests))
    rates = [data.score(trial.row_key, sample, planned - len(sample)) for sample in tests]
    candidates = [TestedCandidate(**row, rate=rate) for row, rate in zip(rows, rates, strict=True)]
    return TrialCandidates(trial, candidates)


def best_by(candidates: Sequence[TestedCandidate], by: Callable[[TestedCandidate], float]) -> TestedCandidate:
    """The candidate with the highest value; ties keep the earlier."""
    return max(candidates, key=by)


def selector_tables(data: ReportData) -> list[ResultTable]:
    """How the training score ranks candidates, and what each selector would have got."""
    found = tested_candidates(data)
    simulated = any(one.simulated for one in found)
    return [_ranking(found), replace(_selectors(found), simulated=simulated)]


def _ranking(found: Sequence[TrialCandidates]) -> ResultTable:
    models = ModelColumns(one.trial.row_key for one in found)
    rates = RateColumns(c.rate for one in found for c in one.candidates)
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        key, chosen = one.trial.row_key, one.chosen
        rows.append(
            (
                key.domain,
                key.method,
                *models.cells(key),
                one.trial.trial[:8],
                one.score_terms,
                len(one.candidates),
                _single(one.correlation),
                chosen.rate.success if chosen else None,
                max(one.candidates, key=lambda c: c.test).rate.success,
                _single(one.regret),
                sum(c.rate.unfinished for c in one.candidates),
                *rates.cells(chosen.rate if chosen else None),
            )
        )
    if rows:
        rows.append(_overall(found, models, rates))
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("trial"),
        Column("score", only_data=len({one.score_terms for one in found}) < 2),
        Column("candidates", "count"),
        Column("rank correlation", "number", over="trials"),
        Column("chosen", "share", counted=True),
        Column("best candidate", "share", counted=True),
        Column("regret", "share", over="trials"),
        Column("unfinished of all candidates", "count", only_data=not rates.any_unfinished),
        *rates.columns,
    )
    notes = (
        "Rank correlation (Spearman) of training score and test success over the candidates of a trial; - "
        "where all scores or all tests are equal. The row of all trials: means over trials with t-intervals.",
        "Regret: test success of the best candidate minus that of the one the trial ended with. The best of "
        "several measured rates is flattered by luck, so regret is too.",
        "Unfinished, unreadable: of the chosen candidate's tests.",
        *_scores_used(found),
        *models.notes,
        *rates.notes,
        *(() if rows else (NOT_TESTED,)),
    )
    marks = [one.simulated for one in found]
    table = ResultTable("Selector: training score against test success", columns, tuple(rows), notes)
    return table.mark_simulated([*marks, any(marks)] if rows else [])


def _overall(found: Sequence[TrialCandidates], models: ModelColumns, rates: RateColumns) -> tuple[Cell, ...]:
    """Over all trials: correlation and regret with their intervals."""
    correlations, regrets = ([one.correlation for one in found], [one.regret for one in found])
    return (
        ALL,
        None,
        *models.cells(None),
        None,
        None,
        sum(len(one.candidates) for one in found),
        mean_of(_known(correlations), -1.0, 1.0),
        None,
        None,
        mean_of(_known(regrets), 0.0, 1.0),
        sum(c.rate.unfinished for one in found for c in one.candidates),
        *rates.cells(None),
    )


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _single(value: float | None) -> Interval:
    """A single trial's value, which has no interval."""
    return NOTHING if value is None else Interval(value, math.nan, math.nan, 1, 1)


def _scores_used(found: Sequence[TrialCandidates]) -> tuple[str, ...]:
    used = {one.score_terms for one in found}
    ties = " or ".join(sorted({one.ties for one in found}))
    return (f"Score as run: {used.pop()}; of equal scores {ties}.",) if len(used) == 1 else ()


@dataclass(frozen=True)
class SelectorResult:
    """What one selector would have chosen in each of the same trials."""

    name: str
    tests: Sequence[float]
    """Test success of its choice, by trial."""
    regrets: Sequence[float]
    correlations: Sequence[float | None] = ()
    """Rank correlation of its score and test success, by trial; None where it is not defined. Empty where it
    has no score."""


def selector_results(found: Sequence[TrialCandidates]) -> list[SelectorResult]:
    """As run, other selectors, chance, and the best candidate, over the same trials: those whose own choice
    was tested."""
    chosen = [(one, one.chosen.test) for one in found if one.chosen]
    trials = [one for one, _ in chosen]
    results = [_result(AS_RUN, trials, [test for _, test in chosen], lambda c: c.score)]
    for name, by in SELECTORS.items():
        results.append(_result(name, trials, [best_by(one.candidates, by).test for one in trials], by))
    means = [sum(one.tests) / len(one.tests) for one in trials]
    results.append(_result("random", trials, means))
    results.append(_result(BEST, trials, [max(one.tests) for one in trials]))
    return results


def _result(
    name: str,
    trials: Sequence[TrialCandidates],
    tests: Sequence[float],
    by: Callable[[TestedCandidate], float] | None = None,
) -> SelectorResult:
    regrets = [max(one.tests) - test for one, test in zip(trials, tests, strict=True)]
    ranked = [rank_correlation([by(c) for c in one.candidates], one.tests) for one in trials] if by else ()
    return SelectorResult(name, tests, regrets, ranked)


def _selectors(found: Sequence[TrialCandidates]) -> ResultTable:
    """What each selector would have chosen in the same trials, and its difference from the run's own."""
    results = selector_results(found)
    own = results[0]
    ranked = [one.correlations for one in results if one.correlations]
    defined = [place for place in range(len(own.tests)) if all(r[place] is not None for r in ranked)]
    rows: list[tuple[Cell, ...]] = []
    for one in results if own.tests else ():
        gained = [test - base for test, base in zip(one.tests, own.tests, strict=True)]
        rows.append(
            (
                one.name,
                mean_of(one.tests, 0.0, 1.0),
                _single(0.0) if one.name == BEST else mean_of(one.regrets, 0.0, 1.0),
                None if one is own else mean_of(gained, -1.0, 1.0),
                None if one is own else sign_flips(gained).p_value,
                *_correlations(one, own, defined),
                len(one.tests),
            )
        )
    columns = (
        Column("selector"),
        Column("test success", "share", over="trials"),
        Column("regret", "share", over="trials"),
        Column("minus as run", "difference", over="trials"),
        Column("p", "p"),
        Column("rank correlation", "number", over="trials"),
        Column("correlation minus as run", "number", over="trials"),
        Column("trials", "count"),
    )
    left_out = len(found) - len(own.tests)
    notes = (
        f"Means over the same trials with t-intervals ({LEVEL:.0%}). Random: the mean over a trial's "
        "candidates. Best candidate: chosen by the tests themselves, an upper bound. Ties keep the earlier "
        "candidate.",
        "Minus as run: test success of its choice minus that of the run's own, paired by trial (so the luck "
        "that flatters the best candidate, and regret, drops out); p: permutation of signs.",
        f"Rank correlation (Spearman) of its score and test success: over the {len(defined)} trials in which "
        "that of every score is defined.",
        *((f"Left out: {left_out} trials whose own choice was not tested.",) if left_out else ()),
        *_scores_used(found),
        _number_of_tests([c.rate for one in found for c in one.candidates]) if found else NOT_TESTED,
    )
    return ResultTable("Selectors: what each would have chosen", columns, tuple(rows), notes)


def _correlations(one: SelectorResult, own: SelectorResult, defined: Sequence[int]) -> tuple[Cell, Cell]:
    """The mean rank correlation over these trials, and its paired difference from the run's own."""
    if not one.correlations or not defined:
        return None, None
    theirs, base = (_known(side.correlations[place] for place in defined) for side in (one, own))
    found = mean_of(theirs, -1.0, 1.0)
    if one is own:
        return found, None
    return found, mean_of([a - b for a, b in zip(theirs, base, strict=True)], -2.0, 2.0)


def _number_of_tests(rates: Sequence[Score]) -> str:
    """How many tests the rates of all candidates come from, and what is wrong with them."""
    numbers = sorted({rate.success.episodes for rate in rates})
    each = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    missing = sum(rate.unfinished for rate in rates)
    unreadable = sum(rate.unreadable * rate.all_turns for rate in rates if rate.all_turns)
    turns = sum(rate.all_turns for rate in rates)
    return (
        f"{len(rates)} candidates with {each} test episodes each; unfinished: {missing}; unreadable replies: "
        f"{100 * unreadable / turns if turns else 0.0:.1f} %."
        + (" Rates are over finished episodes." if missing else "")
    )
