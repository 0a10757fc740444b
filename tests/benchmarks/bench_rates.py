"""How much of a server's limits three workers use, and how much it refuses (docs/limits.md).

    python -m tests.benchmarks.bench_rates [NUMBER ...] [--write]

A real server (its limits: 600 requests and 60,000 tokens in any 60 seconds) is asked by a job on Ray with
three workers, and by one process without Ray; the server counts. Each case takes `SECONDS` of real time: the
first minute is not measured, then a minute and a half is, and after it the server refuses everything for one
minute. NUMBER: a case, from 0; without, all. `--write` puts the table into docs/limits.md.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import learnact
from tests.marked_blocks import put
from tests.models.limits.metered_server import MeteredHttpServer

REQUESTS, TOKENS = 600, 60_000
STEADY = (65.0, 155.0)
STORM = (155.0, 215.0)
AFTER = (245.0, 275.0)
"""Within the minute that follows the storm."""
SECONDS = 370.0
"""Of a session, the start of Ray included (up to a minute and a half on a busy machine)."""
THREE_WORKERS = {"workers": 3, "in_flight": 16}
ONE_PROCESS = {"runner": "local", "in_flight": 48}
DOCUMENT = Path(__file__).parents[2] / "docs" / "limits.md"


def few_tokens(_body: dict[str, Any], rng: random.Random) -> tuple[int, int]:
    """So few that the requests are the limit."""
    return 40, rng.randint(1, 20)


def many_tokens(_body: dict[str, Any], rng: random.Random) -> tuple[int, int]:
    """Prompts and replies of many sizes: the tokens are the limit."""
    return rng.randint(100, 300), rng.choice([5, 20, 20, 300])


@dataclass(frozen=True)
class Case:
    """One measurement. `unit` 0: requests are the limit, 1: tokens."""

    name: str
    usage: Callable[[dict[str, Any], random.Random], tuple[int, int]]
    unit: int
    cluster: dict[str, Any]
    report_usage: bool = True


CASES = (
    Case("requests bind, three Ray workers", few_tokens, 0, THREE_WORKERS),
    Case("tokens bind, three Ray workers", many_tokens, 1, THREE_WORKERS),
    Case("requests bind, one process", few_tokens, 0, ONE_PROCESS),
)


@dataclass(frozen=True)
class Measured:
    """Shares of the limit that were used, and of the requests that were refused. `back`: the rate in the
    minute after the storm as a share of that before it."""

    used: float
    refused: float
    back: float
    storm_requests: int


def measure(case: Case) -> Measured:
    """Run a case: about five minutes."""
    return asyncio.run(_measure(case))


async def _measure(case: Case) -> Measured:
    server = MeteredHttpServer(REQUESTS, TOKENS, case.usage, STORM, case.report_usage)
    async with server:
        model = {
            "name": "m",
            "base_url": server.url,
            "limits": {"requests_per_minute": REQUESTS, "tokens_per_minute": TOKENS},
        }
        job = {
            "name": "rates",
            "domains": [{"name": "gripper", "test": 60}],
            "methods": "act",
            "models": {"agent": model, "learner": model},
            "repeats": {"learn": 1, "test": 20},
            "limits": {"hours": SECONDS / 3600, "unreadable": None},
            "cluster": case.cluster,
        }
        with tempfile.TemporaryDirectory() as folder:
            await asyncio.to_thread(learnact.run, job, results=Path(folder), check=False)
    if not server.seen.passed:
        raise RuntimeError(f"{case.name}: no request came; the run did not start (see its log)")
    seen, limit = server.seen, (REQUESTS, TOKENS)[case.unit]
    steady, after = seen.rate(*STEADY)[case.unit], seen.rate(*AFTER)[case.unit]
    storm = sum(STORM[0] <= when < STORM[1] for when in seen.refused)
    return Measured(steady / limit, seen.refused_share(*STEADY), after / steady if steady else 0.0, storm)


def table(found: dict[str, Measured]) -> str:
    """In Markdown."""
    head = "| case | of the limit used | refused (429) | 30 to 60 s after a minute's storm | asked in it |"
    rows = [
        f"| {name} | {one.used:.1%} | {one.refused:.2%} | {one.back:.0%} of before | {one.storm_requests} |"
        for name, one in found.items()
    ]
    return "\n".join([head, "|---|---:|---:|---:|---:|", *rows]) + "\n"


def main(arguments: list[str]) -> None:
    """Measure all cases, print the table, and write it where that is asked for."""
    found = {}
    numbers = [int(one) for one in arguments if one.isdigit()] or range(len(CASES))
    for case in (CASES[number] for number in numbers):
        found[case.name] = measure(case)
        print(case.name, found[case.name], flush=True)
    print(table(found))
    if "--write" in arguments:
        put(DOCUMENT, "rates", table(found))


if __name__ == "__main__":
    main(sys.argv[1:])
