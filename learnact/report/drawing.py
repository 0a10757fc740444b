"""Draws figure 3 as SVG and PNG. Needs matplotlib (the extra `figures`). Lines differ in marker and dash, so that they do without colour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from learnact.errors import MissingExtra, ResultsError
from learnact.report.figures import MISSING, Figure, Point
from learnact.report.played import ALL, Group, Score
from learnact.report.sheet import SIMULATED
from learnact.results.statistics import Interval

FORMATS = ("svg", "png")
INKS = ("#0b3c5d", "#d1495b", "#3a8f5c", "#8f6bb3")
"""Colours of lines, from dark to light in grey."""
MARKERS = ("o", "s", "^", "D")
DASHES = ("-", "--", "-.", ":")
GREY = "#777777"


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
    with matplotlib.rc_context({"svg.hashsalt": "learnact", "svg.fonttype": "none", "font.size": 9}):
        drawing, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4.8), sharey=True)
        _success(left, figure)
        _calls(right, figure)
        drawing.text(0.5, 0.045, caption(figure), ha="center", fontsize=7.5)
        if figure.simulated:
            drawing.text(0.5, 0.012, SIMULATED, ha="center", fontsize=7.5, color="firebrick")
        drawing.tight_layout(rect=(0, 0.08, 1, 1))
        for kind in FORMATS:
            path = stem.with_suffix(f".{kind}")
            metadata = {"Date": None} if kind == "svg" else {"Software": "learnact"}
            drawing.savefig(path, dpi=160, metadata=metadata)
            written.append(path)
        pyplot.close(drawing)
    return written


def caption(figure: Figure) -> str:
    """What the points stand on, in words."""
    parts = []
    for line in _lines(figure):
        rates = [point.rate for point in _overall(figure, line)]
        parts.append(f"{_name(figure, line)}: {_standing(rates)} a point")
    for rate in _references(figure):
        parts.append(f"{_name(figure, rate.group)}: {_standing([rate])}")
    unfinished = sum(point.rate.unfinished for point in figure.points if point.domain == ALL)
    unfinished += sum(rate.unfinished for rate in _references(figure))
    lost = f"; {unfinished} unfinished are left out" if unfinished else ""
    return "; ".join(parts) + lost + ". Bars and band: 95 % intervals, clustered by task."


def _standing(rates: Sequence[Score]) -> str:
    trials, episodes = max(r.trials for r in rates), sorted({r.success.episodes for r in rates})
    number = f"{episodes[0]}" if len(episodes) == 1 else f"{episodes[0]} to {episodes[-1]}"
    return f"{trials} trial{'s' if trials > 1 else ''}, {number} episodes"


def _lines(figure: Figure) -> list[Group]:
    return list(dict.fromkeys(point.line for point in figure.points))


def _overall(figure: Figure, line: Group) -> list[Point]:
    return [point for point in figure.points if point.line == line and point.domain == ALL]


def _references(figure: Figure) -> list[Score]:
    return [rate for rate in figure.references if rate.group.domain == ALL]


def _name(figure: Figure, group: Group) -> str:
    """The method, with its agent model where there are several."""
    agents = {point.line.agent_model for point in figure.points}
    return f"{group.method} ({group.agent_model})" if len(agents) > 1 else group.method


def _success(axes: Any, figure: Figure) -> None:
    lines = _lines(figure)
    if len(lines) == 1 and figure.several:
        _domains(axes, figure.points)
    for place, rate in enumerate(_references(figure)):
        ink = GREY
        if place == 0:
            axes.axhspan(rate.success.low, rate.success.high, color=ink, alpha=0.12, linewidth=0)
        dash = DASHES[(place + 1) % len(DASHES)]
        axes.axhline(
            rate.success.mean, color=ink, linestyle=dash, linewidth=1.3, label=_name(figure, rate.group)
        )
    for place, line in enumerate(lines):
        points = [(p.iteration, p.rate.success) for p in _overall(figure, line)]
        _draw(axes, points, _name(figure, line), place, _shift(place, len(lines)))
    _finish(axes, figure, "success in tests")


def _calls(axes: Any, figure: Figure) -> None:
    lines = _lines(figure)
    for place, line in enumerate(lines):
        name, points = _name(figure, line), _overall(figure, line)
        shift = _shift(place, len(lines))
        correct = [(p.iteration, p.correctness) for p in points]
        often = [(p.iteration, p.frequency) for p in points]
        _draw(axes, correct, f"{name}: calls that succeeded", place, shift - 0.02)
        _draw(axes, often, f"{name}: turns that were calls", place, shift + 0.02, hollow=True)
    _finish(axes, figure, "calls of learned actions")


def _shift(place: int, number: int) -> float:
    return 0.08 * (place - (number - 1) / 2)


def _domains(axes: Any, points: Sequence[Point]) -> None:
    """A thin line a domain, without intervals."""
    for place, domain in enumerate(dict.fromkeys(p.domain for p in points if p.domain != ALL)):
        part = [p for p in points if p.domain == domain]
        at, means = [p.iteration for p in part], [p.rate.success.mean for p in part]
        style = {"marker": MARKERS[(place + 1) % len(MARKERS)], "linestyle": DASHES[place % len(DASHES)]}
        axes.plot(at, means, color=GREY, linewidth=0.8, markersize=3, alpha=0.9, label=domain, **style)


def _draw(
    axes: Any,
    points: Sequence[tuple[int, Interval]],
    label: str,
    place: int,
    shift: float,
    hollow: bool = False,
) -> None:
    known = [(x, y) for x, y in points if y.known]
    axes.errorbar(
        [x + shift for x, _ in known],
        [y.mean for _, y in known],
        yerr=[[y.mean - y.low for _, y in known], [y.high - y.mean for _, y in known]],
        color=INKS[place % len(INKS)],
        marker=MARKERS[place % len(MARKERS)],
        markerfacecolor="white" if hollow else None,
        linestyle="--" if hollow else "-",
        markersize=5,
        capsize=3,
        linewidth=1.6,
        elinewidth=0.8,
        label=label,
    )


def _finish(axes: Any, figure: Figure, title: str) -> None:
    axes.set_xlabel("iterations of learning")
    axes.set_title(title, fontsize=10)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xticks(sorted({point.iteration for point in figure.points}))
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"])
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7.5, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, frameon=False)
