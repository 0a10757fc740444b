"""Grounded rules as a table: one row for each step, with bit matrices of what it requires, adds and deletes.

Rows have the order of rules and names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from learnact.simulated import text

Bits = NDArray[np.uint64]
"""Bit matrices: one line for each 64 bits of the state, one column for each step."""
WORD = 64
_ZERO = np.uint64(0)


@dataclass(frozen=True, slots=True)
class GroundStep:
    """A grounded rule. Masks over the bits of its `GroundedRules`; `keep` is the complement of what it
    deletes."""

    call: text.ActionCall
    requires: int
    adds: int
    keep: int
    learned: bool

    def after(self, state: int) -> int:
        """The state after it."""
        return (state & self.keep) | self.adds


@dataclass
class StepTable:
    """Many steps. `step(i)` gives one of them, made when it is first asked for."""

    calls: Sequence[text.ActionCall]
    learned: Sequence[bool]
    requires: Bits
    adds: Bits
    ends: Bits
    _steps: dict[int, GroundStep] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.calls)

    @property
    def words(self) -> int:
        """How many words of 64 bits a state has."""
        return int(self.requires.shape[0])

    def step(self, row: int) -> GroundStep:
        """The step of a row."""
        found = self._steps.get(row)
        if found is None:
            found = self._steps[row] = GroundStep(
                self.calls[row],
                number(self.requires[:, row]),
                number(self.adds[:, row]),
                ~number(self.ends[:, row]),
                self.learned[row],
            )
        return found

    def rows(self, chosen: NDArray[np.bool_]) -> StepTable:
        """The chosen rows, in order."""
        at = np.flatnonzero(chosen)
        places = at.tolist()
        return StepTable(
            [self.calls[i] for i in places],
            [self.learned[i] for i in places],
            np.ascontiguousarray(self.requires[:, at]),
            np.ascontiguousarray(self.adds[:, at]),
            np.ascontiguousarray(self.ends[:, at]),
        )

    def possible(self, state: int) -> NDArray[np.bool_]:
        """Which steps can be done in a state."""
        lacking = ~words(state, self.words)
        lack = self.requires[0] & lacking[0]
        for w in range(1, self.words):
            lack |= self.requires[w] & lacking[w]
        possible: NDArray[np.bool_] = lack == _ZERO
        return possible

    def adding(self, bits: int) -> NDArray[np.bool_]:
        """Which steps add at least one of some bits."""
        wanted = words(bits, self.words)
        found = np.zeros(len(self), dtype=bool)
        for w in np.flatnonzero(wanted).tolist():
            found |= (self.adds[w] & wanted[w]) != _ZERO
        return found


def joined(parts: Sequence[StepTable]) -> StepTable:
    """Tables one after the other; they must have the same number of words."""
    return StepTable(
        [call for part in parts for call in part.calls],
        [flag for part in parts for flag in part.learned],
        np.concatenate([part.requires for part in parts], axis=1),
        np.concatenate([part.adds for part in parts], axis=1),
        np.concatenate([part.ends for part in parts], axis=1),
    )


def words(bits: int, count: int) -> Bits:
    """Bits as words."""
    return np.frombuffer(bits.to_bytes(count * 8, "little"), dtype=np.uint64)


def number(line: Bits) -> int:
    """Words as bits."""
    return int.from_bytes(line.tobytes(), "little")


def union(matrix: Bits, chosen: NDArray[np.bool_]) -> int:
    """All bits of the chosen columns."""
    line = np.zeros(len(matrix), dtype=np.uint64)
    return number(np.bitwise_or.reduce(matrix[:, chosen], axis=1, out=line))
