"""Sessions: many at once, killed, cancelled or frozen ones; a dead fork server or host; equal results."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from learnact.errors import EnvironmentFailure, HarnessFailure, SandboxFailure
from learnact.records import Plain
from learnact.sandbox import process, seccomp
from learnact.sandbox.bounds import Bounds, PrimitiveResult
from learnact.sandbox.confinement import LINUX
from learnact.sandbox.sandbox import Sandbox

pytestmark = pytest.mark.skipif(not LINUX, reason="reads /proc")

LIBRARY = """
import random

def carry(ball):
    pick(ball)
    return [ball, random.random()]

def spin():
    while True:
        pass
"""
PRIMITIVES = ["pick"]


async def do(name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> PrimitiveResult:
    return PrimitiveResult("seen")


def state(pid: int) -> str:
    """A process's state letter, "" when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return ""


async def gone(pid: int) -> bool:
    """Whether a process ends within some seconds."""
    return await until(lambda: state(pid) in ("", "Z"))


async def until(holds: object, seconds: float = 300.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():  # type: ignore[operator]
            return True
        await asyncio.sleep(0.01)
    return False


def descendants(of: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(") ")[2].split()[1])
        except OSError:
            continue
        if parent == of:
            found += [int(entry.name), *descendants(int(entry.name))]
    return found


# Determinism ------------------------------------------------------------------------------------------------

CHANCE = """
import random
def draw():
    names = {'pick', 'move', 'drop', 'open', 'close', 'heat', 'cool'}
    draws = [random.random(), random.Random().random(), random.SystemRandom().randint(0, 999)]
    return [*draws, random.sample(range(99), 3), list(names), hash('pick')]
"""


async def drawn(seed: int, calls: int = 2) -> list[Plain]:
    async with Sandbox() as sandbox, sandbox.session(CHANCE, [], seed) as session:
        return [(await session.call("draw()", do)).value for _ in range(calls)]


async def test_the_same_seed_gives_the_same_in_every_process() -> None:
    first, again, other = await drawn(1), await drawn(1), await drawn(2)
    assert first == again
    assert isinstance(first[0], list) and isinstance(other[0], list) and isinstance(first[1], list)
    assert first[0][:4] != first[1][:4] != other[0][:4]
    assert first[0][4:] == other[0][4:]


async def test_chance_does_not_depend_on_what_was_killed_before() -> None:
    async with Sandbox(Bounds(cpu_seconds=0.2)) as sandbox:
        async with (
            sandbox.session(LIBRARY, PRIMITIVES, 5) as calm,
            sandbox.session(LIBRARY, PRIMITIVES, 5) as rough,
        ):
            await calm.call("1", do)
            await rough.call("spin()", do)
            assert (await calm.call("carry('b')", do)).value == (await rough.call("carry('b')", do)).value


async def test_a_session_holds_five_modules_of_learnact_and_nothing_of_the_host() -> None:
    async with Sandbox() as sandbox, sandbox.session("", [], 1) as session:
        held = await session.call("sorted(m for m in __import__.__globals__['sys'].modules)", do)
    assert isinstance(held.value, list)
    ours = {name for name in held.value if str(name).startswith("learnact.sandbox.")}
    assert ours == {
        f"learnact.sandbox.{name}"
        for name in ("confined_process", "modules", "fork_server_main", "confinement", "protocol")
    }
    assert not {"asyncio", "subprocess", "ssl", "numpy", "pydantic", "openai", "site"} & set(
        map(str, held.value)
    )


# Failures of the sandbox ------------------------------------------------------------------------------------


async def test_a_killed_session_is_the_sandboxs_failure_and_is_replaced_and_others_go_on() -> None:
    async with Sandbox() as sandbox:
        async with (
            sandbox.session(LIBRARY, PRIMITIVES, 1) as victim,
            sandbox.session(LIBRARY, PRIMITIVES, 2) as sibling,
        ):
            await victim.call("1", do)
            await sibling.call("1", do)
            pid, other = victim.pid, sibling.pid
            assert pid is not None

            async def kill(name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> PrimitiveResult:
                os.kill(pid, signal.SIGKILL)
                return PrimitiveResult("seen")

            with pytest.raises(SandboxFailure, match="killed from outside by SIGKILL"):
                await victim.call("carry('b')", kill)
            assert (await victim.call("carry('b')", do)).error is None
            assert victim.pid not in (pid, None)
            assert (await sibling.call("carry('b')", do)).error is None
            assert sibling.pid == other


async def test_a_session_killed_between_calls_is_replaced_in_silence() -> None:
    async with Sandbox() as sandbox, sandbox.session(LIBRARY, PRIMITIVES, 1) as session:
        await session.call("1", do)
        assert session.pid is not None
        os.kill(session.pid, signal.SIGKILL)
        assert await gone(session.pid)
        assert (await session.call("carry('b')", do)).error is None


async def test_a_dead_fork_server_is_started_again() -> None:
    async with Sandbox() as sandbox:
        async with (
            sandbox.session(LIBRARY, PRIMITIVES, 1) as one,
            sandbox.session(LIBRARY, PRIMITIVES, 2) as two,
        ):
            await asyncio.gather(one.call("1", do), two.call("1", do))
            pids = [one.pid, two.pid]
            os.kill((await sandbox.fork_server()).pid, signal.SIGKILL)
            assert all([await gone(pid) for pid in pids if pid])
            results = await asyncio.gather(
                *(s.call("carry('b')", do) for s in (one, two)), return_exceptions=True
            )
            assert all(isinstance(r, SandboxFailure) or getattr(r, "error", r) is None for r in results)
            assert (await one.call("carry('b')", do)).error is None
            assert (await two.call("carry('b')", do)).error is None


async def test_a_frozen_session_misses_the_wall_clock_deadline() -> None:
    async with Sandbox(Bounds(wall_seconds=3.0), user="current") as sandbox:
        async with sandbox.session(LIBRARY, PRIMITIVES, 1) as session:
            await session.call("1", do)

            async def freeze(
                name: str, arguments: list[Plain], keywords: dict[str, Plain]
            ) -> PrimitiveResult:
                assert session.pid
                os.kill(session.pid, signal.SIGSTOP)
                return PrimitiveResult("seen")

            with pytest.raises(SandboxFailure, match=r"more than 3 s"):
                await session.call("carry('b')", freeze)
            assert (await session.call("carry('b')", do)).error is None


async def test_time_of_the_environment_counts_neither_as_cpu_nor_as_waiting() -> None:
    async def slow(name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> PrimitiveResult:
        await asyncio.sleep(1.1)
        return PrimitiveResult("seen")

    async with Sandbox(Bounds(wall_seconds=2.0, cpu_seconds=2.0)) as sandbox:
        async with sandbox.session(LIBRARY, PRIMITIVES, 1) as session:
            await session.call("1", do)
            result = await session.call("[carry('a')[0], carry('b')[0]]", slow)
    assert (result.value, result.error) == (["a", "b"], None)
    assert result.cpu_seconds < 1.0


async def test_an_environments_failure_passes_through_and_the_session_goes_on() -> None:
    async def broken(name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> PrimitiveResult:
        raise EnvironmentFailure("the engine is gone")

    async with Sandbox() as sandbox, sandbox.session(LIBRARY, PRIMITIVES, 1) as session:
        with pytest.raises(EnvironmentFailure, match="engine is gone"):
            await session.call("carry('b')", broken)
        assert (await session.call("carry('b')", do)).error is None


async def test_an_answer_that_cannot_be_sent_is_the_harness_failure() -> None:
    async def giant(name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> PrimitiveResult:
        return PrimitiveResult("x" * (1 << 20))

    async with Sandbox() as sandbox, sandbox.session(LIBRARY, PRIMITIVES, 1) as session:
        with pytest.raises(HarnessFailure, match="result of pick"):
            await session.call("carry('b')", giant)


async def test_a_cancelled_call_leaves_no_process() -> None:
    begun = asyncio.Event()

    async def begin(name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> PrimitiveResult:
        begun.set()
        return PrimitiveResult("seen")

    async with Sandbox() as sandbox, sandbox.session(LIBRARY, PRIMITIVES, 1) as session:
        call = asyncio.ensure_future(session.call("[carry('b'), spin()]", begin))
        await begun.wait()
        pid = session.pid
        assert pid and state(pid)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert state(pid) == ""
        assert (await session.call("carry('b')", do)).error is None


async def test_confined_is_refused_where_the_filter_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "missing", lambda: "libseccomp cannot be loaded")
    async with Sandbox() as sandbox, sandbox.session(LIBRARY, PRIMITIVES, 1) as session:
        with pytest.raises(SandboxFailure, match="sandbox: trusted") as refused:
            await session.call("carry('b')", do)
    assert not refused.value.retryable


async def test_trusted_runs_without_the_filter_and_keeps_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "missing", lambda: "libseccomp cannot be loaded")
    async with Sandbox(Bounds(cpu_seconds=0.3, memory_bytes=64 << 20), "trusted") as sandbox:
        async with sandbox.session(LIBRARY, PRIMITIVES, 1) as session:
            assert not (await sandbox.active_confinement()).seccomp
            assert (await session.call("carry('b')", do)).error is None
            for code, kind in (("spin()", "TimeLimit"), ("len(bytearray(1 << 30))", "MemoryLimit")):
                result = await session.call(code, do)
                assert result.error and result.error.type == kind


async def test_without_a_clock_from_outside_the_kernel_ends_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "cpu_clock", lambda pid: None)
    async with Sandbox(Bounds(cpu_seconds=0.5), "trusted") as sandbox:
        async with sandbox.session(LIBRARY, PRIMITIVES, 1) as session:
            result = await session.call("[carry('b'), spin()]", do)
            assert result.error and result.error.type == "TimeLimit"
            assert (await session.call("carry('b')", do)).error is None


# Many sessions ----------------------------------------------------------------------------------------------


async def test_the_event_loop_and_siblings_go_on_beside_a_session_that_computes() -> None:
    async with Sandbox(Bounds(cpu_seconds=30.0)) as sandbox:
        async with (
            sandbox.session(LIBRARY, PRIMITIVES, 1) as busy,
            sandbox.session(LIBRARY, PRIMITIVES, 2) as quick,
        ):
            await quick.call("1", do)
            spinning = asyncio.ensure_future(busy.call("spin()", do))
            for _ in range(20):
                assert (await quick.call("carry('b')", do)).error is None
            assert not spinning.done()
            spinning.cancel()
            await asyncio.gather(spinning, return_exceptions=True)


async def test_two_hundred_sessions_at_once() -> None:
    async with Sandbox() as sandbox:
        sessions = [sandbox.session(LIBRARY, PRIMITIVES, seed) for seed in range(200)]
        results = await asyncio.gather(*(s.call(f"carry({n})", do) for n, s in enumerate(sessions)))
        assert [r.value[0] for r in results if isinstance(r.value, list)] == list(range(200))
        assert len({s.pid for s in sessions}) == 200
        await asyncio.gather(*(s.close() for s in sessions))
        assert descendants((await sandbox.fork_server()).pid) == []


async def lives(sandbox: Sandbox, count: int) -> None:
    async def life(seed: int) -> None:
        async with sandbox.session(LIBRARY, PRIMITIVES, seed) as session:
            assert (
                await session.call("carry(1)" if seed % 7 else "__import__.__globals__['os']._exit(3)", do)
            ).primitives < 2

    for start in range(0, count, 25):
        await asyncio.gather(*(life(start + n) for n in range(25)))


def resources() -> tuple[int, int, int]:
    """Descriptors, descendants and threads of this process."""
    return len(os.listdir("/proc/self/fd")), len(descendants(os.getpid())), len(os.listdir("/proc/self/task"))


async def test_nothing_is_left_over_after_hundreds_of_sessions() -> None:
    before = resources()
    async with Sandbox() as sandbox:
        await lives(sandbox, 25)
        within = resources()
        await lives(sandbox, 150)
        assert resources() == within
    assert resources() == before


@pytest.mark.slow
async def test_nothing_is_left_over_after_ten_thousand_sessions() -> None:
    async with Sandbox() as sandbox:
        await lives(sandbox, 25)
        within = resources()
        await lives(sandbox, 10_000)
        assert resources() == within


HOST = """
import asyncio, sys
from learnact.sandbox.bounds import PrimitiveResult
from learnact.sandbox.sandbox import Sandbox
async def do(*_):
    return PrimitiveResult(None)
async def main():
    spin = "def spin():\\n    while True: pass\\n"
    async with Sandbox() as sandbox, sandbox.session(spin, [], 1) as one, sandbox.session("", [], 1) as two:
        await asyncio.gather(one.call("1", do), two.call("1", do))
        print((await sandbox.fork_server()).pid, one.pid, two.pid, flush=True)
        await one.call("spin()", do)
asyncio.run(main())
"""


async def test_nothing_outlives_a_killed_host() -> None:
    host = subprocess.Popen([sys.executable, "-c", HOST], stdout=subprocess.PIPE, text=True)
    try:
        assert host.stdout
        pids = [int(word) for word in host.stdout.readline().split()]
        assert len(pids) == 3 and all(state(pid) for pid in pids)
    finally:
        host.kill()
        host.wait()
        host.stdout.close()  # type: ignore[union-attr]
    assert all([await gone(pid) for pid in pids])
