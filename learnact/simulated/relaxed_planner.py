"""Relaxed plans, which ignore deletions: how far a goal is, what helps, what could ever be reached.

After Hoffmann and Nebel (2001). Small tables are processed step by step, large ones as whole arrays; both
give the same plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from learnact.simulated.step_table import GroundStep, StepTable, union

FAR = 1 << 30
SMALL = 160
"""Up to so many steps a loop is faster than arrays."""
_UNREACHED = -1


@dataclass(frozen=True, slots=True)
class RelaxedPlan:
    """A relaxed plan: its length (`FAR`: none), its steps in order, and the steps that can be done at once
    and help it."""

    length: int
    helpful: list[GroundStep]
    plan: list[GroundStep]


class RelaxedPlanner:
    """Relaxed plans over one table toward one goal."""

    def __init__(self, table: StepTable, goal: int) -> None:
        self.table = table
        self.goal = goal
        self._adders: dict[int, list[int]] = {}

    @cached_property
    def _steps(self) -> list[GroundStep]:
        return [self.table.step(row) for row in range(len(self.table))]

    def relaxed_plan(self, state: int) -> RelaxedPlan:
        """The relaxed plan from a state."""
        missing = self.goal & ~state
        if not missing:
            return RelaxedPlan(0, [], [])
        layered = self._layers_one_by_one if len(self.table) <= SMALL else self._layers_at_once
        layers, levels = layered(state)
        if self.goal & ~layers[-1]:
            return RelaxedPlan(FAR, [], [])
        plan: list[GroundStep] = []
        near = 0
        for depth in range(len(layers) - 1, 0, -1):
            here = missing & ~layers[depth - 1]
            if depth == 1:
                near = here
            # Bits that few steps add come first: one of these steps may add the other bits, too.
            scarce = {(len(self._adding(bit)), self._first(bit, levels, depth - 1)) for bit in _bits(here)}
            for _, row in sorted(scarce):
                step = self.table.step(row)
                if step.adds & here:
                    plan.append(step)
                    here &= ~step.adds
                    missing = (missing & ~step.adds) | (step.requires & ~state)
        plan.reverse()
        return RelaxedPlan(len(plan), self._helpful(near, levels), plan)

    def possible_adders(self, bits: int, state: int) -> list[GroundStep]:
        """Steps that can be done in a state and add one of some bits."""
        rows = sorted({row for bit in _bits(bits) for row in self._adding(bit)})
        return [step for row in rows if not (step := self.table.step(row)).requires & ~state]

    def _helpful(self, near: int, levels: list[int]) -> list[GroundStep]:
        rows = sorted({row for bit in _bits(near) for row in self._adding(bit) if levels[row] == 0})
        return [self.table.step(row) for row in rows]

    def _first(self, bit: int, levels: list[int], before: int) -> int:
        return next(row for row in self._adding(bit) if 0 <= levels[row] <= before)

    def _adding(self, bit: int) -> list[int]:
        rows = self._adders.get(bit)
        if rows is None:
            rows = self._adders[bit] = np.flatnonzero(self.table.adding(bit)).tolist()
        return rows

    def _layers_one_by_one(self, state: int) -> tuple[list[int], list[int]]:
        levels = [_UNREACHED] * len(self.table)
        layers = [state]
        waiting = list(enumerate(self._steps))
        goal, facts = self.goal, state
        while goal & ~facts:
            lacking, depth = ~facts, len(layers) - 1
            later = []
            for item in waiting:
                if item[1].requires & lacking:
                    later.append(item)
                else:
                    levels[item[0]] = depth
                    facts |= item[1].adds
            if facts == layers[-1]:
                break
            layers.append(facts)
            waiting = later
        return layers, levels

    def _layers_at_once(self, state: int) -> tuple[list[int], list[int]]:
        table = self.table
        levels = np.full(len(table), _UNREACHED, dtype=np.int64)
        layers = [state]
        while self.goal & ~layers[-1]:
            new = table.possible(layers[-1]) & (levels == _UNREACHED)
            levels[new] = len(layers) - 1
            facts = layers[-1] | union(table.adds, new)
            if facts == layers[-1]:
                break
            layers.append(facts)
        return layers, levels.tolist()


def reached(table: StepTable, state: int) -> tuple[StepTable, int]:
    """The steps that could ever be done from a state, ignoring deletions, and all that could become true."""
    facts = state
    while True:
        possible = table.possible(facts)
        more = facts | union(table.adds, possible)
        if more == facts:
            return table.rows(possible), facts
        facts = more


def relevant(table: StepTable, goal: int) -> StepTable:
    """The steps that lead to a goal directly or through other steps."""
    wanted = goal
    while True:
        chosen = table.adding(wanted)
        more = wanted | union(table.requires, chosen)
        if more == wanted:
            return table.rows(chosen)
        wanted = more


def _bits(mask: int) -> list[int]:
    found = []
    while mask:
        low = mask & -mask
        found.append(low)
        mask ^= low
    return found
