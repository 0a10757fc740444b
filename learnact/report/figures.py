"""Figure 3 of the LearnAct paper: success against iterations of learning, and how correct and how frequent calls of learned actions become.

Needs a run with `test_each_iteration: true`: the winner of each iteration is tested, within one lineage, so that iterations are not confused with
luck. Drawn in drawing.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from learnact.report.played import (
    ALL,
    Group,
    Played,
    Score,
    Trial,
    played,
    score,
    scores,
    simulated_models,
    trials,
)
from learnact.report.sheet import Cell, Column, Sheet, mark
from learnact.report.tables import INTERVALS, Beside, Models
from learnact.results.reader import Connection
from learnact.results.statistics import Interval, clustered_mean

MISSING = "No trial has tested winners of its iterations; run the job with learner.test_each_iteration: true."


@dataclass(frozen=True)
class Point:
    """The winners of one iteration over all trials of a method on a domain (or all). Iteration 0: created, before any improvement.

    `correctness`: successful calls of learned actions over calls of learned actions; `frequency`: calls of learned actions over action turns;
    both means over test episodes.
    """

    iteration: int
    rate: Score
    correctness: Interval
    frequency: Interval

    @property
    def domain(self) -> str:
        """What it was tested on, or `all`."""
        return self.rate.group.domain

    @property
    def line(self) -> Group:
        """Method and models: the points of one line have it in common."""
        return self.rate.group._replace(domain=ALL)


@dataclass(frozen=True)
class Figure:
    """What is drawn: points, and methods without learning for reference."""

    points: tuple[Point, ...]
    references: tuple[Score, ...] = ()

    @property
    def several(self) -> bool:
        """Whether there is more than one domain."""
        return len({point.domain for point in self.points} - {ALL}) > 1

    @property
    def simulated(self) -> bool:
        """Whether simulated models are behind anything in it."""
        return any(rate.simulated for rate in (*self.references, *(point.rate for point in self.points)))


def figure3(connection: Connection) -> Figure:
    """The points. A trial that stopped learning early keeps its winner for the iterations that it did not use; one of which the winner of some
    iteration was not tested is left out, so that all points of a line stand on the same trials."""
    by_library: dict[tuple[str, str], list[Played]] = defaultdict(list)
    for episode in played(connection, ("test", "survey")):
        by_library[episode.trial, episode.library].append(episode)
    known, simulated = trials(connection), simulated_models(connection)
    groups: dict[tuple[Group, int], list[Played]] = defaultdict(list)
    missing: dict[tuple[Group, int], int] = defaultdict(int)
    for trial, winners in _winners(connection).items():
        about = known.get(trial)
        if about is None or not _asked(about):
            continue
        lineage = [winners[max(i for i in winners if i <= n)] for n in range(_last(about, winners) + 1)]
        tested = [by_library.get((trial, library), []) for library in lineage]
        if not all(tested):
            continue
        for iteration, found in enumerate(tested):
            for group in (about.group, about.group._replace(domain=ALL)):
                groups[group, iteration] += found
                missing[group, iteration] += max(0, (about.test_episodes or 0) - len(found))
    order = sorted(groups, key=lambda key: (key[0][1:], key[0].domain == ALL, key))
    points = tuple(_point(*key, groups[key], missing[key], simulated) for key in order)
    return Figure(points, _references(connection, known, points))


def _references(
    connection: Connection, known: Mapping[str, Trial], points: Sequence[Point]
) -> tuple[Score, ...]:
    """Methods without a learner, on what the points were tested on."""
    without = {trial.method for trial in known.values() if trial.learner in ("", "none")}
    domains = {point.domain for point in points}
    single = len(domains - {ALL}) == 1
    found = [s for s in scores(connection) if s.group.method in without and s.group.domain in domains]
    return (*found, *(_everywhere(s) for s in found if single and s.group.domain != ALL))


def _everywhere(rate: Score) -> Score:
    return replace(rate, group=rate.group._replace(domain=ALL))


def _asked(trial: Trial) -> bool:
    """Whether the job asked for tests of winners. Without, only trials that never improved would have them all."""
    return bool(trial.settings.get("test_each_iteration") or trial.settings.get("test_every_candidate"))


def _last(trial: Trial, winners: Mapping[int, str]) -> int:
    """The last iteration to show: the job's number, also where a trial stopped before."""
    return max(max(winners), int(trial.settings.get("iterations", 0)))


def _winners(connection: Connection) -> dict[str, dict[int, str]]:
    """Library of the selected candidate, by trial and iteration, where learning has iterations to speak of."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    rows = connection.execute(
        "SELECT trial, iteration, library FROM candidates WHERE selected AND origin IN ('create', 'update', 'note', 'incumbent') "
        "ORDER BY trial, iteration, run DESC"
    ).fetchall()
    for trial, iteration, library in rows:
        found[trial][iteration] = library
    return {trial: winners for trial, winners in found.items() if 0 in winners}


def _point(
    group: Group, iteration: int, episodes: Sequence[Played], missing: int, simulated: Container[str]
) -> Point:
    return Point(
        iteration,
        score(group, episodes, missing, simulated),
        clustered_mean((e.task, e.learned_calls_ok / e.learned_calls) for e in episodes if e.learned_calls),
        clustered_mean((e.task, e.learned_calls / e.action_turns) for e in episodes if e.action_turns),
    )


def figure3_sheet(figure: Figure) -> Sheet:
    """The points as a table, the references (no iteration) below."""
    several = figure.several
    points = [p for p in figure.points if several or p.domain != ALL]
    others = [r for r in figure.references if several or r.group.domain != ALL]
    rates = [*(p.rate for p in points), *others]
    models, beside = Models(rate.group for rate in rates), Beside(rates)

    def row(rate: Score, iteration: int | None, *calls: Cell) -> tuple[Cell, ...]:
        group, success = rate.group, rate.success
        about = (
            group.method,
            *models.cells(group),
            group.domain,
            iteration,
            success,
            *(calls or (None, None)),
        )
        return (*about, success.episodes, rate.trials, *beside.cells(rate))

    rows = [row(p.rate, p.iteration, p.correctness, p.frequency) for p in points]
    rows += [row(rate, None) for rate in others]
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
        *beside.columns,
    )
    notes = (
        INTERVALS,
        "Iteration 0: the best library as created. The winners of one trial descend from each other.",
        *models.notes,
        *beside.notes,
        *(() if points else (MISSING,)),
    )
    title = "Figure 3: success and use of learned actions by iteration"
    return mark(Sheet(title, columns, tuple(rows), notes), [rate.simulated for rate in rates])
