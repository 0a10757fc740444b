"""Names of things, and the order in which they are listed."""

from __future__ import annotations

import re

OBJECT = "object"
"""The kind of everything."""


def natural(name: str) -> tuple[tuple[str, int], ...]:
    """Sort key that puts `b2` before `b10`."""
    return tuple(
        (word, int(number or 0)) for word, number in re.findall(r"([^\d]*)(\d*)", name) if word or number
    )
