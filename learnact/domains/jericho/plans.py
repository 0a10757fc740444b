"""Reference plans: of the cave game made here, of game files what the task file says."""

from __future__ import annotations

from learnact.domains.base import PlannedCall
from learnact.domains.jericho.tasks import BUILDING, CAVE, UNDERGROUND, StoryTask

_WAYS = {
    "road": (),
    "hill": ("west",),
    "valley": ("south",),
    "slit": ("south", "south"),
    "grate": ("south", "south", "south"),
}
"""From the end of the road to each place above ground."""
_DIRECTIONS = ("north", "south", "east", "west", "up", "down")


def plan_of(task: StoryTask) -> tuple[PlannedCall, ...] | None:
    """Calls that solve a task; None where none are known."""
    commands = _cave_plan(task) if task.game == CAVE else list(task.plan)
    return tuple(_call(command) for command in commands) or None


def _call(command: str) -> PlannedCall:
    return PlannedCall(command) if command in _DIRECTIONS else PlannedCall("do", (command,))


def _cave_plan(task: StoryTask) -> list[str]:
    """To the building, with the lamp into the cave where something lies there, and to the place."""
    below = [thing for thing in UNDERGROUND if thing in task.fetch]
    upstairs = [thing for thing in BUILDING if thing in task.fetch or (thing == "lamp" and below)]
    commands = ["enter", *(f"get {thing}" for thing in upstairs)]
    if below:
        commands += ["xyzzy", "on"]
        commands += ["get rod"] if "rod" in below else []
        commands += ["east", "get cage", "west"] if "cage" in below else []
        commands += [] if task.place == "debris" else ["xyzzy"]
    elif task.place == "debris":
        commands.append("xyzzy")
    return commands if task.place == "debris" else [*commands, "out", *_WAYS[task.place]]
