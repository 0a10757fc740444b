"""A table of results as data, and how it is shown: Rich, CSV, Markdown, JSON. Numbers stay numbers until they are shown."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeAlias

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from learnact.results.statistics import Interval

Kind = Literal["text", "count", "share", "number", "dollars", "difference"]
Cell: TypeAlias = None | str | int | float | bool | Interval
SIMULATED = "Simulated models: these numbers test the machinery and say nothing about language models."


@dataclass(frozen=True)
class Column:
    """A column. `share` and `difference` are fractions, shown in percent; cells that are intervals are shown with their bounds.

    `counted`: people see the number of episodes (n), once in the heading where all cells have the same, else in each cell. `over`: what an
    interval's values are, episodes of tasks or one value a trial. `aside`: for programs only (CSV, JSON), because it tells people nothing here.
    """

    name: str
    kind: Kind = "text"
    counted: bool = False
    over: Literal["tasks", "trials"] = "tasks"
    aside: bool = False


@dataclass(frozen=True)
class Sheet:
    """A table with a title and notes. `simulated`: some of its numbers come from simulated models, and it says so wherever it goes. `marks` says of
    each row whether it does, where rows differ; else it is empty."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    simulated: bool = False
    marks: tuple[bool, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes, headed by the mark of simulated models."""
        if not self.simulated:
            return self.notes
        return (f"Rows marked as simulated: {SIMULATED}" if self.marks else SIMULATED, *self.notes)

    @property
    def for_people(self) -> Sheet:
        """Without the columns that are for programs only, with a column of marks where rows differ."""
        kept = [index for index, column in enumerate(self.columns) if not column.aside]
        columns = tuple(self.columns[index] for index in kept)
        rows = tuple(tuple(row[index] for index in kept) for row in self.rows)
        if self.marks:
            columns = (*columns, Column("simulated"))
            rows = tuple((*row, of_row) for row, of_row in zip(rows, self.marks, strict=True))
        return replace(self, columns=columns, rows=rows)


def mark(sheet: Sheet, marks: Sequence[bool]) -> Sheet:
    """The sheet with a mark for each row that stands on a simulated model: one for the whole sheet where all rows do."""
    some, every = any(marks), all(marks)
    return replace(sheet, simulated=some, marks=tuple(marks) if some and not every else ())


def shown(cell: Cell, kind: Kind) -> str:
    """A cell as text; `-` where there is nothing."""
    if isinstance(cell, Interval):
        if not cell.known:
            return "-"
        if math.isnan(cell.low):
            return shown(cell.mean, kind)
        if kind == "share":
            return f"{100 * cell.mean:.1f} ({100 * cell.low:.0f}-{100 * cell.high:.0f})"
        if kind == "difference":
            return f"{_signed(cell.mean, 1)} ({_signed(cell.low, 0)} to {_signed(cell.high, 0)})"
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
        return _signed(value, 1)
    if kind == "dollars":
        return f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}"
    if kind == "number":
        return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,.0f}"


def _signed(fraction: float, digits: int) -> str:
    """Percent with a sign; nothing is ever minus zero."""
    return f"{round(100 * fraction, digits) + 0.0:+.{digits}f}"


def heading(column: Column) -> str:
    """Name and unit."""
    unit = {"share": " %", "difference": " %", "dollars": " $"}.get(column.kind, "")
    return f"{column.name}{unit}"


def _as_text(sheet: Sheet) -> tuple[list[str], list[list[str]]]:
    """Headings and rows as people see them, with the number of episodes where a column counts them."""
    sheet = sheet.for_people
    headings: list[str] = []
    columns: list[list[str]] = []
    for column, cells in zip(sheet.columns, _columns(sheet), strict=True):
        texts, name = [shown(cell, column.kind) for cell in cells], heading(column)
        known = [cell.episodes for cell in cells if isinstance(cell, Interval) and cell.known]
        if column.counted and known and len(set(known)) == 1:
            name = f"{name} n={known[0]}"
        elif column.counted:
            texts = [
                f"{text} n={cell.episodes}" if isinstance(cell, Interval) and cell.known else text
                for text, cell in zip(texts, cells, strict=True)
            ]
        headings.append(name)
        columns.append(texts)
    return headings, [list(row) for row in zip(*columns, strict=True)]


def _columns(sheet: Sheet) -> list[list[Cell]]:
    return [[row[index] for row in sheet.rows] for index in range(len(sheet.columns))]


def to_rich(sheet: Sheet) -> RenderableType:
    """For a terminal: the table, then its remarks at the terminal's full width."""
    return Group(_Fitted(sheet), *(Text(remark, style="dim") for remark in sheet.remarks))


class _Fitted:
    """A table as wide as the terminal allows: headings are wrapped first, then texts; a number is never broken or cut."""

    def __init__(self, sheet: Sheet) -> None:
        self._title = f"{sheet.title} (simulated)" if sheet.simulated else sheet.title
        self._texts = [column.kind == "text" for column in sheet.for_people.columns]
        self._names, self._rows = _as_text(sheet)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = self._widths(options.max_width)
        table = Table(
            title=self._title,
            title_justify="left",
            title_style="bold",
            header_style="bold",
            box=None,
            pad_edge=False,
            width=sum(widths) + GAP * (len(widths) - 1),
            padding=(0, GAP, 0, 0),
        )
        for name, width, text in zip(self._names, widths, self._texts, strict=True):
            table.add_column(name, width=width, justify="left" if text else "right", overflow="fold")
        for row in self._rows:
            table.add_row(*map(Text, row))
        yield table

    def _widths(self, available: int) -> list[int]:
        columns = [list(cells) for cells in zip(*self._rows, strict=True)] or [[] for _ in self._names]
        steps = [
            _steps(name, cells, text)
            for name, cells, text in zip(self._names, columns, self._texts, strict=True)
        ]
        gaps = GAP * (len(steps) - 1)
        fitting = (list(widths) for widths in zip(*steps, strict=True) if sum(widths) + gaps <= available)
        found = next(fitting, [step[-1] for step in steps])
        return _filled(found, steps, self._texts, available - gaps)


def _filled(
    found: list[int], steps: Sequence[Sequence[int]], texts: Sequence[bool], available: int
) -> list[int]:
    """The widths with what is left over given first to headings, so that their words are whole, then to texts, the shortest first."""
    wanted = [step[0] if text else step[1] for step, text in zip(steps, texts, strict=True)]
    widths, spare = list(found), max(0, available - sum(found))
    for index in sorted(range(len(widths)), key=lambda i: (texts[i], wanted[i])):
        given = min(spare, max(0, wanted[index] - widths[index]))
        widths[index], spare = widths[index] + given, spare - given
    return widths


GAP = 2
"""Spaces between columns."""
NARROW = 8
"""A text's column is never narrower than this, however narrow the terminal."""


def _steps(name: str, cells: Sequence[str], text: bool) -> tuple[int, int, int, int, int]:
    """Widths of a column, from comfortable to the narrowest."""
    longest = max(map(len, cells), default=1)
    wide, words = max(len(name), longest), max(longest, *map(len, name.split()))
    if not text:
        least = max(longest, min(len(name), 5))
        return wide, words, words, least, least
    in_words = max(len(word) for cell in [name, *cells] for word in cell.split() or [""])
    return wide, words, in_words, in_words, min(in_words, NARROW)


def to_markdown(sheet: Sheet) -> str:
    """For a document."""
    lines = [f"**{sheet.title}{' (simulated)' if sheet.simulated else ''}**", ""]
    names, rows = _as_text(sheet)
    lines.append("| " + " | ".join(map(_escaped, names)) + " |")
    lines.append(
        "|" + "|".join(" --- " if c.kind == "text" else " ---: " for c in sheet.for_people.columns) + "|"
    )
    lines += ["| " + " | ".join(map(_escaped, row)) + " |" for row in rows]
    lines += [f"\n{remark}" for remark in sheet.remarks]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def to_csv(sheet: Sheet) -> str:
    """For other programs: fractions, not percent; an interval becomes five columns. The first column is the table's title (so that tables one after
    the other stay apart), the last one marks simulated models."""
    names, rows = _flat(sheet)
    marks = sheet.marks or (sheet.simulated,) * len(rows)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["table", *names, "simulated"])
    writer.writerows([sheet.title, *row, of_row] for row, of_row in zip(rows, marks, strict=True))
    return out.getvalue()


