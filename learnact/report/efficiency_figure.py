"""The figure of efficiency: success against tokens of a test episode, learning left out and included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learnact.errors import ResultsError
from learnact.report.canvas import COLOURS, MARKERS, draw, finish
from learnact.report.data import ALL, ReportData
from learnact.report.efficiency import INTERVALS, LEARNED, PAID, Efficiency, EfficiencyRows
from learnact.report.result_table import Column, ResultTable, format_cell
from learnact.report.score_table import NOTHING_PLAYED, ModelColumns
from learnact.statistics.intervals import Interval


@dataclass(frozen=True)
class EfficiencyFigure:
    """What is drawn: a large point with intervals for each method over all domains (or the only one), small
    ones for each domain.
    """

    points: tuple[Efficiency, ...]
    domains: tuple[Efficiency, ...]

    @property
    def simulated(self) -> bool:
        """Whether any of its numbers comes from a simulated model."""
        return any(row.score.simulated for row in (*self.points, *self.domains))

    def name(self, row: Efficiency) -> str:
        """The method, with its models where there are several."""
        agents = {one.key.agent_model for one in self.points}
        learners = {one.key.learner_model for one in self.points if one.key.learner_model}
        models = [row.key.agent_model] if len(agents) > 1 else []
        models += [row.key.learner_model] if len(learners) > 1 and row.key.learner_model else []
        return f"{row.key.method} ({', '.join(models)})" if models else row.key.method


def efficiency_figure(data: ReportData) -> EfficiencyFigure:
    """The points of the figure: rows with a test episode."""
    rows = [row for row in EfficiencyRows(data).rows if row.score.success.known]
    overall = {row.key for row in rows if row.key.domain == ALL}
    several = [row for row in rows if row.key._replace(domain=ALL) in overall and row.key not in overall]
    return EfficiencyFigure(tuple(row for row in rows if row not in several), tuple(several))


def draw_efficiency(figure: EfficiencyFigure, stem: Path) -> list[Path]:
    """Draw it as SVG and PNG. Returns the paths. `stem`: path without ending.

    Raises:
        ResultsError: there is nothing to draw.
    """
    if not figure.points:
        raise ResultsError(NOTHING_PLAYED)

    def paint(left: Any, right: Any) -> None:
        for axes, with_learning in ((left, False), (right, True)):
            for index, row in enumerate(figure.points):
                _draw_point(axes, figure, row, index, with_learning)
        limits = [axes.get_xlim() for axes in (left, right)]
        for axes, title in ((left, "learning left out"), (right, "learning included")):
            axes.set_xlim(0.85 * min(low for low, _ in limits), 1.15 * max(high for _, high in limits))
            _number_axis(axes.xaxis)
            axes.set_xlabel("tokens per test episode, in and out (logarithmic)")
            finish(axes, f"success in tests, {title}")

    return draw(stem, paint, caption(figure), simulated=figure.simulated)


def _number_axis(axis: Any) -> None:
    """Ticks at 1, 2 and 5 times the powers of ten, written as 20k."""
    from matplotlib import ticker

    axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_minor_locator(ticker.NullLocator())
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: _tick(value)))


def _tick(value: float) -> str:
    """20, 500, 20k, 5M."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def caption(figure: EfficiencyFigure) -> str:
    """What is behind the points, in words."""
    learned = [row for row in figure.points if row.learning]
    tests = sorted({round(row.learning.tests) for row in learned if row.learning})
    number = f"{tests[0]}" if len(tests) == 1 else f"{tests[0]} to {tests[-1]}" if tests else ""
    spread = f" Included: learning spread over the {number} test episodes of a trial." if learned else ""
    small = " Small: single domains." if figure.domains else ""
    unknown = [figure.name(row) for row in figure.points if not row.tokens(with_learning=True).known]
    missing = f" Not known what learning cost: {', '.join(unknown)}." if unknown else ""
    unfinished = sum(row.score.unfinished for row in figure.points)
    lost = f" {unfinished} unfinished episodes are left out." if unfinished else ""
    return f"Bars: 95 % intervals, clustered by task.{small}{spread}{missing}{lost}"


def _draw_point(
    axes: Any, figure: EfficiencyFigure, row: Efficiency, index: int, with_learning: bool
) -> None:
    colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
    axes.set_xscale("log")
    for part in figure.domains:
        tokens = part.tokens(with_learning=with_learning)
        if part.key._replace(domain=ALL) == row.key and tokens.known and tokens.mean > 0:
            at = (tokens.mean, part.score.success.mean)
            axes.plot(*at, marker=marker, color=colour, markersize=3.5, alpha=0.55, linestyle="none")
            side, beside = ("right", -4) if index % 2 == 0 else ("left", 4)
            axes.annotate(
                part.key.domain,
                at,
                (beside, 0),
                textcoords="offset points",
                fontsize=5.5,
                color=colour,
                ha=side,
                va="center",
            )
    tokens = row.tokens(with_learning=with_learning)
    if not tokens.known or tokens.mean <= 0:
        return
    axes.errorbar(
        [tokens.mean],
        [row.score.success.mean],
        xerr=_lengths(tokens, least=tokens.mean / 10),
        yerr=_lengths(row.score.success),
        color=colour,
        marker=marker,
        markersize=7,
        capsize=3,
        elinewidth=0.9,
        linestyle="none",
        label=_label(figure, row) if with_learning else figure.name(row),
    )


def _label(figure: EfficiencyFigure, row: Efficiency) -> str:
    paid = row.learning.paid_in_tokens if row.learning else None
    if paid is None or not paid.known:
        return figure.name(row)
    text = format_cell(paid, "episodes")
    words = "never paid back" if text == "never" else f"paid back after {text} test episodes"
    return f"{figure.name(row)}: {words}"


def _lengths(interval: Interval, least: float = 0.0) -> list[list[float]] | None:
    """Lengths of the bars below and above a mean; None without bounds. `least`: the lowest end that a
    logarithmic axis is given.
    """
    if interval.low != interval.low:  # NaN
        return None
    return [[interval.mean - max(interval.low, least)], [interval.high - interval.mean]]


def figure_table(figure: EfficiencyFigure) -> ResultTable:
    """The points as a table."""
    rows: Sequence[Efficiency] = (*figure.domains, *figure.points)
    models = ModelColumns(row.key for row in rows)
    columns = (
        Column("domain"),
        Column("method"),
        *models.columns,
        Column("success", "share", counted=True),
        Column("tokens per episode", "count"),
        Column("with learning", "count"),
        Column("paid back after", "episodes"),
    )
    table = ResultTable(
        "Success against tokens of a test episode",
        columns,
        tuple(
            (
                row.key.domain,
                row.key.method,
                *models.cells(row.key),
                row.score.success,
                row.tokens(with_learning=False),
                row.tokens(with_learning=True),
                row.learning.paid_in_tokens if row.learning else None,
            )
            for row in rows
        ),
        (INTERVALS, LEARNED, PAID, *models.notes, *(() if rows else (NOTHING_PLAYED,))),
    )
    return table.mark_simulated([row.score.simulated for row in rows])
