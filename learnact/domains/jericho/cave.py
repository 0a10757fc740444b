"""Colossal Cave, played by the pure Python package `adventure`. Engine processes only."""

from __future__ import annotations

from adventure import load_advent_dat
from adventure.game import Game

from learnact.domains.jericho.engine import StoryAnswer
from learnact.domains.jericho.tasks import PLACES, StoryTask

_SHOWS = {"look", "inven", "inventory", "read", "peruse", "score", "find", "where", "help", "info", "brief"}
"""Words that only show something: they are done though nothing changes."""


class CaveGame:
    """The cave game with things to be brought to a place."""

    def __init__(self, task: StoryTask) -> None:
        self._game = Game(seed=task.seed)
        load_advent_dat(self._game)
        self._game.start()
        self._task = task
        self.start = _clean(self._game.do_command(["no"]))

    def do(self, command: str) -> StoryAnswer:
        """Do a command. It took a turn when something has changed, or was there to be shown."""
        before = self._state()
        words = command.lower().split()[:2]
        told = _clean(self._game.do_command(words))
        if self._game.yesno_callback:  # a question ("do you really want to quit?") is never said yes to
            told = f"{told}\n{_clean(self._game.do_command(['no']))}"
        shown = bool(words) and words[0] in _SHOWS and words[0] in self._game.vocabulary
        return StoryAnswer(told, shown or self._state() != before)

    @property
    def share(self) -> float:
        """Things at the place, and half of those that are carried elsewhere."""
        place = self._game.rooms[PLACES[self._task.place][0]]
        here = self._game.loc is place
        points = 0.0
        for name in self._task.fetch:
            of_the_name = [thing for thing in self._game.object_list if name in thing.names]  # two are a rod
            if any(thing.is_at(place) or (here and thing.is_toting) for thing in of_the_name):
                points += 1.0
            elif any(thing.is_toting for thing in of_the_name):
                points += 0.5
        return points / len(self._task.fetch)

    @property
    def won(self) -> bool:
        """Whether all things are at the place."""
        return self.share == 1

    @property
    def over(self) -> bool:
        """Whether the player is dead or has ended the game."""
        return bool(self._game.is_finished or self._game.is_dead)

    def close(self) -> None:
        """Nothing to free."""

    def _state(self) -> object:
        things = self._game.object_list
        where = tuple((t.n, t.is_toting, tuple(room.n for room in t.rooms), t.prop) for t in things)
        return (self._game.loc.n, where)


def _clean(told: str) -> str:
    return " ".join(told.split())
