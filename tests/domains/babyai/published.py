"""A second account of AgentBoard's BabyAI wrapper (AgentBoard 2429689), for comparison with ours.

Written from a description of what the wrapper does, on minigrid's own levels and images: it shares no code
with `learnact.domains.babyai`, which plays tasks from their content and reads minigrid's objects.
"""

from __future__ import annotations

from typing import Any

import minigrid.envs.babyai as levels
import numpy as np

SIZE = 7
STEPS = {0: (1, 0), 1: (0, 1), 2: (-1, 0), 3: (0, -1)}
KINDS = {2: "wall", 4: "door", 5: "key", 6: "ball", 7: "box", 8: "goal", 9: "lava"}
COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")
STATES = ("open", "closed", "locked")
BLOCKING = ("wall", "box", "lava", "ball", "key")
COMPLETED = "\n The task is completed."
NO_PATH = "as there is no path leading to it."

Cell = tuple[int, int]


class PublishedWrapper:
    """An episode of a level and a seed with sub-goals `labels` (a list, or a list of lists)."""

    def __init__(self, made: str, given: dict[str, Any], seed: int, labels: list[Any]) -> None:
        self.env = getattr(levels, made)(**given)
        seen, _ = self.env.reset(seed=seed)
        self.goal = self.env.mission.replace("then", "and").replace("after you", "and")
        self.ways = [list(way) for way in labels] if isinstance(labels[0], list) else [list(labels)]
        self.parts = len(self.ways[0])
        self.reward, self.reached, self.done = 0.0, 0, False
        self.image = seen["image"]
        self.observation = self.look(seen)

    # What is seen

    def look(self, seen: dict[str, Any]) -> str:
        """The text of a state; fills `actions` and `refusals`."""
        x, y = (int(part) for part in self.env.agent_pos)
        facing = STEPS[seen["direction"]]
        right = STEPS[(seen["direction"] + 1) % 4]
        corner = tuple(p + 6 * f - 3 * r for p, f, r in zip((x, y), facing, right, strict=True))
        things, straight = [], []
        for j in range(SIZE):
            for i in range(SIZE):
                at = tuple(c - f * j + r * i for c, f, r in zip(corner, facing, right, strict=True))
                away = abs(at[0] - x) + abs(at[1] - y)
                kind = KINDS.get(int(seen["image"][i, j, 0]))
                if min(at) < 0 or away == 0 or kind is None:
                    continue
                colour, state = COLOURS[seen["image"][i, j, 1]], STATES[seen["image"][i, j, 2] % 3]
                things.append((away, f"{colour} {state} door" if kind == "door" else f"{colour} {kind}", at))
                dx, dy = at[0] - x, at[1] - y
                if kind in ("wall", "box") and dx * facing[1] == dy * facing[0]:
                    straight.append((dx * facing[0] + dy * facing[1], kind))
        things.sort(key=lambda thing: thing[0])
        straight.sort(key=lambda barrier: barrier[0])
        self.x, self.y, self.facing = x, y, seen["direction"]
        self.things = [(name, at) for _, name, at in things]
        self.inside = [
            range(min(c, e), max(c, e) + (e < c))
            for c, e in ((c, c + SIZE * (r - f)) for c, f, r in zip(corner, facing, right, strict=True))
        ]
        self.offer(straight, (x + facing[0], y + facing[1]))
        return self.words(straight, facing, right)

    def words(self, straight: list[tuple[int, str]], facing: Cell, right: Cell) -> str:
        text = "In front of you in this room, you can see several objects: "
        if not self.things:
            text = "You cannot see any objects within sight."
        counts: dict[str, int] = {}
        for name, (ax, ay) in self.things:
            if "wall" in name:
                continue
            counts[name] = counts.get(name, 0) + 1
            ahead = (ax - self.x) * facing[0] + (ay - self.y) * facing[1]
            aside = (ax - self.x) * right[0] + (ay - self.y) * right[1]
            where = f"right in front of you {ahead} steps away. "
            if aside:
                side = "right" if aside > 0 else "left"
                where = f"{ahead} steps in front of you and {abs(aside)} steps to your {side}. "
            text += f"There is a {name} {counts[name]} {where} "
        text += "The room has walls around you. "
        if straight:
            text += f"You are facing a {straight[0][1]} {straight[0][0]} steps away. "
        held = self.env.carrying
        return text + (f"You are carrying a {held.color} {held.type}." if held else
                       "You are not carrying anything.")  # fmt: skip

    # What can be done

    def path(self, goal: Cell, into: bool) -> list[int] | None:
        """Breadth first, forward before left before right; a place counts as visited when it is taken from
        the queue, and what was found last leads there."""
        solid = {at for name, at in self.things if any(word in name for word in BLOCKING)}
        begin = (self.x, self.y, self.facing)
        queue, came, visited = [begin], {}, set()
        while queue:
            node = queue.pop(0)
            visited.add(node)
            x, y, facing = node
            ahead = (x + STEPS[facing][0], y + STEPS[facing][1])
            if goal == ((x, y) if into else ahead):
                steps = []
                while node != begin:
                    node, step = came[node]
                    steps.append(step)
                return steps[::-1]
            for step, after in ((2, (*ahead, facing)), (0, (x, y, (facing - 1) % 4)),
                                (1, (x, y, (facing + 1) % 4))):  # fmt: skip
                allowed = after[0] in self.inside[0] and after[1] in self.inside[1]
                if allowed and after not in visited and after[:2] not in solid:
                    queue.append(after)
                    came[after] = (node, step)
        return None

    def offer(self, straight: list[tuple[int, str]], front: Cell) -> None:
        self.actions: dict[str, list[int]] = {"turn left": [0], "turn right": [1]}
        self.refusals: dict[str, str] = {}
        if straight and straight[0][0] <= 1:
            self.refusals["move forward"] = "There is a barrier in front of you, you can't move forward."
        else:
            self.actions["move forward"] = [2]
        held = self.env.carrying
        if held is None:
            self.numbered("pickup", [3], ("door", "goal"))
            self.refusals["drop"] = "You cannot drop the object, as you are not carrying anything."
        elif any(at == front and any(word in name for word in BLOCKING) for name, at in self.things):
            self.refusals["drop"] = (
                "You cannot drop the object, as there is already an object in front of you."
            )
        else:
            self.actions["drop"] = [4]
        self.offer_doors()
        self.numbered("go to", [], ("goal",))
        self.actions["check available actions"] = []

    def numbered(self, verb: str, end: list[int], without: tuple[str, ...]) -> None:
        """Things by the number among those of their name that can be reached."""
        reached: dict[str, int] = {}
        for name, at in self.things:
            if any(word in name for word in ("wall", *without)):
                continue
            path = self.path(at, into=False)
            words = f"{verb} {name} {reached.get(name, 0) + 1}"
            if path is None:
                self.refusals[words] = f"You cannot {words}, {NO_PATH}"
            else:
                reached[name] = reached.get(name, 0) + 1
                self.actions[words] = path + end

    def offer_doors(self) -> None:
        counts: dict[str, int] = {}
        held = self.env.carrying
        for name, at in self.things:
            if "door" not in name:
                continue
            counts[name] = counts.get(name, 0) + 1
            colour, state, _ = name.split()
            enter = f"go through {name} {counts[name]}"
            if state == "open":
                path = self.path(at, into=True)
                if path is None:
                    self.refusals[enter] = f"You cannot {enter}, {NO_PATH}"
                else:
                    self.actions[enter] = path
                continue
            if state == "locked" and (held is None or held.type != "key"):
                self.refusals[f"toggle and {enter}"] = (
                    f"You cannot toggle and {enter}, as you are not carrying a key."
                )
                continue
            if state == "locked" and held.color != colour:
                self.refusals[f"toggle and {enter}"] = (
                    f"You cannot toggle and {enter}, as the color of the key you are carrying does not "
                    "match the color of door."
                )
                continue
            path = self.path(at, into=False)
            if path is None:
                told = f"You cannot toggle and go through {name} {counts}, {NO_PATH}"
                self.refusals[f"toggle and {enter}"] = told
            else:
                self.actions[f"toggle and {enter}"] = [*path, 5, 2]
            if path == []:
                self.actions["toggle"] = [5]
            if state == "closed":
                self.refusals[enter] = f"You cannot {enter}, as it is closed. You should toggle it first."

    # Steps

    def step(self, said: str) -> tuple[str, float, bool]:
        """What the wrapper answers: observation, reward, done."""
        said = said.lower().strip()
        if "check" in said:
            self.observation = "You can take the following actions: " + ", ".join(self.actions)
        elif not said or self.actions.get(said) == []:
            self.observation = "No change in state."
        elif said not in self.actions:
            unknown = "The action is not recognized. Please check valid actions."
            self.observation = self.refusals.get(said, unknown)
        else:
            self.play(self.actions[said])
        return self.observation, self.reward, self.done

    def play(self, steps: list[int]) -> None:
        for step in steps:
            seen, _, ended, _, _ = self.env.step(step)
            same = np.array_equal(seen["image"], self.image)
            self.image = seen["image"]
            if same:
                break
        told = self.look(seen) + (COMPLETED if ended else "")
        self.count(told)
        self.done = bool(ended) and self.reward > 0.5
        if self.reward == 1 and not self.done:
            self.done = True
            told += COMPLETED
        self.observation = told

    def count(self, told: str) -> None:
        """The first sub-goal, by place, that a sentence holds all parts of; one a step."""
        for place in range(len(self.ways[0])):
            if any(self.holds(told, way[place]) for way in self.ways):
                for way in self.ways:
                    way.pop(place)
                self.reached += 1
                self.reward = max(self.reward, self.reached / self.parts)
                return

    @staticmethod
    def holds(told: str, pattern: str) -> bool:
        pattern = pattern.strip()
        parts = [part.strip(".") for part in pattern.split("**" if "**" in pattern else "*")]
        return any(all(part in sentence for part in parts) for sentence in told.split("."))
