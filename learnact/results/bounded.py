"""Arrow arrays of whatever a server sent: a value that its column cannot hold is bounded and named, never an
error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

SHOWN = 80
"""Characters of an odd value that are kept."""


@dataclass(frozen=True)
class BoundedValue:
    """A value that did not fit its column: `place` is `table.column`; both values as text, shortened."""

    place: str
    given: str
    stored: str


def array_of(values: Sequence[Any], kind: pa.DataType, place: str, bounded: list[BoundedValue]) -> pa.Array:
    """Values as an array. What was changed to make it possible is appended to `bounded`.

    Integers beyond the type are cut to its limits, text without valid Unicode gets replacement characters, a
    value of another type becomes null.
    """
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        fitted = [fit(value, kind) for value in values]
        for given, stored in zip(values, fitted, strict=True):
            if given != stored and given == given:
                bounded.append(BoundedValue(place, _short(given), _short(stored)))
        return pa.array(fitted, kind)


def fit(value: Any, kind: pa.DataType) -> Any:
    """The value nearest to `value` that a cell of this type holds; null where there is none."""
    if value is None:
        return None
    if pa.types.is_boolean(kind):
        return value if isinstance(value, bool) else None
    if pa.types.is_integer(kind):
        return _integer(value, kind.bit_width)
    if pa.types.is_floating(kind):
        return _real(value)
    if pa.types.is_list(kind):
        return [fit(item, kind.value_type) for item in value] if isinstance(value, list | tuple) else None
    if pa.types.is_struct(kind):
        names = [kind.field(index).name for index in range(kind.num_fields)]
        cells = value.values() if isinstance(value, Mapping) else value
        return tuple(fit(cell, kind.field(name).type) for name, cell in zip(names, cells, strict=True))
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else str(value)


def _integer(value: Any, bits: int) -> int | None:
    if not isinstance(value, int | float) or value != value or value in (math.inf, -math.inf):
        return None
    highest = (1 << (bits - 1)) - 1
    return max(-highest - 1, min(highest, int(value)))


def _real(value: Any) -> float | None:
    if not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python writes
        text = f"an integer of {value.bit_length()} bits"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
