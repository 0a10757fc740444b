"""Houses from a seed: games of all six types, on the package's own rooms, vocabulary, domain and grammar.

A house is a room of the package (its receptacles with their real positions), furnished with objects of its
own vocabulary. Training and test games are in different rooms: those that ALFRED itself keeps apart
(`TRAIN_SCENE_NUMBERS`, `TEST_SCENE_NUMBERS`). Pure: the same (seed, type, split, index, attempt) gives the
same house on any machine. Whether it can be solved is for `generation` to verify with the engine's planner.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from learnact.domains.alfworld import package
from learnact.domains.alfworld.fillings import CLOSED_WEIGHTS, FILLINGS, MADE_MORE, SURFACE_WEIGHTS, Filling
from learnact.domains.alfworld.task_types import TASK_TYPES, TaskGoal, TaskType

VERSION = 1
"""Goes up whenever the same seed gives other houses."""
_STEP = 0.25
_LAMP = "DeskLamp"
_LAMP_STANDS = ("Desk", "SideTable", "Dresser", "Shelf")
_SLICEABLE = ("Apple", "Bread", "Egg", "Lettuce", "Potato", "Tomato")


@dataclass(frozen=True)
class GeneratedHouse:
    """A generated game before it is verified.

    `core` is the part of the problem that the goal concerns (the same names): a plan of it is a plan of the
    whole, and is found at once.
    """

    name: str
    goal: TaskGoal
    sentence: str
    problem: str
    core: str
    room: int
    target: str
    place: str

    @property
    def trajectory(self) -> dict[str, Any]:
        """The part of ALFRED's `traj_data.json` that ALFWorld's own programs read."""
        lamp = self.goal.kind == "examine"
        return {
            "task_id": self.name.split("/")[1],
            "task_type": TASK_TYPES[self.goal.kind].folder,
            "pddl_params": {
                "object_target": self.target,
                "parent_target": "" if lamp else self.place,
                "toggle_target": self.place if lamp else "",
                "mrecep_target": "",
                "object_sliced": False,
            },
            "scene": {"floor_plan": f"FloorPlan{self.room}", "scene_num": self.room},
            "turk_annotations": {"anns": [{"task_desc": self.sentence, "high_descs": []}]},
        }


@dataclass(frozen=True)
class _Vocabulary:
    """The package's tables of kinds of objects and receptacles."""

    contents: Mapping[str, tuple[str, ...]]
    can: Mapping[str, frozenset[str]]
    openable: frozenset[str]
    containers: frozenset[str]
    kinds: tuple[str, ...]
    places: tuple[str, ...]
    rooms: Mapping[str, tuple[int, ...]]


@cache
def _vocabulary() -> _Vocabulary:
    from alfworld.gen import constants as c

    contents = {
        place: tuple(sorted(k for k in held if not k.endswith("Sliced")))
        for place, held in c.VAL_RECEPTACLE_OBJECTS.items()
        if place not in c.MOVABLE_RECEPTACLES
    }
    return _Vocabulary(
        contents=contents,
        can={name: frozenset(c.VAL_ACTION_OBJECTS[name]) for name in ("Heatable", "Coolable", "Cleanable")},
        openable=frozenset(c.OPENABLE_CLASS_LIST) - {"Box"},
        containers=frozenset(c.MOVABLE_RECEPTACLES),
        kinds=tuple(
            sorted((set(c.OBJECTS) | {k for held in contents.values() for k in held}) - set(contents))
        ),
        places=tuple(sorted(set(contents) | {"PaintingHanger"})),
        rooms={
            "train": tuple(sorted(c.TRAIN_SCENE_NUMBERS)),
            "valid_unseen": tuple(sorted(c.TEST_SCENE_NUMBERS)),
        },
    )


@dataclass(frozen=True)
class _Room:
    """A room of the package: receptacles (name with position, pose from which it is reached), reachable
    points, kinds of things in it."""

    number: int
    places: tuple[tuple[str, str, str], ...]
    kinds: frozenset[str]
    points: tuple[tuple[float, float], ...]

    def kinds_of_places(self) -> frozenset[str]:
        """The kinds of receptacles."""
        return frozenset(kind for kind, _, _ in self.places)


