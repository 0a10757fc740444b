"""Arrow arrays of whatever a server sent: a value that its column cannot hold is bounded and named, never an
error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from learnact.records import canonical

SHOWN = 80
"""Characters of an odd value that are kept."""
LARGEST = 2**53
"""Largest whole number stored: doubles and JSON hold it exactly, and sums of two still fit 64 bits."""


@dataclass(frozen=True)
class BoundedValue:
    """A value that did not fit its column: `place` is `table.column`; both values as text, shortened."""

    place: str
    given: str
    stored: str


def array_of(values: Sequence[Any], kind: pa.DataType, place: str, bounded: list[BoundedValue]) -> pa.Array:
    """Values as an array. What was changed to make it possible is appended to `bounded`.

    Integers are cut to the type's limits (64 bits: to `LARGEST`), text without valid Unicode gets replacement
    characters, a value of another type becomes null.
    """
    try:
        array = pa.array(values, kind)
    except (pa.ArrowException, ValueError, TypeError, OverflowError, AttributeError):
        array = None
    if array is not None and not (kind == pa.int64() and _is_large(array)):
        return array
    fitted = [fit(value, kind) for value in values]
    for given, stored in zip(values, fitted, strict=True):
        if given is not stored and given != stored:
            bounded.append(BoundedValue(place, _short(given), _short(stored)))
    return pa.array(fitted, kind)


def _is_large(array: pa.Array) -> bool:
    ends = pc.min_max(array)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    return low is not None and (low < -LARGEST or high > LARGEST)


def count_by_place(values: Sequence[BoundedValue]) -> dict[str, Any]:
    """How many values of each place were bounded, with the first of them."""
    found: dict[str, Any] = {}
    for value in values:
        one = found.setdefault(value.place, {"count": 0, "given": value.given, "stored": value.stored})
        one["count"] += 1
    return found


def json_text(value: Any) -> str:
    """Canonical JSON of plain data of any origin; numbers that JSON does not have become text."""
    try:
        return canonical(value)
    except (ValueError, TypeError):
        return canonical(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, int):
        return value if abs(value) < 10**100 else _short(value)
    return value if isinstance(value, str | None) else str(value)


def finite(value: Any) -> Any:
    """The number, or None where it is infinite or none at all."""
    try:
        return value if value is None or math.isfinite(value) else None
    except (TypeError, OverflowError):
        return None


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
    highest = min(LARGEST, (1 << (bits - 1)) - 1)
    return max(-highest, min(highest, int(value)))


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
