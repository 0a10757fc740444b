"""Progress of a game, from the state's facts: holds the right thing, in the right condition, in the right
place.

Our own measure (`progress: facts`), counted from the start state, so that it begins at 0; its running maximum
is the environment's progress, 1 exactly when won. Where the user has AgentBoard's labels, those are counted
instead (`progress: agentboard`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from learnact.domains.alfworld.task_types import TASK_TYPES, TaskGoal


class GameFacts(Protocol):
    """What progress and the reasons of invalid actions need of a game."""

    def facts_named(self, predicate: str) -> list[tuple[str, ...]]:
        """The facts of a predicate, with names as the text has them (`mug 1`)."""
        ...


def kind_of(name: str) -> str:
    """The kind in a name: `mug` of `mug 1`."""
    return name.split(" ")[0]


def goal_stages(game: GameFacts, goal: TaskGoal) -> tuple[int, int]:
    """How many of how many stages of the goal hold now."""
    held = {obj for _, obj in game.facts_named("holds")}
    right = {name for name in held if kind_of(name) == goal.obj}
    if goal.kind == "examine":
        return _examined(game, goal, bool(right)), 3
    inside = [
        (o, r)
        for o, r in game.facts_named("inreceptacle")
        if kind_of(o) == goal.obj and kind_of(r) == goal.recep
    ]
    if goal.kind == "puttwo":
        places = {r for _, r in inside}
        most = max((sum(1 for _, r in inside if r == place) for place in places), default=0)
        return min(4, 2 * min(most, 2) + (1 if right and most < 2 else 0)), 4
    if goal.kind == "put":
        return (2 if inside else 1 if right else 0), 2
    met = {o for (o, *_) in game.facts_named(TASK_TYPES[goal.kind].condition) if kind_of(o) == goal.obj}
    if any(o in met for o, _ in inside):
        return 3, 3
    return (2 if met else 1 if right else 0), 3


def _examined(game: GameFacts, goal: TaskGoal, holding: bool) -> int:
    here = {place for _, place in game.facts_named("atlocation")}
    near = {r for r, place in game.facts_named("receptacleatlocation") if place in here}
    lamps = {o for o, r in game.facts_named("inreceptacle") if kind_of(o) == goal.recep and r in near}
    on = {o for (o,) in game.facts_named("istoggled") if kind_of(o) == goal.recep}
    return int(holding) + int(holding and bool(lamps)) + int(bool(on))


class ProgressMeasure:
    """Progress of one game being played; `update` after every action."""

    def __init__(self, game: GameFacts, goal: TaskGoal, labels: Sequence[str] = ()) -> None:
        self._game = game
        self._goal = goal
        self._labels = [re.compile(label) for label in labels]
        self._seen = [False] * len(labels)
        self._start = 0.0 if labels else self._share()
        self.value = 0.0

    def update(self, observation: str, won: bool) -> float:
        """The running maximum after an observation; 1 exactly when won."""
        now = 1.0 if won else min(self._matched(observation) if self._labels else self._gained(), 0.99)
        self.value = max(self.value, now)
        return self.value

    def _share(self) -> float:
        reached, stages = goal_stages(self._game, self._goal)
        return reached / stages

    def _gained(self) -> float:
        return max(0.0, (self._share() - self._start) / (1 - self._start)) if self._start < 1 else 0.0

    def _matched(self, observation: str) -> float:
        """AgentBoard's: labels matched so far, of the labels and the success itself."""
        for index, label in enumerate(self._labels):
            self._seen[index] = self._seen[index] or bool(label.search(observation))
        return sum(self._seen) / (len(self._labels) + 1)
