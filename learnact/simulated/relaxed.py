"""Plans that ignore what stops being so: how far a goal is, what helps, what could ever be reached (Hoffmann
and
Nebel 2001).

Small tables are gone through step by step, large ones with whole rows at once; both give the same plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from learnact.simulated.table import Step, Table, union

FAR = 1 << 30
SMALL = 160
"""Up to so many steps going through them one by one is quicker."""
_UNREACHED = -1


@dataclass(frozen=True, slots=True)
class Guess:
    """A relaxed plan: its length (`FAR`: none), its steps in order, and the steps that can be done at once
    and help it."""

    length: int
    helpful: list[Step]
    plan: list[Step]


class Relaxed:
    """Relaxed plans over one table toward one goal."""

    def __init__(self, table: Table, goal: int) -> None:
        self.table = table
        self.goal = goal
        self._adders: dict[int, list[int]] = {}

    @cached_property
    def _steps(self) -> list[Step]:
        return [self.table.step(row) for row in range(len(self.table))]

    def guess(self, state: int) -> Guess:
        """The relaxed plan from a state."""
        missing = self.goal & ~state
        if not missing:
            return Guess(0, [], [])
        layered = self._layers_one_by_one if len(self.table) <= SMALL else self._layers_at_once
        layers, levels = layered(state)
        if self.goal & ~layers[-1]:
            return Guess(FAR, [], [])
        plan: list[Step] = []
        near = 0
        for depth in range(len(layers) - 1, 0, -1):
            here = missing & ~layers[depth - 1]
            if depth == 1:
                near = here
            # What few steps give comes first: one of them may give the rest, too.
            scarce = {(len(self._adding(bit)), self._first(bit, levels, depth - 1)) for bit in _bits(here)}
            for _, row in sorted(scarce):
                step = self.table.step(row)
                if step.adds & here:
                    plan.append(step)
                    here &= ~step.adds
                    missing = (missing & ~step.adds) | (step.requires & ~state)
        plan.reverse()
        return Guess(len(plan), self._helpful(near, levels), plan)

    def possible_adders(self, bits: int, state: int) -> list[Step]:
        """Steps that can be done in a state and add one of some bits."""
        rows = sorted({row for bit in _bits(bits) for row in self._adding(bit)})
        return [step for row in rows if not (step := self.table.step(row)).requires & ~state]

    def _helpful(self, near: int, levels: list[int]) -> list[Step]:
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


def reached(table: Table, state: int) -> tuple[Table, int]:
    """The steps that could ever be done from a state, ignoring what stops being so, and all that could
    become so."""
    facts = state
    while True:
        possible = table.possible(facts)
        more = facts | union(table.adds, possible)
        if more == facts:
            return table.rows(possible), facts
        facts = more


def relevant(table: Table, goal: int) -> Table:
    """The steps that lead to a goal at one or more removes."""
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
