"""The same run in a folder and in a bucket of an S3 server on this machine: writing, opening, reading."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from learnact.results.reader import connect
from learnact.results.storage import objects, s3
from learnact.results.store import RunStore
from tests.results import material
from tests.s3_server import s3_server

EPISODES = 1_000
RUN = "b" * 24


def run() -> list[dict[str, Any]]:
    """Rows for the table."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch, s3_server(Path(scratch) / "s3") as server:
        os.environ.update(server.environment, XDG_CACHE_HOME=f"{scratch}/cache")
        asked: Counter[str] = Counter()
        place = f"s3://{server.bucket('bench')}/results"
        s3.bucket_of("bench")._client.meta.events.register(
            "before-call.s3", lambda model, **_: asked.update([model.name])
        )
        for kind, results in (("folder", f"{scratch}/results"), ("bucket", place)):
            measured = asyncio.run(_write(results))
            measured["first SQL"] = _read(results)
            measured["SQL with copies at hand"] = _read(results)
            if kind == "bucket":
                written = dict(asked)
                os.environ["XDG_CACHE_HOME"] = f"{scratch}/empty"
                objects._cache.cache_clear()
                measured["first SQL"] = _read(results)
            rows += [
                {
                    "name": f"{what}, {EPISODES:,} episodes, {kind}",
                    "value": value,
                    "unit": "s",
                    "target": None,
                }
                for what, value in measured.items()
            ]
        rows += [
            {"name": f"requests while written and read: {name}", "value": count, "unit": "", "target": None}
            for name, count in sorted(written.items())
        ]
        (size,) = [sum(o["Size"] for o in server.client().list_objects_v2(Bucket="bench")["Contents"])]
        rows.append({"name": "size of all objects", "value": size / 1e6, "unit": "MB", "target": None})
    return rows


async def _write(results: str) -> dict[str, float]:
    found = {}
    began = time.perf_counter()
    store = RunStore.open(results, RUN, "bench", {}, {}, {})
    found["open a new run"] = time.perf_counter() - began
    began = time.perf_counter()
    await store.commit(material.outcome(material.episode(0)))
    found["wait for a lone commit"] = time.perf_counter() - began
    began = time.perf_counter()
    for start in range(1, EPISODES, 64):
        units = [material.episode(number) for number in range(start, min(start + 64, EPISODES))]
        await asyncio.gather(*(store.commit(material.outcome(unit)) for unit in units))
    found["commit, 64 at a time"] = time.perf_counter() - began
    began = time.perf_counter()
    await store.close()
    found["merge and close"] = time.perf_counter() - began
    began = time.perf_counter()
    await RunStore.open(results, RUN, "bench", {}, {}, {}).close()
    found["continue a finished run"] = time.perf_counter() - began
    return found


def _read(results: str) -> float:
    began = time.perf_counter()
    with connect(results) as connection:
        assert (
            connection.execute("SELECT count(*), sum(length(raw)) FROM turns").fetchone()[0] == 20 * EPISODES
        )
    return time.perf_counter() - began
