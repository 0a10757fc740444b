"""When the driver is dead, its workers ask nothing any more: told by the requests that the endpoint gets, not
by a clock."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from learnact.models.limits.gate import RequestGate
from learnact.records import ModelSpec
from learnact.runners.ray.driver_gate import SILENT_SECONDS, DriverGate
from tests.chaos.harness import ROOT
from tests.cluster.processes import processes_below
from tests.cluster.test_remote import cluster as cluster  # a fixture
from tests.integration.test_run import answers, job
from tests.models.server import FaultServer

SAFETY_SECONDS = 600
IN_FLIGHT = 8
"""Two workers with four units each."""
FREE = 40
"""Requests that are answered before the others are held."""


class Held:
    """Answers the first requests; holds the others until they are released."""

    def __init__(self) -> None:
        self.asked = 0
        self.holding = 0
        self.full = asyncio.Event()
        self.released = asyncio.Event()
        self._answer = answers()

    async def __call__(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        self.asked += 1
        if self.asked > FREE:
            self.holding += 1
            if self.holding == IN_FLIGHT:
                self.full.set()
            await self.released.wait()
        return await self._answer(request, body)


def start(folder: Path, url: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
    """`learnact run` on Ray in a process of its own, with room for all units in flight."""
    wanted = job(url, methods=["act"], repeats={"test": 8}, cluster={"workers": 2, "in_flight": 4})
    (folder / "job.yaml").write_text(yaml.safe_dump(wanted))
    command = [sys.executable, "-c", "from learnact.cli import main; main()", "run", str(folder / "job.yaml")]
    command += ["--results", str(folder / "results"), "--no-check", *options]
    with (folder / "said.txt").open("a") as said:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=said,
            stderr=said,
            start_new_session=True,
            env={**os.environ, **environment},
        )


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SAFETY_SECONDS):
        while not holds():
            await asyncio.sleep(0.05)


def workers() -> list[int]:
    return processes_below(os.getpid(), lambda text: text.startswith("ray::UnitActor"))


def alive(pids: list[int]) -> Iterator[int]:
    for pid in pids:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                yield pid
        except OSError:
            continue


async def killed_while_all_is_in_flight(folder: Path, *options: str, **environment: str) -> tuple[int, int]:
    """Requests before the driver's death, and when all its workers are gone."""
    held = Held()
    async with FaultServer(always=held) as server:
        driver = start(folder, server.url, *options, **environment)
        try:
            async with asyncio.timeout(SAFETY_SECONDS):
                await held.full.wait()
        except TimeoutError:
            raise AssertionError((folder / "said.txt").read_text()) from None
        theirs, before = workers(), held.asked
        assert len(theirs) == 2
        driver.send_signal(signal.SIGKILL)
        await asyncio.to_thread(driver.wait)
        held.released.set()
        await eventually(lambda: not list(alive(theirs)))
        return before, held.asked


@pytest.mark.slow
async def test_workers_of_our_own_ray_ask_nothing_after_their_driver_died(tmp_path: Path) -> None:
    before, after = await killed_while_all_is_in_flight(tmp_path)
    assert before == FREE + IN_FLIGHT == after


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["address", "client"])
async def test_workers_of_a_cluster_ask_nothing_after_their_driver_died(
    cluster: tuple[int, int, dict[str, str]], kind: str, tmp_path: Path
) -> None:
    port, client, environment = cluster
    address = f"127.0.0.1:{port}" if kind == "address" else f"ray://127.0.0.1:{client}"
    before, after = await killed_while_all_is_in_flight(tmp_path, "--address", address, **environment)
    assert before == FREE + IN_FLIGHT == after


async def test_no_request_begins_while_the_driver_is_silent() -> None:
    clock = [100.0]
    gate = DriverGate(lambda: clock[0])
    requests, begun = RequestGate(in_flight=1, barrier=gate), []

    async def ask(name: str) -> None:
        async with requests.permit(ModelSpec("m"), "", 1, since=0.0, patience=60.0):
            begun.append(name)

    await ask("heard of")
    clock[0] += SILENT_SECONDS + 0.1
    waiting = [asyncio.create_task(ask("retry")), asyncio.create_task(ask("other"))]
    for _ in range(20):
        await asyncio.sleep(0)
    assert begun == ["heard of"]
    gate.heard()
    await asyncio.gather(*waiting)
    assert sorted(begun[1:]) == ["other", "retry"]
    await requests.close()
