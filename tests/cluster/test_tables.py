"""One job, several ways to run it: the tables are equal, also when a worker is killed in the middle and the
endpoint has faults."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import learnact
from learnact.driver import Summary
from learnact.results.reader import connect
from tests.cluster.processes import descendants, process_at_port
from tests.integration.test_run import answers, faulty, job
from tests.models.server import Behaviour, FaultServer
from tests.results.compare import compare


async def run(server: FaultServer, results: Path, **cluster: Any) -> Summary:
    wanted = job(server.url, cluster=cluster, repeats={"learn": 2})
    return await asyncio.to_thread(learnact.run, wanted, results=results, check=False)


def killing(behaviour: Behaviour, at: int, killed: list[int]) -> Behaviour:
    """Kills the worker that sends a request with SIGKILL, at request number `at` or soon after."""
    count = itertools.count(1)

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if next(count) >= at and not killed and request.transport is not None:
            port = request.transport.get_extra_info("peername")[1]
            sender = process_at_port(port, descendants("ray::UnitActor"))
            if sender is not None:
                killed.append(sender)
                os.kill(sender, signal.SIGKILL)
        return await behaviour(request, body)

    return answer


@pytest.mark.slow
async def test_four_workers_one_of_them_killed_and_an_endpoint_with_faults_change_nothing(
    tmp_path: Path,
) -> None:
    killed: list[int] = []
    async with FaultServer(always=answers()) as server:
        local = await run(server, tmp_path / "local", runner="local")
    async with FaultServer(always=killing(faulty(every=9), 25, killed)) as server:
        four = await run(server, tmp_path / "four", workers=4, in_flight=4)
    assert len(killed) == 1
    assert local.done
    assert four.done
    assert compare(local.folder, four.folder) == []
    with connect(tmp_path / "four") as db:
        lost = db.execute("SELECT count(*) FROM attempts WHERE boundary = 'harness'").fetchall()
        keys = db.execute("SELECT count(*), count(DISTINCT key) FROM episodes").fetchall()
    assert lost[0][0] >= 1
    assert keys[0][0] == keys[0][1] > 0
    assert descendants("ray::") == []


@pytest.mark.slow
async def test_one_worker_gives_the_tables_of_the_in_process_runner(tmp_path: Path) -> None:
    async with FaultServer(always=answers()) as server:
        local = await run(server, tmp_path / "local", runner="local")
        one = await run(server, tmp_path / "one", workers=1)
    assert one.done
    assert compare(local.folder, one.folder) == []
