"""Why a call is not possible now, in a sentence that holds nothing which the player could not know."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from learnact.domains.textworld.view import CARRIED, DIRECTIONS, StateView

WAYS = ("chop", "dice", "slice")
_CUT = ("chopped", "diced", "sliced")
_COOKED = ("fried", "roasted", "grilled")
_HEAT = ("stove", "oven", "toaster")


class Reasons:
    """Reasons in one game; the view follows the game."""

    def __init__(self, view: StateView) -> None:
        self._view = view
        self._of: dict[str, Callable[..., str]] = {
            "go": self._go,
            "examine": self._unseen,
            "take": self._take,
            "put": self._put,
            "drop": self._not_carried,
            "open": self._open,
            "close": self._close,
            "unlock": self._unlock,
            "lock": self._lock,
            "eat": self._eat,
            "drink": self._drink,
            "cut": self._cut,
            "cook": self._cook,
            "prepare_meal": self._prepare_meal,
        }

    def of(self, name: str, given: Sequence[str]) -> str:
        """Why the call is not possible; "" when it is, as far as can be said before it is sent."""
        reason = self._of.get(name)
        return reason(*given) if reason is not None else ""

    def _unseen(self, thing: str) -> str:
        return "" if thing in self._view.visible() else f"You do not see {thing or 'that'} here."

    def _not_carried(self, thing: str) -> str:
        return self._unseen(thing) or (
            "" if thing in self._view.carried() else f"You are not carrying the {thing}."
        )

    def _go(self, direction: str) -> str:
        if direction not in DIRECTIONS:
            return f"Directions are {', '.join(DIRECTIONS)}."
        room, door = self._view.exit(direction)
        if not room:
            return f"There is no exit to the {direction}."
        shut = door and self._view.state_of(door) != "open"
        return f"The {door} is {self._view.state_of(door)}." if shut else ""

    def _take(self, thing: str) -> str:
        if unseen := self._unseen(thing):
            return unseen
        if thing in self._view.carried():
            return f"You are already carrying the {thing}."
        if not self._view.is_a(thing, "o"):
            return f"The {thing} cannot be carried."
        slots = {fact[0] for fact in self._view.facts if fact[1:] and fact[1].startswith("slot_")}
        return "You cannot carry more; drop something first." if slots == {"used"} else ""

    def _put(self, thing: str, place: str) -> str:
        if reason := self._not_carried(thing) or self._unseen(place):
            return reason
        if not (self._view.is_a(place, "c") or self._view.is_a(place, "s")):
            return f"Nothing can be put on or in the {place}."
        return self._shut(place) if self._view.is_a(place, "c") else ""

    def _shut(self, thing: str) -> str:
        state = self._view.state_of(thing)
        return "" if state == "open" else f"The {thing} is {state}."

    def _door(self, thing: str, verb: str) -> str:
        return self._unseen(thing) or ("" if self._view.state_of(thing) else f"The {thing} cannot be {verb}.")

    def _open(self, thing: str) -> str:
        state = self._view.state_of(thing)
        return self._door(thing, "opened") or {
            "open": f"The {thing} is already open.",
            "locked": f"The {thing} is locked.",
        }.get(state, "")

    def _close(self, thing: str) -> str:
        state = self._view.state_of(thing)
        return self._door(thing, "closed") or ("" if state == "open" else f"The {thing} is already {state}.")

    def _key(self, thing: str, key: str, wanted: str, verb: str) -> str:
        if reason := self._door(thing, verb) or self._not_carried(key):
            return reason
        if self._view.state_of(thing) != wanted:
            return f"The {thing} is not {wanted}."
        return "" if self._view.holds("match", key, thing) else f"The {key} does not fit the {thing}."

    def _unlock(self, thing: str, key: str) -> str:
        return self._key(thing, key, "locked", "unlocked")

    def _lock(self, thing: str, key: str) -> str:
        return self._key(thing, key, "closed", "locked")

    def _eat(self, food: str) -> str:
        if reason := self._not_carried(food):
            return reason
        if not self._view.is_a(food, "f"):
            return f"The {food} is no food."
        if self._view.holds("needs_cooking", food) and self._view.holds("inedible", food):
            return f"The {food} must be cooked first."
        # Treasure hunts have no such facts: all their food can be eaten.
        eatable = self._view.holds("edible", food) or not any(f[0] == "inedible" for f in self._view.facts)
        return "" if eatable else f"The {food} cannot be eaten."

    def _drink(self, food: str) -> str:
        return self._not_carried(food) or (
            "" if self._view.holds("drinkable", food) else f"The {food} cannot be drunk."
        )

    def _cut(self, food: str, way: str, tool: str) -> str:
        if way not in WAYS:
            return f"Ways to cut are {', '.join(WAYS)}."
        if reason := self._not_carried(food) or self._not_carried(tool):
            return reason
        if not self._view.holds("sharp", tool):
            return f"The {tool} is not sharp."
        if done := next((word for word in _CUT if self._view.holds(word, food)), ""):
            return f"The {food} is already {done}."
        return "" if self._view.holds("uncut", food) else f"The {food} cannot be cut."

    def _cook(self, food: str, appliance: str) -> str:
        if reason := self._not_carried(food) or self._unseen(appliance):
            return reason
        if not any(self._view.is_a(appliance, kind) for kind in _HEAT):
            return f"The {appliance} gives no heat."
        if self._view.holds("burned", food):
            return f"The {food} is already burned."
        can = ("raw", "needs_cooking", "cooked")
        return "" if any(self._view.holds(word, food) for word in can) else f"The {food} cannot be cooked."

    def _prepare_meal(self) -> str:
        facts = self._view.facts
        recipe = next((fact[2] for fact in facts if fact[0] == "cooking_location"), "")
        if ("cooking_location", self._view.room(), recipe) not in facts:
            return "A meal can be prepared in the kitchen only."
        wanted = [fact[1] for fact in facts if fact[0] == "in" and fact[2] == recipe]
        base = {fact[2]: fact[1] for fact in facts if fact[0] == "base"}
        if any(("in", base[one], CARRIED) not in facts for one in wanted):
            return "You are not carrying all ingredients of the recipe."
        if any(self._done(base[one], _COOKED) != self._done(one, _COOKED) for one in wanted):
            return "An ingredient is not cooked as the recipe says."
        if any(self._done(base[one], _CUT) != self._done(one, _CUT) for one in wanted):
            return "An ingredient is not cut as the recipe says."
        return ""

    def _done(self, identifier: str, words: Sequence[str]) -> str:
        return next((word for word in words if (word, identifier) in self._view.facts), "")
