"""A text world as its script tells it: places, things, actions, and what each action does.

What an action does follows from the values that it takes: a place alone is where one goes, a thing alone is
taken, a thing and a place is put there. No action is known by its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class ActionShape:
    """An action: its name with braces, what it does (`go`, `take`, `put`), and what each pair of braces holds
    (`thing` or `place`), in order.
    """

    name: str
    does: str
    holds: tuple[str, ...]

    def written(self, **given: str) -> str:
        """The action with its values, by what they are (`thing`, `place`)."""
        held = iter(self.holds)
        return _BRACES.sub(lambda _: given[next(held)], self.name)

    def read(self, action: str) -> dict[str, str] | None:
        """The values of an action of this form; None for another form."""
        parts = _BRACES.split(self.name)
        pattern = "".join(re.escape(p) if i % 2 == 0 else "(.+)" for i, p in enumerate(parts))
        found = re.fullmatch(pattern, action.strip())
        return dict(zip(self.holds, found.groups(), strict=True)) if found else None


@dataclass(frozen=True)
class ScriptWorld:
    """A script, read. `goals` are the conditions that name a thing and a place: (condition, thing, place)."""

    places: tuple[str, ...]
    things: Mapping[str, str]
    shapes: Mapping[str, ActionShape]
    conditions: tuple[str, ...]
    goals: tuple[tuple[str, str, str], ...]

    @property
    def playable(self) -> bool:
        """Whether there is all that a play needs."""
        whole = {"go", "take", "put"} <= self.shapes.keys()
        return whole and bool(self.places and self.conditions) and len(self.goals) == len(self.conditions)


@dataclass
class WorldState:
    """Where the player is, what he holds, where things are."""

    at: str
    where: dict[str, str]
    held: str = ""
    met: list[str] = field(default_factory=list)

    def update(self, world: ScriptWorld) -> None:
        """See which conditions hold now."""
        self.met = [said for said, thing, place in world.goals if self.where.get(thing) == place]


def read_world(script: str) -> ScriptWorld | None:
    """A world from a script in JSON; None where it is none."""
    try:
        found = json.loads(script)
        places: list[str] = []
        things: dict[str, str] = {}
        _walk(found["Environment"], places, things)
        conditions = tuple(map(str, found["Completion Conditions"]))
        shapes: dict[str, ActionShape] = {}
        for name, content in found["Available Actions"].items():
            shape = _shape(name, content["parameters"], set(places), set(things))
            if shape is not None:
                shapes.setdefault(shape.does, shape)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    goals = []
    for said in conditions:
        words = said.split()
        thing = next((t for t in things if t in words), "")
        place = next((p for p in places if p in words), "")
        if thing and place:
            goals.append((said, thing, place))
    return ScriptWorld(tuple(places), things, shapes, conditions, tuple(goals))


def _walk(environment: Mapping[str, Any], places: list[str], things: dict[str, str]) -> None:
    for place, inside in environment.items():
        places.append(place)
        if isinstance(inside, dict):
            _walk(inside, places, things)
        else:
            things.update(dict.fromkeys(map(str, inside), place))


def _shape(
    name: str, parameters: Mapping[str, list[str]], places: set[str], things: set[str]
) -> ActionShape | None:
    values = [set(parameters[key]) for key in _BRACES.findall(name)]
    kinds = ["place" if v <= places else "thing" if v <= things else "" for v in values]
    does = {"place": "go", "thing": "take", "place thing": "put"}.get(" ".join(sorted(kinds)), "")
    return ActionShape(name, does, tuple(kinds)) if does else None
