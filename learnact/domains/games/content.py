"""A task's content: a game, what was played already, and who the opponent is, as JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from learnact.errors import TaskError
from learnact.records import canonical

OpponentKind = Literal["random", "search"]
"""`random`: any legal move. `search`: the game's own way of playing well (docs/games.md)."""


class MatchContent(BaseModel):
    """A game. `game`: OpenSpiel's name with its parameters; `opening`: actions and outcomes of chance before
    the agent's first turn; `seat`: 0 moves first; `strength`: how much the opponent searches; `seed`: of
    chance and of the opponent."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    game: str
    opening: tuple[int, ...] = ()
    seat: int = Field(default=0, ge=0, le=1)
    opponent: OpponentKind = "search"
    strength: int = Field(default=100, ge=1, le=100_000)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)

    def pack(self) -> str:
        """As a task's content."""
        return canonical(self.model_dump(mode="json"))


def unpack(content: str, where: str) -> MatchContent:
    """The game of a task's content. Raises `TaskError` naming `where`."""
    try:
        return MatchContent.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise TaskError(f"{where}: not a game: {place} {first['msg']}") from error
