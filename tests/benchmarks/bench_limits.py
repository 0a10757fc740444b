"""How far each limit of a run can be overrun (docs/limits.md): `python -m tests.benchmarks limits`.

The model is a server in this process that answers each request after `SECONDS`. A row's value is what was
used beyond the limit, in calls that the server has answered; its target is the number of calls that can be in
flight."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from aiohttp import web

import learnact
from tests.models.server import FaultServer, completion

SECONDS = 0.1
CALLS = 60
"""Calls after which the limits are used up; the whole job needs several times as many."""
CALL_TOKENS = 110
CALL_DOLLARS = 0.02
PRICES = {"prompt": 100.0, "completion": 1000.0}
LIMITS: dict[str, float] = {
    "dollars": CALLS * CALL_DOLLARS,
    "tokens": CALLS * CALL_TOKENS,
    "calls": CALLS,
}
PLACES: dict[str, tuple[dict[str, Any], int]] = {
    "in this process, 16 in flight": ({"runner": "local", "in_flight": 16}, 16),
    "2 Ray workers, 8 in flight each": ({"workers": 2, "in_flight": 8}, 16),
}
SESSION_SECONDS = 3.0
EPISODE_CALLS = 5


async def _answer(_request: web.Request, _body: dict[str, Any]) -> web.StreamResponse:
    await asyncio.sleep(SECONDS)
    return web.json_response(completion("move('rooma', 'roomb')"))


async def _run(limits: dict[str, Any], cluster: dict[str, Any]) -> tuple[int, float, int]:
    """Calls made, seconds of the run, and the most calls of one episode."""
    async with FaultServer(always=_answer) as server:
        model = {"name": "m", "base_url": server.url, "prices": PRICES}
        job = {
            "name": "limits",
            "domains": "gripper",
            "methods": "act",
            "models": {"agent": model, "learner": model},
            "repeats": {"learn": 1, "test": 2},
            "limits": limits,
            "cluster": cluster,
        }
        with tempfile.TemporaryDirectory() as folder:
            done = await asyncio.to_thread(learnact.run, job, results=Path(folder), check=False)
        episodes = Counter(body["seed"] for body in server.bodies)
        return len(server.bodies), done.seconds, max(episodes.values(), default=0)


def run() -> list[dict[str, Any]]:
    """The rows."""
    rows: list[dict[str, Any]] = []
    for place, (cluster, in_flight) in PLACES.items():
        for name, limit in LIMITS.items():
            made, _, _ = asyncio.run(_run({name: limit}, cluster))
            label = f"limits.{name}, {place}: calls beyond the {CALLS} of the limit"
            rows.append({"name": label, "value": made - CALLS, "unit": "calls", "target": in_flight})
        for name, limit in {"tokens": CALL_TOKENS, "dollars": CALL_DOLLARS}.items():
            _, _, most = asyncio.run(_run({f"episode_{name}": EPISODE_CALLS * limit}, cluster))
            label = f"limits.episode_{name}, {place}: calls of an episode beyond {EPISODE_CALLS}"
            rows.append({"name": label, "value": most - EPISODE_CALLS, "unit": "calls", "target": 0})
    cluster, _ = PLACES["in this process, 16 in flight"]
    _, seconds, _ = asyncio.run(_run({"hours": SESSION_SECONDS / 3600}, cluster))
    label = f"limits.hours, in this process: seconds beyond the {SESSION_SECONDS:g} of the limit"
    rows.append({"name": label, "value": seconds - SESSION_SECONDS, "unit": "s", "target": None})
    return rows
