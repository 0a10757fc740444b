"""How much of a mission is done: the mean over its actions, each 1 when done, else the share of what leads to
it that has happened (its thing seen, its key carried, stood in front of it, the thing carried)."""

from __future__ import annotations

from typing import Any

from minigrid.core.world_object import Door, Key
from minigrid.envs.babyai.core import verifier

from learnact.domains.babyai.view import Seen
from learnact.domains.babyai.world import World, actions_of, done_actions


class MissionProgress:
    """The progress of a world's mission; update it after each step."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._steps = [_Milestones(world, action) for action in actions_of(world.instrs)]
        self.update(Seen(world))

    @property
    def value(self) -> float:
        """Progress in 0 .. 1."""
        done = [is_done for _, is_done in done_actions(self._world.instrs, self._world.status == "success")]
        parts = [1.0 if d else steps.share for d, steps in zip(done, self._steps, strict=True)]
        return sum(parts) / len(parts)

    def update(self, seen: Seen) -> None:
        """Note what is seen, carried and stood in front of now."""
        visible = [thing for thing, _, _ in seen.things]
        for steps in self._steps:
            steps.update(visible)


class _Milestones:
    """What of an action has happened, apart from the action itself."""

    def __init__(self, world: World, action: Any) -> None:
        self._world = world
        self._puts = isinstance(action, verifier.PutNextInstr)
        self._targets = (action.desc_move if self._puts else action.desc).obj_set
        self._beside = action.desc_fixed.obj_set if self._puts else []
        self._keys = {t.color for t in self._targets if isinstance(t, Door) and t.is_locked}
        wanted = {"seen"}
        if isinstance(action, verifier.OpenInstr | verifier.PickupInstr):
            wanted.add("in front")
        if isinstance(action, verifier.OpenInstr) and self._keys:
            wanted.add("key")
        if self._puts:
            wanted |= {"carried", "beside"}
        self._wanted = wanted
        self._happened: set[str] = set()

    @property
    def share(self) -> float:
        return len(self._happened & self._wanted) / (len(self._wanted) + 1)

    def update(self, visible: list[Any]) -> None:
        front, carried = self._world.front, self._world.carrying
        if _among(self._targets, *visible):
            self._happened.add("seen")
        if _among(self._targets, front):
            self._happened.add("in front")
        if isinstance(carried, Key) and carried.color in self._keys:
            self._happened.add("key")
        if _among(self._targets, carried):
            self._happened.add("carried")
            if _among(self._beside, front):
                self._happened.add("beside")


def _among(targets: list[Any], *things: Any) -> bool:
    return any(thing is target for thing in things for target in targets)
