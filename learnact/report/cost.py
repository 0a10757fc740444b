"""What learning and acting cost by method: calls, tokens, dollars, turns, primitive steps.

The paper leaves this out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from learnact.methods.learnact import LEARNACT
from learnact.report.data import EpisodeSample, ReportData, RowKey, Score, TrialRow, join_samples
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.score_table import INTERVALS, ModelColumns, RateColumns
from learnact.results.reader import dictionaries

TARGET = LEARNACT.name
"""The method that the cost of learning of others is compared with, where no budget was matched."""

COSTS = """
WITH units AS (
    SELECT run, trial, phase, key, success, turns, primitive_steps,
           prompt_tokens + completion_tokens AS tokens, cost, CASE WHEN model = '' THEN 0 ELSE
           coalesce(made.number, 0) END AS calls, 'act' AS purpose
    FROM episodes LEFT JOIN (SELECT run AS run_, unit, count(*) AS number FROM calls
                            WHERE purpose <> 'opponent' GROUP BY ALL) made
      ON made.run_ = episodes.run AND made.unit = episodes.key
    UNION ALL
    SELECT run, trial, 'learn', key, false, 0, 0, prompt_tokens + completion_tokens, cost, calls, purpose
    FROM requests
), distinct_units AS (
    SELECT * FROM units QUALIFY row_number() OVER (PARTITION BY key ORDER BY run) = 1
)
SELECT trial, phase, count(*) AS units, CAST(sum(CAST(success AS INT)) AS BIGINT) AS successes,
       CAST(sum(calls) AS BIGINT) AS calls, CAST(sum(tokens) AS BIGINT) AS tokens,
       CAST(sum(turns) AS BIGINT) AS turns, CAST(sum(primitive_steps) AS BIGINT) AS steps,
       CASE WHEN count(cost) = count(*) THEN sum(cost ORDER BY key) END AS dollars,
       count(*) FILTER (calls > 0 AND tokens = 0 AND purpose <> 'embed') AS uncounted
FROM distinct_units GROUP BY trial, phase ORDER BY trial, phase
"""
"""Sums of episodes and requests by trial and phase; a learner's requests count as learning."""


@dataclass(frozen=True)
class UnitCosts:
    """Sums over units of work. `dollars` is None as soon as one unit has no price; `uncounted` are units
    whose server counted no tokens.
    """

    units: int = 0
    successes: int = 0
    calls: int = 0
    tokens: int = 0
    turns: int = 0
    steps: int = 0
    dollars: float | None = 0.0
    uncounted: int = 0

    @property
    def known_tokens(self) -> int | None:
        """Tokens, or None where a server counted none."""
        return None if self.uncounted else self.tokens

    def __add__(self, other: UnitCosts) -> UnitCosts:
        known = self.dollars is not None and other.dollars is not None
        return UnitCosts(
            units=self.units + other.units,
            successes=self.successes + other.successes,
            calls=self.calls + other.calls,
            tokens=self.tokens + other.tokens,
            turns=self.turns + other.turns,
            steps=self.steps + other.steps,
            dollars=(self.dollars or 0.0) + (other.dollars or 0.0) if known else None,
            uncounted=self.uncounted + other.uncounted,
        )


class MethodCosts:
    """The trials of the results by what the tables tell apart, with their costs and test success."""

    def __init__(self, data: ReportData) -> None:
        self._data = data
        self._by_trial = {
            (row.pop("trial"), row.pop("phase")): UnitCosts(**row)
            for row in dictionaries(data.connection, COSTS)
        }

    @cached_property
    def trials(self) -> Mapping[RowKey, Sequence[TrialRow]]:
        """Trials by row; a row's domain is the one that was learned on."""
        found: dict[RowKey, list[TrialRow]] = {}
        for trial in self._data.trials.values():
            found.setdefault(trial.row_key, []).append(trial)
        return {key: found[key] for key in self._data.ordered(found)}

    @cached_property
    def scores(self) -> Sequence[Score]:
        """Test success of each row, over all that its trials were tested on."""
        samples = {trial: sample for (trial,), sample in self._data.samples(("trial",)).items()}
        missing: dict[str, int] = {}
        for (trial, _), number in self._data.unfinished_by_trial.items():
            missing[trial] = missing.get(trial, 0) + number
        return [
            self._data.score(
                key,
                join_samples(samples.get(one.trial, EpisodeSample()) for one in members),
                sum(missing.get(one.trial, 0) for one in members),
            )
            for key, members in self.trials.items()
        ]

    def learning_of(self, trial: str) -> UnitCosts | None:
        """What a trial's learning cost; None where it did not learn in these runs."""
        return self._by_trial.get((trial, "learn"))

    def learned(self, key: RowKey) -> Sequence[UnitCosts]:
        """What learning cost each trial of a row that has ended it. What a trial has spent that is still
        learning, or is blocked, says nothing of the cost of a library.
        """
        found = [self.learning_of(one.trial) for one in self.trials[key] if self._ended(one)]
        return [costs for costs in found if costs is not None]

    def _ended(self, trial: TrialRow) -> bool:
        return trial.status in ("done", "unfinished") or trial.trial in self._tested

    @cached_property
    def _tested(self) -> frozenset[str]:
        return frozenset(trial for (trial,) in self._data.samples(("trial",)))

    def total(self, key: RowKey, phase: str) -> UnitCosts:
        """The costs of a row's trials in a phase."""
        found = (self._by_trial.get((trial.trial, phase)) for trial in self.trials[key])
        return sum((costs for costs in found if costs), UnitCosts())


