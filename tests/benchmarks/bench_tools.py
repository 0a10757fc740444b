"""Tools: opening a conversation, a call with what the environment checks around it, and memory, beside the
package's own driver on the same calls. Without the package there are no rows."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Sequence
from typing import Any

from learnact.domains.base import Domain
from learnact.domains.tools.apis import load
from learnact.domains.tools.content import unpack
from learnact.records import Task
from tests.benchmarks.family_rows import family_rows

NAMES = ("files", "trading", "travel")


def run() -> list[dict[str, Any]]:
    """Rows of name, value, unit and target."""
    if importlib.util.find_spec("bfcl_eval") is None:
        return []
    return [line for name in NAMES for line in family_rows(f"tools-{name}", most=(5, 2, 1000), stock=stock)]


def stock(domain: Domain, tasks: Sequence[Task]) -> float:
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
