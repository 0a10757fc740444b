"""The published cells of a bundle: every table of the package, and the answers of the shipped queries and of
the views that answer what is often asked. They are made from the bundle's own data, and made again from these
when it is verified.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeAlias

from learnact.errors import LearnactError
from learnact.report.data import ReportData
from learnact.report.paper import TABLES
from learnact.report.result_table import as_plain, to_markdown
from learnact.results.query import QuerySession, shipped_queries
from learnact.results.reader import DERIVED, connect_folders

MOST_ROWS = 20_000
"""An answer with more rows is not published; its query is."""
TOLERANCE = 1e-9
"""Relative difference of numbers that another machine's order of adding may make."""
Answer: TypeAlias = list[dict[str, Any]]
NO_PRIMITIVES = (
    "its domain is not installed here: the number of primitive actions is asked of it (learnact domains)"
)
OF_DOMAIN = ("primitive", "actions in all")
"""Columns of table 5 that ask the domain, not the results."""


def queries() -> dict[str, str]:
    """The queries whose answers are published, by name."""
    shipped = {name: query.text for name, query in shipped_queries().items() if "$" not in query.text}
    return {**shipped, **{f"view-{view}": f"SELECT * FROM {view}" for view in DERIVED}}


def table_parts(folder: Path) -> dict[str, tuple[list[dict[str, Any]], str]]:
    """Each table of a run's folder as plain data and in Markdown."""
    with connect_folders([folder]) as connection:
        data = ReportData(connection)
        return {name: _table(data, name) for name in TABLES}


def answer(session: QuerySession, query: str) -> Answer | None:
    """The rows of a query's answer in an order of their own; None where there are too many."""
    found = session.ask(query)
    rows, more = found.first(MOST_ROWS)
    if more:
        return None
    return sorted((dict(zip(found.columns, map(_plain, row), strict=True)) for row in rows), key=_order)


def _plain(value: Any) -> Any:
    """A value as JSON holds it."""
    return json.loads(json.dumps(_finite(value), default=str))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return {name: _finite(item) for name, item in value.items()} if isinstance(value, dict) else value


def _order(row: Mapping[str, Any]) -> tuple[str, str]:
    """Rows by what is no fraction first, so that the last digit of a fraction moves no row."""
    exact = {name: value for name, value in row.items() if not isinstance(value, float)}
    return json.dumps(exact, sort_keys=True), json.dumps(row, sort_keys=True)


@dataclass(frozen=True)
class CellProblem:
    """A published cell that is not, or cannot be, made again: where it is, and why."""

    cell: str
    reason: str


@dataclass(frozen=True)
class Recomputed:
    """What came of recomputing: cells that are equal, that differ, and that cannot be made here."""

    equal: int
    differing: tuple[CellProblem, ...]
    impossible: tuple[CellProblem, ...]


def recompute(
    folder: Path,
    tables: Mapping[str, tuple[Sequence[Mapping[str, Any]], str]],
    answers: Mapping[str, tuple[str, Answer]],
) -> Recomputed:
    """Make every published cell again. `tables`: as data and in Markdown, by name; `answers`: query and rows,
    by name. The Markdown is compared where all its cells are equal.
    """
    compared = _Comparison()
    with connect_folders([folder]) as connection:
        data = ReportData(connection)
        for name, (published, text) in tables.items():
            made = _made(partial(_table, data, name))
            known = len(compared.differing) + len(compared.cannot)
            for number, one in enumerate(published):
                place = f"tables/{name}.json, {one.get('title', number + 1)}"
                if isinstance(made, str):
                    compared.impossible(place, one.get("rows"), made)
                    continue
                again = made[0][number] if number < len(made[0]) else {}
                compared.rows(place, one.get("rows"), again.get("rows"), OF_DOMAIN if name == "5" else ())
                compared.value(f"{place}, simulated", one.get("simulated"), again.get("simulated"))
            if known == len(compared.differing) + len(compared.cannot):
                compared.text(f"tables/{name}.md", text, made[1])
    session = QuerySession(folder.parent, folder.name)
    for name, (query, rows) in answers.items():
        again_rows = _made(partial(answer, session, query))
        if isinstance(again_rows, str):
            compared.impossible(f"answers/{name}.json", rows, again_rows)
        else:
            compared.rows(f"answers/{name}.json", rows, again_rows)
    return Recomputed(compared.equal, tuple(compared.differing), tuple(compared.cannot))


def _table(data: ReportData, name: str) -> tuple[list[dict[str, Any]], str]:
    """The parts of a table as JSON holds them, and as Markdown. Raises `LearnactError`."""
    if name not in TABLES:
        raise LearnactError(f"this version of learnact has no table {name}")
    tables = TABLES[name](data)
    return _plain([as_plain(one) for one in tables]), "\n".join(map(to_markdown, tables))


def _made(make: Callable[[], Any]) -> Any:
    """What is made, or the reason why not."""
    try:
        return make()
    except LearnactError as error:
        return " ".join(str(error).split())


class _Comparison:
    def __init__(self) -> None:
        self.equal = 0
        self.differing: list[CellProblem] = []
        self.cannot: list[CellProblem] = []

    def impossible(self, place: str, rows: Any, reason: str) -> None:
        for number, row in enumerate(rows if isinstance(rows, list) else []):
            self.cannot += [CellProblem(f"{place}, row {number + 1}, {name}", reason) for name in row]

    def rows(self, place: str, published: Any, again: Any, of_domain: Sequence[str] = ()) -> None:
        if not isinstance(published, list) or not all(isinstance(row, dict) for row in published):
            self.differing.append(CellProblem(place, "holds no rows"))
            return
        made = again if isinstance(again, list) else []
        if len(made) != len(published):
            self.differing.append(CellProblem(place, f"{len(published)} rows published, {len(made)} made"))
        for number, (row, other) in enumerate(zip(published, made, strict=False)):
            for name in dict.fromkeys([*row, *other]):
                cell = f"{place}, row {number + 1}, {name}"
                if name in of_domain and row.get(name) is not None and other.get(name) is None:
                    self.cannot.append(CellProblem(cell, NO_PRIMITIVES))
                else:
                    self.value(cell, row.get(name), other.get(name))

    def text(self, place: str, published: str, again: str) -> None:
        both = zip_longest(published.splitlines(), again.splitlines(), fillvalue="")
        for number, (line, other) in enumerate(both, start=1):
            if line != other:
                told = f"published {line[:80]!r}, made {other[:80]!r}"
                self.differing.append(CellProblem(f"{place}, line {number}", told))

    def value(self, cell: str, published: Any, again: Any) -> None:
        if _same(published, again):
            self.equal += 1
        else:
            told = f"published {json.dumps(published)[:80]}, made {json.dumps(again)[:80]}"
            self.differing.append(CellProblem(cell, told))


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, bool) or isinstance(two, bool):
        return one is two
    if isinstance(one, int | float) and isinstance(two, int | float):
        return math.isclose(one, two, rel_tol=TOLERANCE, abs_tol=1e-12)
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(_same(one[name], two[name]) for name in one)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(_same, one, two))
    return bool(type(one) is type(two) and one == two)
