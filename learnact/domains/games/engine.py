"""A game in play: the agent's moves, chance and the opponent between them, until it is the agent's turn again
or the game is over. OpenSpiel decides what is legal and what a game is worth."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Any

from learnact.domains.games.content import MatchContent
from learnact.domains.games.opponents import opponent_move
from learnact.domains.games.rules import RULES, Result
from learnact.errors import TaskError
from learnact.records import seed_from

NAMES = tuple(RULES)


def name_of(game: str) -> str:
    """OpenSpiel's short name of a game."""
    return game.partition("(")[0]


@lru_cache(maxsize=64)
def load(game: str) -> Any:
    """A game by OpenSpiel's name. Raises `TaskError` for one that it does not know."""
    import pyspiel

    if name_of(game) not in NAMES:
        raise TaskError(f"{game}: not one of the games {', '.join(NAMES)}")
    try:
        return pyspiel.load_game(game)
    except (pyspiel.SpielError, RuntimeError) as error:
        raise TaskError(f"{game}: {' '.join(str(error).split())}") from None


def begun(content: MatchContent, where: str) -> Any:
    """OpenSpiel's state after the opening of a game. Raises `TaskError` naming `where`."""
    state = load(content.game).new_initial_state()
    for action in content.opening:
        if action not in state.legal_actions():
            raise TaskError(f"{where}: {action} in its opening is no legal action")
        state.apply_action(action)
    return state


def drawn_by_chance(content: MatchContent, state: Any) -> int:
    """What chance brings in a state: it follows from the seed and the moves so far."""
    rng = random.Random(seed_from("chance", content.seed, state.history()))
    actions, weights = zip(*state.chance_outcomes(), strict=True)
    return int(rng.choices(actions, weights)[0])


class Match:
    """One game. `told` is what happened since the agent's last move, in words."""

    def __init__(self, content: MatchContent, where: str) -> None:
        self._content = content
        self.name = name_of(content.game)
        self._state = begun(content, where)
        self.rules = RULES[self.name]
        self.told: list[str] = []
        self._go_on()

    @property
    def is_over(self) -> bool:
        """Whether the game has ended."""
        return bool(self._state.is_terminal())

    @property
    def result(self) -> Result:
        """How it ended for the agent."""
        return self.rules.result(self._state, self._content.seat)

    def copy(self) -> Match:
        """The same game, to be played on apart from this one."""
        other = object.__new__(Match)
        other.__dict__.update(self.__dict__)
        other._state = self._state.clone()
        other.told = []
        return other

    @property
    def state(self) -> Any:
        """OpenSpiel's state."""
        return self._state

    def shown(self) -> str:
        """What the agent knows of the state."""
        return self.rules.show(self._state, self._content.seat)

    def moves(self) -> dict[str, int]:
        """The agent's legal moves with OpenSpiel's actions."""
        if self.is_over:
            return {}
        return {self.rules.move(self._state, action): action for action in self._state.legal_actions()}

    def play(self, action: int) -> None:
        """The agent's move, and all that follows until its next turn."""
        self.told = []
        self._state.apply_action(action)
        self._go_on()

    def _go_on(self) -> None:
        content, state = self._content, self._state
        while not state.is_terminal() and state.current_player() != content.seat:
            if state.is_chance_node():
                state.apply_action(drawn_by_chance(content, state))
                continue
            action = opponent_move(self.name, state, content.opponent, content.strength, content.seed)
            self.told.append(f"The opponent plays {self.rules.move(state, action)!r}.")
            state.apply_action(action)
