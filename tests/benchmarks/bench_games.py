"""Games: opening one, a move with the opponent's answer, looking, and memory, beside OpenSpiel's bare steps
in the same games. Without the package there are no rows."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from typing import Any

from learnact.domains import registry
from learnact.domains.base import Domain
from learnact.domains.games.content import unpack
from learnact.records import DomainSpec, Task
from tests.benchmarks.family_rows import family_rows, row, seconds

NAMES = {"nim": 5, "connect_four": 10, "hex": 10, "leduc_poker": 10, "bargaining": 20, "tiny_hanabi": 10}
"""Milliseconds that a move with its answer may take at the level `published`."""
LOOKS = 20


def run() -> list[dict[str, Any]]:
    """Rows of name, value, unit and target."""
    if importlib.util.find_spec("pyspiel") is None:
        return []
    rows: list[dict[str, Any]] = []
    for name, most in NAMES.items():
        rows += family_rows(f"games-{name}", most=(2 * most, most, 100), stock=bare)
        rows.append(row(f"state, {name}", look(f"games-{name}") * 1e3, "ms", 1))
    return rows


def look(name: str) -> float:
    """Seconds of looking at a game's beginning."""
    domain = registry.build(DomainSpec(name))
    environment = domain.open(domain.tasks("test")[0])
    return seconds(lambda: [environment.call("state", [], {}) for _ in range(LOOKS)]) / LOOKS


def bare(_: Domain, tasks: Sequence[Task]) -> float:
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
