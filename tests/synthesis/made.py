"""A script and a trajectory that keep to every rule, as models write them; tests break them one rule at a
time."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

SCRIPT: dict[str, Any] = {
    "Environment": {"workshop": {"shelf": ["brush", "glue"], "bench": []}},
    "Goal": "Put the brush on the bench.",
    "Completion Conditions": ["the brush is on the bench"],
    "Available Actions": {
        "go to {place}": {
            "verification code": r"^\s*go to (.+?)\s*$",
            "parameters": {"place": ["shelf", "bench"]},
        },
        "take {thing}": {"verification code": r"take (\w+)", "parameters": {"thing": ["brush", "glue"]}},
        "put {thing} on {place}": {
            "verification code": r"put (\w+) on (\w+)",
            "parameters": {"thing": ["brush", "glue"], "place": ["shelf", "bench"]},
        },
        "look": {"verification code": "look", "parameters": {}},
    },
}
DONE = "the brush is on the bench"


def master(turn: int, saw: str, mark: str = "", *, completed: tuple[str, ...] = ()) -> dict[str, Any]:
    """A turn of the game master."""
    marks = {f"{kind}_error": kind == mark for kind in ("parameter", "place", "logic")}
    head = {"turn": turn, "role": "DM", "Thought": "I see.", "Observation": saw}
    return {**head, **marks, "completed": list(completed)}


def player(turn: int, action: str) -> dict[str, Any]:
    """A turn of the player."""
    return {"turn": turn, "role": "Player", "Thought": "I go on.", "Action": action}


TURNS: list[dict[str, Any]] = [
    master(1, "You are at the bench."),
    player(2, "take brush"),
    master(3, "The brush is not here.", "place"),
    player(4, "go to shelf"),
    master(5, "You are at the shelf."),
    player(6, "grab brush"),
    master(7, "There is no such action.", "parameter"),
    player(8, "take brush"),
    master(9, "You hold the brush."),
    player(10, "put hammer on bench"),
    master(11, "There is no hammer.", "parameter"),
    player(12, "go to bench"),
    master(13, "You are at the bench."),
    player(14, "put brush on bench"),
    master(15, "It lies there.", completed=(DONE,)),
]


def script(change: Callable[[dict[str, Any]], None] = lambda _: None) -> str:
    """The script as a reply, changed."""
    made = copy.deepcopy(SCRIPT)
    change(made)
    return json.dumps(made)


def turns(change: Callable[[list[dict[str, Any]]], None] = lambda _: None) -> str:
    """The trajectory as a reply, changed."""
    made = copy.deepcopy(TURNS)
    change(made)
    return json.dumps(made)
