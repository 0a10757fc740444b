"""Why an action was invalid, in sentences.

They come from the state and hold nothing that the agent could not know.
"""

from __future__ import annotations

from collections.abc import Mapping

from learnact.domains.alfworld.progress import GameFacts, kind_of
from learnact.domains.alfworld.task_types import TASK_TYPES

_DONE = {"clean": "cleaned", "heat": "heated", "cool": "cooled"}


def why_invalid(game: GameFacts, action: str, arguments: Mapping[str, str]) -> str:
    """Sentences on why the action is not possible now; "" when there is nothing to say."""
    return " ".join(_Reasons(game).of(action, arguments))


class _Reasons:
    """The state as far as the agent can know it: where it is, what it carries, what it sees."""

    def __init__(self, game: GameFacts) -> None:
        self._game = game
        locations = {place for _, place in game.facts_named("atlocation")}
        self._places = {r for (r, _) in game.facts_named("receptacletype")}
        self._here = {r for r, place in game.facts_named("receptacleatlocation") if place in locations}
        self._openable = {r for (r,) in game.facts_named("openable")}
        self._open = {r for (r,) in game.facts_named("opened")}
        self._held = {o for _, o in game.facts_named("holds")}
        self._seen = {
            o for o, r in game.facts_named("inreceptacle") if r in self._here and not self._closed(r)
        }

    def of(self, action: str, arguments: Mapping[str, str]) -> list[str]:
        obj, recep = arguments.get("obj", ""), arguments.get("recep", "")
        if recep and recep not in self._places:
            return [f"There is no place {recep} in this house."]
        away = [f"You are not at {recep}."] if recep and recep not in self._here else []
        match action:
            case "goto" | "move_to":
                return [f"You are already at {recep}."] if recep in self._here else []
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
            case "toggle":
                return ["There is no command toggle in this house."]
            case "examine":
                thing = arguments["thing"]
                return [f"You are not at {thing}."] if thing in self._places else self._unseen(thing)
        return []

    def _closed(self, recep: str) -> bool:
        return recep in self._openable and recep not in self._open

    def _unseen(self, obj: str) -> list[str]:
        return [f"You do not see {obj} here."]

    def _closed_reason(self, recep: str, away: list[str]) -> list[str]:
        return [f"The {recep} is closed."] if not away and self._closed(recep) else []

    def _take(self, obj: str, recep: str, away: list[str]) -> list[str]:
        closed = self._closed_reason(recep, away)
        inside = {o for o, r in self._game.facts_named("inreceptacle") if r == recep}
        missing = not away and not closed and obj not in inside
        lacking = [f"There is no {obj} in/on the {recep}."] if missing else []
        able = {o for (o,) in self._game.facts_named("pickupable")}
        fixed = not (away or closed or missing) and obj not in able
        unfit = [f"A {kind_of(obj)} cannot be carried."] if fixed else []
        held = [f"You are already carrying {name}." for name in sorted(self._held)]
        return away + closed + lacking + unfit + held

    def _put(self, obj: str, recep: str, away: list[str]) -> list[str]:
        lacking = [f"You are not carrying {obj}."] if obj not in self._held else []
        takes = {
            kind_of(k.removesuffix("type"))
            for r, k in self._game.facts_named("cancontain")
            if r == f"{kind_of(recep)}type"
        }
        unfit = (
            [f"A {kind_of(obj)} cannot be put in/on a {kind_of(recep)}."]
            if not lacking and kind_of(obj) not in takes
            else []
        )
        return away + self._closed_reason(recep, away) + lacking + unfit

    def _use(self, obj: str) -> list[str]:
        if obj not in self._seen | self._held:
            return self._unseen(obj)
        switched = (obj,) in self._game.facts_named("toggleable")
        return [f"You are carrying {obj}."] if switched else [f"There is no switch on the {obj}."]

    def _door(self, action: str, recep: str) -> list[str]:
        if recep not in self._openable:
            return [f"The {recep} cannot be {'opened' if action == 'open' else 'closed'}."]
        return [f"The {recep} is already {'open' if action == 'open' else 'closed'}."]

    def _tool(self, action: str, obj: str, recep: str, away: list[str]) -> list[str]:
        wrong = [f"A {kind_of(recep)} cannot {action}."] if kind_of(recep) != TASK_TYPES[action].tool else []
        lacking = [f"You are not carrying {obj}."] if obj not in self._held else []
        able = {o for (o,) in self._game.facts_named(TASK_TYPES[action].can)}
        unfit = [f"A {kind_of(obj)} cannot be {_DONE[action]}."] if not lacking and obj not in able else []
        return wrong + away + lacking + unfit
