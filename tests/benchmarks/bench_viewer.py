"""Reading many results: the viewer's pages and the report over 100,000 episodes with 1M turns, and over 1M
with 10M.

The runs are generated: a hundred episodes of the tests' material, repeated under keys of their own, as a run
that ended leaves them (one part, in order). Times are of a whole request, connection to the run included for
the first page. LEARNACT_BENCH_EPISODES sets other sizes.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
from aiohttp.test_utils import TestClient, TestServer

from learnact.results.manifests import live_parts
from learnact.results.parts import ROW_GROUP, quoted, read_parquet
from learnact.results.reader import connect_folders, find_run
from learnact.results.store import RunStore
from learnact.results.tables import SCHEMA_VERSION, TABLES
from learnact.viewer.app import application
from tests.report.conftest import trial_row
from tests.results import material

SIZES = tuple(int(n) for n in os.environ.get("LEARNACT_BENCH_EPISODES", "100_000,1_000_000").split(","))
TEMPLATES = 100
TURNS = 10
TRIALS = ("act-gripper", "learnact-gripper")
UNITS = {"episodes": "key", "turns": "episode", "calls": "unit"}
"""Tables with a row or more for each episode, and the column that holds its key."""
ROUNDS = 5
QUERIES = {
    "success by method and domain": "SELECT method, domain, avg(success::INT), count(*) FROM episodes "
    "WHERE phase = 'test' GROUP BY ALL",
    "calls of learned actions": "SELECT callee, count(*), avg(ok::INT) FROM turns WHERE learned GROUP BY ALL",
    "cost by method": "SELECT method, sum(cost), sum(prompt_tokens) FROM episodes GROUP BY ALL",
}


async def template(results: Path) -> Path:
    """A run with a hundred episodes of two methods and five tasks."""
    store = RunStore.open(results, "7" * 24, "template", {"name": "large"}, {}, {"learnact": "bench"})
    commits = []
    for number in range(TEMPLATES):
        trial = TRIALS[number % 2]
        method = trial.partition("-")[0]
        if number < 2:
            store.trial(trial, trial_row(method, "gripper"))
        unit = material.episode(number, trial, method, task=number // 20, phase="test")
        commits.append(store.commit(material.outcome(unit, TURNS, number % 3 > 0)))
    store.library("learnact-gripper", material.LIBRARY)
    await asyncio.gather(*commits)
    await store.close("finished")
    return store.folder


def generate(results: Path, source: Path, episodes: int) -> Path:
    """A run with so many episodes, and ten times as many turns and calls."""
    folder = results / f"large-{episodes}"
    folder.mkdir()
    (folder / "run.json").write_bytes((source / "run.json").read_bytes())
    copies, rows = episodes // TEMPLATES, {}
    with duckdb.connect() as connection:
        for table, declared in TABLES.items():
            paths = [part.path(source, table) for part in live_parts(source) if table in part.rows]
            if not paths:
                continue
            stored = f"(SELECT * FROM {read_parquet(paths)} ORDER BY {', '.join(declared.order)})"
            query = f"SELECT * FROM {stored}"
            if table in UNITS:
                key = UNITS[table]
                query = " UNION ALL ".join(
                    f"""SELECT t.* REPLACE (printf('%08x', c.copy) || t.{key}[9:] AS {key})
                    FROM range({copies}) c(copy), (FROM {stored} WHERE trial = '{trial}') t"""
                    for trial in TRIALS
                )
            target = folder / f"{table}.0000001.parquet"
            connection.execute(
                f"COPY ({query}) TO {quoted(str(target))} "
                f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
            )
            ((rows[table],),) = connection.execute(
                f"SELECT count(*) FROM {read_parquet([target])}"
            ).fetchall()
    manifest = {"schema_version": SCHEMA_VERSION, "number": 1, "level": 1, "rows": rows, "replaces": None}
    (folder / "part.0000001.json").write_text(json.dumps(manifest))
    return folder


async def times(results: Path, folder: Path) -> dict[str, float]:
    """Seconds of each page: the first time for lists, the middle of several episodes."""
    with connect_folders([folder]) as connection:
        keys = connection.execute(
            "SELECT key FROM episodes USING SAMPLE reservoir(6 ROWS) REPEATABLE (1)"
        ).fetchall()
    found: dict[str, float] = {}
    async with TestClient(TestServer(application(results, "t"))) as client:

        async def page(path: str) -> float:
            began = time.perf_counter()
            answer = await client.get(f"/t/{path}", headers={"Host": "localhost"})
            await answer.read()
            assert answer.status == 200, await answer.text()
            return time.perf_counter() - began

        run = f"run/{folder.name}"
        found["list of runs"] = await page("")
        found["a run, first time"] = await page(f"{run}/")
        found["episodes, first page"] = await page(f"{run}/episodes")
        found["failed episodes of a method"] = await page(f"{run}/episodes?method=act&outcome=failed&page=3")
        found["an episode"] = statistics.median([await page(f"{run}/episode/{key}") for (key,) in keys])
        found["a prompt as sent"] = statistics.median(
            [await page(f"{run}/episode/{key}/call/4") for (key,) in keys]
        )
        found["search in all text"] = await page(f"{run}/episodes?text=nowhere")
    with connect_folders([folder]) as connection:
        for name, query in QUERIES.items():
            began = time.perf_counter()
            connection.execute(query).fetchall()
            found[name] = time.perf_counter() - began
    return found


TARGETS = {
    "list of runs": 1.0,
    "a run, first time": 1.0,
    "episodes, first page": 1.0,
    "an episode": 0.3,
    **dict.fromkeys(QUERIES, 2.0),
}


def run() -> list[dict[str, Any]]:
    """Rows for the table."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        source = asyncio.run(template(Path(place) / "template"))
        for episodes in SIZES:
            results = Path(place) / str(episodes)
            results.mkdir()
            folder = generate(results, source, episodes)
            assert find_run(results, folder.name).folder == folder
            size = sum(path.stat().st_size for path in folder.iterdir())
            rows.append({"name": f"{episodes:,} episodes: size", "value": size / 1e6, "unit": "MB"})
            for name, seconds in asyncio.run(times(results, folder)).items():
                rows.append(
                    {
                        "name": f"{episodes:,} episodes: {name}",
                        "value": seconds,
                        "unit": "s",
                        "target": TARGETS.get(name),
                    }
                )
    return rows
