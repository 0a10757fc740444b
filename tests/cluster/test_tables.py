"""One job, several ways to run it: the tables are equal, also when a worker is killed in the middle and the endpoint has faults."""

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
from learnact.results.compare import compare
from learnact.results.reader import connect
from tests.cluster.processes import descendants
from tests.integration.test_run import answers, faulty, job
from tests.models.server import Behaviour, FaultServer

pytestmark = pytest.mark.timeout(180)


async def run(server: FaultServer, results: Path, **cluster: Any) -> Summary:
    wanted = job(server.url, cluster=cluster, repeats={"learn": 2})
    return await asyncio.to_thread(learnact.run, wanted, results=results)


def killing(behaviour: Behaviour, at: int, killed: list[int]) -> Behaviour:
    """Kills a worker with SIGKILL when request number `at` comes."""
    count = itertools.count(1)

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if next(count) == at:
            killed.append(descendants("ray::UnitActor")[0])
            os.kill(killed[0], signal.SIGKILL)
        return await behaviour(request, body)

    return answer


async def test_in_process_one_worker_and_four_with_a_kill_give_equal_tables(tmp_path: Path) -> None:
    killed: list[int] = []
    async with FaultServer(always=answers()) as server:
        local = await run(server, tmp_path / "local", runner="local")
        one = await run(server, tmp_path / "one", workers=1)
    async with FaultServer(always=killing(faulty(every=9), 25, killed)) as server:
        four = await run(server, tmp_path / "four", workers=4, in_flight=4)
    assert len(killed) == 1
    assert local.done
    assert one.done
    assert four.done
    assert compare(local.folder, one.folder) == []
    assert compare(local.folder, four.folder) == []
    with connect(tmp_path / "four") as db:
        (lost,) = db.execute("SELECT count(*) FROM attempts WHERE boundary = 'harness'").fetchone()
        (twice,) = db.sql(
            "SELECT count(*) FROM (SELECT key FROM episodes GROUP BY key HAVING count(*) > 1)"
        ).fetchone()
    assert lost >= 1
    assert twice == 0
    assert descendants("ray::") == []
