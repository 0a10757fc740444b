"""Names of things: in which order they are told, and which one was meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

OBJECT = "object"
"""The kind of everything."""


def natural_sort_key(name: str) -> tuple[tuple[str, int], ...]:
    """Sort key that puts `b2` before `b10`."""
    return tuple(
        (word, int(number or 0)) for word, number in re.findall(r"([^\d]*)(\d*)", name) if word or number
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean a, b?` or, with nothing near, what is known; for the end of an error message."""
    names = sorted(known, key=natural_sort_key)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    return f"; did you mean {', '.join(close)}?" if close else f"; known: {', '.join(names[:12]) or 'none'}"
