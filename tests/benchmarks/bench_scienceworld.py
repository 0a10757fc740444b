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
ROUNDS = 6
"""The first rounds, in which Java compiles, are not counted."""


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
    opened, steps, houses, spent = [], [], [], 0.0
    for _ in range(4):
        began = time.perf_counter()
        houses.append(ScienceWorldEnvironment(_variation(), all_primitives()))
        opened.append(time.perf_counter() - began)
    for number in range(ROUNDS):
        if number == ROUNDS // 2:
            spent = _cpu(machine().java_process.pid) + time.process_time()
        for house in houses:
            for command in WALK:
                began = time.perf_counter()
                house.text(command)
                if number >= ROUNDS // 2:
                    steps.append(time.perf_counter() - began)
    spent = _cpu(machine().java_process.pid) + time.process_time() - spent
    memory = _resident(machine().java_process.pid) + _resident("self")
    for house in houses:
        house.close()
    return [
        {"name": "start of Java", "value": started, "unit": "s"},
        {"name": "open", "value": statistics.median(opened), "unit": "s"},
        {"name": "step, CPU", "value": spent / len(steps) * 1e3, "unit": "ms", "target": 12},
        {"name": "step", "value": statistics.median(steps) * 1e3, "unit": "ms"},
        {"name": "memory, four episodes", "value": memory, "unit": "MB", "target": 400},
    ]


def _stock() -> list[dict[str, Any]]:
    from scienceworld import ScienceWorldEnv

    stock = ScienceWorldEnv("")
    began = time.perf_counter()
    stock.load("find-living-thing", 151, ",".join(AGENTBOARD))
    stock.reset()
    opened = time.perf_counter() - began
    steps, spent = [], 0.0
    for number in range(ROUNDS // 2):
        if number == 1:
            spent = _cpu(stock._gateway.java_process.pid) + time.process_time()
        for command in WALK:
            began = time.perf_counter()
            stock.step(command)
            if number:
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
