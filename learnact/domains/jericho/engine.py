"""What a text adventure is to us, and game files in the interpreter of `jericho`. Engine processes only.

The engine's list of valid actions is never asked for: it needs a language model of another package that is
downloaded at first use, and its order is random.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import jericho


@dataclass(frozen=True)
class StoryAnswer:
    """What a game made of a command. `took_turn`: it was understood and something was done, or tried."""

    text: str
    took_turn: bool


class Story(Protocol):
    """A text adventure being played."""

    start: str

    def do(self, command: str) -> StoryAnswer:
        """Do a command."""
        ...

    @property
    def share(self) -> float:
        """Progress now, 0 .. 1."""
        ...

    @property
    def won(self) -> bool:
        """Whether the game is won now."""
        ...

    @property
    def over(self) -> bool:
        """Whether the game has ended."""
        ...

    def close(self) -> None:
        """Free it."""
        ...


class GameFile:
    """A game file. `points`: score that wins it; 0: its own end does."""

    def __init__(self, path: Path, seed: int, points: int) -> None:
        with warnings.catch_warnings():  # games that it does not know by name are played all the same
            warnings.simplefilter("ignore")
            self._interpreter = jericho.FrotzEnv(str(path), seed)
        self.start = _clean(self._interpreter.reset()[0])
        self._points = points
        self._moves = int(self._interpreter.get_moves())
        self._state = self._interpreter.get_world_state_hash()

    def do(self, command: str) -> StoryAnswer:
        """Do a command. It took a turn when the game's counter or its world has changed."""
        told = _clean(self._interpreter.step(command)[0])
        before = (self._moves, self._state)
        self._moves = int(self._interpreter.get_moves())
        self._state = self._interpreter.get_world_state_hash()
        return StoryAnswer(told, (self._moves, self._state) != before or self.over)

    @property
    def share(self) -> float:
        """The score's share of the points that win, or of the most that the game gives."""
        most = self._points or int(self._interpreter.get_max_score())
        return max(0.0, self._interpreter.get_score() / most) if most > 0 else 0.0

    @property
    def won(self) -> bool:
        """Points reached, or the game's victory."""
        reached = bool(self._points) and self._interpreter.get_score() >= self._points
        return reached or bool(self._interpreter.victory())

    @property
    def over(self) -> bool:
        """Whether the game has ended, well or badly."""
        return bool(self._interpreter.game_over() or self._interpreter.victory())

    def close(self) -> None:
        """Free the interpreter. Idempotent."""
        if self._interpreter is not None:
            self._interpreter.close()
            self._interpreter = None


def _clean(told: str) -> str:
    """What a game says, without blank lines."""
    return "\n".join(line.rstrip() for line in told.splitlines() if line.strip())
