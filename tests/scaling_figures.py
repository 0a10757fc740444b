"""What a million episodes on 50 nodes need, worked out from measured costs: the block in docs/scaling.md.

    python -m tests.scaling_figures [--write]

CPU is measured, not time. The driver and the workers are measured as they work together over Ray: 400
episodes of 10 turns with a model that answers after 200 ms, recorded by the real
store. `Fleet` is what is assumed.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from learnact.records import ModelSpec
from learnact.results.store import RunStore
from learnact.runners.ray.runner import RayOptions, RayRunner
from tests.benchmarks import bench_cluster, bench_results
from tests.marked_blocks import put
from tests.results import material

PAGE = Path(__file__).parents[1] / "docs" / "scaling.md"
EPISODES = 400
TABLES_A_PART = 6
"""Files of a part and its manifest (episodes, turns, calls, blocks, attempts): each a PUT."""
PUT_DOLLARS = 0.005 / 1000
"""Price of a PUT, US dollars (S3 standard, us-east-1)."""
KEY_BYTES = 1_000
"""Memory of the driver for each committed unit: measured by bench_scale, 45 MB from 1,000 to 50,000."""


@dataclass(frozen=True)
class Fleet:
    """What is to be played, and where."""

    episodes: int = 1_000_000
    turns: int = 20
    nodes: int = 50
    cores: int = 4
    latency: float = 2.0
    """Seconds of a call of the model."""
    in_flight: int = 64
    """Episodes in flight on a node."""


@dataclass(frozen=True)
class Costs:
    """Milliseconds of CPU, and bytes. A turn is a call of a model with what follows from it."""

    harness: float
    client: float
    worker: float
    driver: float
    store: float
    committed: float
    merged: float


async def over_ray(url: str) -> tuple[float, float]:
    """CPU milliseconds a turn of the driver, committing and journal included, and of the workers."""
    units = bench_cluster.episodes(EPISODES, bench_cluster.TURNS, ModelSpec("m", base_urls=(url,)))
    turns = EPISODES * bench_cluster.TURNS
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore.open(folder, "c" * 24, "costs", {}, {}, {})
        async with RayRunner(RayOptions(workers=2, in_flight=32), call_log=store) as runner:
            while runner.ready < 2:
                await asyncio.sleep(0.05)
            warm = bench_cluster.episodes(64, 1, ModelSpec("m", base_urls=(url,)))
            async for _ in runner.run(warm):
                pass
            driver, workers = time.process_time(), bench_cluster.workers_cpu()
            commits = [asyncio.ensure_future(store.commit(outcome)) async for outcome in runner.run(units)]
            await asyncio.gather(*commits)
            driver = (time.process_time() - driver) * 1000 / turns
            workers = (bench_cluster.workers_cpu() - workers) * 1000 / turns
        await store.close()
    return driver, workers


def measure() -> Costs:
    """The costs on this machine."""
    made = [material.outcome(material.episode(number)) for number in range(200)]
    store, committed, merged = asyncio.run(bench_results.record(made, True))
    with bench_cluster.server() as url:
        client = asyncio.run(bench_cluster.client_cpu(url))
        driver, worker = asyncio.run(over_ray(url))
    return Costs(
        harness=asyncio.run(bench_cluster.turn_cpu()),
        client=client,
        worker=worker,
        driver=driver,
        store=store,
        committed=committed,
        merged=merged,
    )


def table(costs: Costs, fleet: Fleet = Fleet()) -> str:
    """Costs, and what follows from them, as Markdown."""
    turns = fleet.episodes * fleet.turns
    model = fleet.nodes * fleet.in_flight / fleet.latency
    workers = fleet.nodes * fleet.cores * 1000 / costs.worker
    driver = 1000 / costs.driver
    pace = min(model, workers, driver)
    hours = turns / pace / 3600
    puts = hours * 3600 * TABLES_A_PART
    rows = [
        ("harness, a turn", f"{costs.harness:.2f} ms CPU", "measured, a worker's process"),
        ("client, a call", f"{costs.client:.2f} ms CPU", "measured, a worker's process"),
        ("worker over Ray, a turn, all included", f"{costs.worker:.2f} ms CPU", "measured"),
        ("driver over Ray, a turn, journal and commits included", f"{costs.driver:.2f} ms CPU", "measured"),
        ("store alone, an episode of 20 turns", f"{costs.store:.2f} ms CPU", "measured, driver's process"),
        (
            "store, an episode of 20 turns",
            f"{costs.committed / 1e3:.1f} kB, merged {costs.merged / 1e3:.1f} kB",
            "measured",
        ),
        ("**turns to play**", f"{turns:,}", f"{fleet.episodes:,} episodes of {fleet.turns} turns"),
        (
            "turns a second that models answer",
            f"{model:,.0f}",
            f"{fleet.nodes} nodes x {fleet.in_flight} in flight / {fleet.latency:g} s",
        ),
        ("turns a second of the workers", f"{workers:,.0f}", f"{fleet.nodes} nodes x {fleet.cores} cores"),
        ("turns a second of the driver", f"{driver:,.0f}", "one core: one process, one event loop"),
        ("**hours**", f"{hours:.1f}", "by the slowest of the three"),
        ("requests a minute for the limiter", f"{pace * 60:,.0f}", "leased to workers in batches"),
        ("CPU of workers", f"{turns * costs.worker / 3.6e6:,.0f} core-hours", ""),
        (
            "memory of the driver",
            f"{0.3 + fleet.episodes * KEY_BYTES / 1e9:.1f} GB",
            "0.3 GB, and keys of what is committed",
        ),
        (
            "results",
            f"{fleet.episodes * costs.merged / 1e9:.1f} GB",
            "the same again for 10 minutes at a merge",
        ),
        (
            "PUTs on an object store",
            f"{puts:,.0f} (${puts * PUT_DOLLARS:.2f})",
            "a part a second, and its manifest",
        ),
    ]
    lines = ["| what | how much | from |", "| --- | ---: | --- |"]
    return "\n".join([*lines, *(f"| {a} | {b} | {c} |" for a, b, c in rows)])


def main() -> None:
    """Print the table, or put it into the documentation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"put the table into {PAGE.name}")
    given = parser.parse_args()
    text = table(measure())
    print(text)
    if given.write:
        put(PAGE, "scaling", text)


if __name__ == "__main__":
    main()
