"""Reference plans: the walkthrough that the generator gives with each game, as calls of primitives."""

from __future__ import annotations

import re
from collections.abc import Iterable

from learnact.domains.base import PlannedCall

_FORMS: tuple[tuple[str, str], ...] = (
    (r"go (\w+)", "go"),
    (r"take (.+?)(?: from .+)?", "take"),
    (r"(?:insert|put) (.+) (?:into|on) (.+)", "put"),
    (r"drop (.+)", "drop"),
    (r"open (.+)", "open"),
    (r"close (.+)", "close"),
    (r"unlock (.+) with (.+)", "unlock"),
    (r"lock (.+) with (.+)", "lock"),
    (r"examine (.+)", "examine"),
    (r"eat (.+)", "eat"),
    (r"drink (.+)", "drink"),
    (r"cook (.+) with (.+)", "cook"),
    (r"inventory", "inventory"),
    (r"look", "look"),
    (r"prepare meal", "prepare_meal"),
)
_CUT = re.compile(r"(chop|slice|dice) (.+) with (.+)")


def call_of(command: str) -> PlannedCall:
    """A command of the game's own grammar as a call. Raises `ValueError` for another one."""
    if cut := _CUT.fullmatch(command):
        return PlannedCall("cut", (cut[2], cut[1], cut[3]))
    for form, name in _FORMS:
        if found := re.fullmatch(form, command):
            return PlannedCall(name, found.groups())
    raise ValueError(f"{command!r} is no command of TextWorld's grammar")


def calls_of(commands: Iterable[str]) -> tuple[PlannedCall, ...]:
    """A walkthrough as calls."""
    return tuple(call_of(command) for command in commands)
