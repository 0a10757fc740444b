"""Repetitions in a plan: the same calls again at once, with other names in one or two places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from learnact.simulated import text

LONGEST_BODY = 6
MOST_LISTS = 2
MOST_NAMES = 7
MOST_ROWS = 6
"""Repetitions that are looked at."""


@dataclass(frozen=True)
class Repetition:
    """Calls that a plan repeats. `rows`: for each repetition the names in the order in which the first of
    them uses them; `varying`: the places in a row where they differ."""

    start: int
    length: int
    rows: tuple[tuple[str, ...], ...]
    varying: tuple[int, ...]

    @property
    def saved(self) -> int:
        """Turns that one call in place of all of them saves."""
        return self.length * len(self.rows) - 1


def find_repetitions(plan: Sequence[text.ActionCall]) -> list[Repetition]:
    """The repetitions of a plan, those first that save most turns; of those of the same actions the first."""
    found: dict[tuple[str, ...], Repetition] = {}
    for length in range(1, LONGEST_BODY + 1):
        for start in range(len(plan) - 2 * length + 1):
            repetition = _from(plan, start, length)
            if repetition is None:
                continue
            names = tuple(sorted({step.name for step in plan[start : start + length]}))
            if names not in found or repetition.saved > found[names].saved:
                found[names] = repetition
    return sorted(found.values(), key=lambda r: (-r.saved, r.length, r.start))


def _from(plan: Sequence[text.ActionCall], start: int, length: int) -> Repetition | None:
    body = plan[start : start + length]
    first = tuple(dict.fromkeys(a for step in body for a in step.arguments))
    if not all(step.name for step in body) or not first or len(first) > MOST_NAMES:
        return None
    rows = [first]
    varying: set[int] = set()
    while len(rows) < MOST_ROWS:
        at = start + len(rows) * length
        row = _bound(body, plan[at : at + length], first)
        if row is None:
            break
        differing = varying | {i for i, name in enumerate(row) if name != first[i]}
        if len(differing) > MOST_LISTS:
            break
        rows.append(row)
        varying = differing
    if len(rows) < 2 or not varying:
        return None
    return Repetition(start, length, tuple(rows), tuple(sorted(varying)))


def _bound(
    body: Sequence[text.ActionCall], part: Sequence[text.ActionCall], names: tuple[str, ...]
) -> tuple[str, ...] | None:
    """What stands in a part of the plan for each name of the body; None where it is not the same calls."""
    if len(part) != len(body):
        return None
    value: dict[str, str] = {}
    for mine, theirs in zip(body, part, strict=True):
        if mine.name != theirs.name or len(mine.arguments) != len(theirs.arguments):
            return None
        for name, other in zip(mine.arguments, theirs.arguments, strict=True):
            if value.setdefault(name, other) != other:
                return None
    return tuple(value[name] for name in names)
