"""What a task holds, the generated tasks of the cave game, and the user's own games and task files."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from learnact.domains.text_file import read_text
from learnact.errors import TaskError

CAVE = "adventure"
"""The game that is played without files: Colossal Cave."""
MAX_GAME_BYTES = 2 << 20
"""Bytes of a game file; the largest that the interpreter takes have 512 kB."""
_WHOLE_GAME = "Play the game: get as many points as you can, and bring it to its end."

BUILDING = ("keys", "lamp", "food", "bottle")
UNDERGROUND = ("rod", "cage")
"""Things of the cave game and where they lie: in the building, and behind the debris room."""
PLACES = {
    "road": (1, "the end of the road"),
    "hill": (2, "the hill in the forest"),
    "valley": (4, "the valley in the forest"),
    "slit": (7, "the slit in the streambed"),
    "grate": (8, "the depression outside the grate"),
    "debris": (11, "the debris room"),
}
"""Places to which things are to be brought: the game's number of the room, and what the goal calls it."""
_SIZES = {"easy": (1, 2), "published": (2, 3), "hard": (3, 4), "harder": (4, 5)}
"""Fewest and most things by level."""


class StoryTask(BaseModel):
    """Everything that decides a game: the cave game with things to be brought to a place, or a game file with
    points, labels, or its own end to be reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    game: str
    address: str = ""
    """Of a game file: the SHA-256 of its content."""
    goal: str
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    fetch: tuple[str, ...] = ()
    place: str = ""
    points: int = Field(default=0, ge=0)
    """Points that solve the task; 0: the game's own end."""
    labels: tuple[str, ...] = ()
    """Sub-goals (patterns that are searched in what the game says); with them the progress is their share."""
    plan: tuple[str, ...] = ()
    """Commands that solve it, where they are known."""

    @field_validator("labels")
    @classmethod
    def _patterns(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        for label in labels:
            try:
                re.compile(label)
            except re.error as error:
                raise ValueError(f"label {label!r} is no pattern: {error}") from None
        return labels

    def pack(self) -> str:
        """As a task's content: canonical JSON."""
        return json.dumps(self.model_dump(exclude_defaults=True), sort_keys=True)


class TaskLine(BaseModel):
    """One line of a task file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    game: str
    goal: str = _WHOLE_GAME
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    points: int = Field(default=0, ge=0)
    labels: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()
    split: Literal["train", "test"] = "test"


def unpack(content: str, where: str) -> StoryTask:
    """The task of a content. Raises `TaskError` naming `where`."""
    try:
        return StoryTask.model_validate_json(content)
    except ValidationError as error:
        raise TaskError(f"{where}: not the content of a text adventure: {error.errors()[0]['msg']}") from None


def draw_cave(rng: random.Random, level: str) -> StoryTask:
    """A task of the cave game: things of the building, from `published` on also of the cave, to a place."""
    few, many = _SIZES[level]
    choices = BUILDING if level == "easy" else BUILDING + UNDERGROUND
    sets = [s for size in range(few, many + 1) for s in itertools.combinations(choices, size)]
    if level in ("hard", "harder"):
        sets = [things for things in sets if set(things) & set(UNDERGROUND)]
    fetch = rng.choice(sets)
    place = rng.choice(list(PLACES))
    return StoryTask(game=CAVE, goal=cave_goal(fetch, place), fetch=fetch, place=place)


def cave_goal(fetch: Sequence[str], place: str) -> str:
    """The goal in words."""
    *most, last = (f"the {thing}" for thing in fetch)
    things = f"{', '.join(most)} and {last}" if most else last
    return f"Bring {things} to {PLACES[place][1]}."


def game_file(folder: str, task: StoryTask, where: str) -> Path:
    """The game file of a task in the user's folder. Raises `TaskError` where it is not there, or another
    one."""
    path = Path(folder).expanduser() / task.game
    if address_of(path) != task.address:
        raise TaskError(f"{where}: {path} is another file than the one that the task was made of")
    return path


def address_of(path: Path) -> str:
    """The SHA-256 of a game file. Raises `TaskError` for what is none."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_GAME_BYTES:
            raise TaskError(f"{path}: no game file (a .z1 to .z8 file of at most {MAX_GAME_BYTES:,} bytes)")
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise TaskError(f"{path}: cannot be read: {error.strerror}") from None


def own_tasks(folder: str, file: str | None) -> dict[str, list[StoryTask]]:
    """The tasks of the user's games by split: those of the task file (JSON lines: `game`, `goal`, and where
    wanted `points`, `labels`, `plan`, `seed`, `split`), else one test task a game. Raises `TaskError`."""
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise TaskError(f"games: {folder} is no folder with game files (.z3, .z5, .z8)")
    if file is None:
        names = sorted(path.name for path in root.iterdir() if re.fullmatch(r"\.z[1-8]", path.suffix))
        if not names:
            raise TaskError(f"games: there is no game file (.z3, .z5, .z8) in {folder}")
        lines = [TaskLine(game=name) for name in names]
    else:
        lines = _read_lines(file)
    found: dict[str, list[StoryTask]] = {"train": [], "test": []}
    for line in lines:
        address = address_of(root / Path(line.game).name)
        kept = line.model_dump(exclude={"split", "game"})
        found[line.split].append(StoryTask(game=Path(line.game).name, address=address, **kept))
    return found


def _read_lines(file: str) -> list[TaskLine]:
    lines = []
    for number, text in enumerate(read_text(Path(file).expanduser()).splitlines(), 1):
        if text.strip():
            try:
                line = TaskLine.model_validate_json(text)
                StoryTask(game=line.game, goal=line.goal, labels=line.labels)
            except ValidationError as error:
                first = error.errors()[0]
                place = ".".join(map(str, first["loc"]))
                raise TaskError(f"{file}:{number}: {place}: {first['msg']}".replace(": :", ":")) from None
            lines.append(line)
    if not lines:
        raise TaskError(f"{file}: there is no task in it")
    return lines
