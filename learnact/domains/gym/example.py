"""A small text environment, to see how others are played: a number from 1 to 100 is to be found.

Registered with Gymnasium as `LearnactGuess-v0` when this module is imported, as a package of your own would
do it; nothing in it knows learnact.
"""

from __future__ import annotations

import string
from typing import Any

import gymnasium
from gymnasium import spaces


class GuessEnv(gymnasium.Env):  # type: ignore[misc]
    """Actions and observations are text. The reward is 1 for the number, else 0; the number ends it."""

    def __init__(self, most: int = 100) -> None:
        self.action_space = spaces.Text(max_length=8, charset="0123456789-")
        self.observation_space = spaces.Text(max_length=80, charset=string.printable)
        self._most = most
        self._number = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Think of a number."""
        super().reset(seed=seed, options=options)
        self._number = int(self.np_random.integers(1, self._most + 1))
        return f"I think of a number from 1 to {self._most}.", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Say whether the number is higher or lower."""
        if not action.lstrip("-").isdecimal():
            return "", 0.0, False, False, {"invalid": "That is no number."}
        guess = int(action)
        if guess == self._number:
            return f"Yes, it is {guess}.", 1.0, True, False, {}
        return f"It is {'higher' if guess < self._number else 'lower'} than {guess}.", 0.0, False, False, {}


gymnasium.register(id="LearnactGuess-v0", entry_point="learnact.domains.gym.example:GuessEnv")
