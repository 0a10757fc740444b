"""What all figures have in common: their size and style, their files, and the mark of simulated models.

Lines and points differ in marker and dash, so that they can be told apart without colour.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from learnact.report.result_table import SIMULATED

FORMATS = ("svg", "png")
COLOURS = ("#0b3c5d", "#d1495b", "#3a8f5c", "#8f6bb3", "#c77d0a", "#3e92cc", "#6b4a2b")
"""Colours of lines; the first four from dark to light in grey."""
MARKERS = ("o", "s", "^", "D", "v")
"""One more or less than multiples of the colours: 35 lines before two look the same."""
DASHES = ("-", "--", "-.", ":")
GREY = "#777777"
PERCENT = ([0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"])
"""Places and names of an axis of shares."""


def draw(
    stem: Path,
    paint: Callable[[Any, Any], None],
    caption: str,
    *,
    simulated: bool,
    one_scale: bool = True,
) -> list[Path]:
    """Draw a figure as SVG and PNG, equal bytes for equal data. Returns the paths.

    `stem`: path without ending. `paint` draws on the left and on the right axes. `simulated`: some of its
    numbers come from simulated models, and the figure says so. `one_scale`: both axes have one scale upwards.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    written = []
    base = stem.with_suffix("") if stem.suffix.lstrip(".") in FORMATS else stem
    stem.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": "learnact", "svg.fonttype": "none", "font.size": 9}):
        drawing, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4.8), sharey=one_scale)
        paint(left, right)
        drawing.text(0.5, 0.045, caption, ha="center", fontsize=7.5)
        if simulated:
            drawing.text(0.5, 0.012, SIMULATED, ha="center", fontsize=7.5, color="firebrick")
        drawing.tight_layout(rect=(0, 0.08, 1, 1))
        for kind in FORMATS:
            path = base.with_name(f"{base.name}.{kind}")
            metadata = {"Date": None} if kind == "svg" else {"Software": "learnact"}
            drawing.savefig(path, dpi=160, metadata=metadata)
            written.append(path)
        pyplot.close(drawing)
    return written


def finish(axes: Any, title: str, *, shares: bool = True) -> None:
    """Title, grid, an axis of shares unless they are none, and the legend below."""
    axes.set_title(title, fontsize=10)
    if shares:
        axes.set_ylim(-0.03, 1.03)
        axes.set_yticks(*PERCENT)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=7.5, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=3, frameon=False)
