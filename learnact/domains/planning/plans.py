"""Finding a plan: a player for constructive planners, and a small search for domains that have none.

A reference plan is *a* plan, not a shortest one. It proves that a task can be solved and gives its length a
scale.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import TypeAlias

from learnact.domains.planning.engine import GroundCall, Grounding
from learnact.domains.planning.names import natural_sort_key
from learnact.domains.planning.pddl import Atom


@dataclass
class Player:
    """Plays a problem for a constructive planner. Once the goal is reached nothing more is done, so a plan
    never runs past it."""

    grounding: Grounding
    state: int = field(init=False)
    calls: list[GroundCall] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = self.grounding.start

    @property
    def solved(self) -> bool:
        """Whether the goal holds."""
        return self.grounding.solved(self.state)

    def do(self, name: str, *arguments: str) -> None:
        """Do an action; raises `Stuck` when it is not possible."""
        if self.solved:
            return
        action = self.grounding.actions.get((name, arguments))
        if action is None or not action.possible(self.state):
            raise Stuck(f"{name}{arguments}")
        self.state = action.after(self.state)
        self.calls.append(action.call)

    def holds(self, *atom: str) -> bool:
        """Whether a fact holds now."""
        return self.grounding.holds(self.state, atom)

    def facts(self, predicate: str) -> list[Atom]:
        """The facts of a predicate that hold now, in reading order."""
        atoms = self.grounding.atoms
        return [atoms[i] for i in self.grounding.true(self.state) if atoms[i][0] == predicate]

    def goals(self, predicate: str) -> list[Atom]:
        """The goal's atoms of a predicate, in reading order."""
        atoms = self.grounding.atoms
        return [atoms[i] for i in self.grounding.true(self.grounding.goal) if atoms[i][0] == predicate]

    def objects(self, kind: str) -> list[str]:
        """The objects of a kind, numbers counted as numbers."""
        return sorted(
            (name for name, kinds in self.grounding.kinds.items() if kind in kinds), key=natural_sort_key
        )


Planner: TypeAlias = Callable[[Player], None]
"""Plays until `solved`; it may also stop early or get `Stuck`: then the search is asked."""


class Stuck(Exception):
    """A planner tried what is not possible: it does not know this problem. Never leaves this module's
    `find_plan`."""


@dataclass(frozen=True)
class ReferencePlan:
    """A plan and how it was found: `constructed` (the domain's planner) or `searched`."""

    calls: tuple[GroundCall, ...]
    found: str


def find_plan(grounding: Grounding, planner: Planner | None, expansions: int = 2000) -> ReferencePlan | None:
    """A plan from the domain's planner or, where that fails, from a bounded search; None when neither
    finds one."""
    if planner is not None:
        player = Player(grounding)
        try:
            planner(player)
        except Stuck:
            player.calls.clear()
        else:
            if player.solved:
                return ReferencePlan(tuple(player.calls), "constructed")
    calls = search(grounding, expansions)
    return ReferencePlan(calls, "searched") if calls is not None else None


MAX_VISITS = 30_000_000
"""Actions looked at by all estimates of one search, so that a large problem ends in about a minute."""


def search(grounding: Grounding, expansions: int = 2000) -> tuple[GroundCall, ...] | None:
    """Greedy best-first search with the additive heuristic; None when nothing was found within so many
    expanded states."""
    start = grounding.start
    came: dict[int, tuple[int, GroundCall] | None] = {start: None}
    ties = count()
    queue = [(_estimate(grounding, start), next(ties), start)]
    estimates = MAX_VISITS // max(1, len(grounding.actions))
    while queue and expansions > 0 and estimates > 0:
        _, _, state = heapq.heappop(queue)
        if grounding.solved(state):
            return _path(came, state)
        expansions -= 1
        for action in grounding.applicable(state):
            after = action.after(state)
            if after not in came:
                came[after] = (state, action.call)
                estimates -= 1
                estimate = 0.0 if grounding.solved(after) else _estimate(grounding, after)
                if estimate < float("inf"):
                    heapq.heappush(queue, (estimate, next(ties), after))
    return None


def _path(came: dict[int, tuple[int, GroundCall] | None], state: int) -> tuple[GroundCall, ...]:
    calls: list[GroundCall] = []
    while (step := came[state]) is not None:
        state, call = step
        calls.append(call)
    return tuple(reversed(calls))


def _estimate(grounding: Grounding, state: int) -> float:
    """The additive heuristic: the sum over goal atoms of what each would cost alone if nothing were
    deleted."""
    cost = dict.fromkeys(grounding.true(state), 0)
    waiting = [(a, list(grounding.true(a.requires & ~state))) for a in grounding.actions.values()]
    changed = True
    while changed:
        changed = False
        later = []
        for action, missing in waiting:
            if any(i not in cost for i in missing):
                later.append((action, missing))
                continue
            price = 1 + sum(cost[i] for i in missing)
            for i in grounding.true(action.adds):
                if price < cost.get(i, 1 << 30):
                    cost[i] = price
                    changed = True
            if missing:
                later.append((action, missing))
        waiting = later
    return sum(cost.get(i, float("inf")) for i in grounding.true(grounding.goal))
