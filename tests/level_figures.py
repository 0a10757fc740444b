"""Sizes and plan lengths of generated tasks beside those of the published ones: the tables of docs/levels.md
(`python -m tests.docs_figures docs/levels.md`), and what the tests compare."""

from __future__ import annotations

import json
import random
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from learnact.domains import registry
from learnact.domains.alfworld.houses import make_house
from learnact.domains.alfworld.task_types import TASK_TYPES, TaskGoal, read_goal
from learnact.domains.family import DomainEntry
from learnact.domains.levels import LEVELS
from learnact.domains.planning.domain import PlanningDomain
from learnact.domains.planning.pddl import parse_problem
from learnact.records import DomainSpec, Plain, Task, canonical

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


# Families
# ------------------------------------------------------------------------------------------------


def levelled_families() -> dict[str, DomainEntry[Any]]:
    """The registered domains of families that have levels, by name; TextWorld's games take minutes to make,
    and its page says how long they are."""
    found = {name: registry.factory(name) for name in registry.OURS if not name.startswith("textworld-")}
    made = {name: entry for name, entry in found.items() if isinstance(entry, DomainEntry)}
    return {name: entry for name, entry in made.items() if "level" in entry.options_model.model_fields}


def family_cell(name: str, level: str) -> str:
    """Median (least to most) of the reference plans of a level, and how many are longer than an episode."""
    options: dict[str, Plain] = {"level": level, "train": 1, "test": TASKS}
    tasks = registry.build(DomainSpec(name, canonical(options))).tasks("test")
    plans = [task.reference for task in tasks if task.reference]
    long = sum(steps > TURNS for steps in plans)
    return f"{Spread.of(plans)}" + (f", {100 * long / len(plans):.0f} % > {TURNS}" if long else "")


def families_table() -> str:
    """Lengths of reference plans of the families' levels, in Markdown."""
    lines = [f"| domain | {' | '.join(LEVELS)} |", f"|---|{'---|' * len(LEVELS)}"]
    for name in levelled_families():
        lines.append(f"| {name} | {' | '.join(family_cell(name, level) for level in LEVELS)} |")
    return "\n".join(lines) + "\n"


# ALFWorld
# ------------------------------------------------------------------------------------------------

HOUSES = 6
"""Generated houses of each type and level."""
SEARCHES = 20
"""Random searches in each house."""


@dataclass(frozen=True)
class House:
    """A game's start, from its PDDL: kinds of places and objects, where these are, and doors."""

    goal: TaskGoal
    places: Mapping[str, str]
    objects: Mapping[str, str]
    inside: Mapping[str, str]
    doors: frozenset[str]

    @classmethod
    def of(cls, problem: str) -> House:
        """Of a game's problem."""
        init = problem.split("(:init")[1].split("(:goal")[0]
        places = dict(re.findall(r"\(receptacleType (\S+) (\S+)Type\)", init))
        return cls(
            read_goal(problem, "game"),
            {name: kind.lower() for name, kind in places.items()},
            {o: k.lower() for o, k in re.findall(r"\(objectType (\S+) (\S+)Type\)", init)},
            {o: r for o, r in re.findall(r"\(inReceptacle (\S+) (\S+)\)", init) if r in places},
            frozenset(re.findall(r"\(openable (\S+)\)", init)) & places.keys(),
        )

    def counts(self) -> dict[str, int]:
        """What the table tells of a house."""
        filled = Counter(self.inside.values())
        return {
            "places": len(self.places),
            "with a door": len(self.doors),
            "empty": len(self.places) - len(filled),
            "objects in or on places": len(self.inside),
            "kinds of these": len({self.objects[o] for o in self.inside}),
            "behind doors": sum(place in self.doors for place in self.inside.values()),
            "most in one place": max(filled.values(), default=0),
        }

    def search(self, rng: random.Random) -> int:
        """Primitive actions of an agent that makes no mistake and knows nothing: it goes through the places
        in random order (a door costs one action more) until it has seen what the goal needs, then does it."""
        kind, steps = self.goal.kind, 0
        wanted = 2 if kind == "puttwo" else 1
        found: list[str] = []
        lamp = kind != "examine"
        order = rng.sample(sorted(self.places), len(self.places))
        for place in order:
            if len(found) >= wanted and lamp:
                break
            steps += 1 + (place in self.doors)
            here = {self.objects[o] for o, r in self.inside.items() if r == place}
            lamp = lamp or self.goal.recep in here
            mine = [o for o, r in self.inside.items() if r == place and self.objects[o] == self.goal.obj]
            done = kind in ("put", "puttwo") and self.places[place] == self.goal.recep
            found += [] if done else mine
        if len(found) < wanted or not lamp:
            return 10**6
        aims = [r for r, k in self.places.items() if k == self.goal.recep]
        closed = bool(aims) and all(r in self.doors for r in aims)
        treat = 2 if TASK_TYPES[kind].tool else 0
        if kind == "examine":
            return steps + 3  # take it, go to the lamp, use it
        # take it; go to the tool and use it; go to the place, open it, put it there; a second one likewise
        return steps + 1 + treat + 2 + closed + (4 if wanted == 2 else 0)


def houses(level: str, count: int = HOUSES) -> list[House]:
    """Generated houses of a level, of all types; the planner has not verified them."""
    found = []
    for kind in TASK_TYPES.values():
        for index in range(count):
            tries = (make_house(kind, "valid_unseen", 0, index, attempt, level) for attempt in range(60))
            found.append(House.of(next(house for house in tries if house is not None).problem))
    return found


def published_houses(paths: Sequence[Path]) -> list[House]:
    """The houses of published games."""
    return [House.of(json.loads(path.read_text())["pddl_problem"]) for path in paths]


def found_within(house_list: Sequence[House], turns: int = 20) -> float:
    """Share of random searches without a mistake that win within so many turns."""
    rng = random.Random(1)
    won = [house.search(rng) <= turns for house in house_list for _ in range(SEARCHES)]
    return sum(won) / len(won)


def house_spreads(house_list: Sequence[House]) -> dict[str, Spread]:
    """Least, median and most of what the table tells of houses."""
    rows = [house.counts() for house in house_list]
    return {name: Spread.of([row[name] for row in rows]) for name in rows[0]}


def household_table(paths: Sequence[Path]) -> str:
    """Published and generated houses, in Markdown."""
    shown = {"as published": published_houses(paths)} | {level: houses(level) for level in LEVELS}
    names = list(house_spreads(shown["published"]))
    lines = [
        f"| level | houses | {' | '.join(names)} | search in 20 |",
        f"|---|---:|{'---:|' * (len(names) + 1)}",
    ]
    for level, found in shown.items():
        cells = [str(spread) for spread in house_spreads(found).values()]
        lines.append(f"| {level} | {len(found)} | {' | '.join(cells)} | {100 * found_within(found):.0f} % |")
    return "\n".join(lines) + "\n"
