"""Inputs and outputs of a sandbox: bounds, results of primitives, results of calls, active confinement."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from learnact.records import ActionError, Plain

SandboxKind = Literal["confined", "trusted", "unfiltered"]
"""`unfiltered` is used only by `learnact doctor`: every layer of confinement except the seccomp filter."""
User = Literal["current", "nobody"]


@dataclass(frozen=True)
class Bounds:
    """What learned code may use. The host or the kernel enforces each bound from outside the confined
    process, except `recursion`: Python enforces it, and the bounds on stack and memory hold behind it."""

    cpu_seconds: float = 5.0
    """CPU time of one call, read by the host. Time in which the host runs a primitive does not count."""
    wall_seconds: float = 120.0
    """Seconds that a call may keep the host waiting. More is the harness's failure."""
    memory_bytes: int = 256 << 20
    """Writable memory of the process."""
    recursion: int = 1000
    """Depth of Python calls."""
    source_bytes: int = 64 << 10
    """Bytes of the library, and of the code of a call, each."""
    output_bytes: int = 16 << 10
    """Characters of printed output that are kept."""
    message_bytes: int = 256 << 10
    """Bytes of one message of the protocol."""
    primitives: int = 100
    """Primitive actions in one call."""
    depth: int = 16
    """Nesting of a result, or of the arguments of one primitive."""
    items: int = 4096
    """Number of values in a result, or in the arguments of one primitive."""
    value_characters: int = 64 << 10
    """Characters of all texts in a result, or in the arguments of one primitive."""

    @property
    def cpu_backstop(self) -> int:
        """The kernel's limit on the CPU seconds of a session process. It holds even if the host hangs."""
        return int(self.cpu_seconds * 20) + 60


DEFAULTS = Bounds()


@dataclass(frozen=True)
class PrimitiveResult:
    """What a primitive returns to learned code. `end`: the primitive reached success, or the
    task can no longer be solved, so the call ends."""

    value: Plain
    end: bool = False


@dataclass(frozen=True)
class CallResult:
    """The result of a call. `error` is a failure of learned code; `cpu_seconds` the CPU time of the confined
    process; `primitives` how many primitives were run.

    `ended` is True when a primitive ended the call: then there is neither value nor error.
    """

    value: Plain
    error: ActionError | None
    printed: str
    cpu_seconds: float
    primitives: int
    ended: bool


@dataclass(frozen=True)
class Confinement:
    """The confinement that is active for the sessions of a sandbox.

    `separated` names the namespaces and directories of the host that sessions cannot reach; `landlock` is the
    ABI version in use, 0 without Landlock; `user` the user id of the sessions."""

    kind: SandboxKind
    seccomp: bool
    landlock: int
    separated: tuple[str, ...]
    user: int


RunPrimitive = Callable[[str, list[Plain], dict[str, Plain]], Awaitable[PrimitiveResult]]
