"""Sizes and plan lengths of generated tasks beside those of the published ones: the tables of docs/levels.md
(`python -m tests.docs_figures docs/levels.md`), and what the tests compare."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from learnact.domains import registry
from learnact.domains.levels import LEVELS
from learnact.domains.planning.domain import PlanningDomain
from learnact.domains.planning.pddl import parse_problem
from learnact.records import DomainSpec, Task, canonical

PLANNING = ("gripper", "blockworld", "barman", "tyreworld")
TURNS = 30
SHORT = 3
SEEDS = (0, 1, 2)
TASKS = 20


@dataclass(frozen=True)
class Spread:
    """Least, median and most of something."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: Sequence[int]) -> Spread:
        """Of these values."""
        return cls(min(values), statistics.median(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:g} ({self.least:g} to {self.most:g})"


@dataclass(frozen=True)
class Distribution:
    """What tasks are like: `objects`, `facts` at the start, `goals` (atoms), steps of the reference plan; the
    numbers of plans of more than 30 steps and of at most 3, and of goals partly met at the start."""

    tasks: int
    objects: Spread
    facts: Spread
    goals: Spread
    plan: Spread | float
    long: int
    short: int
    met: int

    def row(self) -> list[str]:
        """Cells of a table."""
        plan = f"{self.plan:g}" if isinstance(self.plan, float) else str(self.plan)
        spreads = map(str, (self.objects, self.facts, self.goals))
        return [str(self.tasks), *spreads, plan, *map(self._share, (self.long, self.short, self.met))]

    def _share(self, count: int) -> str:
        return f"{100 * count / self.tasks:.0f} %"


PUBLISHED = {
    "gripper": Distribution(
        20, Spread(8, 11, 16), Spread(15, 21, 31), Spread(4, 7, 12), 23.0, long=4, short=0, met=0
    ),
    "blockworld": Distribution(
        10, Spread(3, 5, 7), Spread(5, 7, 12), Spread(2, 2.5, 6), 12.0, long=0, short=0, met=2
    ),
    "barman": Distribution(
        20, Spread(19, 21, 28), Spread(30, 35, 53), Spread(1, 2, 3), 10.0, long=0, short=1, met=0
    ),
    "tyreworld": Distribution(
        10, Spread(8, 14, 32), Spread(12, 26, 68), Spread(2, 3, 12), 14.0, long=1, short=0, met=0
    ),
}
"""Counted from the published files; their reference plans are by another planner, which is not optimal."""


def distribution(domain: PlanningDomain, tasks: Sequence[Task]) -> Distribution:
    """What these tasks are like."""
    problems = [parse_problem(task.content, domain.rules) for task in tasks]
    plans = [task.reference or 0 for task in tasks]
    return Distribution(
        len(tasks),
        Spread.of([len(problem.objects) for problem in problems]),
        Spread.of([len(problem.init) for problem in problems]),
        Spread.of([len(problem.goal) for problem in problems]),
        Spread.of(plans),
        long=sum(steps > TURNS for steps in plans),
        short=sum(steps <= SHORT for steps in plans),
        met=sum({*problem.init} & {*problem.goal} != set() for problem in problems),
    )


@cache
def generated(name: str, level: str, seeds: tuple[int, ...] = SEEDS, count: int = TASKS) -> Distribution:
    """What the test tasks of a level are like, for some seeds."""
    tasks: list[Task] = []
    for seed in seeds:
        domain = registry.build(DomainSpec(name, canonical({"level": level, "seed": seed, "test": count})))
        assert isinstance(domain, PlanningDomain)
        tasks += domain.tasks("test")
    return distribution(domain, tasks)


HEADS = ("tasks", "objects", "facts", "goal atoms", "plan", "plan > 30", "plan <= 3", "goal partly met")


def planning_table() -> str:
    """Published and generated tasks of the planning domains, in Markdown."""
    lines = [f"| domain | level | {' | '.join(HEADS)} |", f"|---|---|{'---:|' * len(HEADS)}"]
    for name in PLANNING:
        rows = {"as published": PUBLISHED[name]} | {level: generated(name, level) for level in LEVELS}
        lines += [f"| {name} | {level} | {' | '.join(row.row())} |" for level, row in rows.items()]
    return "\n".join(lines) + "\n"
