"""The charts of a report: what they show as a table, the query that gives it, and the drawing."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from learnact.pages.svg import FAINT, INK, MARKERS, SERIES, draw
from learnact.report.data import ALL, ReportData, RowKey, Score
from learnact.report.figure3 import IterationPoint, figure3, figure3_table
from learnact.report.result_table import Cell, Column, ResultTable
from learnact.report.score_table import INTERVALS, score_rows
from learnact.results.reader import dictionaries
from learnact.statistics.intervals import Interval, mean_of

WIDTH = 5.4
"""Inches. Narrow, so that a chart fits a telephone and two stand side by side on a desk."""
ROW = 0.24
"""Inches of a row of the success chart."""
MOST_ROWS = 160
"""Rows that a success chart has at most; with more it shows the rows over all domains."""


@dataclass(frozen=True)
class PageChart:
    """A chart: its name in files, title and caption, its data, the query that gives them, the drawing."""

    name: str
    title: str
    caption: str
    table: ResultTable
    sql: str
    svg: str
    png: bytes


def page_query(name: str) -> str:
    """A query of `queries/`."""
    return (files("learnact.pages") / "queries" / f"{name}.sql").read_text(encoding="utf-8")


def charts(data: ReportData) -> list[PageChart]:
    """The charts for which the results have something to show."""
    made = (success_chart(data), *efficiency_charts(data), learning_chart(data), iterations_chart(data))
    return [chart for chart in made if chart is not None]


def series_of(data: ReportData) -> dict[str, int]:
    """The colour and marker of each method: the same in every chart."""
    methods = {score.key.method for score in data.scores}
    return {method: place for place, method in enumerate(sorted(methods, key=data.place_of))}


# Success ----------------------------------------------------------------------------------------------------


def success_chart(data: ReportData) -> PageChart | None:
    """Success by domain and method, with intervals."""
    scores = [score for score in data.scores if score.success.known]
    if len(scores) > MOST_ROWS:
        scores = [score for score in scores if score.key.domain == ALL] or scores[:MOST_ROWS]
    if not scores:
        return None
    places, several = series_of(data), len({score.key.agent_model for score in scores}) > 1
    domains = list(dict.fromkeys(score.key.domain for score in scores))
    height = 0.75 + ROW * (len(scores) + 0.9 * len(domains))

    def paint(figure: Any) -> None:
        axes, y = figure.subplots(), 0.0
        ticks: list[tuple[float, str]] = []
        for domain in domains:
            axes.text(0.0, y, domain, weight="bold", va="center", transform=axes.get_yaxis_transform())
            y += 1.0
            for score in (one for one in scores if one.key.domain == domain):
                _point(axes, (score.success, y), places[score.key.method])
                ticks.append((y, _label(score.key, several)))
                y += 1.0
            y += 0.3
        axes.set_yticks([place for place, _ in ticks], [label for _, label in ticks])
        axes.set_ylim(y - 0.6, -0.7)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        _percent_axis(axes.set_xlim, axes.set_xticks)
        axes.set_xlabel("success in tests")

    svg, png = draw(paint, (WIDTH, height))
    table = score_rows(scores, "Success in tests")
    return PageChart(
        name="success",
        title="Success in tests",
        caption=INTERVALS,
        table=table,
        sql=page_query("success"),
        svg=svg,
        png=png,
    )


def _point(axes: Any, at: tuple[Interval, float], place: int) -> None:
    """A mean with its interval, in a row."""
    value, y = at
    axes.plot([value.low, value.high], [y, y], color=_colour(place), linewidth=1.6, solid_capstyle="butt")
    axes.plot([value.mean], [y], _marker(place), color=_colour(place), markersize=5.5)


def _label(key: RowKey, several: bool) -> str:
    return f"{key.method} ({key.agent_model})" if several else key.method


def _colour(place: int) -> str:
    return SERIES[place % len(SERIES)]


def _marker(place: int) -> str:
    return MARKERS[place % len(MARKERS)]


def _percent_axis(limits: Callable[..., Any], ticks: Callable[..., Any]) -> None:
    limits(-0.03, 1.03)
    ticks([0, 0.25, 0.5, 0.75, 1.0], ["0 %", "25 %", "50 %", "75 %", "100 %"])


# Efficiency -------------------------------------------------------------------------------------------------

WITH_LEARNING = (
    "Filled: acting alone. Hollow: with the trials' learning shared among their test episodes (more tests "
    "would bring it nearer). Bars: 95 % intervals of success."
)


def efficiency_charts(data: ReportData) -> list[PageChart]:
    """Success against tokens, and against calls of models, of a test episode."""
    rows = dictionaries(data.connection, page_query("efficiency"))
    overall = {_models(score.key): score for score in _overall(data.scores)}
    found = [(row, overall[key]) for row in rows if (key := _row_models(row)) in overall]
    if not found:
        return []
    titles = {"tokens": "tokens", "calls": "calls of models"}
    known = {unit: [(row, score) for row, score in found if row[unit]] for unit in titles}
    return [_efficiency(data, known[unit], (unit, title)) for unit, title in titles.items() if known[unit]]


def _models(key: RowKey) -> tuple[str, str, str]:
    return key.method, key.agent_model, key.learner_model


def _row_models(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["method"], row["agent_model"] or "", row["learner_model"] or ""


def _overall(scores: Sequence[Score]) -> list[Score]:
    """The scores over all domains; those of the only domain where there is one."""
    total = {_models(score.key) for score in scores if score.key.domain == ALL}
    return [score for score in scores if score.key.domain == ALL or _models(score.key) not in total]


def _efficiency(
    data: ReportData, found: Sequence[tuple[dict[str, Any], Score]], unit: tuple[str, str]
) -> PageChart:
    name, title = unit
    places, several = series_of(data), len({score.key.agent_model for _, score in found}) > 1

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for row, score in found:
            place, success = places[score.key.method], score.success
            colour, marker, acting = _colour(place), _marker(place), row[name]
            learning = row[f"{name}_with_learning"]
            axes.plot([acting, acting], [success.low, success.high], color=colour, linewidth=1.2)
            axes.plot(
                [acting], [success.mean], marker, color=colour, markersize=7, label=_label(score.key, several)
            )
            if learning is not None and learning > 1.005 * acting:
                axes.plot([acting, learning], [success.mean] * 2, color=colour, linewidth=0.8, linestyle=":")
                axes.plot([learning], [success.mean], marker, color=colour, markersize=7, fillstyle="none")
        axes.set_xscale("log")
        axes.grid()
        _log_ticks(axes)
        _percent_axis(axes.set_ylim, axes.set_yticks)
        axes.set_xlabel(f"{title} a test episode (log scale)")
        axes.set_ylabel("success in tests")
        figure.legend(loc="outside upper center", ncols=3)

    columns = (
        Column("method"),
        Column("agent model"),
        Column("success", "share"),
        Column("episodes", "count"),
        Column(name, "number"),
        Column(f"{name} with learning", "number"),
    )
    table = ResultTable(
        f"Success against {title}",
        columns,
        tuple(
            (
                score.key.method,
                score.key.agent_model,
                score.success,
                row["episodes"],
                row[name],
                row[f"{name}_with_learning"],
            )
            for row, score in found
        ),
    ).mark_simulated([score.simulated for _, score in found])
    svg, png = draw(paint, (WIDTH, 3.6))
    return PageChart(
        name=f"success-by-{name}",
        title=table.title,
        caption=WITH_LEARNING,
        table=table,
        sql=page_query("efficiency"),
        svg=svg,
        png=png,
    )


def _log_ticks(axes: Any) -> None:
    """Room at both ends, and about four round numbers."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    low, high = axes.get_xlim()
    low, high = low / 1.15, high * 1.15
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(_round_numbers(low, high)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def _round_numbers(low: float, high: float) -> list[float]:
    """Round numbers between two, from the coarsest series that has three of them."""
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    found: list[float] = []
    for series in (
        (1,),
        (1, 3),
        (1, 2, 5),
        (1, 1.5, 2, 3, 5, 7),
        tuple(range(10, 100, 5)),
        range(100, 1000, 10),
    ):
        scale = max(1, 10 ** (len(str(int(series[0]))) - 1))
        found = [n / scale * 10.0**d for d in decades for n in series if low <= n / scale * 10.0**d <= high]
        if len(found) >= 3:
            break
    step = max(1, math.ceil(len(found) / 5))
    return found[::step]


# Learning ---------------------------------------------------------------------------------------------------


TRAINING = (
    "The library that each iteration selected, on its training tasks; mean and 95 % interval over trials."
)


def learning_chart(data: ReportData) -> PageChart | None:
    """Training success of the selected library by iteration: a mean over trials."""
    groups: dict[tuple[str, str, int], list[float]] = defaultdict(list)
    for row in dictionaries(data.connection, page_query("learning")):
        groups[row["method"], row["agent_model"], row["iteration"]].append(row["success"])
    points = {key: mean_of(values, 0.0, 1.0) for key, values in groups.items()}
    lines = sorted({key[:2] for key in points}, key=lambda line: (data.place_of(line[0]), line))
    if max((iteration for *_, iteration in points), default=0) < 1:
        return None
    places, several = series_of(data), len({model for _, model in lines}) > 1

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for index, line in enumerate(lines):
            own = {key[2]: value for key, value in sorted(points.items()) if key[:2] == line}
            key = RowKey(ALL, *line, "")
            _line(axes, own, (places.get(line[0], index), index, len(lines)), _label(key, several))
        _iterations(figure, axes, "success on training tasks")

    rows: list[tuple[Cell, ...]] = [(*key, value, value.clusters) for key, value in sorted(points.items())]
    columns = (
        Column("method"),
        Column("agent model"),
        Column("iteration", "count"),
        Column("success on training tasks", "share", over="trials"),
        Column("trials", "count"),
    )
    table = ResultTable("Learning", columns, tuple(rows)).mark_simulated(
        [str(row[1]) in data.simulated_models for row in rows]
    )
    svg, png = draw(paint, (WIDTH, 3.4))
    return PageChart(
        name="learning",
        title="Learning curves",
        caption=TRAINING,
        table=table,
        sql=page_query("learning"),
        svg=svg,
        png=png,
    )


def iterations_chart(data: ReportData) -> PageChart | None:
    """Test success by iteration (figure 3 of the paper), where the job tested each iteration."""
    found = figure3(data)
    points = [point for point in found.points if point.domain == ALL] or list(found.points)
    if not points:
        return None
    lines = list(dict.fromkeys(point.line for point in points))
    places, several = series_of(data), len({line.agent_model for line in lines}) > 1

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for index, line in enumerate(lines):
            own = {p.iteration: p.score.success for p in points if p.line == line}
            _line(axes, own, (places.get(line.method, index), index, len(lines)), _label(line, several))
        _iterations(figure, axes, "success in tests")

    svg, png = draw(paint, (WIDTH, 3.4))
    return PageChart(
        name="success-by-iteration",
        title="Success in tests by iteration of learning",
        caption=f"Iteration 0: the library as created. {INTERVALS}",
        table=figure3_table(found),
        sql=_iterations_query(points),
        svg=svg,
        png=png,
    )


def _iterations_query(points: Sequence[IterationPoint]) -> str:
    methods = ", ".join(
        "'" + m.replace("'", "''") + "'" for m in dict.fromkeys(p.line.method for p in points)
    )
    return page_query("iterations").replace("$methods", methods)


def _line(axes: Any, points: dict[int, Interval], place: tuple[int, int, int], label: str) -> None:
    """A line with intervals; lines stand a little beside each other, so that none hides another."""
    series, index, number = place
    shift = min(0.06, 0.3 / number) * (index - (number - 1) / 2)
    x = [iteration + shift for iteration in points]
    colour = _colour(series)
    for at, value in zip(x, points.values(), strict=True):
        axes.plot([at, at], [value.low, value.high], color=colour, linewidth=0.9)
    means = [value.mean for value in points.values()]
    axes.plot(x, means, marker=_marker(series), color=colour, linewidth=1.6, markersize=5.5, label=label)


def _iterations(figure: Any, axes: Any, title: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("iterations of learning")
    axes.set_ylabel(title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=FAINT)
    axes.spines["left"].set_color(INK)
    _percent_axis(axes.set_ylim, axes.set_yticks)
    figure.legend(loc="outside upper center", ncols=3)
