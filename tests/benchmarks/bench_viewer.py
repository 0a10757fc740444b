"""Reading many results: the viewer's pages and the report over 100,000 episodes with 1M turns, and over 1M
with 10M.

The runs are generated (large_run.py), as a run that ended leaves them. Times are of a whole request,
connection to the run included for the first page. LEARNACT_BENCH_EPISODES sets other sizes.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from learnact.results.reader import DERIVED, connect_folders, find_run
from learnact.viewer.app import application
from tests.benchmarks.large_run import generate, record

SIZES = tuple(int(n) for n in os.environ.get("LEARNACT_BENCH_EPISODES", "100_000,1_000_000").split(","))
QUERIES = {
    "success by method and domain": "SELECT method, domain, avg(success::INT), count(*) FROM episodes "
    "WHERE phase = 'test' GROUP BY ALL",
    "calls of learned actions": "SELECT callee, count(*), avg(ok::INT) FROM turns WHERE learned GROUP BY ALL",
    "cost by method": "SELECT method, sum(cost), sum(prompt_tokens) FROM episodes GROUP BY ALL",
    **{f"view {view}": f"SELECT * FROM {view}" for view in DERIVED},
}


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
        found["search in all text, first page"] = await page(f"{run}/episodes?text=nowhere")
        found["search in all text, a text found at once"] = await page(f"{run}/episodes?text=left+holds")
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
    "search in all text, first page": 2.0,
    **dict.fromkeys(QUERIES, 2.0),
}


def run() -> list[dict[str, Any]]:
    """Rows for the table."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        source = asyncio.run(record(Path(place) / "template"))
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
