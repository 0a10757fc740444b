"""Why an action was invalid, in sentences, told from the state without giving away what the agent could not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from learnact.domains.alfworld.progress import kind_of
from learnact.domains.alfworld.task_types import KINDS

_DONE = {"clean": "cleaned", "heat": "heated", "cool": "cooled"}


class World(Protocol):
    """What the reasons ask of a game."""

    def named(self, predicate: str) -> list[tuple[str, ...]]:
        """The facts of a predicate, with names as the text has them."""
        ...


def reason(world: World, action: str, arguments: Mapping[str, str]) -> str:
    """Sentences on why the action is not possible now; "" when there is nothing to say."""
    return " ".join(_Reasons(world).of(action, arguments))


class _Reasons:
    """The state as the agent could know it: where it is, what it carries, what it sees."""

    def __init__(self, world: World) -> None:
        self._world = world
        locations = {place for _, place in world.named("atlocation")}
        self._places = {r for (r, _) in world.named("receptacletype")}
        self._here = {r for r, place in world.named("receptacleatlocation") if place in locations}
        self._openable = {r for (r,) in world.named("openable")}
        self._open = {r for (r,) in world.named("opened")}
        self._held = {o for _, o in world.named("holds")}
        self._seen = {o for o, r in world.named("inreceptacle") if r in self._here and not self._closed(r)}

    def of(self, action: str, arguments: Mapping[str, str]) -> list[str]:
        obj, recep = arguments.get("obj", ""), arguments.get("recep", "")
        if recep and recep not in self._places:
            return [f"There is no place {recep} in this house."]
        away = [f"You are not at {recep}."] if recep and recep not in self._here else []
        match action:
            case "take":
                return self._take(obj, recep, away)
            case "put":
                return self._put(obj, recep, away)
            case "open" | "close":
                return away or self._door(action, recep)
            case "clean" | "heat" | "cool":
                return self._tool(action, obj, recep, away)
            case "use":
                return self._use(obj)
            case "examine":
                thing = arguments["thing"]
                return [f"You are not at {thing}."] if thing in self._places else self._unseen(thing)
        return []

    def _closed(self, recep: str) -> bool:
        return recep in self._openable and recep not in self._open

    def _unseen(self, obj: str) -> list[str]:
        return [f"You do not see {obj} here."]

    def _shut(self, recep: str, away: list[str]) -> list[str]:
        return [f"The {recep} is closed."] if not away and self._closed(recep) else []

    def _take(self, obj: str, recep: str, away: list[str]) -> list[str]:
        shut = self._shut(recep, away)
        inside = {o for o, r in self._world.named("inreceptacle") if r == recep}
        missing = not away and not shut and obj not in inside
        lacking = [f"There is no {obj} in/on the {recep}."] if missing else []
        return away + shut + lacking + [f"You are already carrying {held}." for held in sorted(self._held)]

    def _put(self, obj: str, recep: str, away: list[str]) -> list[str]:
        lacking = [f"You are not carrying {obj}."] if obj not in self._held else []
        takes = {
            kind_of(k.removesuffix("type"))
            for r, k in self._world.named("cancontain")
            if r == f"{kind_of(recep)}type"
        }
        unfit = (
            [f"A {kind_of(obj)} cannot be put in/on a {kind_of(recep)}."]
            if not lacking and kind_of(obj) not in takes
            else []
        )
        return away + self._shut(recep, away) + lacking + unfit

    def _use(self, obj: str) -> list[str]:
        if obj not in self._seen | self._held:
            return self._unseen(obj)
        switched = (obj,) in self._world.named("toggleable")
        return [f"You are carrying {obj}."] if switched else [f"There is no switch on the {obj}."]

    def _door(self, action: str, recep: str) -> list[str]:
        if recep not in self._openable:
            return [f"The {recep} cannot be {'opened' if action == 'open' else 'closed'}."]
        return [f"The {recep} is already {'open' if action == 'open' else 'closed'}."]

    def _tool(self, action: str, obj: str, recep: str, away: list[str]) -> list[str]:
        wrong = [f"A {kind_of(recep)} cannot {action}."] if kind_of(recep) != KINDS[action].tool else []
        lacking = [f"You are not carrying {obj}."] if obj not in self._held else []
        able = {o for (o,) in self._world.named(KINDS[action].can)}
        unfit = [f"A {kind_of(obj)} cannot be {_DONE[action]}."] if not lacking and obj not in able else []
        return wrong + away + lacking + unfit
