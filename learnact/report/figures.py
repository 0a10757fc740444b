"""Figure 3 of the LearnAct paper: success against iterations of learning, and how correct and how frequent calls of learned actions become.

Needs a run with `test_each_iteration: true`: the winner of each iteration is tested, within one lineage, so that iterations are not confused with
luck. The data need no more than the results; drawing needs matplotlib (the extra `figures`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learnact.errors import MissingExtra, ResultsError
from learnact.report.played import ALL, Played, Trial, learner_is_simulated, played, trials
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
    """The points. A trial that stopped learning early keeps its winner for the iterations that it did not use; one of which the winner of some
    iteration was not tested is left out, so that all points of a line stand on the same trials."""
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
        lineage = [winners[max(i for i in winners if i <= n)] for n in range(_last(about, winners) + 1)]
        tested = [by_library.get((trial, library), []) for library in lineage]
        if not all(tested):
            continue
        for iteration, found in enumerate(tested):
            groups[about.domain, about.method, iteration][trial] = found
            groups[ALL, about.method, iteration][trial] = found
    return Figure(
        tuple(_point(*key, groups[key]) for key in sorted(groups, key=lambda k: (k[1], k[0] == ALL, k))),
        any(e.simulated for e in episodes) or learner_is_simulated(connection),
    )


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
    several = len({p.domain for p in figure.points} - {ALL}) > 1
    rows = tuple(
        (p.method, p.domain, p.iteration, p.success, p.correctness, p.frequency, p.success.episodes, p.trials)
        for p in figure.points
        if several or p.domain != ALL
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
        drawing, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4.2))
        methods = list(dict.fromkeys(p.method for p in figure.points))
        for place, method in enumerate(methods):
            color, shift = f"C{place}", 0.06 * (place - (len(methods) - 1) / 2)
            overall = [p for p in figure.points if p.method == method and p.domain == ALL]
            if len(methods) == 1:
                _draw_domains(left, figure.points)
            _draw(left, [(p.iteration, p.success) for p in overall], method, "o-", color, shift)
            _draw(
                right,
                [(p.iteration, p.correctness) for p in overall],
                f"{method}: correct",
                "o-",
                color,
                shift,
            )
            _draw(
                right,
                [(p.iteration, p.frequency) for p in overall],
                f"{method}: share of turns",
                "s--",
                color,
                shift,
            )
        _label(left, "success in tests")
        _label(right, "calls of learned actions")
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


def _draw_domains(axes: Any, points: Sequence[Point]) -> None:
    """A thin line a domain, where there are several."""
    domains = [domain for domain in dict.fromkeys(p.domain for p in points) if domain != ALL]
    for place, domain in enumerate(domains if len(domains) > 1 else [], start=1):
        part = [p for p in points if p.domain == domain]
        at, means = [p.iteration for p in part], [p.success.mean for p in part]
        axes.plot(at, means, "-", color=f"C{place}", alpha=0.6, label=domain)


def _draw(
    axes: Any, points: Sequence[tuple[int, Interval]], label: str, style: str, color: str, shift: float
) -> None:
    known = [(x, y) for x, y in points if y.known]
    axes.errorbar(
        [x + shift for x, _ in known],
        [y.mean for _, y in known],
        yerr=[[y.mean - y.low for _, y in known], [y.high - y.mean for _, y in known]],
        fmt=style,
        color=color,
        capsize=3,
        linewidth=1.5,
        elinewidth=0.8,
        label=label,
    )


def _label(axes: Any, title: str) -> None:
    axes.set_xlabel("iterations of learning")
    axes.set_title(title, fontsize=9)
    axes.set_ylim(-0.02, 1.02)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False)
