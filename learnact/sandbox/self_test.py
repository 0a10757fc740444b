"""Self-test of the confinement on this machine: sessions attack each layer of it.

`learnact doctor` prints the results. The layers behind the seccomp filter are tested in sessions without the
filter, so that each is seen to hold by itself."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from learnact.errors import SandboxFailure
from learnact.records import Plain
from learnact.sandbox.bounds import Bounds, CallResult, PrimitiveResult, SandboxKind
from learnact.sandbox.sandbox import Sandbox

LayerState = Literal["stands", "missing", "not offered"]

TIGHT = Bounds(
    cpu_seconds=0.3, memory_bytes=64 << 20, recursion=200, primitives=5, output_bytes=100, wall_seconds=20.0
)
LATE_SECONDS = 1.0


@dataclass(frozen=True)
class SelfTestResult:
    """One layer of the confinement, or one bound: its state, what was tried with which outcome, and whether
    learned code is refused without it."""

    layer: str
    state: LayerState
    tried: str
    needed: bool


ATTACKS = """
reachable = __import__.__globals__
sys, os, builtins = reachable['sys'], reachable['os'], reachable['builtins']

def outcome(attempt):
    try:
        value = attempt()
    except OSError as error:
        return error.errno or -1
    return [str(value)[:100]]

def libc(name, *arguments):
    ctypes = builtins.__import__('ctypes')
    library = ctypes.CDLL(None, use_errno=True)
    function = getattr(library, name)
    function.restype = ctypes.c_long
    if function(*arguments) == -1:
        raise OSError(ctypes.get_errno(), name)
    return 'done'

def datagram(port):
    s = builtins.__import__('socket').socket(2, 2)
    return s.sendto(b'x', ('127.0.0.1', port))

def attack_filter(path, host):
    return {
        'open a file': outcome(lambda: os.open(path, 0)),
        'make a socket': outcome(lambda: builtins.__import__('socket').socket()),
        'start a process': outcome(os.fork),
        'run a program': outcome(lambda: os.execv('/bin/true', ['true'])),
        'signal the host': outcome(lambda: os.kill(host, 0)),
        'read the memory of the host': outcome(lambda: libc('process_vm_readv', host, None, 0, None, 0, 0)),
        'trace the host': outcome(lambda: libc('ptrace', 16, host, None, None)),
        'make memory executable': outcome(lambda: libc('mprotect', None, 4096, 7)),
        'duplicate its channel': outcome(lambda: os.dup(3)),
        'sleep': outcome(lambda: builtins.__import__('time').sleep(0.01)),
    }

def attack_unfiltered(path, port):
    return {
        'landlock': outcome(lambda: os.open('.', 0)),
        'root': outcome(lambda: os.stat(path).st_size),
        'network': outcome(lambda: datagram(port)),
        'processes': outcome(lambda: os.fork() or os._exit(0)),
        'privileges': outcome(lambda: libc('unshare', 0x00020000)),
        'new privileges': libc_value('prctl', 39, 0, 0, 0, 0),
        'environment': len(os.environ),
        'user': os.getuid(),
    }

def libc_value(name, *arguments):
    return getattr(builtins.__import__('ctypes').CDLL(None), name)(*arguments)

def spin():
    while True:
        pass

def swell():
    kept = []
    while True:
        kept.append(bytearray(1 << 20))

def descend(n=0):
    return descend(n + 1)

def chatter():
    print('x' * 10000)

def busy():
    while True:
        act()
"""


async def _run_nothing(_: str, __: list[Plain], ___: dict[str, Plain]) -> PrimitiveResult:
    return PrimitiveResult(None)


async def run_self_test() -> tuple[SelfTestResult, ...]:
    """Test every layer and bound on this machine. It takes a few seconds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        filtered = await _test_filter()
        confined = all(result.state == "stands" for result in filtered)
        unfiltered = await _test_unfiltered(port) if sys.platform.startswith("linux") else ()
    return (*filtered, *unfiltered, *await _test_bounds("confined" if confined else "trusted"))


def refuses_learned_code(results: Sequence[SelfTestResult]) -> bool:
    """Whether learned code is refused on this machine, unless a job says `sandbox: trusted`."""
    return any(result.needed and result.state != "stands" for result in results)


async def _call(kind: SandboxKind, code: str, bounds: Bounds = TIGHT) -> CallResult:
    async with Sandbox(bounds, kind) as sandbox, sandbox.session(ATTACKS, ["act"], seed=0) as session:
        return await session.call(code, _run_nothing)


async def _test_filter() -> tuple[SelfTestResult, ...]:
    """The filter: every attempt must fail with EPERM."""
    try:
        result = await _call("confined", f"attack_filter({__file__!r}, {os.getpid()})")
    except SandboxFailure as failure:
        return (SelfTestResult("seccomp filter", "missing", str(failure), True),)
    if not isinstance(result.value, dict):
        return (
            SelfTestResult(
                "seccomp filter", "missing", f"the attempts could not be made: {result.error}", True
            ),
        )
    return tuple(
        SelfTestResult(f"seccomp: cannot {what}", *_denied(outcome, errno.EPERM), True)
        for what, outcome in result.value.items()
    )


