"""What benchmarks of families have in common: opening a task, a step, and the memory of an episode."""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from learnact.domains import registry
from learnact.domains.base import Domain
from learnact.records import DomainSpec, Task, canonical


def seconds(work: Callable[[], Any]) -> float:
    """CPU seconds of some work, in this thread."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


def row(name: str, value: float, unit: str, target: float | None) -> dict[str, Any]:
    """A row of a benchmark's table."""
    return {"name": name, "value": value, "unit": unit, "target": target}


def memory(domain: Domain, tasks: Sequence[Task]) -> float:
    """Kilobytes of Python that an open task holds."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = [domain.open(task) for task in tasks]
        held = (tracemalloc.get_traced_memory()[0] - before) / len(kept) / 1e3
    finally:
        tracemalloc.stop()
    for environment in kept:
        environment.close()
    return held


def family_rows(
    name: str,
    options: Mapping[str, Any] | None = None,
    *,
    label: str = "",
    most: tuple[float, float, float],
    stock: Callable[[Domain, Sequence[Task]], float] | None = None,
) -> list[dict[str, Any]]:
    """Rows of a domain, its test tasks played by their reference plans. `most`: milliseconds of opening and
    of a step, kilobytes of an episode. `stock`: seconds a step of the package's own loop on the same tasks.
    """
    domain = registry.build(DomainSpec(name, canonical(dict(options or {}))))
    tasks, said = list(domain.tasks("test")), label or name.partition("-")[2] or name
    for task in tasks:
        domain.open(task).close()  # what is imported or made once
    opened, steps = [], []
    for task in tasks:
        opened.append(seconds(lambda t=task: domain.open(t).close()))
        environment = domain.open(task)
        for call in domain.reference_plan(task):
            steps.append(seconds(lambda e=environment, c=call: e.call(c.name, c.arguments, {})))
        environment.close()
    rows = [
        row(f"open, {said}", statistics.mean(opened) * 1e3, "ms", most[0]),
        row(f"step, {said}", statistics.mean(steps) * 1e3, "ms", most[1]),
    ]
    if stock is not None:
        rows.append(row(f"step, {said}, stock", stock(domain, tasks) * 1e3, "ms", None))
    return [*rows, row(f"memory of an episode, {said}", memory(domain, tasks), "kB", most[2])]
