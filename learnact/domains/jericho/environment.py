"""A text adventure through our interface. Engine processes only."""

from __future__ import annotations

import re
from collections.abc import Sequence

from learnact.domains.base import Primitive
from learnact.domains.family_environment import FamilyEnvironment, PrimitiveAnswer, shortened
from learnact.domains.jericho.engine import Story
from learnact.records import Plain, Step

LOST = "The game has ended without what the goal asks for."
_LONGEST = 100
_REFUSED = {
    "save", "restore", "restart", "quit", "q", "undo", "script", "unscript", "record", "replay", "suspend",
    "pause",
}  # fmt: skip
"""Words to the interpreter rather than to the game; some write files."""


class StoryEnvironment(FamilyEnvironment):
    """`learnact.domains.base.Environment` on a text adventure."""

    def __init__(
        self, story: Story, goal: str, labels: Sequence[str], primitives: Sequence[Primitive]
    ) -> None:
        super().__init__(primitives)
        self._story = story
        self._labels = [re.compile(label) for label in labels]
        self._seen = [bool(label.search(story.start)) for label in self._labels]
        self.goal = goal
        self.first_observation = story.start

    def answer(self, name: str, values: tuple[Plain, ...]) -> PrimitiveAnswer:
        """Do a command; a primitive without a parameter is the command of its name."""
        command = " ".join(str(values[0]).split()) if values else name
        if not command or len(command) > _LONGEST or not command.isascii():
            return PrimitiveAnswer("A command is a few English words.", valid=False)
        if command.lower().split()[0] in _REFUSED:
            return PrimitiveAnswer("That is not a command to the game; there is no way back.", valid=False)
        told = self._story.do(command)
        won = self._story.won
        failed = LOST if self._story.over and not won else ""
        if not told.took_turn and not failed:
            return PrimitiveAnswer(told.text or "The game says nothing.", valid=False)
        said = told.text or "Nothing is said."
        return PrimitiveAnswer(said, True, self._progress_after(told.text), won, failed=failed)

    def text(self, command: str) -> Step:
        """Do a command given as text."""
        return self.take(shortened(command), "do", (command,))

    def close(self) -> None:
        """Free the game. Idempotent."""
        self._story.close()

    def _progress_after(self, told: str) -> float:
        """The share of the labels seen so far, where there are labels; else the game's."""
        if not self._labels:
            return self._story.share
        self._seen = [old or bool(p.search(told)) for old, p in zip(self._seen, self._labels, strict=True)]
        return sum(self._seen) / len(self._seen)
