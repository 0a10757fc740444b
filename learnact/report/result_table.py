"""A table of results as data, and its forms: terminal (Rich), CSV, Markdown, JSON.

Numbers stay numbers until they are shown.
"""

from __future__ import annotations

import csv
import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeAlias

from rich import table as rich_table
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from learnact.records.text import json_text, printable, spreadsheet_text
from learnact.statistics.intervals import Interval

CellKind = Literal["text", "count", "share", "number", "dollars", "difference", "episodes", "p"]
Cell: TypeAlias = None | str | int | float | bool | Interval
TableForm = Literal["csv", "markdown", "json"]
NEVER_TEXT = "never"
NO_BOUNDS = "no bounds"
"""Of an interval that leaves all values possible."""
_LEAST = {"share": 0.0, "difference": -1.0}
GAP = 2
"""Blanks between columns."""
MIN_TEXT_WIDTH = 10
"""A column of text is never narrower than this or its longest cell, however narrow the terminal."""
SIMULATED = "Simulated models: these numbers test the machinery and say nothing about language models."


@dataclass(frozen=True)
class Column:
    """A column of a table.

    `share` and `difference` are fractions, shown in percent; `p` is a p-value; an interval is shown with its
    bounds. `episodes`: a number of episodes, or never. `counted`: terminal and Markdown show the number of
    episodes (n), once in the heading where all cells have the same, else in each cell. `over`: what an
    interval counts, episodes of tasks, one value a trial, or tasks and libraries.
    `only_data`: left out on the terminal and in Markdown, because it tells people nothing in this table.
    """

    name: str
    kind: CellKind = "text"
    counted: bool = False
    over: Literal["tasks", "trials", "libraries"] = "tasks"
    only_data: bool = False


@dataclass(frozen=True)
class ResultTable:
    """A table with a title and notes.

    `simulated`: some of its numbers come from simulated models; every form of the table says so.
    `simulated_rows` says it of each row where rows differ; else it is empty.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    simulated: bool = False
    simulated_rows: tuple[bool, ...] = ()

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes, after a note about simulated models where there are any."""
        if not self.simulated:
            return self.notes
        about = f"Rows marked as simulated: {SIMULATED}" if self.simulated_rows else SIMULATED
        return (about, *self.notes)

    @property
    def for_people(self) -> ResultTable:
        """Without columns that only programs need; with a column `simulated` where rows differ in that."""
        kept = [index for index, column in enumerate(self.columns) if not column.only_data]
        columns = tuple(self.columns[index] for index in kept)
        rows = tuple(tuple(row[index] for index in kept) for row in self.rows)
        if self.simulated_rows:
            columns = (*columns, Column("simulated"))
            rows = tuple((*row, mark) for row, mark in zip(rows, self.simulated_rows, strict=True))
        return replace(self, columns=columns, rows=rows)

    def mark_simulated(self, rows: Sequence[bool]) -> ResultTable:
        """The table with a mark for each row; one mark for the whole table where all rows have the same."""
        some, every = any(rows), all(rows)
        return replace(self, simulated=some, simulated_rows=tuple(rows) if some and not every else ())


def format_cell(cell: Cell, kind: CellKind) -> str:
    """A cell as text; `-` where there is nothing."""
    if isinstance(cell, Interval):
        return _format_interval(cell, kind) if cell.known else "-"
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, str):
        return printable(cell)
    return _format_number(float(cell), kind)


def _format_interval(cell: Interval, kind: CellKind) -> str:
    if not cell.trusted:
        return f"{_format_bounds(cell, kind)} ?" if not math.isnan(cell.low) else "?"
    return _format_bounds(cell, kind)


def _format_bounds(cell: Interval, kind: CellKind) -> str:
    if math.isnan(cell.low) and kind in ("share", "difference"):
        return format_cell(cell.mean, kind)
    if kind in ("share", "difference") and cell.low <= _LEAST[kind] and cell.high >= 1:
        return f"{format_cell(cell.mean, kind)} ({NO_BOUNDS})"
    if math.isnan(cell.low) or math.isinf(cell.low):
        return _short_number(cell.mean, kind)
    if kind == "share":
        return f"{100 * cell.mean:.1f} ({100 * cell.low:.0f}-{100 * cell.high:.0f})"
    if kind == "difference":
        return f"{_signed(cell.mean, 1)} ({_signed(cell.low, 0)} to {_signed(cell.high, 0)})"
    mean, low, high = (_short_number(value, kind) for value in (cell.mean, cell.low, cell.high))
    return f"{mean} ({low}{'-' if cell.low >= 0 else ' to '}{high})"


