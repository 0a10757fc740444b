"""Reads what runs have left: a DuckDB connection with one view per table, and records rebuilt from rows.

A connection shows the runs as they were when it was made; connect again to see more. Views are the files in
`views/`.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

import duckdb

from learnact.errors import ResultsError, StoreUnavailable, suggestion
from learnact.records import EpisodeResult, Library
from learnact.results import rows
from learnact.results.files import SPILL
from learnact.results.location import Location, location_of
from learnact.results.manifests import ResultsPart, live_parts
from learnact.results.run_file import NAME, RunInfo, parse_run_file, run_folder
from learnact.results.storage import storage_of
from learnact.results.table_sql import quoted, table_query
from learnact.results.tables import TABLES
from learnact.results.turn_groups import grouping, has_groups

Connection: TypeAlias = duckdb.DuckDBPyConnection
"""So that floors above can name it without importing duckdb."""

QUERY_ERRORS = (duckdb.Error,)
"""What a wrong query raises, for floors above."""
Places: TypeAlias = Location | str | Sequence[Location | str]
"""A results folder, or several."""

_log = logging.getLogger("learnact.results")
TABLE_VIEWS = (
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
    "trajectories",
    "reply_checks",
)
"""One view for each table, and parts of tables."""
DERIVED = (
    "success_by_method",
    "efficiency",
    "learning_curve",
    "action_usage",
    "failures",
    "cost",
    "comparisons",
    "unreadable",
)
"""Views that answer what is asked again and again, each over any number of runs; each row says whether it
comes from a simulated model."""
VIEWS = (*TABLE_VIEWS, *DERIVED)


def runs(results: Places) -> list[RunInfo]:
    """The runs of a results folder, or of several, oldest first, each once: a copy beside its run is left out
    with a warning, and so is one whose `run.json` is damaged.

    Raises `ResultsError` when there is no such folder.
    """
    found: dict[str, RunInfo] = {}
    for folder, content in _run_files(results).items():
        try:
            info = parse_run_file(folder, content)
        except ResultsError as error:
            _log.warning("left out: %s", error)
            continue
        other = found.get(info.run)
        if other is not None:
            own = run_folder(folder.parent, info.run, info.name).name
            kept, copy = (info, other) if folder.name == own else (other, info)
            _log.warning("left out: %s is a copy of %s, the same run", copy.folder, kept.folder)
            info = kept
        found[info.run] = info
    return sorted(found.values(), key=lambda info: (info.created, info.run))


def _run_files(places: Places) -> dict[Location, bytes | OSError]:
    """The folders of runs, with what reading their `run.json` gave."""
    if isinstance(places, Sequence) and not isinstance(places, str):
        return {folder: content for place in places for folder, content in _run_files(place).items()}
    results = location_of(places)
    try:
        found = storage_of(results).inside(NAME)
        return {results / folder if folder else results: content for folder, content in found.items()}
    except StoreUnavailable:
        raise
    except FileNotFoundError:
        raise ResultsError(
            f"there is no results folder {results}; `learnact run` makes one, or name another with --results"
        ) from None
    except OSError as error:
        raise ResultsError(
            f"{results} cannot be read as a results folder: {error.strerror}; name another with --results"
        ) from error


def find_run(results: Places, wanted: str) -> RunInfo:
    """A run by id, the beginning of its id, the name of its folder, or its job's name (the latest of that
    name).
    """
    for folder, content in _run_files(results).items():
        if folder.name == wanted:
            return parse_run_file(folder, content)
    known = runs(results)
    for info in reversed(known):
        if wanted == info.run:
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
    where = results
    if isinstance(results, Sequence) and not isinstance(results, str):
        where = " and ".join(map(str, results))
    raise ResultsError(f"no run {wanted!r} in {where}; {suggestion(wanted, names, near=0.4)}")


def connect(
    results: Places, run: str | Sequence[str] | None = None, *, read_only: bool = False
) -> Connection:
    """A connection with the views `VIEWS` over all runs of a folder, or over those named (see `find_run`).

    Of all runs, one that is damaged is left out with a warning; a damaged run that is named raises
    `ResultsError`.
    """
    if run is not None:
        wanted = [run] if isinstance(run, str) else run
        return connect_folders([find_run(results, name).folder for name in wanted], read_only=read_only)
    found = [info.folder for info in runs(results)]
    with _reading(found) as readings:
        whole = {}
        for folder in found:
            try:
                whole[folder] = live_parts(folder)
            except ResultsError as error:
                _log.warning("left out: %s", error)
        return _connect(whole, readings, read_only)


def connect_folders(folders: Sequence[Location], *, read_only: bool = False) -> Connection:
    """A connection with the views over the runs in these folders. Raises `ResultsError` where one is damaged.

    `read_only`: only SELECT works as intended; files other than the runs' cannot be read or written, and
    settings cannot be changed.
    """
    with _reading(folders) as readings:
        return _connect({folder: live_parts(folder) for folder in folders}, readings, read_only)


def _reading(folders: Sequence[Location]) -> ExitStack:
    """Says that runs are read, once for each folder that they lie in."""
    readings = ExitStack()
    for folder in {folder.parent: folder for folder in folders}.values():
        readings.callback(storage_of(folder).begin_reading())
    return readings


def _connect(
    parts: Mapping[Location, Sequence[ResultsPart]], readings: ExitStack, read_only: bool
) -> Connection:
    connection = duckdb.connect(config={"temp_directory": str(SPILL)})
    weakref.finalize(connection, readings.pop_all().close)  # also where the caller does not close it
    try:
        _make_views(connection, parts, read_only)
    except duckdb.Error as error:
        connection.close()
        raise _unreadable(error) from error
    return connection


def _make_views(
    connection: Connection, parts: Mapping[Location, Sequence[ResultsPart]], read_only: bool
) -> None:
    # Files never change, and the footer of a large one takes longer to read than the rows of a page.
    connection.execute("SET TimeZone = 'UTC'; SET GLOBAL parquet_metadata_cache = true; CREATE SCHEMA stored")
    read: list[str] = []
    for table, declared in TABLES.items():
        paths = _paths(parts, table)
        read += map(str, paths)
        connection.execute(f"CREATE VIEW stored.{table} AS {table_query(declared, paths)}")
    _view_turn_groups(connection, parts)
    for view in VIEWS:
        connection.execute(f"CREATE VIEW {view} AS {view_text(view)}")
    if read_only:
        connection.execute(f"SET allowed_paths = [{', '.join(map(quoted, read))}]")
        connection.execute("SET enable_external_access = false; SET lock_configuration = true")


def _paths(parts: Mapping[Location, Sequence[ResultsPart]], table: str) -> list[Path]:
    """The files of a table."""
    paths: list[Path] = []
    for folder, live in parts.items():
        wanted = {part.file(table): part.files[part.file(table)] for part in live if table in part.rows}
        paths += storage_of(folder).paths(wanted)
    return paths


def _view_turn_groups(connection: Connection, parts: Mapping[Location, Sequence[ResultsPart]]) -> None:
    """What three views are made of: groups counted at a merge, and the turns of parts without them."""
    query = "SELECT * FROM stored.turn_groups"
    uncounted = {folder: [p for p in live if not has_groups(p)] for folder, live in parts.items()}
    if any(uncounted.values()):
        turns, episodes = (
            f"({table_query(TABLES[table], _paths(uncounted, table))})" for table in ("turns", "episodes")
        )
        query += f" UNION ALL BY NAME ({grouping(turns, episodes)})"
    connection.execute(f"CREATE VIEW stored.all_turn_groups AS {query}")


def view_text(view: str) -> str:
    """The query of a view, with the comment that explains it."""
    return (files("learnact.results") / "views" / f"{view}.sql").read_text(encoding="utf-8")


# Records ----------------------------------------------------------------------------------------------------


def dictionaries(
    connection: Connection, query: str, values: Sequence[Any] | Mapping[str, Any] = ()
) -> list[dict[str, Any]]:
    """Rows of a query as dictionaries. Raises `ResultsError` where the results cannot be read."""
    try:
        given = dict(values) if isinstance(values, Mapping) else list(values)
        found = connection.execute(query, given)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        raise _unreadable(error) from error


def _unreadable(error: BaseException) -> ResultsError:
    return ResultsError(
        f"the results cannot be read ({' '.join(str(error).split())}); restore the file from a copy, or "
        "connect again if it was removed after a run ended"
    )


def _one(connection: Connection, table: str, column: str, wanted: str) -> dict[str, Any]:
    found = dictionaries(
        connection,
        f"SELECT * FROM stored.{table} WHERE starts_with({column}, ?) ORDER BY {column} LIMIT 2",
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
        "SELECT * FROM stored.turns WHERE run = ? AND trial = ? AND episode = ? ORDER BY turn",
        [row["run"], row["trial"], row["key"]],
    )
    return rows.result_from(row, tuple(rows.turn_from(turn) for turn in turns))


def used_so_far(folder: Location) -> tuple[int, int, int, float, int]:
    """Calls, tokens of prompts, tokens of replies, US dollars (of the calls with a price) and calls without a
    price, that all sessions of a run have spent on what is committed.
    """
    query = """
        SELECT count(*) AS calls, coalesce(sum(prompt_tokens), 0)::BIGINT AS prompt,
               coalesce(sum(completion_tokens), 0)::BIGINT AS completion, coalesce(sum(cost), 0) AS dollars,
               count(*) FILTER (cost IS NULL) AS unpriced
        FROM stored.calls
    """
    with connect_folders([folder]) as connection:
        (found,) = dictionaries(connection, query)
    counts = (int(found[name]) for name in ("calls", "prompt", "completion"))
    calls, prompt, completion = counts
    return calls, prompt, completion, float(found["dollars"]), int(found["unpriced"])


def models_returned(folder: Location) -> list[tuple[str, str]]:
    """(model asked, name it answered as) of all that is committed in a run's folder."""
    query = """
        SELECT DISTINCT coalesce(json_extract_string(c.parameters, '$.model'), u.model) AS asked,
               c.model AS returned FROM stored.calls c
        JOIN (SELECT key, model FROM stored.episodes UNION ALL SELECT key, model FROM stored.requests) u
        ON u.key = c.unit
        WHERE c.model != ''
    """
    with connect_folders([folder]) as connection:
        return [(row["asked"], row["returned"]) for row in dictionaries(connection, query)]
