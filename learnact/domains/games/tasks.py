"""How games are drawn: their size, what was played before the agent's first turn, and the opponent."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from learnact.domains.games.content import MatchContent, OpponentKind
from learnact.domains.games.engine import load

_LEVELS = ("easy", "published", "hard", "harder")


@dataclass(frozen=True)
class Strength:
    """The opponent of a level."""

    kind: OpponentKind
    strength: int = 1


STRENGTHS: dict[str, tuple[Strength, ...]] = {
    "nim": (Strength("random"), Strength("search", 10), Strength("search", 100), Strength("search", 2000)),
    "connect_four": (
        Strength("random"),
        Strength("search", 10),
        Strength("search", 40),
        Strength("search", 150),
    ),
    "hex": (Strength("random"), Strength("search", 10), Strength("search", 50), Strength("search", 200)),
    "leduc_poker": (Strength("random"), Strength("search", 2), Strength("search", 8), Strength("search", 20)),
    "bargaining": (
        Strength("search", 3),
        Strength("search", 5),
        Strength("search", 6),
        Strength("search", 7),
    ),
    "tiny_hanabi": (Strength("search"), Strength("search"), Strength("search"), Strength("search")),
}
"""The opponent of each game at each level: simulations of a tree search, iterations of the solver of poker,
or the points that a bargainer wants."""


def draw(name: str, level: str, opponent: OpponentKind | None, rng: random.Random) -> MatchContent:
    """A game of a level. `opponent`: instead of the level's."""
    place = _LEVELS.index(level)
    found = STRENGTHS[name][place]
    content = _DRAWN[name](place, rng)
    return content.model_copy(
        update={
            "opponent": opponent or found.kind,
            "strength": found.strength,
            "seed": rng.randrange(2**31),
        }
    )


def _nim(place: int, rng: random.Random) -> MatchContent:
    piles = [rng.randint(1, (4, 5, 6, 8)[place]) for _ in range((2, 3, 3, 4)[place])]
    return MatchContent(game=f"nim(pile_sizes={';'.join(map(str, piles))})", seat=rng.randint(0, 1))


def _connect_four(place: int, rng: random.Random) -> MatchContent:
    """Some plies are played at random, so that games differ from the beginning; nobody has won by them."""
    opening = _random_opening("connect_four", (2, 4, 4, 4)[place], rng)
    return MatchContent(game="connect_four", opening=opening, seat=len(opening) % 2)


def _hex(place: int, rng: random.Random) -> MatchContent:
    game = f"hex(board_size={(3, 4, 5, 6)[place]})"
    opening = _random_opening(game, rng.choice((0, 1, 2)), rng)
    return MatchContent(game=game, opening=opening, seat=len(opening) % 2)


def _leduc_poker(place: int, rng: random.Random) -> MatchContent:  # noqa: ARG001
    return MatchContent(game="leduc_poker", opening=tuple(rng.sample(range(6), 2)), seat=rng.randint(0, 1))


def _bargaining(place: int, rng: random.Random) -> MatchContent:  # noqa: ARG001
    return MatchContent(game="bargaining", opening=(rng.randrange(1000),), seat=rng.randint(0, 1))


def _tiny_hanabi(place: int, rng: random.Random) -> MatchContent:
    """A table of results, and the cards. At the first level the agent moves second, so that it has seen its
    partner's move."""
    cards, moves = (2, 2, 3, 3)[place], (2, 3, 3, 4)[place]
    values = [str(rng.choice((0, 0, 2, 4, 6, 8, 10))) for _ in range(cards * cards * moves * moves)]
    game = f"tiny_hanabi(num_actions={moves},num_chance={cards},payoff={';'.join(values)})"
    deal = (rng.randrange(cards), rng.randrange(cards))
    return MatchContent(game=game, opening=deal, seat=1 if place == 0 else rng.randint(0, 1))


def _random_opening(game: str, plies: int, rng: random.Random) -> tuple[int, ...]:
    state = load(game).new_initial_state()
    for _ in range(plies):
        state.apply_action(rng.choice(state.legal_actions()))
    return tuple(state.history())


_DRAWN: dict[str, Callable[[int, random.Random], MatchContent]] = {
    "nim": _nim,
    "connect_four": _connect_four,
    "hex": _hex,
    "leduc_poker": _leduc_poker,
    "bargaining": _bargaining,
    "tiny_hanabi": _tiny_hanabi,
}
