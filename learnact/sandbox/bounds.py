"""What goes into a sandbox and comes out: bounds, answers of primitives, results of calls, the walls that stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from learnact.records import ActionError, Plain

SandboxKind = Literal["confined", "trusted", "second"]
"""`second` is for `learnact doctor` alone: every wall but the filter."""
User = Literal["current", "nobody"]


@dataclass(frozen=True)
class Bounds:
    """What learned code may use. Every bound is enforced from outside the confined process, by the host or the
    kernel; `recursion` by Python itself, and behind it by the bounds on stack and memory.

    `cpu_seconds`: CPU time of one call, read by the host; time in which the host does a primitive does not count. `wall_seconds`: how long a call
    may keep the host waiting, however little it computes; beyond that it is the harness's failure. `memory_bytes`: writable memory of the process.
    `recursion`: depth of Python calls. `source_bytes`: library, and code of a call, each. `output_bytes`: characters of printed output kept.
    `message_bytes`: one message of the protocol. `primitives`: primitive actions in one call. `depth`, `items`, `value_characters`: nesting,
    number of
    values, and characters of all texts, in a result or in the arguments of one primitive.
    """

    cpu_seconds: float = 5.0
    wall_seconds: float = 120.0
    memory_bytes: int = 256 << 20
    recursion: int = 1000
    source_bytes: int = 64 << 10
    output_bytes: int = 16 << 10
    message_bytes: int = 256 << 10
    primitives: int = 100
    depth: int = 16
    items: int = 4096
    value_characters: int = 64 << 10

    @property
    def cpu_backstop(self) -> int:
        """Hard limit on the CPU seconds of a whole session process, for the case that the host is gone or stuck."""
        return int(self.cpu_seconds * 20) + 60


DEFAULTS = Bounds()


@dataclass(frozen=True)
class PrimitiveResult:
    """What a primitive returns to learned code. `end`: the episode's success was reached, the call ends here."""

    value: Plain
    end: bool = False


@dataclass(frozen=True)
class CallResult:
    """What came of a call. `error` is learned code's own failure; `cpu_seconds` the confined process's CPU; `primitives` those that were done.

    `ended` is True when a primitive's answer ended the call: then there is neither value nor error.
    """

    value: Plain
    error: ActionError | None
    printed: str
    cpu_seconds: float
    primitives: int
    ended: bool


@dataclass(frozen=True)
class Confinement:
    """Which walls stand around the sessions of a sandbox. `left` are the namespaces and files that their parent gave up; `landlock` an ABI
    version, 0 none."""

    kind: SandboxKind
    seccomp: bool
    landlock: int
    left: tuple[str, ...]
    user: int


RunPrimitive = Callable[[str, list[Plain], dict[str, Plain]], Awaitable[PrimitiveResult]]
