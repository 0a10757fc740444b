"""Tools: opening a conversation, a call with what the environment checks around it, and memory, beside the
package's own driver on the same calls. Without the package there are no rows."""

from __future__ import annotations

import importlib.util
import statistics
import time
import tracemalloc
from typing import Any

from learnact.domains import registry
from learnact.domains.tools.apis import load
from learnact.domains.tools.content import unpack
from learnact.records import DomainSpec, Task

NAMES = ("files", "trading", "travel")


def run() -> list[dict[str, Any]]:
    """Rows of name, value, unit and target."""
    if importlib.util.find_spec("bfcl_eval") is None:
        return []
    rows: list[dict[str, Any]] = []
    for name in NAMES:
        domain = registry.build(DomainSpec(f"tools-{name}"))
        tasks = list(domain.tasks("test"))
        domain.open(tasks[0])  # imports the classes
        opened, steps = [], []
        for task in tasks:
            began = time.thread_time()
            environment = domain.open(task)
            opened.append(time.thread_time() - began)
            for call in domain.reference_plan(task):
                began = time.thread_time()
                environment.call(call.name, call.arguments, {})
                steps.append(time.thread_time() - began)
        rows += [
            {"name": f"open, {name}", "value": statistics.mean(opened) * 1e3, "unit": "ms", "target": 5},
            {"name": f"step, {name}", "value": statistics.mean(steps) * 1e3, "unit": "ms", "target": 2},
            {
                "name": f"step, {name}, stock driver",
                "value": stock(domain, tasks) * 1e3,
                "unit": "ms",
                "target": None,
            },
            {
                "name": f"memory of an episode, {name}",
                "value": memory(domain, tasks),
                "unit": "kB",
                "target": 1000,
            },
        ]
    return rows


def stock(domain: Any, tasks: list[Task]) -> float:
    """Seconds a call of the package's own driver, its set-up of the conversation included."""
    from bfcl_eval.eval_checker.multi_turn_eval import multi_turn_utils

    parameters = {p.name: p.parameters for p in domain.primitives}
    calls, spent = 0, 0.0
    for number, task in enumerate(tasks):
        conversation = unpack(task.content, task.name)
        names = {api: load(api).__name__ for api in conversation.apis}
        config = {names[api]: value for api, value in conversation.config.items()}
        for turn in conversation.turns:
            texts = [
                f"{c.name}({', '.join(map('{}={!r}'.format, parameters[c.name], c.arguments))})"
                for c in turn.reference
            ]
            began = time.thread_time()
            multi_turn_utils.execute_multi_turn_func_call(
                texts, config, list(names.values()), "bench", f"{number}"
            )
            spent += time.thread_time() - began
            calls += len(texts)
    return spent / max(calls, 1)


def memory(domain: Any, tasks: list[Task]) -> float:
    """Kilobytes that an open conversation holds."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = [domain.open(task) for task in tasks]
        return (tracemalloc.get_traced_memory()[0] - before) / len(kept) / 1e3
    finally:
        tracemalloc.stop()
