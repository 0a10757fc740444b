"""A BabyAI task being played by single steps (`surface: steps`).

What is not possible does not reach the engine: it changes nothing and takes no step of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from minigrid.core.actions import Actions

from learnact.domains.babyai.content import BabyaiContent
from learnact.domains.babyai.progress import MissionProgress
from learnact.domains.babyai.view import Seen, named
from learnact.domains.babyai.world import World
from learnact.domains.base import Primitive
from learnact.domains.family_environment import FamilyEnvironment, PrimitiveAnswer
from learnact.records import Plain

FAILED = "The mission has failed: its parts were done in another order, or with another thing, than it says."


class BabyaiEnvironment(FamilyEnvironment):
    """`learnact.domains.base.Environment` on minigrid's engine."""

    def __init__(self, content: BabyaiContent, primitives: Sequence[Primitive], where: str) -> None:
        super().__init__(primitives)
        self._world = World(content, where)
        self._measure = MissionProgress(self._world)
        self.goal = content.goal
        self.first_observation = Seen(self._world).text()
        self.reached(self._measure.value, success=False)
        self._steps: dict[str, tuple[int, Callable[[], str]]] = {
            "turn_left": (Actions.left, _always),
            "turn_right": (Actions.right, _always),
            "move_forward": (Actions.forward, self._why_not_forward),
            "pick_up": (Actions.pickup, self._why_not_pick_up),
            "drop": (Actions.drop, self._why_not_drop),
            "toggle": (Actions.toggle, self._why_not_toggle),
        }

    def answer(self, name: str, values: tuple[Plain, ...]) -> PrimitiveAnswer:  # noqa: ARG002  none has any
        """What the agent sees after a step, or why it is not possible."""
        if name == "look":
            return PrimitiveAnswer(Seen(self._world).text())
        action, why_not = self._steps[name]
        if reason := why_not():
            return PrimitiveAnswer(reason, valid=False)
        self._world.act(action)
        seen = Seen(self._world)
        self._measure.update(seen)
        success, failed = (self._world.status == end for end in ("success", "failure"))
        told = f"{seen.text()} {FAILED}" if failed else seen.text()
        return PrimitiveAnswer(told, True, self._measure.value, success, FAILED if failed else "")

    def _why_not_forward(self) -> str:
        front = self._world.front
        return "" if front is None or front.can_overlap() else f"A {named(front)} is in front of you."

    def _why_not_pick_up(self) -> str:
        front, carried = self._world.front, self._world.carrying
        if front is None:
            return "There is nothing in front of you."
        if not front.can_pickup():
            return f"A {named(front)} cannot be picked up."
        return "" if carried is None else f"You already carry a {named(carried)}."

    def _why_not_drop(self) -> str:
        front = self._world.front
        if self._world.carrying is None:
            return "You carry nothing."
        return "" if front is None else f"A {named(front)} is in front of you, so nothing can be put there."

    def _why_not_toggle(self) -> str:
        front, carried = self._world.front, self._world.carrying
        if front is None:
            return "There is nothing in front of you."
        if front.type not in ("door", "box"):
            return f"A {named(front)} cannot be opened."
        if front.type == "box" or not front.is_locked:
            return ""
        opens = carried is not None and carried.type == "key" and carried.color == front.color
        return "" if opens else f"The {named(front)} needs the {front.color} key, and you do not carry it."


def _always() -> str:
    return ""
