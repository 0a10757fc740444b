"""What AgentBoard's wrapper shows and offers: its sentences, its actions and its refusals, in its order.

Written from what the wrapper does (AgentBoard 2429689, agentboard/environment/babyai_env.py); recorded walks
of it agree. `faults`: also what it does wrong (docs/environments.md).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from minigrid.core.actions import Actions
from minigrid.core.constants import DIR_TO_VEC

from learnact.domains.babyai.view import named
from learnact.domains.babyai.world import VIEW, World

Pose = tuple[tuple[int, int], int]
CHECK = "check available actions"
_SOLID = ("wall", "box", "lava", "ball", "key")
_OPEN_AND_ENTER = [int(Actions.toggle), int(Actions.forward)]


@dataclass(frozen=True)
class _Sighting:
    """A thing in view: its name, its place in the grid, the number among those of its name."""

    name: str
    at: tuple[int, int]
    distance: int
    number: int = 0

    @property
    def solid(self) -> bool:
        return any(word in self.name for word in _SOLID)


class PublishedView:
    """The text of a state (`text`), its actions with their steps (`actions`), and why others are refused
    (`errors`)."""

    def __init__(self, world: World, faults: bool) -> None:
        self._world = world
        self._faults = faults
        self._at = (int(world.agent_pos[0]), int(world.agent_pos[1]))
        self._facing = int(world.agent_dir)
        self._ahead = _vector(self._facing)
        self._right = _vector((self._facing + 1) % 4)
        self._walls_and_things = self._sightings()
        self._things = [thing for thing in self._walls_and_things if "wall" not in thing.name]
        self._solid = {thing.at for thing in self._walls_and_things if thing.solid}
        self._barrier = self._nearest_barrier()
        self._xs, self._ys = self._ranges()
        self.actions: dict[str, list[int]] = {
            "turn left": [int(Actions.left)],
            "turn right": [int(Actions.right)],
        }
        self.errors: dict[str, str] = {}
        self._offer_forward()
        self._offer_pick_up()
        self._offer_drop()
        self._offer_doors()
        self._offer_go_to()
        self.actions[CHECK] = []

    def text(self) -> str:
        """The observation."""
        if self._walls_and_things:
            shown = "In front of you in this room, you can see several objects: "
            shown += "".join(self._sentence(thing) for thing in self._things)
        else:
            shown = "You cannot see any objects within sight."
        walls = "The room has walls around you. "
        if self._barrier is not None:
            name, steps = self._barrier
            walls += f"You are facing a {name} {steps} steps away. "
        carrying = self._world.carrying
        carried = f"a {carrying.color} {carrying.type}" if carrying is not None else ""
        told = f"You are carrying {carried}." if carried else "You are not carrying anything."
        return shown + walls + told

    def _sentence(self, thing: _Sighting) -> str:
        ahead, right = self._relative(thing.at)
        if right == 0:
            place = f"right in front of you {ahead} steps away. "
        else:
            side = "right" if right > 0 else "left"
            place = f"{ahead} steps in front of you and {abs(right)} steps to your {side}. "
        return f"There is a {thing.name} {thing.number} {place} "

    # What is in view

    def _sightings(self) -> list[_Sighting]:
        """All things and walls in view, the nearest first; equally near ones row by row from the far left."""
        grid, mask = self._world.gen_obs_grid()
        found = []
        for row in range(VIEW):
            for column in range(VIEW):
                thing = grid.get(column, row)
                ahead, right = VIEW - 1 - row, column - VIEW // 2
                x = self._at[0] + self._ahead[0] * ahead + self._right[0] * right
                y = self._at[1] + self._ahead[1] * ahead + self._right[1] * right
                if thing is None or not mask[column, row] or x < 0 or y < 0 or not (ahead or right):
                    continue
                name = "grey wall" if thing.type == "wall" else named(thing)
                found.append(_Sighting(name, (x, y), ahead + abs(right)))
        found.sort(key=lambda sighting: sighting.distance)
        counts: dict[str, int] = {}
        numbered = []
        for each in found:
            counts[each.name] = counts.get(each.name, 0) + 1
            numbered.append(_Sighting(each.name, each.at, each.distance, counts[each.name]))
        return numbered

    def _nearest_barrier(self) -> tuple[str, int] | None:
        """The nearest wall or box straight ahead, with its steps away."""
        ahead = [
            (self._relative(thing.at)[0], thing.name.rpartition(" ")[2])
            for thing in self._walls_and_things
            if thing.name.endswith((" wall", " box")) and self._relative(thing.at)[1] == 0
        ]
        if not ahead:
            return None
        steps, name = min(ahead, key=lambda item: item[0])
        return name, steps

    def _relative(self, at: tuple[int, int]) -> tuple[int, int]:
        """Steps ahead and to the right of a place."""
        dx, dy = at[0] - self._at[0], at[1] - self._at[1]
        ahead = dx * self._ahead[0] + dy * self._ahead[1]
        return ahead, dx * self._right[0] + dy * self._right[1]

    def _ranges(self) -> tuple[range, range]:
        """Where ways are looked for: the view, a row or column more or less on some sides, as published."""
        ends = []
        for axis in (0, 1):
            first = self._at[axis] + self._ahead[axis] * (VIEW - 1) - self._right[axis] * (VIEW // 2)
            last = first + VIEW * (self._right[axis] - self._ahead[axis])
            ends.append(range(last, first + 1) if last < first else range(first, last))
        return ends[0], ends[1]

    # Ways

    def _way(self, goal: tuple[int, int], arrive: bool) -> list[int] | None:
        """Steps to stand in front of a place and face it, or to stand in it; None where there is no way."""
        start: Pose = (self._at, self._facing)
        queue, parents, visited = deque([start]), dict[Pose, tuple[Pose, int]](), set[Pose]()
        while queue:
            pose = queue.popleft()
            visited.add(pose)
            (x, y), facing = pose
            dx, dy = _vector(facing)
            if (x, y) == goal if arrive else (x + dx, y + dy) == goal:
                return _steps_to(pose, start, parents)
            for action in (int(Actions.forward), int(Actions.left), int(Actions.right)):
                reached = _moved(pose, action)
                (to_x, to_y), _ = reached
                inside = to_x in self._xs and to_y in self._ys
                if inside and reached not in visited and (to_x, to_y) not in self._solid:
                    queue.append(reached)
                    # a later way to a place that was not yet visited replaces the earlier one, as published
                    parents[reached] = (pose, action)
        return None

    # What is offered

    def _offer_forward(self) -> None:
        if self._barrier is None or self._barrier[1] > 1:
            self.actions["move forward"] = [int(Actions.forward)]
        else:
            self.errors["move forward"] = "There is a barrier in front of you, you can't move forward."

    def _offer_pick_up(self) -> None:
        if self._world.carrying is not None:
            return
        numbers = _Numbers(self._faults)
        for thing in self._things:
            if "door" not in thing.name:
                way = self._way(thing.at, arrive=False)
                words = f"{thing.name} {numbers.of(thing, way is not None)}"
                if way is None:
                    self._refuse("pickup", words, "as there is no path leading to it.")
                else:
                    self.actions[f"pickup {words}"] = [*way, int(Actions.pickup)]

    def _offer_drop(self) -> None:
        front = (self._at[0] + self._ahead[0], self._at[1] + self._ahead[1])
        if self._world.carrying is None:
            why = "as you are not carrying anything."
        elif front in self._solid:
            why = "as there is already an object in front of you."
        else:
            self.actions["drop"] = [int(Actions.drop)]
            return
        self.errors["drop"] = f"You cannot drop the object, {why}"

    def _offer_doors(self) -> None:
        counts: dict[str, int] = {}
        for door in (thing for thing in self._things if "door" in thing.name):
            counts[door.name] = door.number
            words = f"{door.name} {door.number}"
            if "open door" in door.name:
                way = self._way(door.at, arrive=True)
                if way is None:
                    self._refuse("go through", words, "as there is no path leading to it.")
                else:
                    self.actions[f"go through {words}"] = way
                continue
            if "locked door" in door.name and (why := self._why_locked(door)):
                self._refuse("toggle and go through", words, why)
                continue
            way = self._way(door.at, arrive=False)
            if way is None:
                shown = f"{door.name} {counts}" if self._faults else words
                told = f"You cannot toggle and go through {shown}, as there is no path leading to it."
                self.errors[f"toggle and go through {words}"] = told
            else:
                self.actions[f"toggle and go through {words}"] = way + _OPEN_AND_ENTER
                if not way:
                    self.actions["toggle"] = [int(Actions.toggle)]
            if "closed door" in door.name:
                self._refuse("go through", words, "as it is closed. You should toggle it first.")

    def _why_locked(self, door: _Sighting) -> str:
        key = self._world.carrying
        if key is None or key.type != "key":
            return "as you are not carrying a key."
        if key.color != door.name.split(" ")[0]:
            return "as the color of the key you are carrying does not match the color of door."
        return ""

    def _offer_go_to(self) -> None:
        numbers = _Numbers(self._faults)
        for thing in self._things:
            way = self._way(thing.at, arrive=False)
            words = f"{thing.name} {numbers.of(thing, way is not None)}"
            if way is None:
                self._refuse("go to", words, "as there is no path leading to it.")
            else:
                self.actions[f"go to {words}"] = way

    def _refuse(self, action: str, words: str, why: str) -> None:
        self.errors[f"{action} {words}"] = f"You cannot {action} {words}, {why}"


class _Numbers:
    """Numbers of things in actions: those of the observation; published: only what can be reached counts, so
    that `red ball 1` may be what the observation calls `red ball 2`."""

    def __init__(self, published: bool) -> None:
        self._published = published
        self._reached: dict[str, int] = {}

    def of(self, thing: _Sighting, reachable: bool) -> int:
        if not self._published:
            return thing.number
        number = self._reached.get(thing.name, 0) + 1
        if reachable:
            self._reached[thing.name] = number
        return number


def _vector(facing: int) -> tuple[int, int]:
    return int(DIR_TO_VEC[facing][0]), int(DIR_TO_VEC[facing][1])


def _moved(pose: Pose, action: int) -> Pose:
    (x, y), facing = pose
    if action == Actions.forward:
        dx, dy = _vector(facing)
        return (x + dx, y + dy), facing
    return (x, y), (facing + (1 if action == Actions.right else -1)) % 4


def _steps_to(pose: Pose, start: Pose, parents: dict[Pose, tuple[Pose, int]]) -> list[int]:
    steps = []
    while pose != start:
        pose, action = parents[pose]
        steps.append(action)
    return steps[::-1]
