"""Which walls stand on this machine: each is proved by trying to cross it, from inside a session that has all the means a hostile program could find.

`learnact doctor` prints what comes of it. The walls behind the filter are tried in sessions without the filter,
so that each is seen to stand by itself.
"""

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

State = Literal["stands", "missing", "not offered"]

TIGHT = Bounds(
    cpu_seconds=0.3, memory_bytes=64 << 20, recursion=200, primitives=5, output_bytes=100, wall_seconds=20.0
)
LATE_SECONDS = 1.0


@dataclass(frozen=True)
class SelfTestResult:
    """One wall or bound: whether it stands, what was tried and what came of it, and whether learned code is refused without it."""

    wall: str
    state: State
    tried: str
    needed: bool


MEANS = """
means = __import__.__globals__
sys, os, builtins = means['sys'], means['os'], means['builtins']

def outcome(act):
    try:
        value = act()
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

def filter_walls(path, host):
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

def second_walls(path, port):
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


async def _do(_: str, __: list[Plain], ___: dict[str, Plain]) -> PrimitiveResult:
    return PrimitiveResult(None)


async def prove() -> tuple[SelfTestResult, ...]:
    """Try every wall and bound of this machine. Takes a few seconds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        first = await _filter_proofs()
        standing = all(proof.state == "stands" for proof in first)
        second = await _second_proofs(port) if sys.platform.startswith("linux") else ()
    return (*first, *second, *await _bound_proofs("confined" if standing else "trusted"))


def refused(proofs: Sequence[SelfTestResult]) -> bool:
    """Whether learned code is refused on this machine, unless a job says `sandbox: trusted`."""
    return any(proof.needed and proof.state != "stands" for proof in proofs)


async def _call(kind: SandboxKind, code: str, bounds: Bounds = TIGHT) -> CallResult:
    async with Sandbox(bounds, kind) as sandbox, sandbox.session(MEANS, ["act"], seed=0) as session:
        return await session.call(code, _do)


async def _filter_proofs() -> tuple[SelfTestResult, ...]:
    """The filter: every attempt must come back as EPERM."""
    try:
        result = await _call("confined", f"filter_walls({__file__!r}, {os.getpid()})")
    except SandboxFailure as failure:
        return (SelfTestResult("seccomp filter", "missing", str(failure), True),)
    if not isinstance(result.value, dict):
        return (
            SelfTestResult(
                "seccomp filter", "missing", f"the attempts could not be made: {result.error}", True
            ),
        )
    return tuple(
        SelfTestResult(f"seccomp: cannot {what}", *_denied(came, errno.EPERM), True)
        for what, came in result.value.items()
    )


def _denied(came: Plain, *numbers: int) -> tuple[State, str]:
    if isinstance(came, int):
        name = errno.errorcode.get(came, str(came))
        return ("stands" if came in numbers else "missing"), f"tried it: {name}"
    return "missing", f"tried it, and it worked: {came}"


async def _second_proofs(port: int) -> tuple[SelfTestResult, ...]:
    """The walls behind the filter, tried in a session without the filter."""
    code = f"second_walls({__file__!r}, {port})"
    try:
        async with Sandbox(TIGHT, "second") as sandbox, sandbox.session(MEANS, ["act"], seed=0) as session:
            walls = await sandbox.walls()
            result = await session.call(code, _do)
    except SandboxFailure as failure:
        return (SelfTestResult("walls behind the filter", "missing", str(failure), False),)
    came = result.value
    if not isinstance(came, dict):
        return (
            SelfTestResult(
                "walls behind the filter", "missing", f"the attempts could not be made: {result.error}", False
            ),
        )
    offered = {
        "landlock": (walls.landlock > 0, "Landlock: no file, not even its own directory", (errno.EACCES,)),
        "network": (
            "network" in walls.left,
            "network namespace: loopback of this machine out of reach",
            (errno.ENETUNREACH, errno.EPERM),
        ),
        "root": (
            "root" in walls.left,
            "file system's root is an empty directory",
            (errno.ENOENT, errno.EACCES),
        ),
        "processes": (walls.user != 0, "rlimit of processes", (errno.EAGAIN, errno.EPERM)),
        "privileges": (True, "no capabilities, also in its user namespace", (errno.EPERM,)),
    }
    proofs = []
    for name, (there, wall, numbers) in offered.items():
        state, tried = _denied(came[name], *numbers)
        proofs.append(
            SelfTestResult(
                wall,
                state if there else "not offered",
                tried if there else "this machine does not offer it",
                False,
            )
        )
    proofs.append(
        SelfTestResult(
            "no new privileges",
            "stands" if came["new privileges"] == 1 else "missing",
            "asked the kernel",
            False,
        )
    )
    proofs.append(
        SelfTestResult(
            "empty environment", "stands" if came["environment"] == 0 else "missing", "looked", False
        )
    )
    root = os.geteuid() == 0 and came["user"] == 0
    proofs.append(
        SelfTestResult(
            "no root", "not offered" if root else "stands", f"sessions run as user {walls.user}", False
        )
    )
    return tuple(proofs)


async def _bound_proofs(kind: SandboxKind) -> tuple[SelfTestResult, ...]:
    """The bounds: a program that passes each is stopped, and the host goes on."""
    attempts = {
        "CPU time of a call": ("spin()", "TimeLimit"),
        "memory": ("swell()", "MemoryLimit"),
        "recursion": ("descend()", "RecursionError"),
        "primitive actions in one call": ("busy()", "PrimitiveLimit"),
    }
    proofs = []
    for bound, (code, wanted) in attempts.items():
        began = time.monotonic()
        try:
            result = await _call(kind, code)
            got = result.error.type if result.error else "no error"
        except SandboxFailure as failure:
            got = str(failure)
        late = f" after {time.monotonic() - began:.1f} s"
        proofs.append(
            SelfTestResult(
                f"bound: {bound}", "stands" if got == wanted else "missing", f"passed it: {got}{late}", False
            )
        )
    try:
        printed = len((await _call(kind, "chatter()")).printed)
        proofs.append(
            SelfTestResult(
                "bound: output",
                _state(printed == TIGHT.output_bytes),
                f"printed 10000 characters, {printed} kept",
                False,
            )
        )
        proofs.append(await _deadline(kind))
    except SandboxFailure as failure:
        proofs.append(SelfTestResult("sessions", "missing", str(failure), True))
    return tuple(proofs)


def _state(stands: bool) -> State:
    return "stands" if stands else "missing"


async def _deadline(kind: SandboxKind) -> SelfTestResult:
    """The wall-clock deadline: a session that is stopped from outside is given up as the harness's failure."""
    bounds = Bounds(wall_seconds=0.5)
    async with (
        Sandbox(bounds, kind, user="current") as sandbox,
        sandbox.session(MEANS, ["act"], seed=0) as session,
    ):
        await session.call("None", _do)

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
