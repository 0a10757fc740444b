"""The six types of task: their names here and in the official data, goal sentences, goals, and what each
needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from learnact.errors import TaskError

TaskTypeName = Literal["put", "clean", "heat", "cool", "examine", "puttwo"]


@dataclass(frozen=True)
class TaskType:
    """A type of task.

    `folder` is its name in the official data; `sentences` are the published goal sentences (`{obj}`,
    `{recep}`; for examine `{recep}` is the lamp); `condition` the predicate that the object must meet, `can`
    the one that says it is able to; `tool` the kind of place that brings it about. `published` are the
    published training indices into the sorted list of `published_count` games of valid_unseen.
    """

    name: TaskTypeName
    title: str
    folder: str
    sentences: tuple[str, ...]
    published: tuple[int, ...]
    published_count: int
    condition: str = ""
    can: str = ""
    tool: str = ""


TASK_TYPES: dict[str, TaskType] = {
    kind.name: kind
    for kind in (
        TaskType(
            name="put",
            title="ALFWorld: put an object somewhere",
            folder="pick_and_place_simple",
            sentences=("put a {obj} in {recep}.", "put some {obj} on {recep}."),
            published=(14, 4, 2),
            published_count=24,
        ),
        TaskType(
            name="clean",
            title="ALFWorld: put a clean object somewhere",
            folder="pick_clean_then_place_in_recep",
            sentences=("put a clean {obj} in {recep}.", "clean some {obj} and put it in {recep}."),
            published=(21, 2, 22),
            published_count=31,
            condition="isclean",
            can="cleanable",
            tool="sinkbasin",
        ),
        TaskType(
            name="heat",
            title="ALFWorld: put a hot object somewhere",
            folder="pick_heat_then_place_in_recep",
            sentences=("put a hot {obj} in {recep}.", "heat some {obj} and put it in {recep}."),
            published=(11, 2, 1),
            published_count=23,
            condition="ishot",
            can="heatable",
            tool="microwave",
        ),
        TaskType(
            name="cool",
            title="ALFWorld: put a cool object somewhere",
            folder="pick_cool_then_place_in_recep",
            sentences=("put a cool {obj} in {recep}.", "cool some {obj} and put it in {recep}."),
            published=(11, 7, 10),
            published_count=21,
            condition="iscool",
            can="coolable",
            tool="fridge",
        ),
        TaskType(
            name="examine",
            title="ALFWorld: look at an object in light",
            folder="look_at_obj_in_light",
            sentences=("look at {obj} under the {recep}.", "examine the {obj} with the {recep}."),
            published=(13, 5, 14),
            published_count=18,
        ),
        TaskType(
            name="puttwo",
            title="ALFWorld: put two objects somewhere",
            folder="pick_two_obj_and_place",
            sentences=("put two {obj} in {recep}.", "find two {obj} and put them in {recep}."),
            published=(7, 9, 14),
            published_count=17,
        ),
    )
}


@dataclass(frozen=True)
class TaskGoal:
    """What a game asks for, read from its PDDL: the type of task, the kind of object, and the kind of
    place (or of lamp)."""

    kind: TaskTypeName
    obj: str
    recep: str


def read_goal(problem: str, where: str) -> TaskGoal:
    """The goal of a PDDL problem. Raises `TaskError` naming `where` for goals of other types."""
    at = problem.lower().find("(:goal")
    goal = problem[at:].lower() if at >= 0 else ""
    objects = set(re.findall(r"\(objecttype \?\w+ (\w+)type\)", goal))
    places = set(re.findall(r"\(receptacletype \?\w+ (\w+)type\)", goal))
    toggled = re.search(r"\(istoggled \?(\w+)\)", goal)
    if toggled:
        lamp = re.search(rf"\(objecttype \?{toggled.group(1)} (\w+)type\)", goal)
        objects -= {lamp.group(1)} if lamp else set()
        places = {lamp.group(1)} if lamp else set()
    if len(objects) != 1 or len(places) != 1 or re.search(r"issliced|inreceptacleobject|forall", goal):
        raise TaskError(f"{where}: the goal is none of ALFWorld's six types ({', '.join(TASK_TYPES)})")
    return TaskGoal(_task_type_of(goal, bool(toggled)), objects.pop(), places.pop())


def _task_type_of(goal: str, toggled: bool) -> TaskTypeName:
    if toggled:
        return "examine"
    for kind in TASK_TYPES.values():
        if kind.condition and kind.condition in goal:
            return kind.name
    return "puttwo" if "(not (=" in goal else "put"
