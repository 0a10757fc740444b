"""The figure of streams: success on each task as it comes and right after it was learned from, and the size
of the library, by how many tasks came before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from learnact.errors import ResultsError
from learnact.report.canvas import COLOURS, MARKERS, draw, finish
from learnact.report.data import RowKey
from learnact.report.stream import NO_STREAM, Streams


def draw_streams(streams: Mapping[RowKey, Streams], stem: Path) -> list[Path]:
    """Draw it as SVG and PNG. Returns the paths. `stem`: path without ending.

    Raises:
        ResultsError: there is nothing to draw.
    """
    if not streams:
        raise ResultsError(NO_STREAM)
    several = len({key.domain for key in streams}) > 1

    from matplotlib import ticker

    def paint(left: Any, right: Any) -> None:
        for index, (key, found) in enumerate(streams.items()):
            style = {
                "color": COLOURS[index % len(COLOURS)],
                "marker": MARKERS[index % len(MARKERS)],
                "markersize": 4,
                "label": f"{key.method} on {key.domain}" if several else key.method,
            }
            before = _by_place(found)
            left.plot(list(before), list(before.values()), **style)
            grown = found.growth
            right.plot(
                list(grown), [functions + sentences for functions, sentences in grown.values()], **style
            )
        left.set_xlabel("tasks learned from before")
        for axes in (left, right):
            axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
        finish(left, "success on the next task")
        right.set_xlabel("tasks learned from")
        finish(right, "functions and sentences in the library", shares=False)

    number = sum(found.number for found in streams.values())
    simulated = any(found.simulated for found in streams.values())
    return draw(stem, paint, f"Means over {number} streams.", simulated=simulated, one_scale=False)


def _by_place(streams: Streams) -> dict[int, float]:
    places = sorted({task.place for task in streams.tasks.values()})
    return {
        place: fmean(bool(t.before) for t in streams.tasks.values() if t.place == place) for place in places
    }
