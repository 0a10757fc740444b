"""AgentDojo's suites: opening a task, a step, and memory, beside the package's own runtime on the same calls.
Our steps hold the answer to the user, after which the package's check compares two states; most of the time
goes there. Without the package there are no rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from learnact.domains.base import Domain
from learnact.domains.dojo.content import unpack
from learnact.domains.dojo.package import PACKAGES, SUITES, suite
from learnact.records import Task
from tests.benchmarks.family_rows import family_rows


def run() -> list[dict[str, Any]]:
    """Rows of name, value, unit and target."""
    if PACKAGES.missing:
        return []
    return [line for name in SUITES for line in family_rows(f"dojo-{name}", most=(60, 50, 3000), stock=stock)]


def stock(domain: Domain, tasks: Sequence[Task]) -> float:
    """Seconds a call of the package's runtime, with the text of its answer."""
    from agentdojo.agent_pipeline.tool_execution import tool_result_to_str
    from agentdojo.functions_runtime import FunctionsRuntime

    name = domain.name.removeprefix("dojo-")
    found, runtime = suite(name), FunctionsRuntime(suite(name).tools)
    calls, spent = 0, 0.0
    for task in tasks:
        content = unpack(task.content, task.name)
        user = found.user_tasks[content.user_task]
        state = user.init_environment(content.begun(name))
        for call in user.ground_truth(state):
            began = time.thread_time()
            tool_result_to_str(runtime.run_function(state, call.function, call.args)[0])
            spent += time.thread_time() - began
            calls += 1
    return spent / max(calls, 1)
