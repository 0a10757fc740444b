"""The six domains of games: options, tasks, prompts' text, and opening a game."""

from __future__ import annotations

import random
from functools import partial

from learnact.domains.base import PlannedCall, Profile
from learnact.domains.family import DomainEntry, FamilyDomain, LevelledOptions, Split
from learnact.domains.family_text import read_family_text
from learnact.domains.games import plans, tasks
from learnact.domains.games.content import OpponentKind, unpack
from learnact.domains.games.engine import NAMES, Match
from learnact.domains.games.environment import GameEnvironment
from learnact.domains.games.package import PACKAGES
from learnact.records import Task


class GamesOptions(LevelledOptions):
    """Options of the games."""

    opponent: OpponentKind | None = None
    """Who plays against the agent, instead of the level's opponent: `random` or `search`."""


class GameDomain(FamilyDomain[GamesOptions]):
    """`learnact.domains.base.Domain` of one game."""

    PROFILE = Profile(test_turns=40, learn_turns=30, history=60, call_observation="all", explores=True)

    def __init__(self, game: str, name: str, options: GamesOptions) -> None:
        super().__init__(name, options, read_family_text(__package__), PACKAGES)
        self._game = game

    def draw(self, rng: random.Random, split: Split, number: int) -> Task | None:
        """A game that the agent can win (or share at its best), against this opponent with this seed."""
        level, opponent = self.options.level, self.options.opponent
        content = tasks.draw(self._game, level, opponent, rng)
        name = self.task_name(split, number)
        match = Match(content, name)
        moves = None if match.is_over else plans.winning_moves(match)
        if not moves:
            return None
        labels = {"level": level, "index": number, "seat": content.seat, "opponent": content.opponent}
        return Task(self.name, name, content.pack(), len(moves), {**labels, "strength": content.strength})

    def open(self, task: Task) -> GameEnvironment:
        """A game from the agent's first turn."""
        match = Match(unpack(task.content, task.name), task.name)
        return GameEnvironment(match, self.primitives, self.words.domains[self.name].example.goal)

    def reference_plan(self, task: Task) -> tuple[PlannedCall, ...] | None:
        """Moves that win against this opponent with this seed."""
        moves = plans.winning_moves(Match(unpack(task.content, task.name), task.name))
        return None if moves is None else plans.as_calls(moves)


NIM, CONNECT_FOUR, HEX, LEDUC_POKER, BARGAINING, TINY_HANABI = (
    DomainEntry(f"games-{game}", GamesOptions, partial(GameDomain, game), PACKAGES) for game in NAMES
)
