"""Tasks that take seconds to make: a split that makes them when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import overload

from learnact.records import Task


class MadeTasks(Sequence[Task]):
    """`count` tasks in order. `make` gives the tasks of some numbers: it is asked once for each number, and
    for all that are wanted at the same time."""

    def __init__(self, count: int, make: Callable[[Sequence[int]], Mapping[int, Task]]) -> None:
        self._count = count
        self._make = make
        self._tasks: dict[int, Task] = {}

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Task: ...
    @overload
    def __getitem__(self, index: slice) -> list[Task]: ...
    def __getitem__(self, index: int | slice) -> Task | list[Task]:
        """The task of a number, or those of a slice."""
        wanted = range(self._count)[index]
        numbers = wanted if isinstance(wanted, range) else (wanted,)
        missing = [number for number in numbers if number not in self._tasks]
        if missing:
            self._tasks.update(self._make(missing))
        return [self._tasks[n] for n in numbers] if isinstance(wanted, range) else self._tasks[wanted]

    def __iter__(self) -> Iterator[Task]:
        return iter(self[:])
