"""ALFWorld: a step, opening a game seen before, opening a new game, and many episodes on one engine process.

The stock engine is measured in the same run. The games are generated first, in a cache of their own.
Targets are those that the domain promises (docs/alfworld.md); the stock engine has none.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from learnact.domains.alfworld.content import unpack
from learnact.domains.alfworld.domain import AlfworldDomain, AlfworldOptions
from learnact.domains.alfworld.task_types import TASK_TYPES
from learnact.domains.engine_process import EnginePool
from learnact.records import DomainSpec, Task

STEPS = 120
STOCK_STEPS = 40
TYPES = ("heat", "puttwo")


def run() -> list[dict[str, Any]]:
    """Rows of name, value, unit and target: medians over games and repetitions."""
    before, folder = os.environ.get("LEARNACT_CACHE"), tempfile.mkdtemp(prefix="bench-alfworld-")
    os.environ["LEARNACT_CACHE"] = folder
    try:
        domains = {kind: AlfworldDomain(TASK_TYPES[kind], AlfworldOptions(train=1, test=2)) for kind in TYPES}
        began = time.perf_counter()
        tasks = [task for domain in domains.values() for task in domain.tasks("test")]
        made = (time.perf_counter() - began) / len(tasks)
        rows = [row("generate and verify a game", made, "s", None)]
        return rows + side_by_side(domains["heat"], tasks) + asyncio.run(together(tasks[0], tasks[1]))
    finally:
        shutil.rmtree(folder)
        if before is None:
            del os.environ["LEARNACT_CACHE"]
        else:
            os.environ["LEARNACT_CACHE"] = before


def row(name: str, value: float, unit: str, target: Any) -> dict[str, Any]:
    """One row."""
    return {"name": name, "value": value, "unit": unit, "target": target}


def side_by_side(domain: AlfworldDomain, tasks: list[Task]) -> list[dict[str, Any]]:
    """Ours and the stock engine on the same games, each with random steps.

    CPU time: both only compute, and the machine may be busy.
    """
    domain.open(tasks[0]).close()
    ours = [_ours(domain, task, seed) for seed, task in enumerate(tasks)]
    stock = [_stock(unpack(task.content, task.name).problem, seed) for seed, task in enumerate(tasks)]
    new, seen = [n for n, _, _ in ours], [o for _, opens, _ in ours for o in opens]
    steps, stock_steps = [s for _, _, each in ours for s in each], [s for _, each in stock for s in each]
    median = statistics.median
    return [
        row("step", median(steps) * 1e3, "ms CPU", 12),
        row("step, 99 of 100", statistics.quantiles(steps, n=100)[98] * 1e3, "ms CPU", 12),
        row("step, stock engine", median(stock_steps) * 1e3, "ms CPU", None),
        row("steps: stock over ours", median(stock_steps) / median(steps), "times", ("min", 4)),
        row("open a game seen before", median(seen), "s CPU", 0.1),
        row("open a new game, slowest", max(new), "s CPU", 1.5),
        row("load and reset, stock engine", median([o for o, _ in stock]), "s CPU", None),
    ]


def _ours(domain: AlfworldDomain, task: Task, seed: int) -> tuple[float, list[float], list[float]]:
    """Seconds of opening a game as new, of opening it again, and of steps."""
    shutil.rmtree(Path(os.environ["LEARNACT_CACHE"]) / "alfworld" / "translations")

    def opened() -> None:
        domain.open(task).close()

    new, seen = timed(opened), [timed(opened) for _ in range(5)]
    environment, rng, steps = domain.open(task), random.Random(seed), []
    for _ in range(STEPS):
        possible = sorted(c for c in environment._game.commands() if c != "help")
        command = rng.choice(possible)
        steps.append(timed(environment.text, command))
    environment.close()
    return new, seen, steps


def _stock(problem: str, seed: int) -> tuple[float, list[float]]:
    """Seconds of loading and resetting in the stock engine, and of steps."""
    from tests.domains.alfworld import stock

    began, rng, steps = time.process_time(), random.Random(seed), []
    environment = stock.loaded(problem, "published")
    state = stock.reset(environment)
    opened = time.process_time() - began
    for _ in range(STOCK_STEPS):
        command = rng.choice(state.admissible_commands)
        began = time.process_time()
        state, _, _ = environment.step(command)
        steps.append(time.process_time() - began)
    return opened, steps


async def together(one: Task, new: Task) -> list[dict[str, Any]]:
    """32 episodes on one engine process: steps a second, and the slowest step while a new game is opened."""
    spec = DomainSpec("alfworld-heat", '{"train":1,"test":2}')
    async with EnginePool() as pool:
        environments = [await pool.open(spec, one) for _ in range(32)]

        async def look(environment: Any, times: int) -> None:
            for _ in range(times):
                await environment.call("look", [], {})

        began = time.perf_counter()
        await asyncio.gather(*(look(environment, 25) for environment in environments))
        rate = 32 * 25 / (time.perf_counter() - began)
        shutil.rmtree(Path(os.environ["LEARNACT_CACHE"]) / "alfworld" / "translations")
        opening, waits = asyncio.create_task(pool.open(spec, new)), []
        while not opening.done():
            began = time.perf_counter()
            await environments[0].call("look", [], {})
            waits.append(time.perf_counter() - began)
        await opening
    return [
        row("steps through one engine process", rate, "1/s", ("min", 300)),
        row("a step while a new game is opened, median", statistics.median(waits) * 1e3, "ms", 12),
        row("a step while a new game is opened, slowest", max(waits) * 1e3, "ms", None),
    ]


def timed(do: Callable[..., object], *arguments: object) -> float:
    """CPU seconds that a call takes."""
    began = time.process_time()
    do(*arguments)
    return time.process_time() - began
