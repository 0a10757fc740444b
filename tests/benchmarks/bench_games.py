"""Games: opening one, a move with the opponent's answer, looking, and memory, beside OpenSpiel's bare steps
in the same games. Without the package there are no rows."""

from __future__ import annotations

import importlib.util
import statistics
import time
import tracemalloc
from typing import Any

from learnact.domains import registry
from learnact.domains.games.content import unpack
from learnact.records import DomainSpec, Task

NAMES = {"nim": 5, "connect_four": 10, "hex": 10, "leduc_poker": 10, "bargaining": 20, "tiny_hanabi": 10}
"""Milliseconds that a move with its answer may take at the level `published`."""


def run() -> list[dict[str, Any]]:
    """Rows of name, value, unit and target."""
    if importlib.util.find_spec("pyspiel") is None:
        return []
    rows: list[dict[str, Any]] = []
    for name, most in NAMES.items():
        domain = registry.build(DomainSpec(f"games-{name}"))
        tasks = list(domain.tasks("test"))
        opened, moves, looks = [], [], []
        for task in tasks:
            opened.append(seconds(lambda d=domain, t=task: d.open(t)))
            environment = domain.open(task)
            for call in domain.reference_plan(task):
                looks.append(seconds(lambda e=environment: e.call("state", [], {})))
                moves.append(seconds(lambda e=environment, c=call: e.call(c.name, c.arguments, {})))
        rows += [
            {
                "name": f"open, {name}",
                "value": statistics.mean(opened) * 1e3,
                "unit": "ms",
                "target": 2 * most,
            },
            {
                "name": f"move and answer, {name}",
                "value": statistics.mean(moves) * 1e3,
                "unit": "ms",
                "target": most,
            },
            {"name": f"state, {name}", "value": statistics.mean(looks) * 1e3, "unit": "ms", "target": 1},
            {"name": f"bare step, {name}", "value": bare(tasks) * 1e6, "unit": "us", "target": None},
            {
                "name": f"memory of an episode, {name}",
                "value": memory(domain, tasks),
                "unit": "kB",
                "target": 100,
            },
        ]
    return rows


def seconds(work: Any) -> float:
    """CPU seconds of some work."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


def bare(tasks: list[Task]) -> float:
    """Seconds a step of OpenSpiel alone, both players taking their first legal action."""
    import pyspiel

    steps, spent = 0, 0.0
    for task in tasks:
        content = unpack(task.content, task.name)
        state = pyspiel.load_game(content.game).new_initial_state()
        for action in content.opening:
            state.apply_action(action)
        began = time.thread_time()
        while not state.is_terminal():
            state.apply_action(state.legal_actions()[0])
            steps += 1
        spent += time.thread_time() - began
    return spent / max(steps, 1)


def memory(domain: Any, tasks: list[Task]) -> float:
    """Kilobytes of Python that an open game holds."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = [domain.open(task) for task in tasks]
        return (tracemalloc.get_traced_memory()[0] - before) / len(kept) / 1e3
    finally:
        tracemalloc.stop()
