"""The STRIPS engine: an action, a step with its text, the load of a problem, a set of generated tasks."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from learnact.domains.planning.engine import Grounding
from learnact.domains.planning.environment import DescribedProblem, PlanningEnvironment
from learnact.domains.planning.pddl import parse_problem
from learnact.domains.registry import OURS, build
from learnact.records import DomainSpec, canonical

LARGEST = {"gripper": "balls", "blockworld": "blocks", "barman": "shots", "tyreworld": "hubs"}
SIZE = {"gripper": 12, "blockworld": 12, "barman": 9, "tyreworld": 9}


def run() -> list[dict[str, object]]:
    """Rows of name, value, unit and target: median CPU time on the largest tasks of each domain."""
    rows: list[dict[str, object]] = []
    for name in LARGEST:
        options = {"level": "easy", LARGEST[name]: SIZE[name], "test": 5, "train": 1}
        if name == "barman":
            options |= {"cocktails": 7, "drinks": 3}
        domain = build(DomainSpec(name, canonical(options)))
        task = max(domain.tasks("test"), key=lambda t: t.reference or 0)
        grounding = Grounding(domain.rules, parse_problem(task.content, domain.rules), domain.wording.order)
        board = DescribedProblem(grounding, domain.wording)
        calls = domain.plan(task.content).calls
        actions = [grounding.actions[call] for call in calls]

        def act(actions=actions, grounding=grounding) -> int:
            state = grounding.start
            for action in actions:
                if action.possible(state):
                    state = action.after(state)
                grounding.progress(state)
            return len(actions)

        def step(calls=calls, board=board) -> int:
            environment = PlanningEnvironment(board)
            for action, arguments in calls:
                environment.call(action.replace("-", "_"), arguments, {})
            return len(calls)

        def load(domain=domain, task=task) -> int:
            board = DescribedProblem(
                Grounding(domain.rules, parse_problem(task.content, domain.rules), domain.wording.order),
                domain.wording,
            )
            PlanningEnvironment(board)
            return 1

        rows += [
            {"name": f"engine action, {name}", "value": _median(act, 200) * 1e6, "unit": "us", "target": 5},
            {"name": f"text step, {name}", "value": _median(step, 100) * 1e6, "unit": "us", "target": 100},
            {
                "name": f"load of a problem, {name}",
                "value": _median(load, 15) * 1e3,
                "unit": "ms",
                "target": 20,
            },
            {"name": f"30 generated tasks, {name}", "value": _generate(name), "unit": "s", "target": 3},
        ]
    return rows


def _median(work: Callable[[], int], repeats: int) -> float:
    """Median CPU seconds of one item of work, which returns how many items it did."""
    work()
    times = []
    for _ in range(repeats):
        start = time.thread_time()
        items = work()
        times.append((time.thread_time() - start) / items)
    return statistics.median(times)


def _generate(name: str) -> float:
    seed = int(time.time())
    start = time.thread_time()
    assert name in OURS
    build(DomainSpec(name, canonical({"seed": seed, "test": 30}))).tasks("test")
    return time.thread_time() - start
