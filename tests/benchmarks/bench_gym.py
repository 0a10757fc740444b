"""Text environments of Gymnasium: opening one, a step, and memory, beside the environment alone. Without the
package there are no rows."""

from __future__ import annotations

import importlib.util
from typing import Any

from learnact.domains import registry
from learnact.records import DomainSpec
from tests.benchmarks.family_rows import memory, row, seconds

STEPS = 300


def run() -> list[dict[str, Any]]:
    """Rows of name, value, unit and target."""
    if importlib.util.find_spec("gymnasium") is None:
        return []
    import gymnasium

    domain = registry.build(DomainSpec("gym"))
    tasks = list(domain.tasks("test"))
    domain.open(tasks[0]).close()  # registers the environment
    opened = seconds(lambda: [domain.open(task).close() for task in tasks]) / len(tasks)
    environment = domain.open(tasks[0])
    guesses = [number % 100 + 200 for number in range(STEPS)]  # none of them is right
    step = seconds(lambda: [environment.call("guess", [guess], {}) for guess in guesses]) / STEPS
    stock = gymnasium.make("LearnactGuess-v0")
    stock.reset(seed=1)
    bare = seconds(lambda: [stock.step(str(guess)) for guess in guesses]) / STEPS
    return [
        row("open", opened * 1e3, "ms", 5),
        row("step", step * 1e3, "ms", 0.5),
        row("step, stock", bare * 1e3, "ms", None),
        row("memory of an episode", memory(domain, tasks), "kB", 100),
    ]
