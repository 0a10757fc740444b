"""What each game looks like to a player: its moves as text, its state in words, and how its end is judged.

OpenSpiel plays; nothing here decides what is legal.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

CARDS = ("jack", "queen", "king")
"""The ranks of Leduc poker, two cards each."""
THINGS = ("book", "hat", "basketball")
"""What is shared in the bargaining game."""


GAVE_UP, OTHER_GAVE_UP = "You gave up.", "The opponent gave up."


@dataclass(frozen=True)
class Result:
    """How a game ended for a player: `score` 0 .. 1, whether that is a success, and a sentence."""

    score: float
    success: bool
    told: str


class GameWords(ABC):
    """A game's words."""

    @abstractmethod
    def move(self, state: Any, action: int) -> str:
        """A legal action as the move that an agent writes."""

    @abstractmethod
    def show(self, state: Any, seat: int) -> str:
        """What a player knows of the state."""

    def result(self, state: Any, seat: int) -> Result:
        """How a finished game is judged: won, drawn or lost."""
        mine = state.returns()[seat]
        if mine > 0:
            return Result(1.0, True, "You won.")
        return Result(0.5, False, "The game is a draw.") if mine == 0 else Result(0.0, False, "You lost.")

    def given_up(self, state: Any, seat: int, *, own: bool) -> Result:  # noqa: ARG002
        """How a game is judged that one of the players gave up (`own`: this one)."""
        return Result(0.0, False, GAVE_UP) if own else Result(1.0, True, f"{OTHER_GAVE_UP} You won.")


class Nim(GameWords):
    """Who takes the last stone loses."""

    def move(self, state: Any, action: int) -> str:
        """A move."""
        pile, stones = re.findall(r"\d+", state.action_to_string(action))
        return f"{stones} from {pile}"

    def show(self, state: Any, seat: int) -> str:  # noqa: ARG002
        """What is seen."""
        piles = str(state).partition(":")[2].split()
        told = [
            f"Pile {n} has {stones} stone{'' if stones == '1' else 's'}." for n, stones in enumerate(piles, 1)
        ]
        return " ".join(told)


class ConnectFour(GameWords):
    """Four in a row."""

    def move(self, state: Any, action: int) -> str:
        """A move."""
        return str(state.action_to_string(action))[1:]

    def show(self, state: Any, seat: int) -> str:
        """What is seen."""
        rows = [" ".join(row) for row in str(state).split()]
        return "\n".join([f"You are {'xo'[seat]}.", *rows, "0 1 2 3 4 5 6"])


class Hex(GameWords):
    """Two sides of the board are to be connected."""

    _PLAIN = str.maketrans("yzXpqO", "xxxooo")

    def move(self, state: Any, action: int) -> str:
        """A move."""
        name: str = state.action_to_string(action)
        return name

    def show(self, state: Any, seat: int) -> str:
        """What is seen."""
        rows = [line.rstrip() for line in str(state).translate(self._PLAIN).rstrip("\n").split("\n")]
        letters = " ".join("abcdefghijklmnopqrs"[: len(rows)])
        numbered = [f"{number:>2} {row}" for number, row in enumerate(rows, 1)]
        sides = "top with the bottom" if seat == 0 else "left side with the right side"
        return "\n".join([f"You are {'xo'[seat]} and connect the {sides}.", f"   {letters}", *numbered])


