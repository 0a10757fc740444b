"""How a house of each level is furnished and filled.

Real houses (published games) have all receptacles of their room, half of them empty, and most objects on a
few open surfaces (docs/levels.md compares them).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Filling:
    """What a level does with a room.

    `number` stands in the names of games. `most_of_a_kind`: receptacles of one kind at most. `more`: share
    of receptacles that are added to those whose positions the package knows (it does not know all).
    `copies`: how many objects of a kind there are, one is drawn. `crowded`: most objects are on a few open
    surfaces. `largest`: only the larger half of the rooms. `hidden`: objects of the goal's kind are few, and
    each is behind a closed door where it can be.
    """

    number: int
    most_of_a_kind: int
    more: float = 0.0
    copies: tuple[int, ...] = (1, 1, 2, 3)
    crowded: bool = True
    largest: bool = False
    hidden: bool = False


FILLINGS = {
    "easy": Filling(1, 8, crowded=False),
    "published": Filling(2, 30, more=0.25),
    "hard": Filling(3, 30, more=0.4, largest=True),
    "harder": Filling(4, 40, more=0.8, largest=True, hidden=True),
}
"""By level. `easy` is what was generated before there were levels."""
SURFACE_WEIGHTS = (4, 8, 8, 16, 32)
CLOSED_WEIGHTS = (0, 1, 2, 4, 8)
"""Chances of an open surface and of a place with a door to be given an object: drawn once for each place."""
MADE_MORE = ("Cabinet", "Drawer", "Shelf", "SideTable", "CounterTop", "DiningTable")
"""Kinds of receptacles of which a room has more than the package knows positions of."""
