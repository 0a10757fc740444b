"""Figure 3 of the LearnAct paper: success against iterations of learning, and how correct and how frequent calls of learned actions become.

Needs a run with `test_each_iteration: true`: the winner of each iteration is tested, within one lineage, so that iterations are not confused with
luck. The data need no more than the results; drawing needs matplotlib (the extra `figures`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learnact.errors import MissingExtra, ResultsError
from learnact.report.played import ALL, Played, learner_is_simulated, played, trials
from learnact.report.sheet import SIMULATED, Column, Sheet
from learnact.report.tables import INTERVALS
from learnact.results.reader import Connection
from learnact.results.statistics import Interval, clustered_mean

MISSING = "No trial has tested winners of its iterations; run the job with learner.test_each_iteration: true."
FORMATS = ("svg", "png")


@dataclass(frozen=True)
class Point:
    """The winners of one iteration over all trials of a method on a domain (or all). Iteration 0: created, before any improvement.

    `correctness`: successful calls of learned actions over calls of learned actions; `frequency`: calls of learned actions over action turns;
    both means over test episodes.
    """

    domain: str
    method: str
    iteration: int
    success: Interval
    correctness: Interval
    frequency: Interval
    trials: int


@dataclass(frozen=True)
class Figure:
    """What is drawn."""

    points: tuple[Point, ...]
    simulated: bool


def figure3(connection: Connection) -> Figure:
    """The points. A trial that stopped learning early keeps its winner for the iterations that it did not use."""
    episodes = played(connection, ("test", "survey"))
    by_library: dict[tuple[str, str], list[Played]] = defaultdict(list)
    for episode in episodes:
        by_library[episode.trial, episode.library].append(episode)
    known = trials(connection)
    groups: dict[tuple[str, str, int], dict[str, list[Played]]] = defaultdict(dict)
    for trial, winners in _winners(connection).items():
        about = known.get(trial)
        if about is None:
            continue
        last = max([*winners, int(about.settings.get("iterations", 0))])
        current = None
        for iteration in range(last + 1):
            current = winners.get(iteration, current)
            found = by_library.get((trial, current)) if current is not None else None
            if found:
                groups[about.domain, about.method, iteration][trial] = found
                groups[ALL, about.method, iteration][trial] = found
    return Figure(
        tuple(_point(*key, groups[key]) for key in sorted(groups, key=lambda k: (k[1], k[0] == ALL, k))),
        any(e.simulated for e in episodes) or learner_is_simulated(connection),
    )


def _winners(connection: Connection) -> dict[str, dict[int, str]]:
    """Library of the selected candidate, by trial and iteration, where learning has iterations to speak of."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    rows = connection.execute(
        "SELECT trial, iteration, library FROM candidates WHERE selected AND origin IN ('create', 'update', 'note', 'incumbent') "
        "ORDER BY trial, iteration, run DESC"
    ).fetchall()
    for trial, iteration, library in rows:
        found[trial][iteration] = library
    return found


def _point(domain: str, method: str, iteration: int, members: dict[str, list[Played]]) -> Point:
    episodes = [episode for trial in sorted(members) for episode in members[trial]]
    return Point(
        domain,
        method,
        iteration,
        clustered_mean((e.task, e.success) for e in episodes),
        clustered_mean((e.task, e.learned_calls_ok / e.learned_calls) for e in episodes if e.learned_calls),
        clustered_mean((e.task, e.learned_calls / e.action_turns) for e in episodes if e.action_turns),
        len(members),
    )


def figure3_sheet(figure: Figure) -> Sheet:
    """The points as a table."""
    columns = (
        Column("method"),
        Column("domain"),
        Column("iteration", "count"),
        Column("success", "share"),
        Column("correct calls", "share"),
        Column("frequency of calls", "share"),
        Column("episodes", "count"),
        Column("trials", "count"),
    )
    rows = tuple(
        (p.method, p.domain, p.iteration, p.success, p.correctness, p.frequency, p.success.episodes, p.trials)
        for p in figure.points
    )
    notes = (
        INTERVALS,
        "Iteration 0: the best library as created. The winners of one trial descend from each other.",
        *(() if rows else (MISSING,)),
    )
    return Sheet(
        "Figure 3: success and use of learned actions by iteration", columns, rows, notes, figure.simulated
    )


def draw_figure3(figure: Figure, stem: Path) -> list[Path]:
    """Draw it as SVG and PNG beside each other, equal bytes for equal data. `stem`: path without ending. Returns the paths.

    Raises:
        MissingExtra: matplotlib is not installed.
        ResultsError: there is nothing to draw.
    """
    if not figure.points:
        raise ResultsError(MISSING)
    try:
        import matplotlib
    except ImportError as error:
        raise MissingExtra("drawing needs matplotlib: pip install 'learnact[figures]'") from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    written = []
    stem.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": "learnact", "font.size": 9}):
        drawing, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6))
        for method in dict.fromkeys(p.method for p in figure.points):
            _draw_success(left, [p for p in figure.points if p.method == method], method)
            overall = [p for p in figure.points if p.method == method and p.domain == ALL]
            _draw(right, [(p.iteration, p.correctness) for p in overall], f"{method}: correct", "o-")
            _draw(right, [(p.iteration, p.frequency) for p in overall], f"{method}: frequent", "s--")
        _label(left, "test success")
        _label(right, "share of calls that succeed; of turns that call")
        if figure.simulated:
            drawing.text(0.5, 0.005, SIMULATED, ha="center", fontsize=7, color="firebrick")
        drawing.tight_layout(rect=(0, 0.03, 1, 1))
        for kind in FORMATS:
            path = stem.with_suffix(f".{kind}")
            drawing.savefig(
                path, dpi=160, metadata={"Date": None} if kind == "svg" else {"Software": "learnact"}
            )
            written.append(path)
        pyplot.close(drawing)
    return written


def _draw_success(axes: Any, points: Sequence[Point], method: str) -> None:
    domains = list(dict.fromkeys(p.domain for p in points))
    if len(domains) > 2:
        for domain in domains:
            if domain != ALL:
                part = [p for p in points if p.domain == domain]
                axes.plot(
                    [p.iteration for p in part], [p.success.mean for p in part], "-", alpha=0.5, label=domain
                )
    _draw(axes, [(p.iteration, p.success) for p in points if p.domain == ALL], method, "ko-")


def _draw(axes: Any, points: Sequence[tuple[int, Interval]], label: str, style: str) -> None:
    known = [(x, y) for x, y in points if y.known]
    axes.errorbar(
        [x for x, _ in known],
        [y.mean for _, y in known],
        yerr=[[y.mean - y.low for _, y in known], [y.high - y.mean for _, y in known]],
        fmt=style,
        capsize=3,
        label=label,
    )


def _label(axes: Any, title: str) -> None:
    axes.set_xlabel("iterations of learning")
    axes.set_title(title, fontsize=9)
    axes.set_ylim(0, 1)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(fontsize=7)
