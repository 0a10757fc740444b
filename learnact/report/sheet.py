"""A table of results as data, and how it is shown: Rich, CSV, Markdown, JSON. Numbers stay numbers until they are shown."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from learnact.results.statistics import Interval

Kind = Literal["text", "count", "share", "number", "dollars", "difference"]
Cell: TypeAlias = None | str | int | float | bool | Interval
SIMULATED = "Simulated models: these numbers test the machinery and say nothing about language models."


@dataclass(frozen=True)
class Column:
    """A column. `share` and `difference` are fractions, shown in percent; cells that are intervals are shown with their bounds."""

    name: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Sheet:
    """A table with a title and notes. `simulated`: some of its numbers come from simulated models, and it says so wherever it goes."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    simulated: bool = False

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes, headed by the mark of simulated models."""
        return ((SIMULATED, *self.notes)) if self.simulated else self.notes


def shown(cell: Cell, kind: Kind) -> str:
    """A cell as text; `-` where there is nothing."""
    if isinstance(cell, Interval):
        if not cell.known:
            return "-"
        mark = "+" if kind == "difference" else ""
        if kind in ("share", "difference"):
            return f"{100 * cell.mean:{mark}.1f} ({100 * cell.low:{mark}.0f} to {100 * cell.high:{mark}.0f})"
        return f"{cell.mean:.2f} ({cell.low:.2f} to {cell.high:.2f})"
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str):
        return cell
    return _number(float(cell), kind)


def _number(value: float, kind: Kind) -> str:
    if kind == "share":
        return f"{100 * value:.1f}"
    if kind == "difference":
        return f"{100 * value:+.1f}"
    if kind == "dollars":
        return f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}"
    if kind == "number":
        return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,.0f}"


def heading(column: Column) -> str:
    """Name and unit."""
    unit = {"share": " %", "difference": " %", "dollars": " $"}.get(column.kind, "")
    return f"{column.name}{unit}"


def to_rich(sheet: Sheet) -> RenderableType:
    """For a terminal: the table, then its remarks at the terminal's full width."""
    title = f"{sheet.title} (simulated)" if sheet.simulated else sheet.title
    table = Table(
        title=title, title_justify="left", box=None, pad_edge=False, header_style="bold", title_style="bold"
    )
    for column in sheet.columns:
        table.add_column(
            heading(column), justify="left" if column.kind == "text" else "right", overflow="fold"
        )
    for row in sheet.rows:
        table.add_row(*(Text(shown(cell, c.kind)) for cell, c in zip(row, sheet.columns, strict=True)))
    return Group(table, *(Text(remark, style="dim") for remark in sheet.remarks))


def to_markdown(sheet: Sheet) -> str:
    """For a document."""
    lines = [f"**{sheet.title}{' (simulated)' if sheet.simulated else ''}**", ""]
    lines.append("| " + " | ".join(_escaped(heading(c)) for c in sheet.columns) + " |")
    lines.append("|" + "|".join(" --- " if c.kind == "text" else " ---: " for c in sheet.columns) + "|")
    for row in sheet.rows:
        cells = (_escaped(shown(cell, c.kind)) for cell, c in zip(row, sheet.columns, strict=True))
        lines.append("| " + " | ".join(cells) + " |")
    lines += [f"\n{remark}" for remark in sheet.remarks]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def to_csv(sheet: Sheet) -> str:
    """For other programs: fractions, not percent; an interval becomes five columns; the last column marks simulated models."""
    names, rows = _flat(sheet)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*names, "simulated"])
    writer.writerows([*row, sheet.simulated] for row in rows)
    return out.getvalue()


def _flat(sheet: Sheet) -> tuple[list[str], list[list[Any]]]:
    spread = [
        any(isinstance(row[index], Interval) for row in sheet.rows) for index in range(len(sheet.columns))
    ]
    parts = ("", "_low", "_high", "_episodes", "_tasks")
    names: list[str] = []
    for column, wide in zip(sheet.columns, spread, strict=True):
        names += [f"{column.name}{part}".replace(" ", "_") for part in (parts if wide else parts[:1])]
    rows = []
    for row in sheet.rows:
        flat: list[Any] = []
        for cell, wide in zip(row, spread, strict=True):
            flat += _values(cell) if wide else [cell]
        rows.append(flat)
    return names, rows


def _values(cell: Cell) -> list[Any]:
    if isinstance(cell, Interval):
        return [cell.mean, cell.low, cell.high, cell.episodes, cell.clusters] if cell.known else [None] * 5
    return [cell, None, None, None, None]


def to_json(sheet: Sheet) -> str:
    """One JSON object: title, simulated, notes, rows by column."""
    return json.dumps(as_plain(sheet), ensure_ascii=False, allow_nan=False)


def as_plain(sheet: Sheet) -> dict[str, Any]:
    """As plain data."""
    return {
        "title": sheet.title,
        "simulated": sheet.simulated,
        "notes": list(sheet.remarks),
        "rows": [
            {c.name: _plain(cell) for c, cell in zip(sheet.columns, row, strict=True)} for row in sheet.rows
        ],
    }


def _plain(cell: Cell) -> Any:
    if isinstance(cell, Interval):
        return _finite(asdict(cell)) if cell.known else None
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def _finite(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}


FORMATS = {"csv": to_csv, "markdown": to_markdown, "json": to_json}
"""Text forms by name; on a terminal `to_rich`."""