def cost_tables(data: ReportData) -> list[ResultTable]:
    """Cost of learning (per trial), then cost of acting (per test episode) with success per dollar."""
    costs = MethodCosts(data)
    return [_learning(costs), _acting(costs)]


def _learning(costs: MethodCosts) -> ResultTable:
    """Per trial that learns: requests of the learner and training episodes, against the target's."""
    learned = {key: costs.learned(key) for key in costs.trials}
    scores = [score for score in costs.scores if learned[score.key]]
    models = ModelColumns(score.key for score in costs.scores)
    rows: list[tuple[Cell, ...]] = []
    for score in scores:
        key, members = score.key, costs.trials[score.key]
        target = key._replace(method=members[0].matched_to or TARGET)
        number, other_number = len(learned[key]), len(learned.get(target, ()))
        own, other = (sum(learned.get(one, ()), UnitCosts()) for one in (key, target))
        calls, tokens = own.calls / number, _ratio(own.known_tokens, number)
        rows.append(
            (
                key.domain,
                key.method,
                *models.cells(key),
                number,
                calls,
                _ratio(calls, _ratio(other.calls, other_number)),
                tokens,
                _ratio(tokens, _ratio(other.known_tokens, other_number)),
                _ratio(own.dollars, number),
                own.turns / number,
                own.steps / number,
            )
        )
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("trials", "count"),
        Column("calls", "count"),
        Column("calls against target", "share"),
        Column("tokens", "count"),
        Column("tokens against target", "share"),
        Column("cost", "dollars"),
        Column("model turns", "count"),
        Column("primitive steps", "count"),
    )
    notes = (
        "Per trial that has ended learning: requests of the learner and training episodes (model turns and "
        "primitive steps are of these, not of usage lines that are checked). - where a model has no price.",
        "Against target: the method whose budget a baseline was given (match_budget), else the one named "
        "learnact, is 100 % on the same domain with the same models. A baseline with a matched budget is "
        "near it in the unit of the match, or below it where it has nothing more to do.",
        *models.notes,
        *(() if rows else ("No method of these runs learns.",)),
    )
    table = ResultTable("Cost of learning", columns, tuple(rows), notes)
    return table.mark_simulated([score.simulated for score in scores])


def _acting(costs: MethodCosts) -> ResultTable:
    """Per test episode, and success per dollar."""
    models, rates = ModelColumns(costs.trials), RateColumns(costs.scores)
    rows: list[tuple[Cell, ...]] = []
    for score in costs.scores:
        learn, test = costs.total(score.key, "learn"), costs.total(score.key, "test")
        rows.append(
            (
                score.key.domain,
                score.key.method,
                *models.cells(score.key),
                _ratio(test.calls, test.units),
                _ratio(test.known_tokens, test.units),
                _ratio(test.dollars, test.units),
                _ratio(test.turns, test.units),
                _ratio(test.steps, test.units),
                score.success,
                score.success.episodes,
                *rates.cells(score),
                _ratio(test.successes, test.dollars),
                _ratio(test.successes, (learn + test).dollars),
            )
        )
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("calls", "number"),
        Column("tokens", "count"),
        Column("cost", "dollars"),
        Column("model turns", "number"),
        Column("primitive steps", "number"),
        Column("success", "share", counted=True),
        Column("episodes", "count", only_data=True),
        *rates.columns,
        Column("success per $ acting", "number"),
        Column("success per $ all", "number"),
    )
    notes = (
        "Per test episode. Domain: the one that was learned on. - where a model has no price.",
        "Success per $ all: test successes over the cost of learning and testing together; more tests would "
        "raise it.",
        INTERVALS,
        *models.notes,
        *rates.notes,
    )
    table = ResultTable("Cost of acting", columns, tuple(rows), notes)
    return table.mark_simulated([score.simulated for score in costs.scores])


def _ratio(value: float | None, number: float | None) -> float | None:
    return value / number if value is not None and number else None