def _denied(outcome: Plain, *numbers: int) -> tuple[LayerState, str]:
    if isinstance(outcome, int):
        name = errno.errorcode.get(outcome, str(outcome))
        return ("stands" if outcome in numbers else "missing"), f"tried it: {name}"
    return "missing", f"tried it, and it worked: {outcome}"


async def _test_unfiltered(port: int) -> tuple[SelfTestResult, ...]:
    """The layers behind the filter, tested in a session without the filter."""
    code = f"attack_unfiltered({__file__!r}, {port})"
    try:
        async with (
            Sandbox(TIGHT, "unfiltered") as sandbox,
            sandbox.session(ATTACKS, ["act"], seed=0) as session,
        ):
            active = await sandbox.active_confinement()
            result = await session.call(code, _run_nothing)
    except SandboxFailure as failure:
        return (SelfTestResult("layers behind the filter", "missing", str(failure), False),)
    outcomes = result.value
    if not isinstance(outcomes, dict):
        return (
            SelfTestResult(
                "layers behind the filter",
                "missing",
                f"the attempts could not be made: {result.error}",
                False,
            ),
        )
    offered = {
        "landlock": (active.landlock > 0, "Landlock: no file, not even its own directory", (errno.EACCES,)),
        "network": (
            "network" in active.separated,
            "network namespace: loopback of this machine out of reach",
            (errno.ENETUNREACH, errno.EPERM),
        ),
        "root": (
            "root" in active.separated,
            "file system's root is an empty directory",
            (errno.ENOENT, errno.EACCES),
        ),
        "processes": (active.user != 0, "rlimit of processes", (errno.EAGAIN, errno.EPERM)),
        "privileges": (True, "no capabilities, also in its user namespace", (errno.EPERM,)),
    }
    results = []
    for name, (available, layer, numbers) in offered.items():
        state, tried = _denied(outcomes[name], *numbers)
        results.append(
            SelfTestResult(
                layer,
                state if available else "not offered",
                tried if available else "this machine does not offer it",
                False,
            )
        )
    results.append(
        SelfTestResult(
            "no new privileges",
            "stands" if outcomes["new privileges"] == 1 else "missing",
            "asked the kernel",
            False,
        )
    )
    results.append(
        SelfTestResult(
            "empty environment", "stands" if outcomes["environment"] == 0 else "missing", "looked", False
        )
    )
    root = os.geteuid() == 0 and outcomes["user"] == 0
    results.append(
        SelfTestResult(
            "no root", "not offered" if root else "stands", f"sessions run as user {active.user}", False
        )
    )
    return tuple(results)


async def _test_bounds(kind: SandboxKind) -> tuple[SelfTestResult, ...]:
    """The bounds: a program that exceeds one is stopped, and the host goes on."""
    attempts = {
        "CPU time of a call": ("spin()", "TimeLimit"),
        "memory": ("swell()", "MemoryLimit"),
        "recursion": ("descend()", "RecursionError"),
        "primitive actions in one call": ("busy()", "PrimitiveLimit"),
    }
    results = []
    for bound, (code, wanted) in attempts.items():
        began = time.monotonic()
        try:
            result = await _call(kind, code)
            got = result.error.type if result.error else "no error"
        except SandboxFailure as failure:
            got = str(failure)
        late = f" after {time.monotonic() - began:.1f} s"
        results.append(
            SelfTestResult(
                f"bound: {bound}", "stands" if got == wanted else "missing", f"passed it: {got}{late}", False
            )
        )
    try:
        printed = len((await _call(kind, "chatter()")).printed)
        results.append(
            SelfTestResult(
                "bound: output",
                _state(printed == TIGHT.output_bytes),
                f"printed 10000 characters, {printed} kept",
                False,
            )
        )
        results.append(await _test_deadline(kind))
    except SandboxFailure as failure:
        results.append(SelfTestResult("sessions", "missing", str(failure), True))
    return tuple(results)


def _state(holds: bool) -> LayerState:
    return "stands" if holds else "missing"


async def _test_deadline(kind: SandboxKind) -> SelfTestResult:
    """The wall-clock deadline: a session that is stopped from outside is the harness's failure."""
    bounds = Bounds(wall_seconds=0.5)
    async with (
        Sandbox(bounds, kind, user="current") as sandbox,
        sandbox.session(ATTACKS, ["act"], seed=0) as session,
    ):
        await session.call("None", _run_nothing)

        async def stop(_: str, __: list[Plain], ___: dict[str, Plain]) -> PrimitiveResult:
            if session.pid:
                os.kill(session.pid, signal.SIGSTOP)
            return PrimitiveResult(None)

        began = time.monotonic()
        try:
            await session.call("act()", stop)
        except SandboxFailure:
            took = time.monotonic() - began
            return SelfTestResult(
                "bound: wall clock",
                _state(took < bounds.wall_seconds + LATE_SECONDS),
                f"froze a session: given up after {took:.1f} s",
                False,
            )
        return SelfTestResult("bound: wall clock", "missing", "froze a session: it went on", False)
