"""Writes runs of up to a million episodes, for measurements: real Parquet with manifests, as a merge leaves
it.

A hundred episodes are recorded by the real store: two methods, five repeats of learning, libraries,
candidates, requests. DuckDB then copies them. Each copy has keys of its own (in order, as a merge leaves
them), tasks, seeds, outcomes, token counts, and texts that no other turn has.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import duckdb

from learnact.records import Candidate, Library, Terms
from learnact.results.manifests import file_checksum, live_parts
from learnact.results.merging import ROW_GROUP
from learnact.results.parts import Parts, tidy
from learnact.results.store import RunStore
from learnact.results.table_sql import quoted, read_parquet
from learnact.results.tables import SCHEMA_VERSION, TABLES, TURN_GROUPS
from tests.report.conftest import trial_row
from tests.results import material

TURNS = 10
REPEATS = 5
METHODS = ("act", "learnact")
TRIALS = tuple(f"{method}-{repeat}" for method in METHODS for repeat in range(REPEATS))
OF_A_TRIAL = 10
"""Recorded episodes of a trial."""
TEMPLATES = OF_A_TRIAL * REPEATS * len(METHODS)
TASKS = 100
"""Each recorded task stands for so many."""
UNITS = {"episodes": "key", "turns": "episode", "calls": "unit"}
"""Tables with a row or more for each episode, and the column that holds its key."""
LUCK = "(hash(c.copy, t.key) % 1000 / 1000.0)"
VARIED = {
    "episodes": {
        "task": f"t.task || '-' || c.copy % {TASKS}",
        "task_hash": f"left(md5(t.task_hash || c.copy % {TASKS}), 24)",
        "seed": f"t.seed + 1000 * (c.copy // {TASKS})",
        "success": f"CASE WHEN t.method = 'act' THEN {LUCK} < 0.3 ELSE {LUCK} < 0.6 END",
        "prompt_tokens": "t.prompt_tokens + hash(c.copy, t.key, 1) % 1000",
        "cost": "t.cost + hash(c.copy, t.key, 2) % 1000 / 1e6",
    },
    "turns": {
        "observation": "t.observation || ' Round ' || hash(c.copy, t.episode, t.turn) % 1000000000 || '.'"
    },
    "calls": {"latency": "t.latency + hash(c.copy, t.unit, t.ordinal) % 1000 / 1e3"},
}
"""What differs from copy to copy, as SQL."""


async def record(results: Path) -> Path:
    """The run that is copied."""
    store = RunStore.open(results, "7" * 24, "template", {"name": "large"}, {}, {"learnact": "bench"})
    commits = []
    for method in METHODS:
        for repeat in range(REPEATS):
            trial = f"{method}-{repeat}"
            learns = method != "act"
            library = material.LIBRARY if learns else Library()
            library = replace(library, usage_example=f"Repeat {repeat}.") if learns else library
            ended = {"learn_repeat": repeat, "library": library.id}
            store.trial(trial, {**trial_row(method, "gripper"), **ended})
            if learns:
                _learning(store, trial, library)
                commits.append(store.commit(material.answered(material.request(repeat, trial))))
            for number in range(OF_A_TRIAL):
                place = repeat * OF_A_TRIAL + number
                unit = material.episode(place, trial, method, task=number // 2, library=library)
                unit = replace(unit, learn_repeat=repeat, learner_model="sim-strong" if learns else "")
                commits.append(store.commit(material.outcome(unit, TURNS, number % 3 > 0)))
    await asyncio.gather(*commits)
    await store.close("finished")
    return store.folder


def _learning(store: RunStore, trial: str, library: Library) -> None:
    """A winner and a loser of each of three iterations."""
    store.library(trial, library)
    for iteration in range(3):
        for number in range(2):
            store.candidate(
                Candidate(
                    trial=trial,
                    iteration=iteration,
                    candidate=number,
                    library=library.id,
                    parent="",
                    origin="update" if iteration else "create",
                    terms=Terms(success=0.5),
                    score=0.5,
                    selected=number == 0,
                )
            )


def generate(results: Path, source: Path, episodes: int) -> Path:
    """A run with so many episodes, and ten times as many turns and calls: a part for each trial, merged by
    the run's own writer.
    """
    folder = results / f"large-{episodes}"
    folder.mkdir()
    (folder / "run.json").write_bytes((source / "run.json").read_bytes())
    whole = [part for part in live_parts(source) if part.rows]
    sources = {
        table: read_parquet([source / part.file(table) for part in whole if table in part.rows])
        for table in TABLES
        if any(table in part.rows for part in whole)
    }
    with duckdb.connect(config={"threads": 1}) as connection:
        for number, trial in enumerate(TRIALS, 1):
            queries = {table: _copies(table, sources[table], trial, episodes // TEMPLATES) for table in UNITS}
            if number == 1:
                others = sources.keys() - UNITS.keys() - {TURN_GROUPS.name}
                queries |= {table: f"SELECT * FROM {sources[table]}" for table in others}
            _write_part(connection, folder, number, queries)
    parts = Parts(folder)
    parts.compact()
    tidy(folder, grace=0)
    return folder


def _write_part(
    connection: duckdb.DuckDBPyConnection, folder: Path, number: int, queries: Mapping[str, str]
) -> None:
    rows, sums = {}, {}
    for table, query in queries.items():
        target = folder / f"{table}.{number:07d}.parquet"
        connection.execute(
            f"COPY ({query}) TO {quoted(str(target))} "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
        )
        ((rows[table],),) = connection.execute(f"SELECT count(*) FROM {read_parquet([target])}").fetchall()
        sums[table] = file_checksum(target)
    manifest = {"number": number, "level": 0, "rows": rows, "replaces": None, "sums": sums}
    path = folder / f"part.{number:07d}.json"
    path.write_text(json.dumps({"schema_version": SCHEMA_VERSION, **manifest}))


def _copies(table: str, source: str, trial: str, copies: int) -> str:
    """The rows of a trial in the large run, in their order: copy by copy."""
    key = UNITS[table]
    spread = f"printf('%08x', c.copy * {(1 << 32) // copies})"
    varied = {key: f"{spread} || t.{key}[9:]", **VARIED[table]}
    columns = ", ".join(f"{value} AS {name}" for name, value in varied.items())
    stored = f"(SELECT * FROM {source} WHERE trial = '{trial}' ORDER BY {', '.join(TABLES[table].order)})"
    return f"SELECT t.* REPLACE ({columns}) FROM range({copies}) c(copy), {stored} t"
