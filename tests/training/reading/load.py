"""Plays sessions of a served domain at once, as fast as the server answers, and prints what came of it.

    python -m tests.training.reading.load DOMAIN SESSIONS SECONDS [OPTION ...]

Each session plays the reference plans of random training tasks, with one impossible action in each episode.
Prints a line of JSON: sessions, seconds, episodes, solved, steps, steps_per_second, errors, and the server's
resident memory in kB (its engine processes included) once a third of the time had passed, and at the end.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from openenv.core import GenericEnvClient

from learnact.cli.options import spec_of
from learnact.domains import registry
from learnact.domains.base import PlannedCall
from tests.training.reading.serving import Served, descendants, resident_kb, serve_env

WARM = 1 / 3


async def session(url: str, plans: Sequence[Sequence[PlannedCall]], until: float, seen: Counter[str]) -> None:
    """Episode after episode until the time is over."""
    try:
        async with GenericEnvClient(base_url=url) as client:
            while time.monotonic() < until:
                index = random.randrange(len(plans))
                result = await client.reset(index=index)
                earned = result.reward
                for call in (PlannedCall("no_such_action"), *plans[index]):
                    result = await client.step({"type": "call_tool", "tool_name": call.written})
                    seen["steps"] += 1
                    earned += result.reward
                seen["episodes"] += 1
                seen["solved"] += result.done and abs(earned - 1) < 1e-9
    except Exception as error:  # noqa: BLE001 - counted and told
        seen["errors"] += 1
        print(f"{type(error).__name__}: {error}", file=sys.stderr)


async def load(server: Served, plans: Sequence[Sequence[PlannedCall]], sessions: int, seconds: float) -> Any:
    """All sessions, and the server's memory meanwhile."""
    seen: Counter[str] = Counter()
    began = time.monotonic()
    playing = [
        asyncio.create_task(session(server.url, plans, began + seconds, seen)) for _ in range(sessions)
    ]
    await asyncio.sleep(seconds * WARM)  # a span of measurement
    warm, open_then = resident_kb(descendants(server.process.pid)), sum(not task.done() for task in playing)
    await asyncio.sleep(max(0.0, began + seconds - 1 - time.monotonic()))  # the same
    end = resident_kb(descendants(server.process.pid))
    await asyncio.gather(*playing)
    took = time.monotonic() - began
    return {
        "sessions": open_then,
        "seconds": round(took, 1),
        "episodes": seen["episodes"],
        "solved": seen["solved"],
        "steps": seen["steps"],
        "steps_per_second": round(seen["steps"] / took, 1),
        "errors": seen["errors"],
        "warm_kb": warm,
        "end_kb": end,
        "processes": len(descendants(server.process.pid)),
    }


def main(domain: str, sessions: int, seconds: float, options: Sequence[str]) -> None:
    """Serve, play, print."""
    built = registry.build(spec_of(domain, options))
    plans = [built.reference_plan(task) or () for task in built.tasks("train")]
    given = [part for option in options for part in ("--option", option)]
    with serve_env(domain, "--sessions", sessions, *given) as server:
        print(json.dumps(asyncio.run(load(server, plans, sessions, seconds))))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])
