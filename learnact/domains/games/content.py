"""A task's content: a game, what was played already, and who the opponent is, as JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from learnact.errors import TaskError
from learnact.records import canonical

OpponentKind = Literal["random", "search"]
"""`random`: any legal move. `search`: the game's own way of playing well (docs/games.md)."""
PLAYERS = "players"
"""Every other player of the job takes the other seat, one after the other."""
SAME = "same"
"""The library that the agent has."""


class ModelOpponent(BaseModel):
    """A second model on the other seat."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    model: str = Field(min_length=1)
    """The name or label of a model of the job: one of `models.opponent`, `models.agent`, `models.learner`."""
    method: str = "act"
    """The method whose agent plays."""
    library: str = ""
    """Its learned actions: none, `same` for those of the agent, a file, or RUN:LIBRARY."""


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
