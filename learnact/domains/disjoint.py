"""Whether a run's tasks are disjoint: no test task equals a training task or the worked example, and none is
played twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from learnact.records import Plain, Task


@dataclass(frozen=True)
class Disjoint:
    """The check, as a run records it. Pairs are names of equal tasks; `repeated` are pairs within one
    split."""

    train: int
    test: int
    shared: tuple[tuple[str, str], ...] = ()
    repeated: tuple[tuple[str, str], ...] = ()
    example: tuple[str, ...] = ()
    """Tasks of either split that are the worked example."""

    @property
    def ok(self) -> bool:
        """Whether no task is shared, repeated or the worked example."""
        return not (self.shared or self.repeated or self.example)

    def plain(self) -> dict[str, Plain]:
        """For a run's record."""
        return {
            "ok": self.ok,
            "train": self.train,
            "test": self.test,
            "shared": [list(pair) for pair in self.shared],
            "repeated": [list(pair) for pair in self.repeated],
            "example": list(self.example),
        }


def check_disjoint(train: Sequence[Task], test: Sequence[Task], example: Task | None = None) -> Disjoint:
    """Compare tasks by their content's hash. `example` is a domain's `example_task`, where it has one."""
    first = {task.hash: task.name for task in reversed(train)}
    return Disjoint(
        len(train),
        len(test),
        tuple((first[task.hash], task.name) for task in test if task.hash in first),
        _repeated(train) + _repeated(test),
        tuple(task.name for task in (*train, *test) if example is not None and task.hash == example.hash),
    )


def _repeated(tasks: Sequence[Task]) -> tuple[tuple[str, str], ...]:
    seen: dict[str, str] = {}
    pairs = []
    for task in tasks:
        if task.hash in seen:
            pairs.append((seen[task.hash], task.name))
        seen.setdefault(task.hash, task.name)
    return tuple(pairs)