def _flat(sheet: Sheet) -> tuple[list[str], list[list[Any]]]:
    names: list[str] = []
    columns: list[list[Any]] = []
    for column, cells in zip(sheet.columns, _columns(sheet), strict=True):
        name, plain = column.name.replace(" ", "_"), [_plain(cell, column) for cell in cells]
        if any(isinstance(cell, Interval) for cell in cells):
            parts = _PARTS[column.over]
            names += [f"{name}{end}" for end in parts.values()]
            for part in parts:
                columns.append([cell[part] if isinstance(cell, Mapping) else None for cell in plain])
        else:
            names.append(name)
            columns.append(plain)
    return names, [[_rounded(cell) for cell in row] for row in zip(*columns, strict=True)]


def _rounded(cell: Any) -> Any:
    """Without the noise of binary fractions."""
    return round(cell, 12) + 0.0 if isinstance(cell, float) else cell


_PARTS: dict[str, dict[str, str]] = {
    "tasks": {
        "mean": "",
        "low": "_low",
        "high": "_high",
        "episodes": "_episodes",
        "clusters": "_tasks",
    },
    "trials": {"mean": "", "low": "_low", "high": "_high", "clusters": "_trials"},
}
"""Fields of an interval in JSON, and what they add to the name of its column in CSV."""


def to_json(sheet: Sheet) -> str:
    """One JSON object: title, simulated, notes, rows by column."""
    return json.dumps(as_plain(sheet), ensure_ascii=False, allow_nan=False)


def as_plain(sheet: Sheet) -> dict[str, Any]:
    """As plain data."""
    marks = [{"simulated": of_row} for of_row in sheet.marks] or [{}] * len(sheet.rows)
    return {
        "title": sheet.title,
        "simulated": sheet.simulated,
        "notes": list(sheet.remarks),
        "rows": [
            {c.name: _plain(cell, c) for c, cell in zip(sheet.columns, row, strict=True)} | marked
            for row, marked in zip(sheet.rows, marks, strict=True)
        ],
    }


def _plain(cell: Cell, column: Column) -> Any:
    if not isinstance(cell, Interval):
        return None if isinstance(cell, float) and math.isnan(cell) else cell
    if not cell.known:
        return None
    return _finite({k: v for k, v in asdict(cell).items() if k in _PARTS[column.over]})


def _finite(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}


def together(sheets: Sequence[Sheet], form: Literal["csv", "markdown", "json"]) -> str:
    """Several sheets as one text: a JSON array, Markdown tables under each other, or CSV, an empty line and a heading before each next one."""
    if form == "json":
        return json.dumps([as_plain(sheet) for sheet in sheets], ensure_ascii=False, allow_nan=False) + "\n"
    return "\n".join(FORMATS[form](sheet).rstrip("\n") + "\n" for sheet in sheets)


FORMATS = {"csv": to_csv, "markdown": to_markdown, "json": to_json}
"""Text forms by name; on a terminal `to_rich`."""
