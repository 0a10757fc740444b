"""Limits of money, tokens, calls and time: they hold to within the calls in flight, nothing paid is asked
again."""

from __future__ import annotations

import asyncio
import itertools
import threading
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import learnact
from learnact.driver import Summary
from learnact.errors import Failure
from learnact.results.reader import connect
from learnact.runners.ray.runner import RayRunner
from tests.integration.test_run import answers, job
from tests.models.server import FaultServer

IN_FLIGHT = 8
CALL_TOKENS = 110
PRICES = {"prompt": 100.0, "completion": 1000.0}
CALL_DOLLARS = (100 * 100.0 + 10 * 1000.0) / 1e6
"""What a reply of the tests' server is counted and priced at."""


async def run(server: FaultServer, results: Path, limits: dict[str, Any], **cluster: Any) -> Summary:
    models = {"name": "m", "base_url": server.url, "prices": PRICES}
    wanted = job(
        server.url,
        methods="act",
        limits={"tries": 2, **limits},
        models={"agent": models, "learner": models},
        cluster={"in_flight": IN_FLIGHT, **cluster},
        tasks={"test": 6},
    )
    return await asyncio.to_thread(learnact.run, wanted, results=results, check=False)


def told(results: Path) -> list[str]:
    """The distinct errors of the run's attempts."""
    with connect(results) as db:
        rows = db.execute("SELECT DISTINCT error FROM attempts WHERE boundary = 'harness'").fetchall()
    return [str(error) for (error,) in rows]


LIMITS: dict[str, tuple[dict[str, Any], int]] = {
    "dollars": ({"dollars": 20 * CALL_DOLLARS}, 20),
    "tokens": ({"tokens": 20 * CALL_TOKENS}, 20),
    "calls": ({"calls": 20}, 20),
}


@pytest.mark.parametrize("name", LIMITS)
async def test_a_limit_holds_to_within_the_calls_in_flight_and_can_be_raised(
    name: str, tmp_path: Path
) -> None:
    limits, calls = LIMITS[name]
    async with FaultServer(always=answers()) as server:
        whole = await run(server, tmp_path / "whole", {}, runner="local")
        needed = len(server.bodies)
        server.bodies.clear()
        limited = await run(server, tmp_path / "limited", limits, runner="local")
        made = len(server.bodies)
        assert not limited.done
        assert calls <= made <= calls + IN_FLIGHT
        assert all(f"limits.{name}" in error for error in told(tmp_path / "limited"))
        assert told(tmp_path / "limited")
        assert f"limits.{name}" in limited.trials[0].reason
        with connect(tmp_path / "limited") as db:
            assert f"limits.{name}" in db.execute("SELECT reason FROM trials").fetchall()[0][0]
        again = await run(server, tmp_path / "limited", limits, runner="local")
        assert not again.done
        assert len(server.bodies) == made
        raised = await run(server, tmp_path / "limited", {}, runner="local")
    assert whole.done
    assert raised.done
    assert len(server.bodies) == needed


async def test_a_limit_reaches_the_workers_on_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replies beyond the limit wait until the driver has told the workers to stop."""
    reply, numbers, told_to_stop, stop = answers(), itertools.count(1), threading.Event(), RayRunner.stop

    def stopping(runner: RayRunner, failure: Failure) -> None:
        stop(runner, failure)
        told_to_stop.set()

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if next(numbers) > 30:
            while not told_to_stop.is_set():
                await asyncio.sleep(0.01)
            await asyncio.sleep(1.0)  # the message's way to the workers
        return await reply(request, body)

    monkeypatch.setattr(RayRunner, "stop", stopping)
    async with FaultServer(always=answer) as server:
        limited = await run(server, tmp_path, {"calls": 30}, workers=2, in_flight=3)
        made = len(server.bodies)
        assert not limited.done
        assert 30 <= made <= 30 + 6
        numbers = itertools.count(-10_000)
        raised = await run(server, tmp_path, {}, runner="local")
        assert raised.done
    with connect(tmp_path) as db:
        (kept,) = db.execute("SELECT count(*) FROM calls").fetchall()
    assert kept[0] == len(server.bodies)


async def test_the_wall_clock_limit_ends_a_session_and_the_next_one_goes_on(tmp_path: Path) -> None:
    async with FaultServer(always=answers()) as server:
        limited = await run(server, tmp_path, {"hours": 1e-9}, runner="local")
        assert not limited.done
        assert all("limits.hours" in error for error in told(tmp_path))
        assert (await run(server, tmp_path, {"hours": 10}, runner="local")).done


async def test_an_episode_has_limits_of_its_own(tmp_path: Path) -> None:
    async with FaultServer(always=answers()) as server:
        limited = await run(server, tmp_path, {"episode_tokens": 5 * CALL_TOKENS}, runner="local")
        assert not limited.done
        assert len(server.bodies) <= 6 * 5
        assert all("limits.episode_tokens" in error for error in told(tmp_path))
        raised = await run(server, tmp_path, {"episode_tokens": 10**6}, runner="local")
        assert raised.done
