"""Levels of difficulty of generated tasks: the same four names in every domain that has levels.

`published` (the default) has the sizes and plan lengths of the published tasks (docs/levels.md compares),
`easy` smaller and partly solved tasks, `hard` and `harder` longer ones, up to tasks that cannot be done by
primitive actions within the domain's turns. What a level holds stands with its domain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import BeforeValidator

from learnact.errors import suggestion

LEVELS = ("easy", "published", "hard", "harder")
_GOLDEN = 0.6180339887498949
"""Fraction of the golden ratio: its multiples modulo 1 spread evenly, however many are taken."""

Value = TypeVar("Value")


def _named(value: object) -> object:
    if value not in LEVELS:
        raise ValueError(f"there is no level {value!r}; {suggestion(value, LEVELS)}")
    return value


Level: TypeAlias = Annotated[Literal["easy", "published", "hard", "harder"], BeforeValidator(_named)]
"""A level's name; another one is refused with the nearest."""


def spread(values: Sequence[Value], number: int, offset: float) -> Value:
    """The value of a task's number within a cycle: each value comes once in `len(values)` numbers, and any
    few numbers in a row are spread over the whole sequence. `offset` (0 .. 1) makes the order another one."""
    order = sorted(range(len(values)), key=lambda i: (i * _GOLDEN + offset) % 1)
    return values[order[number % len(values)]]
