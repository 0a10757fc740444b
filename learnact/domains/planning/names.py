"""Names of things: the order in which they are listed, and which one was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable

from learnact.errors import suggestion

OBJECT = "object"
"""The type of everything."""
_LISTED = 50
"""How many known names an error's sentence chooses from."""


def natural_sort_key(name: str) -> tuple[tuple[str, int, str], ...]:
    """Sort key that puts `b2` before `b10`. Digits are compared as text, because `int` refuses long ones."""
    return tuple(
        (word, len(digits), digits)
        for word, number in re.findall(r"([^\d]*)(\d*)", name)
        if word or number
        for digits in (number.lstrip("0"),)
    )


def python_name(name: str) -> str:
    """A PDDL action's name as a Python function's: `jack-up` is `jack_up`."""
    return name.replace("-", "_")


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error's sentence about an unknown name: `; did you mean 'a'?`, or what is known."""
    names = sorted(known, key=natural_sort_key)[:_LISTED]
    return f"; {suggestion(name, names)}" if names else "; there are none"
