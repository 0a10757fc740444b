"""The six domains of games: options, tasks, prompts' text, and opening a game."""

from __future__ import annotations

import random
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from learnact.domains.base import OpponentChoice, PlannedCall, Profile
from learnact.domains.family import DomainEntry, FamilyDomain, LevelledOptions, Split
from learnact.domains.family_text import read_family_text
from learnact.domains.games import plans, tasks
from learnact.domains.games.content import PLAYERS, ModelOpponent, unpack
from learnact.domains.games.engine import NAMES, Match
from learnact.domains.games.environment import GameEnvironment
from learnact.domains.games.package import PACKAGES
from learnact.domains.games.seats import GameSeat, open_seats
from learnact.records import Plain, Task


def _form(given: Any) -> str:
    return "model" if isinstance(given, dict | ModelOpponent) else "kind"


class GamesOptions(LevelledOptions):
    """Options of the games."""

    opponent: Annotated[
        Annotated[Literal["random", "search", "players", None], Tag("kind")]
        | Annotated[ModelOpponent, Tag("model")],
        Discriminator(_form),
    ] = None
    """Who plays against the agent, instead of the level's opponent: `random` or `search`; a second model
    (`{model: NAME, method: act, library: same}`); or `players`, every other player of the job."""


AGREED = (
    " The partner plays the best that can be agreed on before the cards are dealt: player 0's move tells "
    "something of its card."
)
"""What the instruction of tiny Hanabi promises of the built-in partner, and of no other."""


class GameDomain(FamilyDomain[GamesOptions]):
    """`learnact.domains.base.Domain` of one game."""

    PROFILE = Profile(test_turns=40, learn_turns=30, history=60, call_observation="all", explores=True)

    def __init__(self, game: str, name: str, options: GamesOptions) -> None:
        super().__init__(name, options, read_family_text(__package__), PACKAGES)
        self._game = game
        self.second = _second(options.opponent)
        if self.second is not None:
            self.instruction = self.instruction.replace(AGREED, "").rstrip()

    def draw(self, rng: random.Random, split: Split, number: int) -> Task | None:
        """A game that the agent can win (or share at its best), against this opponent with this seed."""
        level, opponent = self.options.level, self.options.opponent
        kind = opponent if opponent in ("random", "search") else None
        content = tasks.draw(self._game, level, kind, rng)
        name = self.task_name(split, number)
        match = Match(content, name)
        moves = None if match.is_over else plans.winning_moves(match)
        if not moves:
            return None
        labels: dict[str, Plain] = {"level": level, "index": number, "seat": content.seat}
        if self.second is not None:
            return Task(self.name, name, content.pack(), None, labels)
        labels |= {"opponent": content.opponent, "strength": content.strength}
        return Task(self.name, name, content.pack(), len(moves), labels)

    def open(self, task: Task) -> GameEnvironment:
        """A game from the agent's first turn."""
        match = Match(unpack(task.content, task.name), task.name)
        return GameEnvironment(match, self.primitives, self.words.domains[self.name].example.goal)

    def open_seats(self, task: Task) -> tuple[GameSeat, GameSeat]:
        """The same game for two agents."""
        content, goal = unpack(task.content, task.name), self.words.domains[self.name].example.goal
        return open_seats(content, task.name, self.primitives, goal)

    def reference_plan(self, task: Task) -> tuple[PlannedCall, ...] | None:
        """Moves that win against this opponent with this seed; none is known against a second model."""
        if self.second is not None:
            return None
        moves = plans.winning_moves(Match(unpack(task.content, task.name), task.name))
        return None if moves is None else plans.as_calls(moves)


def _second(opponent: str | ModelOpponent | None) -> OpponentChoice | None:
    if isinstance(opponent, ModelOpponent):
        return OpponentChoice(opponent.model, opponent.method, opponent.library)
    return OpponentChoice() if opponent == PLAYERS else None


NIM, CONNECT_FOUR, HEX, LEDUC_POKER, BARGAINING, TINY_HANABI = (
    DomainEntry(f"games-{game}", GamesOptions, partial(GameDomain, game), PACKAGES) for game in NAMES
)
