"""Reads what runs have left: a DuckDB connection with one view per table, and records rebuilt from rows.

A connection shows the runs as they were when it was made; connect again to see more. Views are the files in
`views/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

import duckdb

from learnact.errors import ResultsError, suggestion
from learnact.records import EpisodeResult, Library
from learnact.results import rows
from learnact.results.parts import live_parts, quoted
from learnact.results.run_file import NAME, RunInfo, read_run_file
from learnact.results.tables import TABLES

Connection: TypeAlias = duckdb.DuckDBPyConnection
"""So that floors above can name it without importing duckdb."""

VIEWS = (
    "runs",
    "events",
    "trials",
    "checks",
    "episodes",
    "turns",
    "steps",
    "libraries",
    "actions",
    "candidates",
    "requests",
    "calls",
    "prompts",
    "attempts",
    "blocks",
)


def runs(results: Path | str) -> list[RunInfo]:
    """The runs of a results folder, oldest first. Raises `ResultsError` when there is no such folder."""
    root = Path(results)
    if not root.is_dir():
        raise ResultsError(
            f"there is no results folder {root}; `learnact run` makes one, or name another with --results"
        )
    places = [*root.glob(f"*/{NAME}"), *([root / NAME] if (root / NAME).exists() else [])]
    found = [read_run_file(place.parent) for place in places]
    return sorted(found, key=lambda info: (info.created, info.run))


def find_run(results: Path | str, wanted: str) -> RunInfo:
    """A run by id, the beginning of its id, the name of its folder, or its job's name (the latest of that
    name).
    """
    known = runs(results)
    for info in reversed(known):
        if wanted in (info.run, info.folder.name):
            return info
    for info in reversed(known):
        if info.name == wanted:
            return info
    begun = [info for info in known if len(wanted) >= 3 and info.run.startswith(wanted)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise ResultsError(
            f"{wanted!r} begins the ids of {len(begun)} runs: {', '.join(i.run for i in begun)}"
        )
    if wanted == "latest" and known:
        return known[-1]
    names = {name for info in known for name in (info.folder.name, info.name)}
    raise ResultsError(f"no run {wanted!r} in {results}; {suggestion(wanted, names, near=0.4)}")


def connect(results: Path | str, run: str | Sequence[str] | None = None) -> Connection:
    """A connection with the views `VIEWS` over all runs of a folder, or over those named (see `find_run`)."""
    wanted = [run] if isinstance(run, str) else run
    chosen = runs(results) if wanted is None else [find_run(results, name) for name in wanted]
    return connect_folders([info.folder for info in chosen])


def connect_folders(folders: Sequence[Path]) -> Connection:
    """A connection with the views over the runs in these folders."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    parts = [(folder, part) for folder in dict.fromkeys(folders) for part in live_parts(folder)]
    for table, declared in TABLES.items():
        connection.register("_given", declared.schema.empty_table())
        connection.execute(f"CREATE TABLE _none_{table} AS SELECT * FROM _given")
        connection.unregister("_given")
        paths = [quoted(str(part.path(folder, table))) for folder, part in parts if table in part.rows]
        stored = (
            f" UNION ALL BY NAME SELECT * FROM read_parquet([{', '.join(paths)}], union_by_name = true)"
            if paths
            else ""
        )
        connection.execute(f"CREATE VIEW _{table} AS SELECT * FROM _none_{table}{stored}")
    for view in VIEWS:
        connection.execute(f"CREATE VIEW {view} AS {view_text(view)}")
    return connection


def view_text(view: str) -> str:
    """The query of a view, with the comment that explains it."""
    return (files("learnact.results") / "views" / f"{view}.sql").read_text(encoding="utf-8")


# Records ----------------------------------------------------------------------------------------------------


def dictionaries(connection: Connection, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Rows of a query as dictionaries."""
    found = connection.execute(query, list(values))
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _one(connection: Connection, table: str, column: str, wanted: str) -> dict[str, Any]:
    found = dictionaries(
        connection,
        f"SELECT * FROM _{table} WHERE starts_with({column}, ?) ORDER BY {column} LIMIT 2",
        [wanted],
    )
    distinct = {row[column] for row in found}
    if not found or not wanted:
        raise ResultsError(
            f"there is no {column} {wanted!r} in {table}; list them: SELECT {column} FROM {table}"
        )
    if len(distinct) > 1 and wanted not in distinct:
        raise ResultsError(f"{wanted!r} begins more than one {column}: {', '.join(sorted(distinct))}, ...")
    return found[0]


def load_library(connection: Connection, library: str) -> Library:
    """A library by its id or the beginning of it; `""` is the empty one."""
    return rows.library_from(_one(connection, "libraries", "library", library)) if library else Library()


def load_episode(connection: Connection, key: str) -> EpisodeResult:
    """An episode's result with its turns, by key or the beginning of it."""
    row = _one(connection, "episodes", "key", key)
    turns = dictionaries(
        connection,
        "SELECT * FROM _turns WHERE run = ? AND trial = ? AND episode = ? ORDER BY turn",
        [row["run"], row["trial"], row["key"]],
    )
    return rows.result_from(row, tuple(rows.turn_from(turn) for turn in turns))


def cost_so_far(folder: Path) -> tuple[float, int]:
    """US dollars (of the calls with a price) and tokens that all sessions of a run have spent on what is
    committed.
    """
    query = "SELECT coalesce(sum(cost), 0), coalesce(sum(prompt_tokens + completion_tokens), 0) FROM _calls"
    with connect_folders([folder]) as connection:
        dollars, tokens = connection.execute(query).fetchall()[0]
    return float(dollars), int(tokens)


def models_returned(folder: Path) -> list[tuple[str, str]]:
    """(model asked, name it answered as) of all that is committed in a run's folder."""
    query = """
        SELECT DISTINCT u.model, c.model FROM _calls c
        JOIN (SELECT key, model FROM _episodes UNION ALL SELECT key, model FROM _requests) u ON u.key = c.unit
        WHERE c.model != ''
    """
    with connect_folders([folder]) as connection:
        return [(asked, answered) for asked, answered in connection.execute(query).fetchall()]
