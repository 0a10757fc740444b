"""Draws figure 3 as SVG and PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from learnact.errors import ResultsError
from learnact.report.canvas import COLOURS, DASHES, GREY, MARKERS, draw, finish
from learnact.report.data import ALL, RowKey, Score
from learnact.report.figure3 import NOT_TESTED, Figure3, IterationPoint
from learnact.statistics.intervals import Interval


def draw_figure3(figure: Figure3, stem: Path) -> list[Path]:
    """Draw it as SVG and PNG. Returns the paths. `stem`: path without ending.

    Raises:
        ResultsError: there is nothing to draw.
    """
    if not figure.points:
        raise ResultsError(NOT_TESTED)

    def paint(left: Any, right: Any) -> None:
        _success(left, figure)
        _calls(right, figure)

    return draw(stem, paint, caption(figure), simulated=figure.simulated)


def caption(figure: Figure3) -> str:
    """How many trials and episodes are behind the points, in words."""
    sentences = []
    for line in _lines(figure):
        scores = [point.score for point in _overall(figure, line)]
        sentences.append(f"{_name(figure, line)}: {_numbers_of(scores)} a point")
    for score in _references(figure):
        sentences.append(f"{_name(figure, score.key)}: {_numbers_of([score])}")
    unfinished = sum(point.score.unfinished for point in figure.points if point.domain == ALL)
    unfinished += sum(score.unfinished for score in _references(figure))
    lost = f"; {unfinished} unfinished are left out" if unfinished else ""
    return "; ".join(sentences) + lost + ". Bars and band: 95 % intervals, clustered by task."


def _numbers_of(scores: Sequence[Score]) -> str:
    trials, episodes = max(s.trials for s in scores), sorted({s.success.episodes for s in scores})
    number = f"{episodes[0]}" if len(episodes) == 1 else f"{episodes[0]} to {episodes[-1]}"
    return f"{trials} trial{'s' if trials > 1 else ''}, {number} episodes"


def _lines(figure: Figure3) -> list[RowKey]:
    return list(dict.fromkeys(point.line for point in figure.points))


def _overall(figure: Figure3, line: RowKey) -> list[IterationPoint]:
    return [point for point in figure.points if point.line == line and point.domain == ALL]


def _references(figure: Figure3) -> list[Score]:
    return [score for score in figure.references if score.key.domain == ALL]


def _name(figure: Figure3, key: RowKey) -> str:
    """The method, with its agent model where there are several."""
    agents = {point.line.agent_model for point in figure.points}
    return f"{key.method} ({key.agent_model})" if len(agents) > 1 else key.method


def _success(axes: Any, figure: Figure3) -> None:
    lines = _lines(figure)
    if len(lines) == 1 and figure.several_domains:
        _domains(axes, figure.points)
    for index, score in enumerate(_references(figure)):
        if index == 0:
            axes.axhspan(score.success.low, score.success.high, color=GREY, alpha=0.12, linewidth=0)
        dash = DASHES[(index + 1) % len(DASHES)]
        axes.axhline(
            score.success.mean, color=GREY, linestyle=dash, linewidth=1.3, label=_name(figure, score.key)
        )
    for index, line in enumerate(lines):
        points = [(p.iteration, p.score.success) for p in _overall(figure, line)]
        _draw(axes, points, _name(figure, line), index, _shift(index, len(lines)))
    _finish(axes, figure, "success in tests")


def _calls(axes: Any, figure: Figure3) -> None:
    lines = _lines(figure)
    for index, line in enumerate(lines):
        name, points = _name(figure, line), _overall(figure, line)
        shift = _shift(index, len(lines))
        correct = [(p.iteration, p.correctness) for p in points]
        often = [(p.iteration, p.frequency) for p in points]
        _draw(axes, correct, f"{name}: calls that succeeded", index, shift - 0.02)
        _draw(axes, often, f"{name}: turns that were calls", index, shift + 0.02, hollow=True)
    _finish(axes, figure, "calls of learned actions")


def _shift(index: int, number: int) -> float:
    return 0.08 * (index - (number - 1) / 2)


def _domains(axes: Any, points: Sequence[IterationPoint]) -> None:
    """A thin line for each domain, without intervals."""
    for index, domain in enumerate(dict.fromkeys(p.domain for p in points if p.domain != ALL)):
        own = [p for p in points if p.domain == domain]
        iterations, means = [p.iteration for p in own], [p.score.success.mean for p in own]
        style = {"marker": MARKERS[(index + 1) % len(MARKERS)], "linestyle": DASHES[index % len(DASHES)]}
        axes.plot(
            iterations, means, color=GREY, linewidth=0.8, markersize=3, alpha=0.9, label=domain, **style
        )


def _draw(
    axes: Any,
    points: Sequence[tuple[int, Interval]],
    label: str,
    index: int,
    shift: float,
    hollow: bool = False,
) -> None:
    known = [(x, y) for x, y in points if y.known]
    axes.errorbar(
        [x + shift for x, _ in known],
        [y.mean for _, y in known],
        yerr=[[y.mean - y.low for _, y in known], [y.high - y.mean for _, y in known]],
        color=COLOURS[index % len(COLOURS)],
        marker=MARKERS[index % len(MARKERS)],
        markerfacecolor="white" if hollow else None,
        linestyle="--" if hollow else "-",
        markersize=5,
        capsize=3,
        linewidth=1.6,
        elinewidth=0.8,
        label=label,
    )


def _finish(axes: Any, figure: Figure3, title: str) -> None:
    axes.set_xlabel("iterations of learning")
    axes.set_xticks(sorted({point.iteration for point in figure.points}))
    finish(axes, title)
