"""Environments in an engine process: same play, death and hangs attributed, nothing left behind, nobody
stalled. Real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from learnact.domains import engine_process, registry
from learnact.domains.engine_process import EnginePool
from learnact.domains.environments import open_environment
from learnact.errors import BadInput, EnvironmentFailure, TaskError
from learnact.records import DomainSpec, Task

SPEC = DomainSpec("gripper", '{"level": "easy", "test": 2, "train": 1}')


def a_task() -> Task:
    return registry.build(SPEC).tasks("train")[0]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_play_is_the_same_as_in_place():
    domain, task = registry.build(SPEC), a_task()
    here = await open_environment(domain, SPEC, task, None)
    async with EnginePool() as pool:
        there = await pool.open(SPEC, task)
        assert (there.goal, there.first_observation) == (here.goal, here.first_observation)
        for name, arguments in (("move", ["rooma", "roomb"]), ("move", ["rooma", "roomb"]), ("fly", [])):
            assert await there.call(name, arguments, {}) == await here.call(name, arguments, {})
        assert (there.progress, there.success) == (here.progress, here.success)
        assert await there.text("go") == await here.text("go")


def pids(pool: EnginePool) -> tuple[int, ...]:
    """Process ids of engine and preparer, of those that run."""
    return tuple(p.pid for p in (pool._engine, pool._preparer) if p is not None and not p.died)


async def is_open(pool: EnginePool, number: int) -> bool:
    """Whether the engine holds an environment of this number."""
    request = {"op": "text", "environment": number, "command": "look"}
    try:
        return bool(await pool._engine.ask(request, 10.0))
    except EnvironmentFailure as failure:
        if failure.message != f"KeyError: {number}":
            raise
        return False


async def test_both_processes_end_with_the_pool():
    async with EnginePool() as pool:
        await pool.open(SPEC, a_task())
        (pid,) = pids(pool)
        assert alive(pid)
    assert not alive(pid) and pids(pool) == ()


async def test_a_killed_engine_fails_its_environments_and_is_replaced():
    async with EnginePool() as pool:
        first = await pool.open(SPEC, a_task())
        (before,) = pids(pool)
        os.kill(before, signal.SIGKILL)
        with pytest.raises(EnvironmentFailure, match=r"the engine process \d+ ended") as caught:
            await first.call("move", ["rooma", "roomb"], {})
        assert caught.value.retryable and caught.value.boundary == "environment"
        second = await pool.open(SPEC, a_task())
        assert (await second.call("move", ["rooma", "roomb"], {})).valid
        assert pids(pool) != (before,)
        await first.close()


async def test_an_engine_killed_while_it_is_asked_answers_every_waiter():
    async with EnginePool() as pool:
        environments = [await pool.open(SPEC, a_task()) for _ in range(4)]
        (pid,) = pids(pool)
        os.kill(pid, signal.SIGSTOP)
        waiting = [asyncio.create_task(e.call("move", ["rooma", "roomb"], {})) for e in environments]
        await asyncio.sleep(0)
        os.kill(pid, signal.SIGKILL)
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(outcome, EnvironmentFailure) for outcome in done)


async def test_a_hanging_engine_is_ended(monkeypatch):
    monkeypatch.setattr(engine_process, "STEP_SECONDS", 0.3)
    async with EnginePool() as pool:
        environment = await pool.open(SPEC, a_task())
        (pid,) = pids(pool)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(EnvironmentFailure, match=r"did not answer within 0\.3 s"):
            await environment.call("move", ["rooma", "roomb"], {})
        assert pids(pool) == ()


async def test_the_event_loop_stays_free_while_an_engine_works():
    async with EnginePool() as pool:
        environment = await pool.open(SPEC, a_task())
        (pid,) = pids(pool)
        os.kill(pid, signal.SIGSTOP)
        step = asyncio.create_task(environment.call("move", ["rooma", "roomb"], {}))
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not step.done()
        os.kill(pid, signal.SIGCONT)
        assert (await step).valid


async def test_a_cancelled_opening_is_closed_as_soon_as_it_exists():
    async with EnginePool() as pool:
        kept = await pool.open(SPEC, a_task())
        (pid,) = pids(pool)
        os.kill(pid, signal.SIGSTOP)
        opening = asyncio.create_task(pool.open(SPEC, a_task()))
        for _ in range(100):
            await asyncio.sleep(0)
        opening.cancel()
        os.kill(pid, signal.SIGCONT)
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert (await kept.call("move", ["rooma", "roomb"], {})).valid
        assert not await is_open(pool, kept._number + 1) and await is_open(pool, kept._number)


async def test_closing_frees_the_environment_and_is_idempotent():
    async with EnginePool() as pool:
        environment = await pool.open(SPEC, a_task())
        await environment.close()
        await environment.close()
        assert not await is_open(pool, environment._number)
        with pytest.raises(EnvironmentFailure, match="closed"):
            await environment.call("move", ["rooma", "roomb"], {})


async def test_what_is_wrong_with_a_task_comes_back_as_it_is():
    async with EnginePool() as pool:
        with pytest.raises(TaskError):
            await pool.open(SPEC, Task("gripper", "bad", "not a problem"))
        with pytest.raises(BadInput, match="there is no domain 'griper'; did you mean 'gripper'"):
            await pool.open(DomainSpec("griper"), a_task())
        assert (await (await pool.open(SPEC, a_task())).call("move", ["rooma", "roomb"], {})).valid


def test_the_engine_ends_when_its_worker_is_killed():
    program = (
        "import asyncio, time\nfrom learnact.domains import registry\nfrom "
        "learnact.domains.engine_process import EnginePool\n"
        "from learnact.records import DomainSpec\n"
        f"spec = DomainSpec({SPEC.name!r}, {SPEC.options!r})\n"
        "async def main():\n    pool = EnginePool()\n    await pool.open(spec, "
        "registry.build(spec).tasks('train')[0])\n"
        "    print(pool._engine.pid, flush=True)\n    time.sleep(60)\nasyncio.run(main())"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        engine = int(worker.stdout.readline())
        assert alive(engine)
        worker.kill()
    while running(engine):
        time.sleep(0.05)


def running(pid: int) -> bool:
    """Whether a process runs; a zombie that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
