"""The seccomp filter, instruction by instruction: which calls it lets through, on both architectures.

The filter is libseccomp's; the tables of system calls it is held against are another package's (seccompy,
generated from the kernel's headers), and the interpreter below is the kernel's few instructions of classic
BPF."""

from __future__ import annotations

import mmap
import struct

import pytest

from learnact.sandbox import seccomp

pytestmark = pytest.mark.skipif(seccomp.missing() is not None, reason=str(seccomp.missing()))

ALLOW, KILL, EPERM = 0x7FFF0000, 0x80000000, 0x00050001
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
COMMON = {
    "read", "write", "mmap", "munmap", "mremap", "brk", "clock_gettime", "clock_getres", "gettimeofday",
    "exit", "exit_group", "rt_sigreturn",
}  # fmt: skip
ALLOWED = {"x86_64": COMMON | {"time"}, "aarch64": COMMON}
BENIGN = {
    "read": (3, 0x1000, 10),
    "write": (3, 0x1000, 10),
    "mmap": (0, 4096, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 0xFFFFFFFF, 0),
}


def table(machine: str) -> dict[str, int]:
    from seccompy import syscalls

    found: dict[str, int] = getattr(syscalls, f"{machine.upper()}_SYSCALLS")
    return found


def verdict(program: bytes, architecture: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """What the kernel would do: interprets classic BPF over `struct seccomp_data`."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<iIQ6Q", struct.unpack("<i", struct.pack("<I", number))[0], architecture, 0, *padded)
    accumulator, place = 0, 0
    for _ in range(10_000):
        code, yes, no, k = struct.unpack_from("<HBBI", program, 8 * place)
        place += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, k)
            case 0x54:
                accumulator &= k
            case 0x05:
                place += k
            case 0x15:
                place += yes if accumulator == k else no
            case 0x25:
                place += yes if accumulator > k else no
            case 0x35:
                place += yes if accumulator >= k else no
            case 0x45:
                place += yes if accumulator & k else no
            case 0x06:
                return k
            case _:
                raise AssertionError(f"an instruction of unknown code {code:#x}")
    raise AssertionError("it does not end")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_only_the_listed_calls_are_allowed(machine: str) -> None:
    program = seccomp.compile_filter(machine)
    allowed = {
        name
        for name, number in table(machine).items()
        if verdict(program, ARCHITECTURE[machine], number, BENIGN.get(name, ())) == ALLOW
    }
    assert allowed == ALLOWED[machine]
    assert len(table(machine)) > 300


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_other_number_is_denied(machine: str) -> None:
    program, known = seccomp.compile_filter(machine), set(table(machine).values())
    for number in [n for n in range(2048) if n not in known] + [0x7FFFFFFF, 0x3FFFFFFF]:
        assert verdict(program, ARCHITECTURE[machine], number) in (EPERM, KILL)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("call", ["read", "write"])
def test_reading_and_writing_is_for_the_channel_only(machine: str, call: str) -> None:
    program, number = seccomp.compile_filter(machine), table(machine)[call]
    for descriptor in [0, 1, 2, *range(4, 100), 1 << 32 | 3, 0xFFFFFFFF]:
        assert verdict(program, ARCHITECTURE[machine], number, (descriptor, 0, 1)) == EPERM


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_memory_is_private_anonymous_and_never_executable(machine: str) -> None:
    program, number = seccomp.compile_filter(machine), table(machine)["mmap"]
    for protection in range(8):
        for flags in (0x01, 0x02, 0x20, 0x21, 0x22, 0x32, 0x40022, 0x4022):
            answer = verdict(
                program, ARCHITECTURE[machine], number, (0, 4096, protection, flags, 0xFFFFFFFF, 0)
            )
            fine = not protection & mmap.PROT_EXEC and flags & 0x40023 == 0x22
            assert answer == (ALLOW if fine else EPERM), (protection, flags)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_another_architectures_calls_kill(machine: str) -> None:
    program = seccomp.compile_filter(machine)
    for architecture in (0x40000003, 0x40000028, 0, *ARCHITECTURE.values()):
        if architecture != ARCHITECTURE[machine]:
            assert verdict(program, architecture, table(machine)["read"], (3, 0, 1)) == KILL


def test_the_x32_interface_kills() -> None:
    for number in (0, 1, 39, 59):
        assert (
            verdict(seccomp.compile_filter("x86_64"), ARCHITECTURE["x86_64"], 0x40000000 | number, (3, 0, 1))
            == KILL
        )


def test_missing_parts_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyseccomp", None)
    assert "pip install pyseccomp" in str(seccomp.missing())
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "exists on Linux only" in str(seccomp.missing())
