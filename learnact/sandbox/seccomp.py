"""The seccomp filter: which system calls a confined process may still make, compiled by libseccomp.

The package pyseccomp (MIT, pure Python over ctypes) loads libseccomp (LGPL-2.1, the filter compiler of
systemd, Docker and others) from the system. It has the interface of libseccomp's own Python binding, which
pip cannot install. The host compiles once; sessions load the bytes with one prctl, so that they do not pay
for the compiler and do not hold it."""

from __future__ import annotations

import functools
import mmap
import platform
import sys
import tempfile
from typing import Any

CHANNEL = 3
"""The only file descriptor that a confined process keeps: its channel to the host."""

MAP_HUGETLB = 0x40000

PLAIN_CALLS = (
    "munmap",
    "mremap",
    "brk",
    "clock_gettime",
    "clock_getres",
    "gettimeofday",
    "exit",
    "exit_group",
    "rt_sigreturn",
)
"""Allowed with any arguments: own memory, clocks, own exit. `time` is added where it exists (x86-64)."""


def machine() -> str:
    """This machine's architecture as libseccomp names it."""
    name = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(name, name)


def missing() -> str | None:
    """Why no filter can be compiled on this machine, and what to install; None when it can."""
    if not sys.platform.startswith("linux"):
        return f"seccomp exists on Linux only; this is {sys.platform}"
    if machine() not in ("x86_64", "aarch64"):
        return f"no filter for {platform.machine()}; there is one for x86_64 and aarch64"
    try:
        import pyseccomp  # noqa: F401
    except ImportError:
        return "the Python package pyseccomp is not installed: pip install pyseccomp"
    except (RuntimeError, OSError, AttributeError) as error:
        return (
            f"libseccomp cannot be loaded ({error}): apt-get install libseccomp2 "
            "(Fedora: dnf install libseccomp)"
        )
    return None


@functools.cache
def compile_filter(name: str) -> bytes:
    """The filter for a machine as BPF instructions of 8 bytes. It can be compiled on any other machine."""
    import pyseccomp as seccomp

    rules: Any = seccomp.SyscallFilter(seccomp.ERRNO(1))
    target = {"x86_64": seccomp.Arch.X86_64, "aarch64": seccomp.Arch.AARCH64}[name]
    if target != _native():
        rules.add_arch(target)
        rules.remove_arch(seccomp.Arch.NATIVE)
    rules.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)
    _allow(rules, seccomp)
    if name == "x86_64":
        rules.add_rule(seccomp.ALLOW, "time")
    with tempfile.TemporaryFile() as out:
        rules.export_bpf(out)
        out.seek(0)
        return out.read()


def _native() -> int | None:
    import pyseccomp as seccomp

    return {"x86_64": seccomp.Arch.X86_64, "aarch64": seccomp.Arch.AARCH64}.get(machine())


def _allow(rules: Any, seccomp: Any) -> None:
    for call in PLAIN_CALLS:
        rules.add_rule(seccomp.ALLOW, call)
    for call in ("read", "write"):
        rules.add_rule(seccomp.ALLOW, call, seccomp.Arg(0, seccomp.EQ, CHANNEL))
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    rules.add_rule(
        seccomp.ALLOW,
        "mmap",
        seccomp.Arg(2, seccomp.MASKED_EQ, mmap.PROT_EXEC, 0),
        seccomp.Arg(3, seccomp.MASKED_EQ, private | mmap.MAP_SHARED | MAP_HUGETLB, private),
    )
