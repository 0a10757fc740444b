"""A small planner: enforced hill climbing over helpful steps, then one goal sentence after another, within a budget of evaluations.

It looks only as far as the first improvement, since only the next call is asked for; `whole` strings such improvements together.
The distance to a goal is the length of a plan that ignores what stops being so (Hoffmann and Nebel 2001), found layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from learnact.simulated.world import Step

BUDGET = 120
"""Evaluations of one search; `_DEEP` of them are left for single goal sentences."""
_DEEP = 60
FAR = 1 << 30


@dataclass(frozen=True)
class Found:
    """What a search came to: steps to a better state (`better`), or to the nearest one met; `reachable` masks what could become so."""

    path: tuple[Step, ...]
    better: bool
    reachable: int


class Search:
    """A search from one state. `shunned` says which states are not to be entered, `refused` which calls are not to be made first."""

    def __init__(
        self,
        steps: Sequence[Step],
        state: int,
        shunned: Callable[[int], bool] = lambda _: False,
        refused: Collection[object] = (),
        budget: int = BUDGET,
    ) -> None:
        self.state = state
        self.left = budget
        self._shunned = shunned
        self._refused = refused
        self._steps, self.reachable = _reached(steps, state)

    def toward(self, goals: Sequence[int]) -> Found:
        """Steps toward all goals (a bit each) at once; where that fails within the budget, toward one after another."""
        goal = reduce(or_, goals, 0)
        if goal & ~self.reachable:
            return Found((), False, self.reachable)
        found = self._climb(_relevant(self._steps, goal), goal, max(self.left - _DEEP, 1))
        if found.better:
            return found
        kept = goal & self.state
        for bit in goals:
            if bit & self.state:
                continue
            if self.left <= 0:
                break
            one = self._climb(_relevant(self._steps, kept | bit), kept | bit, self.left)
            if one.better:
                return one
        return found

    def _climb(self, steps: list[Step], goal: int, allowed: int) -> Found:
        """Breadth first over helpful steps until a state is nearer to the goal than the start; the best state of the first such layer."""
        start, helpful = distance(steps, self.state, goal)
        self.left -= 1
        seen = {self.state}
        layer: list[tuple[int, tuple[Step, ...], list[Step]]] = [(self.state, (), helpful)]
        nearest: tuple[int, tuple[Step, ...]] = (FAR, ())
        while layer and allowed > 0:
            following: list[tuple[int, tuple[Step, ...], list[Step]]] = []
            for state, path, options in layer:
                for step in options:
                    if not path and step.call in self._refused:
                        continue
                    after = step.after(state)
                    if after in seen or self._shunned(after):
                        continue
                    seen.add(after)
                    h, more = distance(steps, after, goal)
                    self.left -= 1
                    allowed -= 1
                    if h < nearest[0]:
                        nearest = (h, (*path, step))
                    if h < FAR:
                        following.append((after, (*path, step), more))
                    if allowed <= 0:
                        break
                if allowed <= 0:
                    break
            if nearest[0] < start:
                return Found(nearest[1], True, self.reachable)
            layer = following
        return Found(nearest[1], False, self.reachable)


def whole(steps: Sequence[Step], state: int, goals: Sequence[int], longest: int, budget: int = BUDGET) -> list[Step]:
    """A plan to the goal, as far as it was found: improvement after improvement, never back to a state it came through."""
    path: list[Step] = []
    been = {state}
    goal = reduce(or_, goals, 0)
    while state & goal != goal and len(path) < longest:
        found = Search(steps, state, been.__contains__, (), budget).toward(goals)
        if not found.path:
            break
        for step in found.path:
            state = step.after(state)
            been.add(state)
            path.append(step)
            if state & goal == goal:
                break
    return path[:longest]


def distance(steps: Sequence[Step], state: int, goal: int) -> tuple[int, list[Step]]:
    """How many steps a plan takes that ignores what stops being so (`FAR`: none reaches the goal), and which first steps help it."""
    missing = goal & ~state
    if not missing:
        return 0, []
    facts = state
    first: list[Step] = []
    layers: list[list[tuple[int, Step]]] = []
    waiting: Sequence[Step] = steps
    while goal & ~facts:
        later: list[Step] = []
        supports: list[tuple[int, Step]] = []
        reached = facts
        lacking = ~facts
        for step in waiting:
            if step.requires & lacking:
                later.append(step)
                continue
            if not layers:
                first.append(step)
            new = step.adds & ~reached
            if new:
                reached |= new
                supports.append((new, step))
        if reached == facts:
            return FAR, []
        layers.append(supports)
        waiting = later
        facts = reached
    return _extract(layers, first, state, missing)


def _extract(
    layers: list[list[tuple[int, Step]]], first: list[Step], state: int, missing: int
) -> tuple[int, list[Step]]:
    length = 0
    near = 0
    for depth in range(len(layers) - 1, -1, -1):
        for new, step in layers[depth]:
            if new & missing:
                length += 1
                if not depth:
                    near |= new & missing
                missing = (missing & ~new) | (step.requires & ~state)
    return length, [step for step in first if step.adds & near]


def _reached(steps: Sequence[Step], state: int) -> tuple[list[Step], int]:
    """The steps that could ever be done from a state, ignoring what stops being so, and all that could become so."""
    facts = state
    usable: list[Step] = []
    waiting = list(steps)
    while True:
        later: list[Step] = []
        before = len(usable)
        for step in waiting:
            if step.requires & ~facts:
                later.append(step)
            else:
                usable.append(step)
                facts |= step.adds
        if len(usable) == before:
            return usable, facts
        waiting = later


def _relevant(steps: list[Step], goal: int) -> list[Step]:
    """The steps that lead to the goal at one or more removes, in the order given."""
    wanted = goal
    used = [False] * len(steps)
    growing = True
    while growing:
        growing = False
        for i, step in enumerate(steps):
            if not used[i] and step.adds & wanted:
                used[i] = True
                if step.requires & ~wanted:
                    wanted |= step.requires
                    growing = True
    return [step for step, use in zip(steps, used, strict=True) if use]

