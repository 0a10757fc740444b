"""A small planner: best-first search that looks ahead along relaxed plans, first for all goals, then for one
goal after another.

From each state the search jumps to where the relaxed plan leads when as much of it as possible is done (Vidal
2004), or takes one helpful step. A plan that was found loses the steps that it can do without. All within a
budget of evaluations; the order of rules and names, never of bits, decides between equals.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from learnact.simulated.relaxed_planner import FAR, RelaxedPlan, RelaxedPlanner, reached, relevant
from learnact.simulated.step_table import GroundStep, StepTable

BUDGET = 60
"""Evaluations of one search: half of them for all goals at once, half for each single goal after that."""
DEEPEST = 3
"""How many steps before a goal the search looks for requirements to reach first."""
_LONGEST_JUMP = 60


@dataclass(frozen=True)
class SearchResult:
    """The result of a search: steps to all goals or to one more of them (`better`), or to the nearest
    state."""

    path: tuple[GroundStep, ...]
    better: bool


class Search:
    """A search from one state. `avoided` says which states are not to be entered, `excluded` which calls
    are not to be made first."""

    def __init__(
        self,
        table: StepTable,
        state: int,
        avoided: Callable[[int], bool] = lambda _: False,
        excluded: Collection[object] = (),
        budget: int = BUDGET,
    ) -> None:
        self.state = state
        self.budget = budget
        self._avoided = avoided
        self._excluded = excluded
        self._table, self.reachable = reached(table, state)

    def toward(self, goals: Sequence[int]) -> SearchResult:
        """Steps to all goals (a bit each); where none are found within the budget, to one more goal that
        keeps the others; where none are found for any, to what the last step to one of them requires."""
        goal = reduce(or_, goals, 0)
        if goal & ~self.reachable:
            return SearchResult((), False)
        found = self._best_first(goal, self.budget // 2)
        if found.better:
            return found
        kept = goal & self.state
        single = [kept | one for one in goals if not one & self.state]
        if len(single) > 1:
            for alone in single:
                nearer = self._best_first(alone, self.budget // 2)
                if nearer.better:
                    return nearer
        for alone in single:
            nearer = self._toward_requirements(alone, kept, DEEPEST)
            if nearer.better:
                return nearer
        return found

    def _toward_requirements(self, goal: int, kept: int, depth: int) -> SearchResult:
        """Toward what the last step to a goal requires: all of it that is not so, the farthest first, then
        what that requires."""
        relaxed_planner = RelaxedPlanner(relevant(self._table, goal), goal)
        plan = relaxed_planner.relaxed_plan(self.state).plan
        last = next((step for step in reversed(plan) if step.adds & goal & ~self.state), None)
        if last is None:
            return SearchResult((), False)
        farthest = [
            step.adds & last.requires & ~self.state
            for step in reversed(plan)
            if step.adds & last.requires & ~self.state
        ]
        so = last.requires & self.state
        for wanted in farthest:
            for with_it in (kept | so | wanted, kept | wanted):
                found = self._best_first(with_it, self.budget // 4)
                if found.better:
                    return found
        if depth > 1:
            for wanted in farthest:
                found = self._toward_requirements(kept | wanted, kept, depth - 1)
                if found.better:
                    return found
        return SearchResult((), False)

    def _best_first(self, goal: int, budget: int) -> SearchResult:
        relaxed_planner = RelaxedPlanner(relevant(self._table, goal), goal)
        relaxed_plan = relaxed_planner.relaxed_plan(self.state)
        nearest: tuple[int, tuple[GroundStep, ...]] = (FAR, ())
        seen = {self.state}
        heap: list[tuple[int, int, int, tuple[GroundStep, ...], RelaxedPlan]] = []
        heapq.heappush(heap, (relaxed_plan.length, 0, self.state, (), relaxed_plan))
        evaluated = 1
        while heap and evaluated < budget:
            _, _, state, path, relaxed_plan = heapq.heappop(heap)
            for after, longer in self._following(relaxed_planner, state, path, relaxed_plan):
                if after in seen:
                    continue
                seen.add(after)
                if after & goal == goal:
                    return SearchResult(_without_needless(longer, self.state, goal), True)
                onward = relaxed_planner.relaxed_plan(after)
                evaluated += 1
                if onward.length < nearest[0]:
                    nearest = (onward.length, longer)
                if onward.length < FAR:
                    heapq.heappush(heap, (onward.length, evaluated, after, longer, onward))
                if evaluated >= budget:
                    break
        return SearchResult(nearest[1], False)

    def _following(
        self,
        relaxed_planner: RelaxedPlanner,
        state: int,
        path: tuple[GroundStep, ...],
        relaxed_plan: RelaxedPlan,
    ) -> list[tuple[int, tuple[GroundStep, ...]]]:
        """Where to go on from a state: along the relaxed plan as far as it can be done, or one helpful
        step."""
        found = []
        jumped, jump = self._jump(relaxed_planner, state, relaxed_plan.plan, not path)
        if jump:
            found.append((jumped, (*path, *jump)))
        for step in relaxed_plan.helpful:
            after = step.after(state)
            if self._allowed(step, after, not path):
                found.append((after, (*path, step)))
        return found

    def _allowed(self, step: GroundStep, after: int, first: bool) -> bool:
        return not (first and step.call in self._excluded) and not self._avoided(after)

    def _jump(
        self, relaxed_planner: RelaxedPlanner, state: int, plan: list[GroundStep], first: bool
    ) -> tuple[int, list[GroundStep]]:
        """Do all of a relaxed plan that can be done; a step that cannot be is replaced by one that serves
        the same need."""
        waiting = list(plan)
        path: list[GroundStep] = []
        replaced = 0  # two steps that are not allowed could replace each other for ever
        while waiting and len(path) < _LONGEST_JUMP:
            later = []
            for step in waiting:
                after = step.after(state)
                if step.requires & ~state or not self._allowed(step, after, first and not path):
                    later.append(step)
                elif after != state:
                    state = after
                    path.append(step)
            if len(later) == len(waiting):
                replaced += 1
                if replaced > len(plan) or not _replace_one(relaxed_planner, state, later):
                    break
            waiting = later
        return state, path


def plan_to_goals(
    table: StepTable, state: int, goals: Sequence[int], longest: int, budget: int = 2 * BUDGET
) -> list[GroundStep]:
    """A plan to the goals, as far as one was found: one search after another while a search gets nearer."""
    path: list[GroundStep] = []
    goal = reduce(or_, goals, 0)
    while state & goal != goal and len(path) < longest:
        found = Search(table, state, budget=budget).toward(goals)
        if not found.better:
            break
        for step in found.path:
            state = step.after(state)
            path.append(step)
            if state & goal == goal:
                break
    return path[:longest]


def _replace_one(relaxed_planner: RelaxedPlanner, state: int, waiting: list[GroundStep]) -> bool:
    """Replace a step by one that can be done now and gives what a later step needs of it; whether there
    was one."""
    for i, step in enumerate(waiting):
        for after in waiting[i + 1 :]:
            wanted = step.adds & after.requires & ~state
            if not wanted:
                continue
            for other in relaxed_planner.possible_adders(wanted, state):
                if other.call != step.call:
                    waiting[i] = other
                    return True
            break
    return False


def _without_needless(path: tuple[GroundStep, ...], start: int, goal: int) -> tuple[GroundStep, ...]:
    """A plan without the steps that it can do without, the earliest first, each with those that then
    cannot be done."""
    kept = list(path)
    i = 0
    while i < len(kept):
        state = start
        shorter = []
        for j, step in enumerate(kept):
            if j != i and not step.requires & ~state:
                state = step.after(state)
                shorter.append(step)
        if state & goal == goal:
            kept = shorter
        else:
            i += 1
    return tuple(kept)
