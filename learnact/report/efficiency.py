"""What playing costs and what learning saves: turns, primitive steps, tokens, dollars and seconds of test
episodes, per episode and per solved task, and after how many episodes learning has paid for itself.

A learned library is compared with the same agent that learns nothing, paired by task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from learnact.report.cost import MethodCosts, UnitCosts
from learnact.report.data import ALL, EpisodeSample, ReportData, RowKey, Score, join_samples
from learnact.report.result_table import Cell, CellKind, Column, ResultTable
from learnact.report.score_table import NOTHING_PLAYED, ModelColumns
from learnact.statistics.amounts import amount_difference, amount_mean, amount_ratio, break_even
from learnact.statistics.intervals import NOTHING, Interval


@dataclass(frozen=True)
class Measure:
    """Something that an episode uses up."""

    name: str
    kind: CellKind
    values: Callable[[EpisodeSample], Sequence[float | None]]


TOKENS = Measure("tokens", "count", lambda sample: sample.tokens)
DOLLARS = Measure("cost", "dollars", lambda sample: sample.cost)
MEASURES = (
    Measure("turns", "number", lambda sample: sample.turns),
    Measure("primitive steps", "number", lambda sample: sample.primitive_steps),
    Measure("tokens in", "count", lambda sample: sample.prompt_tokens),
    Measure("tokens out", "count", lambda sample: sample.completion_tokens),
    DOLLARS,
    Measure("model seconds", "number", lambda sample: sample.model_seconds),
)
INTERVALS = (
    "Means over tasks with t-intervals (95 %), clustered by task; without bounds where there is one task, or "
    "all agree. They speak of other tasks, not of other libraries."
)
SOLVED = "Per solved task: what all episodes used, failed ones too, over the solved ones."
PAIRED = (
    "Against the agent: less what the same agent used that learns nothing, with the same models, paired by "
    "task and seed."
)
PAID = (
    "Paid back: number of test episodes with one learned library after which learning has cost no more than "
    "it saved, against the same agent that learns nothing, paired by task; never: an episode costs as much "
    "or more with what was learned; -: no price or count, no such agent in these runs, or learned elsewhere. "
    "Success is not weighed in it."
)
LEARNED = (
    "Learning: requests of the learner and training episodes of one trial. Included: spread over the test "
    "episodes that a trial plays, which are often fewer than a library would serve."
)


@dataclass(frozen=True)
class Learning:
    """What one trial's learning cost, a mean over trials, and what it saves.

    `tests`: test episodes of a trial. `base`: the method with the same agent and without a learner; "" where
    there is none. `saved`: tokens and dollars that an episode saves against it, paired by task.
    """

    trials: int
    tests: float
    tokens: float | None
    dollars: float | None
    base: str
    saved_tokens: Interval
    saved_dollars: Interval

    @property
    def paid_in_tokens(self) -> Interval:
        """Test episodes after which learning is paid back in tokens."""
        return break_even(self.tokens, self.saved_tokens)

    @property
    def paid_in_dollars(self) -> Interval:
        """Test episodes after which learning is paid back in dollars."""
        return break_even(self.dollars, self.saved_dollars)


@dataclass(frozen=True)
class Efficiency:
    """A row: what its test episodes used. `learning` is None where nothing is learned, or the cost of it is
    not in these runs.
    """

    score: Score
    sample: EpisodeSample
    differences: Mapping[str, Interval]
    """Own less that of the same agent without learning, by measure; empty where there is none."""
    learning: Learning | None
    learns: bool
    """Whether its libraries were learned, here or elsewhere."""

    @property
    def key(self) -> RowKey:
        """What the row is about."""
        return self.score.key

    def per_episode(self, measure: Measure) -> Interval:
        """Used in a test episode."""
        return amount_mean(zip(self.sample.tasks, measure.values(self.sample), strict=True))

    def per_solved(self, measure: Measure, more: float | None = 0.0) -> Interval:
        """Used for each solved task; `more` is added to what each episode used, None where not known."""
        if more is None:
            return NOTHING
        values = [None if value is None else value + more for value in measure.values(self.sample)]
        return amount_ratio(zip(self.sample.tasks, values, self.sample.success, strict=True))

    @property
    def learning_share(self) -> float | None:
        """Tokens of learning for each test episode that was played; None where they are not known."""
        if not self.learns:
            return 0.0
        if self.learning is None or self.learning.tokens is None:
            return None
        return self.learning.tokens / self.learning.tests

    def tokens(self, *, with_learning: bool) -> Interval:
        """Tokens of a test episode, learning left out, or spread over the test episodes of a trial.

        Nothing is known of the latter where the cost of learning is not.
        """
        found, more = self.per_episode(TOKENS), self.learning_share if with_learning else 0.0
        if more is None:
            return NOTHING
        return replace(found, mean=found.mean + more, low=found.low + more, high=found.high + more)


class EfficiencyRows:
    """The rows of some results: each method on each domain, and on all."""

    def __init__(self, data: ReportData) -> None:
        self._data = data
        self._costs = MethodCosts(data)

    @cached_property
    def rows(self) -> list[Efficiency]:
        """Rows in the order of the scores."""
        return [self._row(score) for score in self._data.scores]

    def _row(self, score: Score) -> Efficiency:
        sample, base = self._sample(score.key), self._base(score.key)
        learns = any(self._data.trials[t].learns for t in sample.trials if t in self._data.trials)
        if base is None:
            return Efficiency(score, sample, {}, self._learning(sample, "", NOTHING, NOTHING), learns)
        other = self._sample(base)
        found = {m.name: _difference(sample, other, m) for m in (*MEASURES, TOKENS)}
        saved = (_negative(found[measure.name]) for measure in (TOKENS, DOLLARS))
        return Efficiency(score, sample, found, self._learning(sample, base.method, *saved), learns)

    def _sample(self, key: RowKey) -> EpisodeSample:
        samples = self._data.test_samples
        if key.domain != ALL or key in samples:
            return samples.get(key, EpisodeSample())
        return join_samples(samples[one] for one in samples if one._replace(domain=ALL) == key)

    def _base(self, key: RowKey) -> RowKey | None:
        """The row with the same agent and model that learns nothing, if this one learns."""
        trials = self._data.trials
        own = [trials[t] for t in self._sample(key).trials if t in trials]
        if not own or not own[0].learns or not own[0].agent:
            return None
        places = {trial.method: trial for trial in trials.values() if not trial.learns}
        same = [
            trial for trial in places.values()
            if trial.agent == own[0].agent and trial.agent_model == key.agent_model
        ]  # fmt: skip
        found = sorted(same, key=lambda t: (t.rules != own[0].rules, self._data.place_of(t.method), t.method))
        rows = [key._replace(method=trial.method, learner_model="") for trial in found]
        return next((row for row in rows if len(self._sample(row))), None)

    def _learning(
        self, sample: EpisodeSample, base: str, saved_tokens: Interval, saved_dollars: Interval
    ) -> Learning | None:
        """Of the trials whose tests the sample holds; None as soon as one of them did not learn here."""
        trials = sorted(set(sample.trials))
        found = [self._costs.learning_of(trial) for trial in trials]
        known = [costs for costs in found if costs is not None]
        if not known or len(known) < len(found):
            return None
        total = sum(known, UnitCosts())
        return Learning(
            trials=len(known),
            tests=len(sample) / len(trials),
            tokens=None if total.known_tokens is None else total.known_tokens / len(known),
            dollars=None if total.dollars is None else total.dollars / len(known),
            base=base,
            saved_tokens=saved_tokens,
            saved_dollars=saved_dollars,
        )


def _difference(one: EpisodeSample, two: EpisodeSample, measure: Measure) -> Interval:
    sides = (zip(s.tasks, s.learned, s.seeds, measure.values(s), strict=True) for s in (one, two))
    return amount_difference(*sides)


def _negative(found: Interval) -> Interval:
    return replace(found, mean=-found.mean, low=-found.high, high=-found.low)


# Tables -----------------------------------------------------------------------------------------------------


def efficiency_tables(data: ReportData) -> list[ResultTable]:
    """Per test episode, per solved task, against the same agent without learning; when it is paid back."""
    rows = EfficiencyRows(data).rows
    tables = [
        _measures(rows, "Efficiency per test episode", lambda row, m: row.per_episode(m), (INTERVALS,)),
        _measures(rows, "Efficiency per solved task", lambda row, m: row.per_solved(m), (INTERVALS, SOLVED)),
    ]
    compared = [row for row in rows if row.differences]
    if compared:
        title = "Efficiency against the agent that learns nothing, per test episode"
        tables.append(_measures(compared, title, lambda row, m: row.differences[m.name], (PAIRED, INTERVALS)))
    learned = [row for row in rows if row.learning]
    return [*tables, _paid(learned)] if learned else tables


def short_table(data: ReportData) -> ResultTable:
    """The page's: per test episode, tokens per solved task, and when learning is paid back."""
    rows = EfficiencyRows(data).rows
    learns = any(row.learning for row in rows)
    priced = any(row.learning and row.learning.dollars for row in rows)
    own = _measures(rows, "Efficiency per test episode", lambda row, m: row.per_episode(m), (INTERVALS,))
    more = (
        Column("tokens per solved task", "count"),
        Column("paid back after (tokens)", "episodes", only_data=not learns),
        Column("paid back after ($)", "episodes", only_data=not priced),
    )
    cells = [
        (
            row.per_solved(TOKENS),
            row.learning.paid_in_tokens if row.learning else None,
            row.learning.paid_in_dollars if row.learning else None,
        )
        for row in rows
    ]
    return replace(
        own,
        columns=(*own.columns, *more),
        rows=tuple((*row, *added) for row, added in zip(own.rows, cells, strict=True)),
        notes=(*own.notes, SOLVED, *((PAID,) if learns else ())),
    )


