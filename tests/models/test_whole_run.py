"""A run against an endpoint with every fault of the list: no episode is scored because of it, none is
lost."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import learnact
from learnact.driver import Summary
from learnact.results.reader import connect
from tests.integration.test_run import answers, job
from tests.models.server import Behaviour, FaultServer, cut, drop, error, hang, js, picky, raw
from tests.results.compare import compare

FAULTS = (
    error(429, retry_after_ms="5"),
    error(429, retry_after="0.01"),
    error(500),
    error(503),
    hang(),
    drop(),
    cut(),
    raw("<html>Bad gateway</html>", "text/html"),
    js({"id": "1", "choices": [], "usage": {}}),
)


async def run(server: FaultServer, results: Path) -> Summary:
    model = {"name": "m", "base_url": server.url, "timeout": 1.0, "stop": ["\n\n"]}
    wanted = job(server.url, models={"agent": model, "learner": model})
    return await asyncio.to_thread(learnact.run, wanted, results=results, address="local", check=False)


def all_of_them(unlucky: int) -> Behaviour:
    """A fault before every eighth reply, each kind in turn; one request in `unlucky` fails as long as a call
    bears with it. Refuses `stop`."""
    good, faults, count = answers(), itertools.cycle(FAULTS), itertools.count(1)
    seen: dict[str, int] = {}

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if "stop" in body:
            return await picky("stop")(request, body)
        if next(count) % 8 == 0:
            return await next(faults)(request, body)
        address = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        seen[address] = seen.get(address, 0) + 1
        if int(address, 16) % unlucky == 0 and seen[address] <= 6:
            return await js({"choices": None})(request, body)
        return await good(request, body)

    return answer


async def test_every_fault_of_the_list_costs_no_episode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learnact.models.retry.RetryPolicy.__init__.__defaults__", (6, 0.01, 0.05, 600.0))
    async with FaultServer(always=answers()) as clean:
        first = await run(clean, tmp_path / "clean")
    async with FaultServer(always=all_of_them(unlucky=12)) as server:
        second = await run(server, tmp_path / "faulty")
        assert len(server.bodies) > len(clean.bodies) * 1.1
    assert first.done
    assert second.done
    changed = {difference.table for difference in compare(first.folder, second.folder)}
    assert changed <= {"calls"}
    with connect(tmp_path / "faulty") as db:
        attempts = db.execute("SELECT DISTINCT boundary FROM attempts").fetchall()
        sent = [json.loads(p) for (p,) in db.execute("SELECT DISTINCT parameters FROM calls").fetchall()]
    assert attempts == [("provider",)]
    assert all(p["refused"] == ["stop"] and "stop" not in p for p in sent)