class LeducPoker(GameWords):
    """A small game of poker: six cards, two rounds."""

    def move(self, state: Any, action: int) -> str:
        """A move."""
        return str(state.action_to_string(action)).lower()

    def show(self, state: Any, seat: int) -> str:
        """What is seen."""
        known: dict[str, str] = dict(re.findall(r"\[(\w+):? ([^\]]*)\]", state.observation_string(seat)))
        antes = known.get("Ante", known.get("Antes", "")).split()
        public = f"The public card is a {self._card(known['Public'])}." if "Public" in known else ""
        told = [
            f"This is round {known['Round']}.",
            f"Your card is a {self._card(known['Private'])}.",
            public,
            f"You have put in {antes[seat]}, the opponent {antes[1 - seat]}." if len(antes) == 2 else "",
            f"The pot is {known['Pot']}." if "Pot" in known else "",
        ]
        return " ".join(sentence for sentence in told if sentence)

    def result(self, state: Any, seat: int) -> Result:
        """More than nothing is a win; the score is where the result lies between the worst and the best."""
        return self._worth(state.get_game(), state.returns()[seat])

    def given_up(self, state: Any, seat: int, *, own: bool) -> Result:
        """Who gives up folds, and loses what it has put in."""
        antes = re.search(r"\[Antes?: (\d+) (\d+)\]", state.observation_string(seat))
        assert antes is not None, "what both have put in is always seen"
        lost = int(antes[1 + (seat if own else 1 - seat)])
        result = self._worth(state.get_game(), -lost if own else lost)
        return replace(result, told=f"{GAVE_UP if own else OTHER_GAVE_UP} {result.told}")

    @staticmethod
    def _worth(game: Any, mine: float) -> Result:
        score = (mine - game.min_utility()) / (game.max_utility() - game.min_utility())
        told = f"You won {mine:g}." if mine > 0 else f"You lost {-mine:g}." if mine < 0 else "Nobody won."
        return Result(score, mine > 0, told)

    @staticmethod
    def _card(number: str) -> str:
        return CARDS[int(number) // 2]


class _Together(GameWords):
    """Both get something only where both play to the end."""

    def given_up(self, state: Any, seat: int, *, own: bool) -> Result:  # noqa: ARG002
        """Nobody gets anything."""
        return Result(0.0, False, f"{GAVE_UP if own else OTHER_GAVE_UP} Nobody gets anything.")


class Bargaining(_Together):
    """Three kinds of things are shared; each player values them otherwise."""

    def move(self, state: Any, action: int) -> str:
        """A move."""
        said = state.action_to_string(action)
        if said == "Agree":
            return "agree"
        return " ".join(
            ["keep", *(f"{n} {thing}" for n, thing in zip(re.findall(r"\d+", said), THINGS, strict=True))]
        )

    def show(self, state: Any, seat: int) -> str:
        """What is seen."""
        pool, values, _ = numbers_of(state, seat)
        things = ", ".join(f"{n} {thing}" for n, thing in zip(pool, THINGS, strict=True))
        worth = ", ".join(f"a {thing} {n}" for n, thing in zip(values, THINGS, strict=True))
        offers = offers_of(state)
        told = [f"There are {things}.", f"To you is worth: {worth}."]
        if offers:
            kept = ", ".join(f"{n} {thing}" for n, thing in zip(offers[-1], THINGS, strict=True))
            rest = sum(v * (p - k) for v, p, k in zip(values, pool, offers[-1], strict=True))
            told.append(f"The last offer: its maker keeps {kept}; the rest is worth {rest} to you.")
        told.append(f"{len(offers)} of 10 offers are made.")
        return " ".join(told)

    def result(self, state: Any, seat: int) -> Result:
        """A success is at least what is yours in the division with the largest product of both values."""
        mine = state.returns()[seat]
        best = fair_value(state, seat)
        told = (
            f"You agreed, and have things worth {mine:g} of 10."
            if "reached? 1" in str(state)
            else "No agreement."
        )
        return Result(min(mine / 10, 1.0), mine >= best, told)


class TinyHanabi(_Together):
    """Two players with one card each make one move each and share the result."""

    def move(self, state: Any, action: int) -> str:  # noqa: ARG002
        """A move."""
        return f"a{action}"

    def show(self, state: Any, seat: int) -> str:
        """What is seen."""
        cards, moves = hands_of(state)
        lines = [f"You are player {seat}. Your card is d{cards[seat]}."]
        if moves:
            lines.append(f"Player 0 has made the move a{moves[0]}.")
        return "\n".join([*lines, *_payoffs(state.get_game())])

    def result(self, state: Any, seat: int) -> Result:
        """A success is the most that the two cards can give."""
        (first, second), _ = hands_of(state)
        mine, best = state.returns()[seat], max(payoff_table(state.get_game())[first][second].values())
        return Result(mine / best if best else 1.0, mine >= best, f"You both get {mine:g} of {best:g}.")


RULES: dict[str, GameWords] = {
    "nim": Nim(),
    "connect_four": ConnectFour(),
    "hex": Hex(),
    "leduc_poker": LeducPoker(),
    "bargaining": Bargaining(),
    "tiny_hanabi": TinyHanabi(),
}


# What several modules need to know of a state


def numbers_of(state: Any, seat: int) -> tuple[list[int], list[int], list[int]]:
    """A bargaining state: the pool, what a thing is worth to a player, and what it is to the other one."""
    pool, first, second = (
        [int(n) for n in re.findall(r": (\d+)", line)] for line in str(state).split("\n")[:3]
    )
    return pool, (first, second)[seat], (first, second)[1 - seat]


def offers_of(state: Any) -> list[list[int]]:
    """The offers of a bargaining state: what their makers keep."""
    return [
        [int(n) for n in re.findall(r": (\d+)", line)] for line in str(state).split("\n") if "offers:" in line
    ]


def fair_value(state: Any, seat: int) -> float:
    """What is a player's in the division of a bargaining state with the largest product of both values; the
    least of several."""
    pool, mine, other = numbers_of(state, seat)
    found: list[tuple[int, int]] = []
    for a in range(pool[0] + 1):
        for b in range(pool[1] + 1):
            for c in range(pool[2] + 1):
                have = a * mine[0] + b * mine[1] + c * mine[2]
                left = sum(v * p for v, p in zip(other, pool, strict=True)) - (
                    a * other[0] + b * other[1] + c * other[2]
                )
                found.append((have * left, have))
    most = max(product for product, _ in found)
    return min(have for product, have in found if product == most)


def hands_of(state: Any) -> tuple[list[int], list[int]]:
    """The two cards and the moves made of a state of tiny Hanabi."""
    actions: Sequence[int] = state.history()
    return list(actions[:2]), list(actions[2:])


def payoff_table(game: Any) -> list[list[dict[tuple[int, int], float]]]:
    """What the moves of both players give, by the cards of both."""
    given = game.get_parameters()
    cards, moves = given["num_chance"], given["num_actions"]
    values = iter(float(value) for value in given["payoff"].split(";"))
    return [
        [{(a, b): next(values) for a in range(moves) for b in range(moves)} for _ in range(cards)]
        for _ in range(cards)
    ]


def _payoffs(game: Any) -> list[str]:
    lines = []
    for first, row in enumerate(payoff_table(game)):
        for second, table in enumerate(row):
            moves = sorted({a for a, _ in table})
            told = "; ".join(f"a{a}: {', '.join(f'{table[a, b]:g}' for b in moves)}" for a in moves)
            lines.append(f"With d{first} and d{second}, by player 0's move, then player 1's: {told}.")
    return lines
