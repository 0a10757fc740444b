"""Primitive actions and the simulator's own commands; AgentBoard's label file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from learnact.domains.scienceworld.tasks import KINDS
from learnact.domains.text_file import read_text
from learnact.errors import TaskError

CHECK = "check valid actions"
"""A command of AgentBoard's wrapper, which lists the forms of commands."""
COMMANDS: dict[str, str] = {
    "look_around": "look around",
    "inventory": "inventory",
    "task": "task",
    "go": "go to {}",
    "look_at": "look at {}",
    "look_in": "look in {}",
    "open": "open {}",
    "close": "close {}",
    "pick_up": "pick up {}",
    "put_down": "put down {}",
    "move": "move {} to {}",
    "pour": "pour {} into {}",
    "dunk": "dunk {} in {}",
    "mix": "mix {}",
    "activate": "activate {}",
    "deactivate": "deactivate {}",
    "use": "use {} on {}",
    "read": "read {}",
    "eat": "eat {}",
    "flush": "flush {}",
    "focus_on": "focus on {}",
    "wait": "wait",
    "wait1": "wait1",
    "connect": "connect {} to {}",
    "disconnect": "disconnect {}",
    "teleport": "teleport to {}",
}
"""The command of each primitive action; its arguments stand in the braces."""
PUBLISHED_COMMANDS = {**COMMANDS, "choose": "{}", "check_valid_actions": CHECK}
"""Those of AgentBoard's surface; `choose` answers the simulator's question with a number."""
_SAME = (
    (r"look around|look", "look_around"),
    (r"examine (.+)|look at (.+)|look on (.+)", "look_at"),
    (r"go to (.+)|go (.+)", "go"),
    (r"pick up (.+)|take (.+)", "pick_up"),
    (r"put down (.+)|drop (.+)", "put_down"),
    (r"teleport (?:to )?(.+)", "teleport"),
)
_OF_TWO = {
    "move": (r"move|put(?! down)", "to|in"),
    "pour": ("pour", "into|in"),
    "connect": ("connect", "to"),
    "use": ("use", "on"),
    "dunk": ("dunk", "into|in"),
}
"""Of commands about two things: verbs, and words that may stand between the things."""


def command_of(name: str, values: Sequence[str]) -> str:
    """A call as the simulator's command."""
    return PUBLISHED_COMMANDS[name].format(*values)


def calls_of(command: str) -> list[tuple[str, tuple[str, ...]]]:
    """A command of the simulator as a call. A command about two things may be several: in `pour cup in sink
    in pot` the first thing may be the cup in the sink, or the second the sink in the pot. Raises
    `ValueError` for one that no primitive stands for."""
    for name, (verbs, between) in _OF_TWO.items():
        if found := re.fullmatch(rf"(?:{verbs}) (.+)", command):
            rest = found[1]
            splits = re.finditer(rf"(?= (?:{between}) )", rest)
            parts = [(rest[: at.start()], rest[at.start() :].split(" ", 2)[2]) for at in splits]
            if parts:
                return [(name, pair) for pair in reversed(parts)]
    for form, name in _SAME:
        if found := re.fullmatch(form, command):
            return [(name, tuple(part for part in found.groups() if part is not None))]
    for name, command_form in COMMANDS.items():
        pattern = re.escape(command_form).replace(r"\{\}", "(.+)")
        if found := re.fullmatch(pattern, command):
            return [(name, found.groups())]
    raise ValueError(f"{command!r} is no command of ScienceWorld's primitives")


def read_labels(path: str, task: str) -> list[tuple[int, str, tuple[str, ...]]]:
    """Variation, goal and sub-goals of a kind's tasks in AgentBoard's label file (JSON lines). Raises
    `TaskError` naming the file and the line."""
    found = []
    for number, line in enumerate(read_text(Path(path).expanduser()).splitlines(), 1):
        if not line.strip():
            continue
        try:
            label = json.loads(line)
            place = label["additional_info"]
            name, variation = str(place["env_name"]), int(place["var"])
            goal, patterns = str(label["goal"]), tuple(str(p) for p in label["subgoals"])
            for pattern in patterns:
                re.compile(pattern)
        except (ValueError, KeyError, TypeError, re.error) as error:
            what = f"{type(error).__name__}: {error}"
            raise TaskError(f"{path}:{number}: not a label of AgentBoard's ScienceWorld: {what}") from None
        if name not in KINDS or variation not in range(KINDS[name].count) or not patterns:
            raise TaskError(f"{path}:{number}: ScienceWorld has no variation {variation} of {name}")
        if name == task:
            found.append((variation, goal, patterns))
    if not found:
        raise TaskError(f"{path}: no label is of {task}")
    return found
