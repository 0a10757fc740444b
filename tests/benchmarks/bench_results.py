"""Recording: CPU and bytes of a 20-turn episode with its calls, wait of a lone commit, resuming, reading."""

from __future__ import annotations

import asyncio
import dataclasses
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from learnact.results.manifests import live_parts
from learnact.results.reader import connect
from learnact.results.store import RunStore
from tests.results import material

EPISODES = 400
ROUNDS = 3


def open_store(folder: str) -> RunStore:
    return RunStore.open(folder, "b" * 24, "bench", {}, {}, {})


def size(store: RunStore) -> int:
    """Bytes of the files that count."""
    parts = live_parts(store.folder)
    return sum((store.folder / part.file(table)).stat().st_size for part in parts for table in part.rows)


async def record(made: list[Any], streamed: bool) -> tuple[float, float, float]:
    """CPU milliseconds an episode, writing thread included; its bytes as committed and after merging."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        began = time.process_time()
        for start in range(0, len(made), 64):
            batch = made[start : start + 64]
            if streamed:
                for outcome in batch:
                    for call in outcome.calls:
                        store.record(call)
                batch = [dataclasses.replace(outcome, calls=()) for outcome in batch]
            await asyncio.gather(*(store.commit(outcome) for outcome in batch))
        cpu = (time.process_time() - began) / len(made) * 1e3
        written = size(store) / len(made)
        await store.close()
        return cpu, written, size(store) / len(made)


async def lone_commit() -> float:
    """Seconds that a learner waits for a commit when nothing else is going on."""
    with tempfile.TemporaryDirectory() as folder:
        store, waits = open_store(folder), []
        for number in range(12):
            outcome = material.answered(material.request(number))
            began = time.perf_counter()
            await store.commit(outcome)
            waits.append(time.perf_counter() - began)
            await asyncio.sleep(0.2)
        await store.close()
        return statistics.median(waits)


async def resume(made: list[Any]) -> tuple[float, float, float]:
    """Seconds to open a finished run and find all of it, to query it, and to rebuild an episode's prompts."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        await asyncio.gather(*(store.commit(outcome) for outcome in made))
        await store.close()
        began = time.perf_counter()
        store = open_store(folder)
        assert all(store.find(outcome.key) for outcome in made)
        opened = time.perf_counter() - began
        await store.close()
        began = time.perf_counter()
        with connect(Path(folder)) as connection:
            connection.execute("SELECT method, avg(success::int) FROM episodes GROUP BY ALL").fetchall()
            asked = time.perf_counter() - began
            began = time.perf_counter()
            connection.execute("SELECT * FROM prompts WHERE unit = ?", [made[0].key]).fetchall()
            return opened, asked, time.perf_counter() - began


def run() -> list[dict[str, Any]]:
    """Medians over rounds; texts and prompts of real length (tests/results/material.py)."""
    made = [material.outcome(material.episode(number)) for number in range(EPISODES)]
    for outcome in made:
        assert outcome.key
        assert len(outcome.result.turns) == 20
    plain = [asyncio.run(record(made, False)) for _ in range(ROUNDS)]
    streamed = [asyncio.run(record(made, True)) for _ in range(ROUNDS)]
    opened = [asyncio.run(resume(made)) for _ in range(ROUNDS)]

    def median(rows: list[tuple[float, float, float]], place: int) -> float:
        return statistics.median(row[place] for row in rows)

    return [
        {
            "name": "20-turn episode with its calls, CPU",
            "value": median(plain, 0),
            "unit": "ms",
            "target": 1.0,
        },
        {
            "name": "the same, calls streamed and journalled first",
            "value": median(streamed, 0),
            "unit": "ms",
            "target": 1.0,
        },
        {
            "name": "20-turn episode with its calls, as committed",
            "value": median(plain, 1) / 1e3,
            "unit": "kB",
            "target": 6.0,
        },
        {"name": "the same after merging", "value": median(plain, 2) / 1e3, "unit": "kB", "target": 6.0},
        {
            "name": "wait for a lone commit",
            "value": asyncio.run(lone_commit()) * 1e3,
            "unit": "ms",
            "target": 50.0,
        },
        {
            "name": f"open a run and find {EPISODES} episodes",
            "value": median(opened, 0),
            "unit": "s",
            "target": None,
        },
        {
            "name": "connect and ask for success by method",
            "value": median(opened, 1),
            "unit": "s",
            "target": None,
        },
        {
            "name": "rebuild the 20 prompts of an episode",
            "value": median(opened, 2),
            "unit": "s",
            "target": None,
        },
    ]
