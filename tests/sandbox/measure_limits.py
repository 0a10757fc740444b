"""Measures how far learned code can overrun each of its limits, and prints the rows for docs/limits.md.

python -m tests.sandbox.measure_limits [ROUNDS]
"""

from __future__ import annotations

import asyncio
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from learnact.errors import SandboxFailure
from learnact.records import Plain
from learnact.sandbox.bounds import Bounds, CallResult, PrimitiveResult
from learnact.sandbox.sandbox import Sandbox
from learnact.sandbox.session import SandboxSession

LIBRARY = """
def spin():
    while True:
        pass

def swell(block):
    kept = []
    try:
        while True:
            kept.append(bytearray(block))
    except MemoryError:
        return len(kept) * block

def depth(n=1):
    try:
        return depth(n + 1)
    except RecursionError:
        return n

def chatter():
    print('x' * 10 ** 6)

def busy():
    while True:
        try:
            act()
        except BaseException:
            pass

def nested(n):
    value = 1
    for _ in range(n):
        value = [value]
    return value
"""
DEFAULT = Bounds()


async def run(
    code: str, bounds: Bounds = DEFAULT, then: Callable[[SandboxSession], None] | None = None
) -> CallResult:
    """One call in a session of its own; `then` looks at the session before it is closed."""

    async def act(_: str, __: list[Plain], ___: dict[str, Plain]) -> PrimitiveResult:
        return PrimitiveResult(None)

    async with Sandbox(bounds) as sandbox, sandbox.session(LIBRARY, ["act"], seed=0) as session:
        result = await session.call(code, act)
        if then:
            then(session)
        return result


async def cpu(seconds: float, rounds: int) -> str:
    overruns = [
        (await run("spin()", Bounds(cpu_seconds=seconds))).cpu_seconds - seconds for _ in range(rounds)
    ]
    return f"{max(overruns):.2f} s at most in {rounds} calls (bound {seconds:g} s)"


async def cpu_beside_load(seconds: float, rounds: int) -> str:
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))
    ]
    try:
        return await cpu(seconds, rounds)
    finally:
        for process in busy:
            process.kill()
            process.wait()


def cpu_of_a_process(rounds: int) -> str:
    """The kernel's limit on CPU time, as `confinement.set_rlimits` sets it: whole seconds."""
    program = (
        "from learnact.sandbox.confinement import set_rlimits\n"
        "set_rlimits(256 << 20, 1, 1 << 33, 16)\nwhile True: pass"
    )
    used = []
    for _ in range(rounds):
        process = subprocess.Popen([sys.executable, "-c", program])
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        used.append(usage.ru_utime + usage.ru_stime - 1)
    return f"{max(used):.2f} s at most in {rounds} processes (bound 1 s)"


async def wall(seconds: float, rounds: int) -> str:
    waits = []
    for _ in range(rounds):
        async with (
            Sandbox(Bounds(wall_seconds=seconds), user="current") as sandbox,
            sandbox.session(LIBRARY, ["act"], seed=0) as session,
        ):

            async def freeze(_: str, __: list[Plain], ___: dict[str, Plain]) -> PrimitiveResult:
                os.kill(session.pid or 0, signal.SIGSTOP)
                return PrimitiveResult(None)

            await session.call("None", freeze)
            start = time.monotonic()
            try:
                await session.call("act()", freeze)
            except SandboxFailure:
                waits.append(time.monotonic() - start - seconds)
    return f"{max(waits):.2f} s at most in {rounds} calls (bound {seconds:g} s)"


async def memory() -> str:
    peaks: list[int] = []

    def peak(session: SandboxSession) -> None:
        status = Path(f"/proc/{session.pid}/status").read_text()
        peaks.append(sum(int(n) for n in re.findall(r"VmHWM:\s+(\d+)", status)))

    kept = (await run(f"swell({1 << 16})", then=peak)).value
    assert isinstance(kept, int)
    return f"never: {kept >> 20} MB kept, {peaks[0] >> 10} MB resident with the interpreter"


async def last(code: str, lowest: int, highest: int) -> int:
    """The greatest n for which a call gives no error."""
    while lowest < highest:
        n = (lowest + highest + 1) // 2
        if (await run(code.replace("N", str(n)))).error:
            highest = n - 1
        else:
            lowest = n
    return lowest


async def exact(code: str, bound: int) -> str:
    return f"never: {await last(code, 1, 4 * bound):,} passes, one more does not"


async def main(rounds: int) -> None:
    depth = (await run("depth()")).value
    printed = len((await run("chatter()")).printed)
    primitives = (await run("busy()")).primitives
    rows: list[tuple[str, str, str, Awaitable[str] | str]] = [
        ("CPU time of a call", "5 s", "host", cpu(0.5, rounds)),
        (
            "the same on a machine with twice as many busy programs as cores",
            "5 s",
            "host",
            cpu_beside_load(0.5, rounds),
        ),
        ("CPU time of a session's process", "160 s", "kernel", cpu_of_a_process(min(rounds, 5))),
        ("wall clock of a call", "120 s of waiting", "host", wall(0.5, rounds)),
        ("memory", "256 MB writable", "kernel", memory()),
        (
            "recursion",
            "1,000 calls",
            "Python",
            f"{int(str(depth)) - DEFAULT.recursion} calls: {depth:,} deep",
        ),
        ("source of a library", "65,536 bytes", "host", exact_source(DEFAULT.source_bytes)),
        ("code of a call", "65,536 bytes", "host", exact_code(DEFAULT.source_bytes)),
        (
            "printed output of a call",
            "16,384 characters",
            "both sides",
            f"never: {printed:,} characters kept of 1,000,000",
        ),
        ("primitive actions in a call", "100", "host", f"never: {primitives} ran of an endless loop"),
        ("nesting of a value", "16", "both sides", exact("nested(N)", DEFAULT.depth)),
        ("values in a result or in arguments", "4,096", "both sides", exact("[0] * (N - 1)", DEFAULT.items)),
        (
            "characters in a result or in arguments",
            "65,536",
            "both sides",
            exact("'x' * N", DEFAULT.value_characters),
        ),
        ("bits of an integer", "1,024", "both sides", exact("2 ** N - 1", 1024)),
        ("one message", "262,144 bytes", "host", "never as a message; the host reads at most 64 KB more"),
    ]
    for name, bound, by, measured in rows:
        text = measured if isinstance(measured, str) else await measured
        print(f"| {name} | {bound} | {by} | {text} |", flush=True)


async def exact_code(bound: int) -> str:
    passes = (await run("0 " + "#" * (bound - 2))).error is None
    refused = (await run("0 " + "#" * (bound - 1))).error
    assert passes and refused and refused.type == "SourceLimit"
    return f"never: {bound:,} bytes pass, one more does not"


async def exact_source(bound: int) -> str:
    for extra, passes in ((0, True), (1, False)):
        async with Sandbox() as sandbox, sandbox.session("#" * (bound + extra), [], seed=0) as session:
            error = (await session.call("0", run)).error  # type: ignore[arg-type]
            assert (error is None) == passes
    return f"never: {bound:,} bytes pass, one more does not"


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
