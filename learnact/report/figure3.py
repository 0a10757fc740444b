"""Figure 3 of the LearnAct paper: success by iteration, and how correct and frequent learned calls are.

Needs a run with `test_each_iteration: true`: the winner of each iteration is tested, within one lineage, so
that iterations are not confused with luck. Drawn in drawing.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from learnact.report.data import ALL, EpisodeSample, ReportData, RowKey, Score, TrialRow, join_samples
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.score_table import INTERVALS, ModelColumns, RateColumns
from learnact.statistics.intervals import Interval

NOT_TESTED = (
    "No trial has tested winners of its iterations; run the job with learner.test_each_iteration: true."
)


@dataclass(frozen=True)
class IterationPoint:
    """The winners of one iteration over all trials of a method on a domain (or all).

    Iteration 0: as created, before any improvement. `correctness`: successful calls of learned actions over
    calls of learned actions; `frequency`: calls of learned actions over action turns; both means over test
    episodes.
    """

    iteration: int
    score: Score
    correctness: Interval
    frequency: Interval

    @property
    def domain(self) -> str:
        """What it was tested on, or `all`."""
        return self.score.key.domain

    @property
    def line(self) -> RowKey:
        """Method and models: the points of one line have it in common."""
        return self.score.key._replace(domain=ALL)


@dataclass(frozen=True)
class Figure3:
    """What is drawn: points, and methods without learning for reference."""

    points: tuple[IterationPoint, ...]
    references: tuple[Score, ...] = ()

    @property
    def several_domains(self) -> bool:
        """Whether there is more than one domain."""
        return len({point.domain for point in self.points} - {ALL}) > 1

    @property
    def simulated(self) -> bool:
        """Whether any of its numbers comes from a simulated model."""
        scores = (*self.references, *(point.score for point in self.points))
        return any(score.simulated for score in scores)


def figure3(data: ReportData) -> Figure3:
    """The points of the figure.

    A trial that stopped learning early keeps its winner for the iterations that it did not use; a trial with
    an iteration whose winner was not tested is left out, so that all points of a line come from the same
    trials.
    """
    samples = data.samples(("trial", "library"), phases=("test", "survey"))
    tested: dict[tuple[RowKey, int], list[EpisodeSample]] = defaultdict(list)
    missing: dict[tuple[RowKey, int], int] = defaultdict(int)
    for trial, winners in _winners(data).items():
        about = data.trials.get(trial)
        if about is None or not _asked(about):
            continue
        last = max(max(winners), int(about.settings.get("iterations", 0)))
        lineage = [winners[max(i for i in winners if i <= n)] for n in range(last + 1)]
        found = [samples.get((trial, library), EpisodeSample()) for library in lineage]
        if not all(found):
            continue
        for iteration, sample in enumerate(found):
            for key in (about.row_key, about.row_key._replace(domain=ALL)):
                tested[key, iteration].append(sample)
                missing[key, iteration] += max(0, (about.test_episodes or 0) - len(sample))
    points = []
    for key, iteration in sorted(tested, key=lambda at: (at[0][1:], at[0].domain == ALL, at)):
        sample = join_samples(tested[key, iteration])
        score = data.score(key, sample, missing[key, iteration])
        points.append(IterationPoint(iteration, score, sample.call_correctness, sample.call_frequency))
    return Figure3(tuple(points), _references(data, points))


def _references(data: ReportData, points: Sequence[IterationPoint]) -> tuple[Score, ...]:
    """Methods without a learner, on what the points were tested on."""
    without = {trial.method for trial in data.trials.values() if not trial.learns}
    domains = {point.domain for point in points}
    found = [s for s in data.scores if s.key.method in without and s.key.domain in domains]
    if len(domains - {ALL}) != 1:
        return tuple(found)
    overall = (replace(s, key=s.key._replace(domain=ALL)) for s in found if s.key.domain != ALL)
    return (*found, *overall)


def _asked(trial: TrialRow) -> bool:
    """Whether the job asked for tests of winners. Without, only trials that never improved have them all."""
    return bool(trial.settings.get("test_each_iteration") or trial.settings.get("test_every_candidate"))


def _winners(data: ReportData) -> Mapping[str, Mapping[int, str]]:
    """Library of the selected candidate, by trial and iteration, for learners that have iterations."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    rows = data.connection.execute(
        """SELECT trial, iteration, library FROM candidates
        WHERE selected AND origin IN ('create', 'update', 'note', 'incumbent')
        ORDER BY trial, iteration, run DESC"""
    ).fetchall()
    for trial, iteration, library in rows:
        found[trial][iteration] = library
    return {trial: winners for trial, winners in found.items() if 0 in winners}


def figure3_table(figure: Figure3) -> ResultTable:
    """The points as a table, the references (no iteration) below."""
    several = figure.several_domains
    points = [p for p in figure.points if several or p.domain != ALL]
    others = [s for s in figure.references if several or s.key.domain != ALL]
    scores = [*(p.score for p in points), *others]
    models, rates = ModelColumns(score.key for score in scores), RateColumns(scores)

    def row(score: Score, iteration: int | None, correctness: Cell, frequency: Cell) -> tuple[Cell, ...]:
        return (
            score.key.method,
            *models.cells(score.key),
            score.key.domain,
            iteration,
            score.success,
            correctness,
            frequency,
            score.success.episodes,
            score.trials,
            *rates.cells(score),
        )

    rows = [row(p.score, p.iteration, p.correctness, p.frequency) for p in points]
    rows += [row(score, None, None, None) for score in others]
    columns = (
        Column("method"),
        *models.columns,
        Column("domain"),
        Column("iteration", "count"),
        Column("success", "share"),
        Column("correct calls", "share"),
        Column("frequency of calls", "share"),
        Column("episodes", "count"),
        Column("trials", "count"),
        *rates.columns,
    )
    notes = (
        INTERVALS,
        "Iteration 0: the best library as created. The winners of one trial descend from each other.",
        *models.notes,
        *rates.notes,
        *(() if points else (NOT_TESTED,)),
    )
    title = "Figure 3: success and use of learned actions by iteration"
    table = ResultTable(title, columns, tuple(rows), notes)
    return table.mark_simulated([score.simulated for score in scores])