def _short_number(value: float, kind: CellKind) -> str:
    """A number with three digits or more, as short as it can be told: 29.1, 0.32, 4,120, 102k, 2.1M."""
    size = abs(value)
    if math.isinf(value) or kind == "dollars":
        return _format_number(value, kind)
    for over, divisor, unit in ((1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if size >= over:
            return f"{value / divisor:.{0 if size >= 100 * divisor else 1}f}{unit}"
    digits = 0 if size >= 100 or not size or kind == "episodes" else 1 if size >= 10 else 2
    if kind == "count" and float(value).is_integer():
        digits = 0
    return f"{round(value, digits) + 0.0:,.{digits}f}"


def _format_number(value: float, kind: CellKind) -> str:
    if math.isinf(value):
        return NEVER_TEXT if value > 0 else "-"
    if kind == "share":
        return f"{100 * value:.1f}"
    if kind == "difference":
        return _signed(value, 1)
    if kind == "p":
        return f"{value:.3f}" if value >= 0.001 else "< 0.001"
    if kind == "dollars":
        return f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}"
    if kind == "number":
        return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{value:,.0f}"


def _signed(fraction: float, digits: int) -> str:
    """Percent with a sign, never minus zero."""
    return f"{round(100 * fraction, digits) + 0.0:+.{digits}f}"


def _heading(column: Column) -> str:
    unit = {"share": " %", "difference": " %", "dollars": " $"}.get(column.kind, "")
    return f"{printable(column.name)}{unit}"


def shown_texts(table: ResultTable) -> tuple[list[str], list[list[str]]]:
    """Headings and rows as people see them, with the number of episodes where a column counts them."""
    headings: list[str] = []
    columns: list[list[str]] = []
    for column, cells in zip(table.columns, _cells_by_column(table), strict=True):
        texts, name = [format_cell(cell, column.kind) for cell in cells], _heading(column)
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


def _cells_by_column(table: ResultTable) -> list[list[Cell]]:
    return [[row[index] for row in table.rows] for index in range(len(table.columns))]


def shown_title(table: ResultTable) -> str:
    """The title, with a mark where numbers come from simulated models."""
    return f"{table.title} (simulated)" if table.simulated else table.title


# Forms ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _WholeTable:
    """A table that keeps all its columns where the terminal is too narrow for them: its lines run over."""

    drawn: rich_table.Table
    least: int
    """Width below which a column would be cut."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.least > options.max_width:
            self.drawn.width = self.least
        yield self.drawn


def to_rich(table: ResultTable) -> RenderableType:
    """For a terminal: the table, then its notes. Columns of text give way; no number and no name is cut."""
    shown = table.for_people
    headings, rows = shown_texts(shown)
    drawn = rich_table.Table(
        title=Text(shown_title(table), style="bold"),
        title_justify="left",
        header_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, GAP, 0, 0),
    )
    least = 0
    for index, (column, name) in enumerate(zip(shown.columns, headings, strict=True)):
        cells = [row[index] for row in rows]
        longest = max(map(len, cells), default=1)
        if column.kind == "text":
            narrow = min(longest, MIN_TEXT_WIDTH)
            drawn.add_column(Text(name), overflow="fold", min_width=narrow)
            least += max(narrow, *map(len, name.split())) + GAP
            continue
        heading = _wrapped_heading(name, cells)
        drawn.add_column(heading, justify="right", no_wrap=True, min_width=longest)
        least += max(longest, *map(len, heading.plain.splitlines())) + GAP
    for row in rows:
        drawn.add_row(*map(Text, row))
    return Group(_WholeTable(drawn, least), *(note_text(note, "dim") for note in table.all_notes))


def note_text(note: str, style: str) -> Text:
    """A note for the terminal; one with a command is not broken into lines, so that it can be copied."""
    if "learnact " in note:
        return Text(printable(note), style=style, no_wrap=True, overflow="ignore")
    return Text(printable(note), style=style, overflow="fold")


def _wrapped_heading(name: str, cells: Sequence[str]) -> Text:
    """A heading as narrow as its words and the column's cells; a unit stays with the word before it."""
    words = name.replace(" %", "\0%").replace(" $", "\0$").replace(" n=", "\0n=")
    width = max(map(len, [*cells, *words.split()]))
    return Text(textwrap.fill(words, width).replace("\0", " "))


def to_markdown(table: ResultTable) -> str:
    """For a document."""
    shown = table.for_people
    headings, rows = shown_texts(shown)
    alignment = "|".join(" --- " if column.kind == "text" else " ---: " for column in shown.columns)
    lines = [f"**{shown_title(table)}**", "", _markdown_row(headings), f"|{alignment}|"]
    lines += map(_markdown_row, rows)
    lines += [f"\n{printable(note)}" for note in table.all_notes]
    return "\n".join(lines) + "\n"


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def to_csv(table: ResultTable) -> str:
    """For other programs: fractions, not percent; an interval becomes several columns.

    The first column is the table's title, so that tables one after the other stay apart; the last one marks
    rows of simulated models.
    """
    names, rows = _flat(table)
    simulated = table.simulated_rows or (table.simulated,) * len(rows)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["table", *names, "simulated"])
    writer.writerows([table.title, *row, mark] for row, mark in zip(rows, simulated, strict=True))
    return out.getvalue()


