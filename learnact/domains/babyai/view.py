"""What the agent sees, as text: things with their places relative to it, and how far it can walk.

Only what the engine's field of view shows (7 by 7 cells ahead, not through walls and closed doors).
"""

from __future__ import annotations

from typing import Any

from learnact.domains.babyai.world import VIEW, World

_AGENT = (VIEW // 2, VIEW - 1)
_UNSEEN = "unseen"


def named(thing: Any) -> str:
    """`red ball`, `green closed door`."""
    if thing.type != "door":
        return "wall" if thing.type == "wall" else f"{thing.color} {thing.type}"
    state = "open" if thing.is_open else "locked" if thing.is_locked else "closed"
    return f"{thing.color} {state} door"


class Seen:
    """The field of view at one moment. `things`: what is not a wall, with cells ahead and to the right
    (negative: to the left), the nearest first."""

    def __init__(self, world: World) -> None:
        self._grid, self._mask = world.gen_obs_grid()
        self._carrying = world.carrying
        found = []
        for x in range(VIEW):
            for y in range(VIEW):
                thing = self._grid.get(x, y)
                if (x, y) != _AGENT and self._mask[x, y] and thing is not None and thing.type != "wall":
                    found.append((thing, _AGENT[1] - y, x - _AGENT[0]))
        self.things: list[tuple[Any, int, int]] = sorted(
            found, key=lambda item: (item[1] + abs(item[2]), item[1], item[2])
        )

    def text(self) -> str:
        """The observation."""
        listed = ", ".join(f"a {named(t)} ({_place(ahead, right)})" for t, ahead, right in self.things)
        carried = f"a {named(self._carrying)}" if self._carrying is not None else "nothing"
        ways = [("ahead", 0, -1), ("left", -1, 0), ("right", 1, 0)]
        free = " ".join(f"Free {name}: {self._free(dx, dy)}." for name, dx, dy in ways)
        return f"You see {listed or 'no objects'}. {free} You carry {carried}."

    def _free(self, dx: int, dy: int) -> str:
        """How many cells one can walk in a direction, and what comes then."""
        x, y = _AGENT
        count = 0
        while True:
            x, y = x + dx, y + dy
            if not (0 <= x < VIEW and 0 <= y < VIEW and self._mask[x, y]):
                return f"{count}, then {_UNSEEN}"
            thing = self._grid.get(x, y)
            if thing is not None and not thing.can_overlap():
                return f"{count}, then a {named(thing)}"
            count += 1


def _place(ahead: int, right: int) -> str:
    parts = [f"{ahead} ahead"] if ahead else []
    parts += [f"{abs(right)} {'right' if right > 0 else 'left'}"] if right else []
    return ", ".join(parts)
