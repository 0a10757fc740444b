"""BabyAI: a step with its text, an opening and memory, beside minigrid's own step and reset."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from learnact.domains.registry import build
from learnact.records import DomainSpec, canonical

STEPS = 300
MEMORY = """
import json, resource, sys
def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20
before = rss()
import minigrid, gymnasium
stock = rss() - before
from learnact.domains.registry import build
from learnact.records import DomainSpec, Task
domain = build(DomainSpec("babyai-goto"))
kept = [domain.open(domain.example_task) for _ in range(100)]
print(json.dumps([stock, rss() - before - stock]))
"""


def run() -> list[dict[str, object]]:
    """Median CPU times of a random walk in a maze and in one room; memory of a hundred open tasks."""
    import minigrid.envs.babyai as levels

    rows: list[dict[str, object]] = []
    for name, level, stock in (
        ("one room", "easy", levels.GoToLocal(room_size=8, num_dists=7)),
        ("nine rooms", "hard", levels.GoTo()),
    ):
        domain = build(DomainSpec("babyai-goto", canonical({"level": level, "test": 1, "train": 1})))
        (task,) = domain.tasks("test")
        environment = domain.open(task)
        calls = ["turn_left", "move_forward", "turn_right", "look"] * (STEPS // 4)
        ours = [timed(environment.call, call, (), {}) for call in calls]
        stock.reset(seed=0)
        theirs = [timed(stock.step, number % 3) for number in range(STEPS)]
        opened = [timed(domain.open, task) for _ in range(30)]
        reset = [timed(lambda seed, of=stock: of.reset(seed=seed), number) for number in range(30)]
        rows += [
            {"name": f"step with text, {name}", "value": ours_ms(ours), "unit": "ms", "target": 5},
            {"name": f"step of minigrid, {name}", "value": ours_ms(theirs), "unit": "ms", "target": None},
            {"name": f"open, {name}", "value": ours_ms(opened), "unit": "ms", "target": 20},
            {"name": f"reset of minigrid, {name}", "value": ours_ms(reset), "unit": "ms", "target": None},
        ]
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True)
    stock_mib, ours_mib = json.loads(done.stdout.splitlines()[-1])
    rows += [
        {"name": "memory of minigrid's import", "value": stock_mib, "unit": "MiB", "target": None},
        {"name": "memory of 100 open tasks", "value": ours_mib, "unit": "MiB", "target": 50},
    ]
    return rows


def timed(work: Callable[..., object], *arguments: object) -> float:
    began = time.thread_time()
    work(*arguments)
    return time.thread_time() - began


def ours_ms(times: list[float]) -> float:
    return statistics.median(times) * 1000
