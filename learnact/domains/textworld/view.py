"""What holds in a game, and what the player can see and reach of it.

Things are called by their names; a fact is a predicate and the identifiers of what it is about.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TypeAlias

Fact: TypeAlias = tuple[str, ...]

DIRECTIONS = ("north", "east", "south", "west")
PLAYER, CARRIED = "P", "I"


class StateView:
    """The facts of a game now, with names. `kinds` are all kinds of a thing (`f` and `o` and `t`: a food is a
    portable thing)."""

    def __init__(
        self, names: Mapping[str, str], kinds: Mapping[str, frozenset[str]], facts: frozenset[Fact]
    ) -> None:
        self.ids = dict(names)
        self.names = {identifier: name for name, identifier in names.items()}
        self.kinds = kinds
        self.facts = facts

    def holds(self, predicate: str, *things: str) -> bool:
        """Whether a fact holds of these names (or of the player, `P`, and what it carries, `I`)."""
        return (predicate, *(self.ids.get(thing, thing) for thing in things)) in self.facts

    def is_a(self, thing: str, kind: str) -> bool:
        """Whether a thing is of a kind."""
        return kind in self.kinds.get(thing, ())

    def room(self) -> str:
        """The identifier of the room where the player is."""
        return next(fact[2] for fact in self.facts if fact[:2] == ("at", PLAYER))

    def carried(self) -> set[str]:
        """Names of what the player carries."""
        return {
            self.names[f[1]] for f in self.facts if f[0] == "in" and f[2] == CARRIED and f[1] in self.names
        }

    def visible(self) -> set[str]:
        """Names of what the player can see: here, on what is here, in what is open here, doors, and what it
        carries."""
        room = self.room()
        here = {f[1] for f in self.facts if f[0] == "at" and f[2] == room and f[1] != PLAYER}
        open_ = {f[1] for f in self.facts if f[0] == "open"}
        on = {f[1] for f in self.facts if f[0] == "on" and f[2] in here}
        inside = {f[1] for f in self.facts if f[0] == "in" and len(f) == 3 and f[2] in here & open_}
        doors = {f[2] for f in self.facts if f[0] == "link" and f[1] == room}
        return {self.names[i] for i in here | on | inside | doors if i in self.names} | self.carried()

    def state_of(self, thing: str) -> str:
        """`open`, `closed` or `locked`; "" for what has no door."""
        return next((word for word in ("open", "closed", "locked") if self.holds(word, thing)), "")

    def exit(self, direction: str) -> tuple[str, str]:
        """The room that lies in a direction and the door between ("" for none); both "" where there is no
        exit."""
        room = self.room()
        to = next((f[1] for f in self.facts if f[0] == f"{direction}_of" and f[2] == room), "")
        door = next((f[2] for f in self.facts if f[0] == "link" and f[1] == room and f[3] == to), "")
        return to, self.names.get(door, "")

    def room_of(self, identifier: str) -> str:
        """The room in which a thing lies, on or in something or not; "" while it is carried or gone."""
        for fact in self.facts:
            if fact[0] in ("at", "on", "in") and len(fact) == 3 and fact[1] == identifier:
                return fact[2] if fact[0] == "at" else "" if fact[2] == CARRIED else self.room_of(fact[2])
        return ""

    def distance(self, start: str, end: str) -> int | None:
        """Rooms to be gone from one room to another, doors open or not; None where there is no way."""
        near: dict[str, list[str]] = {}
        for fact in self.facts:
            if fact[0].removesuffix("_of") in DIRECTIONS and len(fact) == 3:
                near.setdefault(fact[1], []).append(fact[2])
                near.setdefault(fact[2], []).append(fact[1])
        gone, queue = {start: 0}, deque([start])
        while queue:
            room = queue.popleft()
            for other in near.get(room, ()):
                if other not in gone:
                    gone[other] = gone[room] + 1
                    queue.append(other)
        return gone.get(end)
