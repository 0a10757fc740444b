"""Confinement of learned code: system calls by which a process gives up rights before it runs learned code.

Covers what the fork server gives up once (user and network namespaces, the root of the file system, its
user), and what each forked session gives up before it receives learned code (rlimits, capabilities, Landlock,
the seccomp filter). The host compiles the filter (`seccomp.py`). This module imports only the standard
library, because the confined process loads it. It calls Linux through libc, by ctypes."""

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
"""Rights over files by ABI version of Landlock (landlock.h). All are handled, none is granted."""
NOBODY = 65534
STACK_BYTES = 8 << 20

LINUX = sys.platform.startswith("linux")
_libc = ctypes.CDLL(None, use_errno=True)


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class ConfinementError(OSError):
    """A required part of the confinement could not be set up."""


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise ConfinementError(code, f"{what}: {os.strerror(code)}")
    return result


def _prctl(option: int, value: int, what: str) -> None:
    zero = ctypes.c_ulong(0)
    _checked(_libc.prctl(option, ctypes.c_ulong(value), zero, zero, zero), what)


# Once, in the fork server ---------------------------------------------------------------------------------


def is_root() -> bool:
    """Whether this process runs as root."""
    return os.geteuid() == 0


def switch_user(user: int) -> bool:
    """Change from root to the user id `user`. False where this is not allowed, as in some containers."""
    try:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    except OSError:
        return False
    return True


def leave_namespaces() -> list[str]:
    """Enter new namespaces where the kernel allows it. Returns their names."""
    flags = {"network": CLONE_NEWNET, "ipc": CLONE_NEWIPC, "uts": CLONE_NEWUTS, "mount": CLONE_NEWNS}
    separated = []
    if _libc.unshare(CLONE_NEWUSER) == 0:
        separated.append("user")
    separated += [name for name, flag in flags.items() if _libc.unshare(flag) == 0]
    return separated


def leave_files() -> list[str]:
    """Change to a deleted private directory, and make it the root where the kernel allows it.

    Nothing can be found or created there. Returns what was done: "directory", "root".
    """
    separated = []
    with contextlib.suppress(OSError):
        private = f"/tmp/learnact-{os.getpid()}-{os.urandom(8).hex()}"
        os.mkdir(private, 0o700)
        os.chdir(private)
        os.rmdir(private)
        separated.append("directory")
        os.chroot(".")
        separated.append("root")
    return separated


def raise_oom_score() -> None:
    """Ask the kernel to kill sandboxed processes first when the machine runs out of memory."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")


def landlock_version() -> int:
    """The kernel's Landlock ABI version, 0 when it offers none."""
    return max(0, _libc.syscall(LANDLOCK_CREATE, None, 0, 1)) if LINUX else 0


def landlock_ruleset() -> int | None:
    """Descriptor of a Landlock ruleset that grants no right; None where there is no Landlock."""
    version = landlock_version()
    if not version:
        return None
    rights = LANDLOCK_FS[max(v for v in LANDLOCK_FS if v <= version)]
    network = 0x3 if version >= 4 else 0
    scoped = 0x3 if version >= 6 else 0
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = struct.pack("=QQQ", rights, network, scoped)[:size]
    return _checked(_libc.syscall(LANDLOCK_CREATE, attributes, size, 0), "landlock_create_ruleset")


# In each session, before it receives learned code ----------------------------------------------------------


def set_rlimits(memory_bytes: int, cpu_seconds: int, virtual_bytes: int, descriptors: int) -> None:
    """Set the rlimits. `cpu_seconds` counts over the life of the process; the host ends calls long before.

    `descriptors` is one more than the highest file descriptor that may be opened from now on.
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
    """Let the kernel end this process after so many more CPU seconds, rounded up.

    Used where the host cannot read the CPU clock of another process (not Linux).
    """
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (min(int(used + seconds) + 1, hard), hard))


def drop_capabilities() -> None:
    """Drop every capability, also those inside the process's own user namespace."""
    header = struct.pack("=Ii", 0x20080522, 0)
    _checked(_libc.capset(header, bytes(24)), "capset")


def restrict_files(ruleset: int) -> None:
    """Landlock: no right over any file, TCP port, abstract socket or other process from now on."""
    _checked(_libc.syscall(LANDLOCK_RESTRICT, ruleset, 0), "landlock_restrict_self")


def no_new_privileges() -> None:
    """Set no_new_privs; end with the fork server; refuse debuggers of the same user."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1, "no_new_privs")
    _prctl(PR_SET_DUMPABLE, 0, "dumpable")
    _prctl(PR_SET_PDEATHSIG, 9, "pdeathsig")


def install_filter(program: bytes) -> None:
    """Load the seccomp filter (BPF instructions of 8 bytes). It cannot be removed again."""
    buffer = ctypes.create_string_buffer(program, len(program))
    header = _Filter(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    zero = ctypes.c_ulong(0)
    _checked(
        _libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(header), zero, zero),
        "seccomp",
    )


def confine(config: dict[str, Any], ruleset: int | None) -> None:
    """Confine this process, the filter last. Raises `ConfinementError` when a required part cannot be set up.

    The kind "unfiltered" omits the filter, so that `learnact doctor` can test each other part by itself.
    """
    descriptors = 0 if config["kind"] == "confined" else 16
    set_rlimits(config["memory_bytes"], config["cpu_backstop"], config["virtual_bytes"], descriptors)
    if not LINUX:
        return
    no_new_privileges()
    if config["kind"] == "trusted":
        return
    drop_capabilities()
    if ruleset is not None:
        restrict_files(ruleset)
        os.close(ruleset)
    if config["kind"] != "unfiltered":
        install_filter(bytes.fromhex(config["filter"]))
