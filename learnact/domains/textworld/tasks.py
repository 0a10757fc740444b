"""What a task holds: the kind of game, the generator's settings, its seed, and the version of the generator.

The same four give the same game on every machine (a child process with PYTHONHASHSEED=0 makes it), so the
game file itself, which has a date in it, is no part of a task's identity.
"""

from __future__ import annotations

import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from learnact.errors import TaskError
from learnact.records import digest

Kind = Literal["cooking", "treasure", "coin"]

COIN: dict[str, tuple[int, ...]] = {
    "easy": (103, 104, 105),
    "published": (105, 107, 109, 110),
    "hard": (211, 213, 215),
    "harder": (220, 225, 230),
}
"""The generator's levels of coin by our levels: the last two digits are the length of the way, the first how
many rooms there are for each room of the way, less one."""
TREASURE: dict[str, tuple[int, ...]] = {
    "easy": (4, 6, 8, 10),
    "published": (12, 14, 16, 18),
    "hard": (21, 22, 23),
    "harder": (24, 25),
}
"""The generator's levels of treasure: up to 10 five rooms, up to 20 ten rooms with doors and containers, up
to 30 twenty rooms with locks and keys."""
COOKING: dict[str, tuple[tuple[int, int, bool, bool, bool], ...]] = {
    "easy": ((1, 1, True, False, False), (1, 1, False, True, False), (2, 1, True, True, False)),
    "published": ((2, 6, True, True, False), (3, 6, True, False, False), (3, 6, False, True, False)),
    "hard": ((3, 9, True, True, True), (4, 9, True, True, False)),
    "harder": ((5, 12, True, True, True),),
}
"""Ingredients, rooms, whether to cook, whether to cut, whether what can be carried is limited."""


class GameSpec(BaseModel):
    """Everything that decides a game."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    seed: int = Field(ge=0, le=2**31 - 1)
    settings: dict[str, bool | int | str]
    """What the generator is asked for, in its own words."""
    version: str
    """Of the package `textworld`: another version may make another game."""

    def pack(self) -> str:
        """As a task's content: canonical JSON."""
        return json.dumps(self.model_dump(), sort_keys=True)

    @property
    def address(self) -> str:
        """Name of the folder in which the game is kept."""
        return digest(self.pack())


def unpack(content: str, where: str, installed: str) -> GameSpec:
    """The game of a task's content. Raises `TaskError` naming `where` for what is none, or for one of another
    version than the `installed` one."""
    try:
        spec = GameSpec.model_validate_json(content)
    except ValidationError as error:
        raise TaskError(f"{where}: not the content of a TextWorld game: {error.errors()[0]['msg']}") from None
    if spec.version != installed:
        raise TaskError(
            f"{where}: a game of textworld {spec.version}, and {installed} is installed; "
            f"pip install 'textworld=={spec.version}'"
        )
    return spec


def settings_of(kind: Kind, level: str, split: str, number: int) -> dict[str, bool | int | str]:
    """What the generator is asked for: the settings of a level come one after the other. Cooking has other
    food in training than in test games, as its authors split it."""
    if kind == "cooking":
        choices = COOKING[level]
        recipe, rooms, cook, cut, drop = choices[number % len(choices)]
        return {
            "recipe": recipe,
            "take": recipe,
            "go": rooms,
            "open": level != "easy",
            "cook": cook,
            "cut": cut,
            "drop": drop,
            "split": split,
            "recipe_seed": 0,
        }
    levels = COIN[level] if kind == "coin" else TREASURE[level]
    return {"level": levels[number % len(levels)]}