def _flat(table: ResultTable) -> tuple[list[str], list[list[Any]]]:
    names: list[str] = []
    columns: list[list[Any]] = []
    for column, cells in zip(table.columns, _cells_by_column(table), strict=True):
        name, plain = column.name.replace(" ", "_"), [_plain(cell, column) for cell in cells]
        if any(isinstance(cell, Interval) for cell in cells):
            fields = INTERVAL_FIELDS[column.over]
            names += [f"{name}{ending}" for ending in fields.values()]
            for field in fields:
                columns.append([cell[field] if isinstance(cell, Mapping) else None for cell in plain])
        else:
            names.append(name)
            columns.append(plain)
    return names, [[_csv_cell(cell) for cell in row] for row in zip(*columns, strict=True)]


def _csv_cell(cell: Any) -> Any:
    """Numbers without the noise of binary fractions; text that controls no terminal or spreadsheet."""
    if isinstance(cell, str):
        return spreadsheet_text(printable(cell))
    return round(cell, 12) + 0.0 if isinstance(cell, float) else cell


INTERVAL_FIELDS: dict[str, dict[str, str]] = {
    "tasks": {"mean": "", "low": "_low", "high": "_high", "episodes": "_episodes", "clusters": "_tasks"},
    "trials": {"mean": "", "low": "_low", "high": "_high", "clusters": "_trials"},
    "libraries": {
        "mean": "",
        "low": "_low",
        "high": "_high",
        "clusters": "_tasks",
        "libraries": "_libraries",
        "trusted": "_trusted",
    },
}
"""Fields of an interval in JSON, and what each adds to the name of its column in CSV."""


def as_plain(table: ResultTable) -> dict[str, Any]:
    """The table as plain data, as JSON has it."""
    marks = [{"simulated": mark} for mark in table.simulated_rows] or [{}] * len(table.rows)
    return {
        "title": table.title,
        "simulated": table.simulated,
        "notes": list(table.all_notes),
        "rows": [
            {c.name: _plain(cell, c) for c, cell in zip(table.columns, row, strict=True)} | mark
            for row, mark in zip(table.rows, marks, strict=True)
        ],
    }


def _plain(cell: Cell, column: Column) -> Any:
    if not isinstance(cell, Interval):
        return None if isinstance(cell, float) and math.isnan(cell) else cell
    if not cell.known:
        return None
    about = {**asdict(cell), "trusted": cell.trusted}
    values = {name: value for name, value in about.items() if name in INTERVAL_FIELDS[column.over]}
    return {name: _plain_number(value, column.kind) for name, value in values.items()}


def _plain_number(value: Any, kind: CellKind) -> Any:
    """A number as JSON can hold it: null for none, and the word for a number of episodes without end."""
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return NEVER_TEXT if kind == "episodes" and value > 0 else None


def join_tables(tables: Sequence[ResultTable], form: TableForm) -> str:
    """Several tables as one text: a JSON array; Markdown and CSV with an empty line between."""
    if form == "json":
        return json_text([as_plain(one) for one in tables]) + "\n"
    write = to_csv if form == "csv" else to_markdown
    return "\n".join(write(one).rstrip("\n") + "\n" for one in tables)
