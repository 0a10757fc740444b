"""TextWorld: opening a made game, a step, and memory, beside the stock wrapper that is asked for won, score
and facts, on the same games in the same run. Without the package there are no rows."""

from __future__ import annotations

import importlib.util
import resource
import statistics
import time
from typing import Any

from learnact.domains import registry
from learnact.domains.textworld import making
from learnact.domains.textworld.domain import TextWorldDomain
from learnact.domains.textworld.tasks import unpack
from learnact.records import DomainSpec

KINDS = ("coin", "cooking")
GAMES = 3


def run() -> list[dict[str, Any]]:
    """Rows of name, value, unit and target."""
    if importlib.util.find_spec("textworld") is None:
        return []
    rows: list[dict[str, Any]] = []
    for kind in KINDS:
        domain = registry.build(DomainSpec(f"textworld-{kind}"))
        assert isinstance(domain, TextWorldDomain)
        tasks = domain.tasks("test")[:GAMES]
        domain.open(tasks[0]).close()  # imports the engine, reads the rules
        opened, steps, stock_opened, stock_steps = [], [], [], []
        for task in tasks:
            made = making.make([unpack(task.content, task.name, "1.7.0")])[0]
            assert isinstance(made, making.MadeGame)
            began = time.thread_time()
            environment = domain.open(task)
            opened.append(time.thread_time() - began)
            sent: list[str] = []
            _note(environment, sent)
            for call in made.plan:
                began = time.thread_time()
                environment.call(call.name, call.arguments, {})
                steps.append(time.thread_time() - began)
            assert environment.success
            environment.close()
            _stock(str(made.folder / "tw-game.z8"), sent, stock_opened, stock_steps)
        rows += [
            {"name": f"open, {kind}", "value": statistics.mean(opened) * 1e3, "unit": "ms", "target": 200},
            {"name": f"step, {kind}", "value": statistics.median(steps) * 1e3, "unit": "ms", "target": 5},
            {"name": f"open, {kind}, stock", "value": statistics.mean(stock_opened) * 1e3, "unit": "ms"},
            {"name": f"step, {kind}, stock", "value": statistics.median(stock_steps) * 1e3, "unit": "ms"},
        ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [*rows, {"name": "memory of this process, both engines", "value": peak, "unit": "MB"}]


def _note(environment: Any, sent: list[str]) -> None:
    do = environment._game.do

    def noted(command: str, action: Any) -> Any:
        sent.append(command)
        return do(command, action)

    environment._game.do = noted


def _stock(game: str, commands: list[str], opened: list[float], steps: list[float]) -> None:
    import textworld

    asked = textworld.EnvInfos(facts=True, won=True, lost=True, score=True)
    began = time.thread_time()
    stock = textworld.start(game, asked)
    stock.reset()
    opened.append(time.thread_time() - began)
    for command in commands:
        began = time.thread_time()
        stock.step(command)
        steps.append(time.thread_time() - began)
    stock.close()