@cache
def _room(number: int, most_of_a_kind: int) -> _Room:
    import numpy

    base = package.folder() / "gen" / "layouts" / f"FloorPlan{number}"
    kinds = frozenset(json.loads(base.with_name(f"{base.name}-objects.json").read_text()))
    poses = json.loads(base.with_name(f"{base.name}-openable.json").read_text())
    points = tuple((float(x), float(z)) for x, z in numpy.load(base.with_name(f"{base.name}-layout.npy")))
    known = set(_vocabulary().contents)
    found: list[tuple[str, str, str]] = []
    counts: Counter[str] = Counter()
    for name in sorted(poses):
        kind = name.rsplit("|", 1)[1] if name.endswith("Basin") else name.split("|")[0]
        counts[kind] += 1
        if kind in known and counts[kind] <= most_of_a_kind:
            found.append((kind, name, _location(poses[name])))
    return _Room(number, tuple(found), kinds, points)


def _location(pose: Sequence[float]) -> str:
    x, z, turn, horizon = pose
    return f"loc|{round(x / _STEP)}|{round(z / _STEP)}|{round(turn / 90)}|{round(horizon)}"


def make_house(
    kind: TaskType, split: str, seed: int, index: int, attempt: int, level: str
) -> GeneratedHouse | None:
    """The house of these numbers; None where the room does not serve (another attempt will). Needs the
    extra installed."""
    filling = FILLINGS[level]
    series = f"{VERSION}" if level == "easy" else f"{VERSION} {level}"
    rng = random.Random(f"house {series} {seed} {kind.name} {split} {index} {attempt}")
    known = [_room(number, filling.most_of_a_kind) for number in _vocabulary().rooms[split]]
    rooms = [room for room in known if _is_suitable(room, kind)]
    if filling.largest:
        rooms.sort(key=lambda room: (-len(room.places), room.number))
        rooms = rooms[: (len(rooms) + 1) // 2]
    house = _HouseBuilder(rng, rng.choice(rooms), kind, filling)
    house.furnish()
    chosen = house.choose()
    if chosen is None:
        return None
    target, place = chosen
    if filling.hidden:
        house.hide(target, place)
    sentence = rng.choice(kind.sentences).format(obj=target.lower(), recep=place.lower())
    parent, toggled = ("None", place) if kind.name == "examine" else (place, "None")
    trial = f"trial_T{filling.number:04d}{seed:08d}_{index:06d}"
    folder = f"{kind.folder}-{target}-None-{parent if toggled == 'None' else toggled}-{house.room.number}"
    name, aim = f"plan_{trial}", goal_text(kind, target, place)
    start = house.start()
    core = house.core(target, place).problem(name, aim, start)
    goal = TaskGoal(kind.name, target.lower(), place.lower())
    whole = house.problem(name, aim, start)
    return GeneratedHouse(
        name=f"{folder}/{trial}",
        goal=goal,
        sentence=sentence,
        problem=whole,
        core=core,
        room=house.room.number,
        target=target,
        place=place,
    )


def _is_suitable(room: _Room, kind: TaskType) -> bool:
    has = room.kinds_of_places()
    if kind.name == "examine":
        return _LAMP in room.kinds and any(stand in has for stand in _LAMP_STANDS)
    tools = {"clean": "SinkBasin", "heat": "Microwave", "cool": "Fridge"}
    return kind.name not in tools or tools[kind.name] in has


@dataclass
class _HouseBuilder:
    """Builds a house from a room: receptacles, then objects, then the goal, then its PDDL."""

    rng: random.Random
    room: _Room
    kind: TaskType
    filling: Filling
    places: list[tuple[str, str, str]] = field(default_factory=list)
    objects: list[tuple[str, str, tuple[str, str, str]]] = field(default_factory=list)
    weights: dict[str, int] = field(default_factory=dict)
    """Chances of places to be given an object; empty where all are alike."""

    def furnish(self) -> None:
        """Put receptacles and objects into the room."""
        self.places = [*self.room.places, *self._unplaced()]
        self.places += self._more()
        if self.filling.crowded:
            weights = {True: CLOSED_WEIGHTS, False: SURFACE_WEIGHTS}
            closes = _vocabulary().openable
            self.weights = {name: self.rng.choice(weights[kind in closes]) for kind, name, _ in self.places}
        held = {k for p, _, _ in self.places for k in _vocabulary().contents[p]}
        for kind in sorted(self.room.kinds & held):
            for _ in range(self.rng.choice(self.filling.copies)):
                self._put(kind, lambda place: kind in _vocabulary().contents[place[0]])  # noqa: B023
        if self.kind.name == "examine":
            self._put(_LAMP, lambda place: place[0] in _LAMP_STANDS)

    def _unplaced(self) -> list[tuple[str, str, str]]:
        """Receptacles that the room has but no position is known of: somewhere within reach."""
        has = self.room.kinds_of_places()
        made = []
        for kind in sorted(self.room.kinds & set(_vocabulary().contents) - has):
            for _ in range(4 if kind == "StoveBurner" else 1):
                x, z = self.rng.choice(self.room.points)
                pose = (x, z, self.rng.choice((0, 90, 180, 270)), 30)
                at = f"{x:+06.2f}|{self.rng.uniform(0, 1.5):+06.2f}|{z:+06.2f}"
                whole = kind.removesuffix("Basin")
                made.append(
                    (kind, f"{whole}|{at}|{kind}" if whole != kind else f"{kind}|{at}", _location(pose))
                )
        return made

    def _more(self) -> list[tuple[str, str, str]]:
        """More receptacles of kinds that the room has, each beside one of its kind."""
        base = [place for place in self.places if place[0] in MADE_MORE]
        made = []
        for _ in range(round(self.filling.more * len(self.places)) if base else 0):
            kind, _, location = self.rng.choice(base)
            x, z = self.rng.choice(self.room.points)
            at = f"{x:+06.2f}|{self.rng.uniform(0, 1.5):+06.2f}|{z:+06.2f}"
            if self.rng.random() < 0.7:
                location = _location((x, z, self.rng.choice((0, 90, 180, 270)), 30))
            made.append((kind, f"{kind}|{at}", location))
        return list({name: (kind, name, location) for kind, name, location in made}.values())

    def _put(self, kind: str, fits: Callable[[tuple[str, str, str]], bool]) -> None:
        fitting = [p for p in self.places if fits(p)]
        chances = [self.weights.get(name, 1) for _, name, _ in fitting]
        place = (
            self.rng.choices(fitting, chances)[0]
            if any(chances) and self.weights
            else self.rng.choice(fitting)
        )
        where = [float(part) for part in place[1].split("|")[1:4]]
        at = "|".join(f"{value + self.rng.uniform(-0.3, 0.3):+06.2f}" for value in where)
        self.objects.append((kind, f"{kind}|{at}", place))

    def choose(self) -> tuple[str, str] | None:
        """The kinds of the goal's object and place, with the house arranged so that it is not reached at
        the start."""
        counts = Counter(kind for kind, _, _ in self.objects if kind != _LAMP)
        options = [(o, p) for o in sorted(counts) for p in self._goal_places(o) if self._open_goal(o, p)]
        return (
            self.rng.choice(options)
            if options and len({n for _, n, _ in self.objects}) == len(self.objects)
            else None
        )

    def _goal_places(self, obj: str) -> list[str]:
        if self.kind.name == "examine":
            return [_LAMP]
        able = {"clean": "Cleanable", "heat": "Heatable", "cool": "Coolable"}.get(self.kind.name)
        if able is not None and obj not in _vocabulary().can[able]:
            return []
        tools = {"SinkBasin", "Microwave", "Fridge"} if able is not None else set()
        kinds = {p for p, _, _ in self.places if obj in _vocabulary().contents[p]}
        return sorted(kinds - tools - {"ToiletPaperHanger", "TowelHolder", "HandTowelHolder"})

    def _open_goal(self, obj: str, place: str) -> bool:
        mine = [p for kind, _, p in self.objects if kind == obj]
        if self.kind.name == "examine":
            lamp = next(p for kind, _, p in self.objects if kind == _LAMP)
            return lamp[2] not in {p[2] for p in mine}
        inside = Counter(p[1] for p in mine if p[0] == place)
        if self.kind.name == "puttwo":
            return len(mine) >= 2 and not inside
        return not inside

    def hide(self, target: str, place: str) -> None:
        """Leave as few objects of the goal's kind as it needs, behind closed doors that are not those of the
        goal's place."""
        closes, contents = _vocabulary().openable, _vocabulary().contents
        mine = [thing for thing in self.objects if thing[0] == target]
        kept = mine[: 2 if self.kind.name == "puttwo" else 1]
        lamps = {p[2] for kind, _, p in self.objects if kind == _LAMP}
        doors = [p for p in self.places if p[0] in closes and target in contents[p[0]] and p[0] != place]
        doors = [p for p in doors if p[2] not in lamps]
        moved = [(kind, name, self.rng.choice(doors) if doors else p) for kind, name, p in kept]
        self.objects = [thing for thing in self.objects if thing[0] != target] + moved

    def start(self) -> str:
        """Where the agent stands at the start: at no receptacle, so that it looks around the whole room."""
        taken = {location for _, _, location in self.places}
        poses = [(x, z, turn, 30) for x, z in self.room.points for turn in (0, 90, 180, 270)]
        return self.rng.choice([location for location in map(_location, poses) if location not in taken])

    def core(self, target: str, place: str) -> _HouseBuilder:
        """The house with only what the goal concerns: its objects, where they are, two places for them,
        and the tool."""
        objects = [o for o in self.objects if o[0] in (target, place)][:4]
        stands = {o[2] for o in objects}
        aims = [p for p in self.places if p[0] == place][:2]
        tools = [p for p in self.places if p[0].lower() == self.kind.tool][:1]
        wanted = [*stands, *aims, *tools]
        return _HouseBuilder(
            self.rng, self.room, self.kind, self.filling, [p for p in self.places if p in wanted], objects
        )

    def problem(self, name: str, goal: str, begin: str) -> str:
        """The house as a PDDL problem in the official form."""
        words = _vocabulary()
        locations = sorted({begin} | {location for _, _, location in self.places})
        declared = [("agent1", "agent")]
        declared += [(f"{k}Type", "otype") for k in words.kinds] + [
            (f"{k}Type", "rtype") for k in words.places
        ]
        declared += [(_mangled(n), "object") for _, n, _ in self.objects]
        declared += [(_mangled(n), "receptacle") for _, n, _ in self.places] + [
            (_mangled(n), "location") for n in locations
        ]
        facts = [*self._place_facts(), *self._object_facts(), f"atLocation agent1 {_mangled(begin)}"]
        return "\n".join(
            (
                f"(define (problem {name})",
                "(:domain alfred)",
                "(:objects",
                *(f"    {n} - {kind}" for n, kind in declared),
                ")",
                "(:init",
                *(f"    ({fact})" for fact in facts),
                ")",
                f"(:goal {goal})",
                ")\n",
            )
        )

    def _place_facts(self) -> list[str]:
        words = _vocabulary()
        there = {kind for kind, _, _ in self.objects}
        facts = []
        for kind, name, location in self.places:
            facts.append(f"receptacleType {_mangled(name)} {kind}Type")
            facts.append(f"receptacleAtLocation {_mangled(name)} {_mangled(location)}")
            facts += [f"openable {_mangled(name)}"] if kind in words.openable else []
        for place in sorted({kind for kind, _, _ in self.places}):
            facts += [f"canContain {place}Type {obj}Type" for obj in words.contents[place] if obj in there]
        return facts

    def _object_facts(self) -> list[str]:
        words = _vocabulary()
        facts = []
        for kind, name, (_, place, location) in self.objects:
            me = _mangled(name)
            facts += [
                f"objectType {me} {kind}Type",
                f"objectAtLocation {me} {_mangled(location)}",
                f"inReceptacle {me} {_mangled(place)}",
            ]
            facts += [f"toggleable {me}"] if kind == _LAMP else [f"pickupable {me}"]
            facts += [f"{able.lower()} {me}" for able in sorted(words.can) if kind in words.can[able]]
            facts += [f"sliceable {me}"] if kind in _SLICEABLE else []
            facts += [f"isReceptacleObject {me}"] if kind in words.containers else []
        return facts


def _mangled(name: str) -> str:
    for plain, mangled in (
        ("|", "_bar_"),
        ("-", "_minus_"),
        ("+", "_plus_"),
        (".", "_dot_"),
        (",", "_comma_"),
    ):
        name = name.replace(plain, mangled)
    return name


def goal_text(kind: TaskType, obj: str, place: str) -> str:
    """The goal in PDDL, as ALFRED writes it for the type."""
    if kind.name == "examine":
        lamp = (
            "(exists (?ot - object ?r - receptacle ?a - agent ?l - location) "
            f"(and (objectType ?ot {place}Type) (toggleable ?ot) "
            "(isToggled ?ot) (receptacleAtLocation ?r ?l) (atLocation ?a ?l) (inReceptacle ?ot ?r)))"
        )
        return f"(and {lamp} (exists (?o - object ?a - agent) (and (objectType ?o {obj}Type) (holds ?a ?o))))"
    one = f"(objectType ?o {obj}Type) (receptacleType ?r {place}Type) (inReceptacle ?o ?r)"
    if kind.name == "puttwo":
        two = (
            f"(exists (?o2 - object) (and (not (= ?o ?o2)) (objectType ?o2 {obj}Type) "
            f"(receptacleType ?r {place}Type) (inReceptacle ?o2 ?r)))"
        )
        one = f"{one} {two}"
    states = {
        "clean": "(cleanable ?o) (isClean ?o)",
        "heat": "(heatable ?o) (isHot ?o)",
        "cool": "(coolable ?o) (isCool ?o)",
    }
    one = f"{states.get(kind.name, '')} {one}".strip()
    return f"(and (exists (?r - receptacle) (exists (?o - object) (and {one}))))"