def _measures(
    rows: Sequence[Efficiency],
    title: str,
    value: Callable[[Efficiency, Measure], Interval],
    notes: tuple[str, ...],
) -> ResultTable:
    """A table with a column for each measure; dollars only where some price is known."""
    models = ModelColumns(row.key for row in rows)
    cells = [[value(row, measure) for measure in MEASURES] for row in rows]
    priced = any(row.per_episode(DOLLARS).known for row in rows)
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        *(Column(m.name, m.kind, only_data=m is DOLLARS and not priced) for m in MEASURES),
    )
    table = ResultTable(
        title,
        columns,
        tuple(
            (row.key.domain, row.key.method, *models.cells(row.key), *found)
            for row, found in zip(rows, cells, strict=True)
        ),
        (*notes, *models.notes, *(() if rows else (NOTHING_PLAYED,))),
    )
    return table.mark_simulated([row.score.simulated for row in rows])


def _paid(rows: Sequence[Efficiency]) -> ResultTable:
    """What learning costs, and after how many test episodes it is paid back."""
    models = ModelColumns(row.key for row in rows)
    priced = any(row.learning and row.learning.dollars for row in rows)
    body: list[tuple[Cell, ...]] = []
    for row in rows:
        learning = row.learning
        assert learning is not None
        body.append(
            (
                row.key.domain,
                row.key.method,
                *models.cells(row.key),
                learning.trials,
                learning.tests,
                learning.tokens,
                learning.dollars,
                row.tokens(with_learning=False),
                row.tokens(with_learning=True),
                row.per_solved(TOKENS),
                row.per_solved(TOKENS, row.learning_share),
                learning.base or None,
                learning.paid_in_tokens,
                learning.paid_in_dollars,
            )
        )
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("trials", "count"),
        Column("tests a trial", "number"),
        Column("learning, tokens", "count"),
        Column("learning", "dollars", only_data=not priced),
        Column("tokens per episode", "count"),
        Column("with learning", "count"),
        Column("tokens per solved task", "count"),
        Column("solved, with learning", "count"),
        Column("against"),
        Column("paid back after (tokens)", "episodes"),
        Column("paid back after ($)", "episodes", only_data=not priced),
    )
    notes = (LEARNED, PAID, INTERVALS, *models.notes)
    table = ResultTable("What learning costs, and when it is paid back", columns, tuple(body), notes)
    return table.mark_simulated([row.score.simulated for row in rows])
