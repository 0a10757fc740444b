"""Costs of the sandbox: a session, its memory, a call with five primitives, many sessions, leftovers."""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import time
from pathlib import Path
from typing import Any

from learnact.records import Plain
from learnact.sandbox.bounds import PrimitiveResult
from learnact.sandbox.process import cpu_clock
from learnact.sandbox.sandbox import Sandbox
from learnact.sandbox.session import SandboxSession

LIBRARY = """
def carry(ball, start, end):
    pick(ball, start, 'left')
    move(start, end)
    drop(ball, end, 'left')
    move(end, start)
    return pick(ball, start, 'left')
"""
PRIMITIVES = ["pick", "move", "drop"]
CALL = "carry('ball1', 'rooma', 'roomb')"
OBSERVATION = "Now: you are in roomb. " + "ball1 is in rooma. " * 12
SESSIONS = 200
OPENED = int(os.environ.get("LEARNACT_BENCH_SESSIONS", "2000"))


async def do(name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> PrimitiveResult:
    """An environment that costs nothing."""
    return PrimitiveResult(OBSERVATION)


def quiet(samples: list[float]) -> float:
    """The median of the quietest third: what it takes when nobody else wants the machine's cores."""
    return statistics.median(sorted(samples)[: max(1, len(samples) // 3)])


async def opening(sandbox: Sandbox) -> list[float]:
    """Milliseconds from nothing to the first answer of a session, and closing not counted."""
    taken = []
    for seed in range(100):
        session = sandbox.session(LIBRARY, PRIMITIVES, seed)
        start = time.perf_counter()
        await session.call("None", do)
        taken.append(1000 * (time.perf_counter() - start))
        await session.close()
    return taken


def own_memory(pid: int) -> float:
    """MB that a process holds for itself alone."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith("Private_")) / 1024


async def call_cpu(session: SandboxSession) -> list[float]:
    """CPU milliseconds of both sides for a call with five primitives; means of rounds of 50 calls."""
    await session.call(CALL, do)
    assert session.pid is not None
    rounds = []
    for _ in range(15):
        ours, theirs = time.process_time(), cpu_clock(session.pid) or 0.0
        for _ in range(50):
            await session.call(CALL, do)
        spent = time.process_time() - ours + (cpu_clock(session.pid) or 0.0) - theirs
        rounds.append(1000 * spent / 50)
    return rounds


async def crowd(sandbox: Sandbox) -> tuple[float, float, float]:
    """200 sessions at once: seconds to open them all, MB each, seconds for five calls each."""
    sessions = [sandbox.session(LIBRARY, PRIMITIVES, seed) for seed in range(SESSIONS)]
    start = time.perf_counter()
    await asyncio.gather(*(session.call(CALL, do) for session in sessions))
    opened = time.perf_counter() - start
    memory = statistics.median(own_memory(session.pid) for session in sessions if session.pid)

    async def play(session: SandboxSession) -> None:
        for _ in range(5):
            result = await session.call(CALL, do)
            assert result.error is None, result

    start = time.perf_counter()
    await asyncio.gather(*map(play, sessions))
    played = time.perf_counter() - start
    await asyncio.gather(*(session.close() for session in sessions))
    return opened, memory, played


def descriptors() -> int:
    """Open descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


def children() -> int:
    """Descendants that exist, zombies included."""
    found = 0
    for task in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = task.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        found += int(fields[1]) == os.getpid()
    return found


async def lifetimes(sandbox: Sandbox) -> tuple[int, int, int, float]:
    """Thousands of sessions: descriptors, processes and threads left over, seconds for all."""
    await (sandbox.session(LIBRARY, PRIMITIVES, 0)).call("None", do)
    before = (descriptors(), children(), len(os.listdir("/proc/self/task")))
    start = time.perf_counter()

    async def life(seed: int) -> None:
        async with sandbox.session(LIBRARY, PRIMITIVES, seed) as session:
            result = await session.call(CALL, do)
            assert result.error is None, result

    for batch in range(0, OPENED, 50):
        await asyncio.gather(*(life(batch + offset) for offset in range(50)))
    after = (descriptors(), children(), len(os.listdir("/proc/self/task")))
    left = [b - a for a, b in zip(before, after, strict=True)]
    return left[0], left[1], left[2], time.perf_counter() - start


async def measure() -> list[dict[str, Any]]:
    """All figures."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    async with Sandbox() as sandbox:
        start = time.perf_counter()
        await sandbox.fork_server()
        rows = [row("start of the fork server", 1000 * (time.perf_counter() - start), "ms", None)]
        taken = await opening(sandbox)
        rows.append(row("open a session", quiet(taken), "ms", 5.0))
        rows.append(row("open a session, median of all", statistics.median(taken), "ms", None))
        async with sandbox.session(LIBRARY, PRIMITIVES, 1) as session:
            rows.append(
                row(
                    "call with five primitives, CPU of both sides",
                    quiet(await call_cpu(session)),
                    "ms",
                    0.5,
                )
            )
        opened, memory, played = await crowd(sandbox)
        rows.append(row(f"{SESSIONS} sessions at once: open and first call", opened, "s", None))
        rows.append(row(f"{SESSIONS} sessions at once: memory of one", memory, "MB", 4.0))
        rows.append(row(f"{SESSIONS} sessions at once: 1,000 calls", played, "s", None))
        fds, processes, threads, seconds = await lifetimes(sandbox)
        rows.append(row(f"{OPENED} sessions: descriptors left", fds, "", 0))
        rows.append(row(f"{OPENED} sessions: processes and zombies left", processes, "", 0))
        rows.append(row(f"{OPENED} sessions: threads left", threads, "", 0))
        rows.append(row(f"{OPENED} sessions: whole life of one", 1000 * seconds / OPENED, "ms", None))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return rows


def row(name: str, value: float, unit: str, target: float | None) -> dict[str, Any]:
    """One figure with its target (an upper bound), None where there is none."""
    return {"name": f"sandbox: {name}", "value": value, "unit": unit, "target": target}


def run() -> list[dict[str, Any]]:
    """All figures of the sandbox."""
    return asyncio.run(measure())


if __name__ == "__main__":
    for figure in run():
        print(f"{figure['name']:70} {figure['value']:10.3f} {figure['unit']:3} target {figure['target']}")
