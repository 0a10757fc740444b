"""A task's content: grid, mission and pose, so that another version of minigrid cannot change a task.

A cell is two characters, thing and colour (`Kr`: a red key; `..`: empty). The things of a mission are kept as
positions, resolved when the task was drawn.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from learnact.errors import TaskError
from learnact.records import canonical

_FORM = ConfigDict(extra="forbid", frozen=True)
Point = tuple[int, int]
MOST_CELLS = 100


class Target(BaseModel):
    """Things that a part of a mission names: their kind, their colour (None: any) and where they lie."""

    model_config = _FORM
    kind: Literal["box", "ball", "key", "door"] | None
    colour: str | None
    at: tuple[Point, ...] = Field(min_length=1)


class Part(BaseModel):
    """A mission or a part of it. `go_to`, `open`, `pick_up` have a target; `put_next` a second one; `then`,
    `after` and `and` have two parts. `strict`: doing another thing of the kind instead fails the mission."""

    model_config = _FORM
    does: Literal["go_to", "open", "pick_up", "put_next", "then", "after", "and"]
    target: Target | None = None
    beside: Target | None = None
    parts: tuple[Part, ...] = ()
    strict: bool = False


class BabyaiContent(BaseModel):
    """All that opening a task needs."""

    model_config = _FORM
    level: str
    """The level of minigrid that it was drawn from, for tables."""
    rows: tuple[str, ...] = Field(min_length=3, max_length=MOST_CELLS)
    """The grid, row by row, two characters a cell."""
    inside: dict[str, str] = Field(default_factory=dict)
    """What boxes hold: position `x,y` to cell."""
    position: Point
    direction: int = Field(ge=0, le=3)
    """0 right, 1 down, 2 left, 3 up."""
    goal: str
    mission: Part
    labels: tuple[tuple[str, ...], ...] = ()
    """AgentBoard's sub-goals (patterns of observations), one list for each way; where the user has them."""

    def pack(self) -> str:
        """As a task's content."""
        return canonical(self.model_dump(mode="json", exclude_defaults=True))


def unpack(content: str, where: str) -> BabyaiContent:
    """The task of a content. Raises `TaskError` naming `where`."""
    try:
        found = BabyaiContent.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise TaskError(f"{where}: not the content of a BabyAI task: {place}: {first['msg']}") from None
    width = len(found.rows[0])
    if any(len(row) != width for row in found.rows) or width % 2 or not 6 <= width <= 2 * MOST_CELLS:
        raise TaskError(f"{where}: not the content of a BabyAI task: its rows are not equally long")
    return found
