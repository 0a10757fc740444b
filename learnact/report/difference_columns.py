"""What every table shows of a difference between methods: both kinds of interval, and p-values corrected for
the number of differences in the table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from learnact.report.result_table import Cell, Column
from learnact.statistics.differences import Difference
from learnact.statistics.intervals import ENOUGH_LIBRARIES
from learnact.statistics.significance import deciding_p, holm, permute_tasks

DIFFERENCE = (
    "Difference: paired by task and, where both share seeds, by repeat; its interval is for these libraries "
    "on other tasks, with the p-value of a permutation of tasks. Of the method: for other libraries and "
    f"tasks; ? below {ENOUGH_LIBRARIES} libraries, where it is not to be trusted (docs/statistics.md)."
)
HOLM = (
    "Holm p: corrected for the {number} differences of this table (Student's t of the method where it has "
    "libraries enough, else the permutation)."
)


class DifferenceColumns:
    """The columns of a table's differences, one a row; None in a row without one."""

    def __init__(self, differences: Sequence[Difference | None]) -> None:
        self._differences = [one if one and one.known else None for one in differences]
        self._holm = holm([math.nan if one is None else deciding_p(one) for one in self._differences])
        self._number = sum(one is not None for one in self._differences)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in the order of `cells`."""
        return (
            Column("difference", "difference"),
            Column("p", "p"),
            Column("difference of the method", "difference", over="libraries"),
            Column("Holm p", "p", only_data=self._number < 2),
        )

    def cells(self, row: int) -> tuple[Cell, ...]:
        """The cells of a row."""
        found = self._differences[row]
        if found is None:
            return (None,) * len(self.columns)
        return found.tasks, permute_tasks(found).p_value, found.method, self._holm[row]

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes of the table."""
        if not self._number:
            return ()
        return (DIFFERENCE, *((HOLM.format(number=self._number),) if self._number > 1 else ()))
