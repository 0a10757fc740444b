"""A run of 100,000 short episodes in one process: memory of the driver, size, resume, SQL.

The model is in the process and costs nothing: it moves between the rooms of gripper until its turns are used
up. So what is measured is the harness alone. Each step is a process of its own, so that memory is that of the
step: `python -m tests.benchmarks.bench_scale play|resume FOLDER EPISODES` prints what it measured as JSON.
LEARNACT_BENCH_SCALE sets another number of episodes.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from learnact.driver import run_job, session
from learnact.job import Job, load
from learnact.protocols import CallLog, StoppableRunner
from learnact.records import Outcome
from learnact.report.display import Display
from learnact.results.counters import Counters
from learnact.results.manifests import live_parts
from learnact.results.reader import connect_folders
from learnact.runners.local import LocalRunner
from learnact.runners.worker import Worker
from tests.scripted import Moving

EPISODES = int(os.environ.get("LEARNACT_BENCH_SCALE", "100_000"))
TASKS, TURNS, IN_FLIGHT = 100, 5, 64
EARLY, LATE = 1_000, 50_000
"""Between these numbers of episodes memory must be flat."""
QUERIES = {
    "SQL over all turns": "SELECT callee, count(*), avg(ok::INT), sum(len(steps)), avg(progress) FROM turns "
    "GROUP BY ALL",
    "SQL over all turns and their episodes": "SELECT e.method, t.turn, avg(t.ok::INT), count(*) FROM turns t "
    "JOIN episodes e ON e.run = t.run AND e.key = t.episode GROUP BY ALL",
}


def job(episodes: int) -> Job:
    """One trial of so many episodes."""
    return load(
        {
            "name": "scale",
            "domains": [{"name": "gripper", "level": "easy", "train": 1, "test": TASKS}],
            "methods": ["act"],
            "models": {"agent": {"name": "moving", "base_url": "http://127.0.0.1:9/v1"}},
            "repeats": {"learn": 1, "test": -(-episodes // TASKS)},
            "budget": {"test": {"turns": TURNS}},
            "cluster": {"runner": "local", "in_flight": IN_FLIGHT},
        }
    )


@asynccontextmanager
async def in_process(
    job: Job, _address: str | None, calls: CallLog | None = None
) -> AsyncIterator[StoppableRunner]:
    """The in-process runner with the model that costs nothing."""
    async with Worker(Moving()) as worker:
        yield LocalRunner(worker, job.cluster.in_flight, calls)


def memory(key: str) -> float:
    """Megabytes of this process by a key of /proc: VmRSS now, VmHWM at most so far."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{key}:")[1].split()[0]) / 1024


class Watch(Display):
    """Notes the memory at certain numbers of episodes."""

    def __init__(self) -> None:
        self.found: dict[str, float] = {}
        self._seen = 0

    def outcome(self, outcome: Outcome, counters: Counters) -> None:
        """An episode is committed, or found."""
        self._seen += 1
        if self._seen in (EARLY, LATE, 2 * LATE):
            self.found[f"at {self._seen}"] = memory("VmRSS")


def step(what: str, results: Path, episodes: int) -> dict[str, float]:
    """Play a run, or continue it where it is finished, and say what that took."""
    session.open_runner = in_process  # type: ignore[assignment]
    watch, before = Watch(), memory("VmRSS")
    began, used = time.perf_counter(), time.process_time()
    summary = asyncio.run(run_job(job(episodes), results, None, watch))
    assert summary.done, summary
    assert sum(t.episodes for t in summary.trials) >= episodes
    assert summary.executed == (0 if what == "resume" else sum(t.episodes for t in summary.trials))
    return {
        **watch.found,
        "calls": summary.counters.calls,
        "before": before,
        "most": memory("VmHWM"),
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - used,
    }


def in_child(what: str, results: Path, episodes: int) -> dict[str, float]:
    """A step in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_scale", what, str(results), str(episodes)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def queries(folder: Path) -> dict[str, float]:
    """Seconds of each query, with the connection."""
    found = {}
    for name, query in QUERIES.items():
        began = time.perf_counter()
        with connect_folders([folder]) as connection:
            connection.execute(query).fetchall()
        found[name] = time.perf_counter() - began
    return found


def run() -> list[dict[str, Any]]:
    """Rows for the table."""
    with tempfile.TemporaryDirectory() as place:
        results = Path(place)
        played = in_child("play", results, EPISODES)
        (folder,) = (path.parent for path in results.glob("*/run.json"))
        parts = live_parts(folder)
        size = sum((folder / name).stat().st_size for part in parts for name in part.files)
        resumed = in_child("resume", results, EPISODES)
        rows: list[dict[str, Any]] = [
            {
                "name": "CPU an episode of five turns, all included",
                "value": played["cpu"] / EPISODES * 1e3,
                "unit": "ms",
                "target": None,
            },
            {
                "name": "memory of the driver at 1,000",
                "value": played[f"at {EARLY}"],
                "unit": "MB",
                "target": None,
            },
        ]
        if LATE <= EPISODES:
            rows.append(
                {
                    "name": "more at 50,000",
                    "value": played[f"at {LATE}"] - played[f"at {EARLY}"],
                    "unit": "MB",
                    "target": 100,
                }
            )
        rows += [
            {
                "name": "more at the merge, at most",
                "value": played["most"] - played[f"at {EARLY}"],
                "unit": "MB",
                "target": 100,
            },
            {"name": "results with calls", "value": size / 1e6, "unit": "MB", "target": 600},
            {"name": "resume of the finished run", "value": resumed["seconds"], "unit": "s", "target": 5},
            {"name": "memory of the resume, at most", "value": resumed["most"], "unit": "MB", "target": None},
        ]
        rows += [
            {"name": name, "value": seconds, "unit": "s", "target": 2}
            for name, seconds in queries(folder).items()
        ]
    return [{**row, "name": f"{EPISODES:,} episodes: {row['name']}"} for row in rows]


if __name__ == "__main__":
    print(json.dumps(step(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
