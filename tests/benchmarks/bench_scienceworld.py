"""ScienceWorld: opening, a step, and the memory of Java and of this process with four episodes open, beside
the package's own wrapper on the same walk in the same run. Without the package or Java there are no rows.

A step's CPU time is that of Java (its compiler and its collector too) and of this process.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import time
from pathlib import Path
from typing import Any

from learnact.domains.scienceworld.package import java_program
from learnact.domains.scienceworld.tasks import AGENTBOARD, Variation

WALK = (
    "go to outside",
    "look around",
    "wait1",
    "go to kitchen",
    "look around",
    "pick up orange",
    "inventory",
)
ROUNDS = 10
"""Of our episodes. The first half, in which Java compiles, has a row of its own."""
STOCK_ROUNDS = 4
"""Of the stock package's episode; the first half is not counted."""


def run() -> list[dict[str, Any]]:
    """Rows of name, value, unit and target."""
    if importlib.util.find_spec("scienceworld") is None or java_program() is None:
        return []
    rows = _ours()
    return [*rows, *_stock()]


def _variation() -> Variation:
    simple = ",".join(AGENTBOARD)
    return Variation(task="find-living-thing", number=151, simplifications=simple, version="1.2.3")


def _ours() -> list[dict[str, Any]]:
    from learnact.domains.scienceworld.domain import all_primitives
    from learnact.domains.scienceworld.environment import ScienceWorldEnvironment
    from learnact.domains.scienceworld.java import machine

    began = time.perf_counter()
    machine()
    started = time.perf_counter() - began
    houses, opened = [], []
    for _ in range(4):
        before = _both()
        houses.append(ScienceWorldEnvironment(_variation(), all_primitives()))
        opened.append(_both() - before)
    cold, _ = _played(houses)
    warm, steps = _played(houses)
    memory = _resident(machine().java_process.pid) + _resident("self")
    for house in houses:
        house.close()
    return [
        {"name": "start of Java", "value": started, "unit": "s"},
        {"name": "open, CPU, the first", "value": opened[0], "unit": "s"},
        {"name": "open, CPU, later", "value": statistics.median(opened[1:]), "unit": "s"},
        {"name": "step, CPU, the first 140", "value": cold * 1e3, "unit": "ms"},
        {"name": "step, CPU", "value": warm * 1e3, "unit": "ms", "target": 12},
        {"name": "step", "value": statistics.median(steps) * 1e3, "unit": "ms"},
        {"name": "memory, four episodes", "value": memory, "unit": "MB", "target": 400},
    ]


def _played(houses: list[Any]) -> tuple[float, list[float]]:
    """Half of the rounds, the episodes in turns: CPU seconds of a step, and its times."""
    steps, before = [], _both()
    for _ in range(ROUNDS // 2):
        for command in WALK:
            for house in houses:
                began = time.perf_counter()
                house.text(command)
                steps.append(time.perf_counter() - began)
    return (_both() - before) / len(steps), steps


def _both() -> float:
    """CPU seconds of Java and of this process."""
    from learnact.domains.scienceworld.java import machine

    return _cpu(machine().java_process.pid) + time.process_time()


def _stock() -> list[dict[str, Any]]:
    from scienceworld import ScienceWorldEnv

    stock = ScienceWorldEnv("")
    began = time.perf_counter()
    stock.load("find-living-thing", 151, ",".join(AGENTBOARD))
    stock.reset()
    opened = time.perf_counter() - began
    steps, spent = [], 0.0
    for number in range(STOCK_ROUNDS):
        if number == STOCK_ROUNDS // 2:
            spent = _cpu(stock._gateway.java_process.pid) + time.process_time()
        for command in WALK:
            began = time.perf_counter()
            stock.step(command)
            if number >= STOCK_ROUNDS // 2:
                steps.append(time.perf_counter() - began)
    spent = _cpu(stock._gateway.java_process.pid) + time.process_time() - spent
    memory = _resident(stock._gateway.java_process.pid)
    stock.close()
    return [
        {"name": "open, stock", "value": opened, "unit": "s"},
        {"name": "step, CPU, stock", "value": spent / len(steps) * 1e3, "unit": "ms"},
        {"name": "step, stock", "value": statistics.median(steps) * 1e3, "unit": "ms"},
        {"name": "memory of Java, one episode, stock", "value": memory, "unit": "MB"},
    ]


def _resident(process: int | str) -> float:
    """MB of resident memory of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _cpu(process: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
