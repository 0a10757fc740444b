"""The walls around learned code, put up from inside by the process that will run it, each by one system call or a few.

Covers: what a warmed parent gives up once (user and network namespaces, the file system's root, its user), and what each forked session gives up
before it sees learned code (rlimits, capabilities, Landlock, the seccomp filter). The filter itself is compiled by the host (`filter.py`).
Standard library only: the confined process loads this. Linux's walls are reached through libc by ctypes.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import struct
import sys
from typing import Any

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
SECCOMP_MODE_FILTER = 2
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = (
    0x00020000,
    0x04000000,
    0x08000000,
    0x10000000,
    0x40000000,
)
LANDLOCK_CREATE, LANDLOCK_RESTRICT = 444, 446
LANDLOCK_FS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 5: 0xFFFF}
"""Every right over files that an ABI version of Landlock knows (landlock.h): all are handled, none is granted."""
NOBODY = 65534
STACK_BYTES = 8 << 20

LINUX = sys.platform.startswith("linux")
_libc = ctypes.CDLL(None, use_errno=True)


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class ConfinementError(OSError):
    """A wall that has to stand could not be put up."""


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise ConfinementError(code, f"{what}: {os.strerror(code)}")
    return result


def _prctl(option: int, value: int, what: str) -> None:
    zero = ctypes.c_ulong(0)
    _checked(_libc.prctl(option, ctypes.c_ulong(value), zero, zero, zero), what)


# Once, in the warmed parent -------------------------------------------------------------------------------------------


def is_root() -> bool:
    """Whether this process runs as root."""
    return os.geteuid() == 0


def become(user: int) -> bool:
    """Give up root for the user `user` (nobody). False where this is not allowed, as in some containers."""
    try:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    except OSError:
        return False
    return True


def leave_namespaces() -> list[str]:
    """Leave the host's user, network, IPC and host-name namespaces as far as the kernel lets us. The names of those left."""
    flags = {"network": CLONE_NEWNET, "ipc": CLONE_NEWIPC, "uts": CLONE_NEWUTS, "mount": CLONE_NEWNS}
    left = []
    if _libc.unshare(CLONE_NEWUSER) == 0:
        left.append("user")
    left += [name for name, flag in flags.items() if _libc.unshare(flag) == 0]
    return left


def leave_files() -> list[str]:
    """Go to a private directory that exists no more, and make it the root where the kernel lets us: nothing can be made or found there."""
    left = []
    with contextlib.suppress(OSError):
        private = f"/tmp/learnact-{os.getpid()}-{os.urandom(8).hex()}"
        os.mkdir(private, 0o700)
        os.chdir(private)
        os.rmdir(private)
        left.append("directory")
        os.chroot(".")
        left.append("root")
    return left


def prefer_to_die() -> bool:
    """Tell the kernel to take sandboxed processes first when the machine runs out of memory."""
    try:
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")
    except OSError:
        return False
    return True


def landlock_version() -> int:
    """The kernel's Landlock ABI version, 0 when it offers none."""
    return max(0, _libc.syscall(LANDLOCK_CREATE, None, 0, 1)) if LINUX else 0


def landlock_ruleset() -> int | None:
    """A descriptor of a ruleset that handles every right and grants none; None where the kernel offers no Landlock."""
    version = landlock_version()
    if not version:
        return None
    rights = LANDLOCK_FS[max(v for v in LANDLOCK_FS if v <= version)]
    network = 0x3 if version >= 4 else 0
    scoped = 0x3 if version >= 6 else 0
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = struct.pack("=QQQ", rights, network, scoped)[:size]
    return _checked(_libc.syscall(LANDLOCK_CREATE, attributes, size, 0), "landlock_create_ruleset")


# In each session, before learned code is seen -------------------------------------------------------------------------


def limit(memory_bytes: int, cpu_seconds: int, virtual_bytes: int, descriptors: int) -> None:
    """Set the rlimits. `cpu_seconds` is a backstop over the whole life of the process; the host decides within it.

    `descriptors` is one more than the highest descriptor that may be opened from here on.
    """
    bounds: dict[str, int] = {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_NPROC": 0,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_NOFILE": descriptors,
        "RLIMIT_STACK": STACK_BYTES,
        "RLIMIT_CPU": cpu_seconds,
        "RLIMIT_DATA": memory_bytes,
        "RLIMIT_AS": virtual_bytes + memory_bytes,
    }
    for name, value in bounds.items():
        which = getattr(resource, name, None)
        if which is None:
            continue
        _, hard = resource.getrlimit(which)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(which, (value, value))
        except (OSError, ValueError):
            if LINUX:
                raise


def allow_cpu(seconds: float) -> None:
    """Let the kernel end this process after so many more CPU seconds, rounded up: where the host cannot read our clock (not Linux)."""
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (min(int(used + seconds) + 1, hard), hard))


def drop_capabilities() -> None:
    """Give up every capability, also those inside our own user namespace."""
    header = struct.pack("=Ii", 0x20080522, 0)
    _checked(_libc.capset(header, bytes(24)), "capset")


def restrict_files(ruleset: int) -> None:
    """Landlock: no right over any file, TCP port, abstract socket or outside process from here on."""
    _checked(_libc.syscall(LANDLOCK_RESTRICT, ruleset, 0), "landlock_restrict_self")


def no_new_privileges() -> None:
    """Set no_new_privs; die with the warmed parent; be no target for debuggers of the same user."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1, "no_new_privs")
    _prctl(PR_SET_DUMPABLE, 0, "dumpable")
    _prctl(PR_SET_PDEATHSIG, 9, "pdeathsig")


def install_filter(program: bytes) -> None:
    """Load the seccomp filter (BPF instructions of 8 bytes). Irrevocable."""
    buffer = ctypes.create_string_buffer(program, len(program))
    header = _Filter(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    zero = ctypes.c_ulong(0)
    _checked(
        _libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(header), zero, zero),
        "seccomp",
    )


def confine(config: dict[str, Any], ruleset: int | None) -> None:
    """Everything that a confined session gives up, in order; the filter last. Raises `WallError` when a wall that must stand does not.

    The kind "second" leaves the filter out, so that `learnact doctor` can prove that the walls behind it stand by themselves.
    """
    descriptors = 0 if config["kind"] == "confined" else 16
    limit(config["memory_bytes"], config["cpu_backstop"], config["virtual_bytes"], descriptors)
    if not LINUX:
        return
    no_new_privileges()
    if config["kind"] == "trusted":
        return
    drop_capabilities()
    if ruleset is not None:
        restrict_files(ruleset)
        os.close(ruleset)
    if config["kind"] != "second":
        install_filter(bytes.fromhex(config["filter"]))
