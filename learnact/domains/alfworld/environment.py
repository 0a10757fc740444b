"""A game being played through our interface. Engine processes only.

Covers: actions as calls and as text, success (`won`, latched), progress, and the reason why an action was invalid, as far as the agent could know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from learnact.domains.alfworld.content import Content
from learnact.domains.alfworld.engine import Game
from learnact.domains.alfworld.language import Command, Language, Refusal
from learnact.domains.alfworld.progress import Measure
from learnact.domains.alfworld.reasons import reason
from learnact.domains.alfworld.task_types import read_goal
from learnact.domains.alfworld.translation import translate
from learnact.records import Plain, Step

NOTHING = "Nothing happens."
_NOISE = "You arrive at loc "


class AlfworldEnvironment:
    """`learnact.domains.base.Environment` on the real engine."""

    def __init__(self, content: Content, language: Language, name: str) -> None:
        self._language = language
        self._game = Game(language.surface, translate(content.problem))
        self._measure = Measure(self._game, read_goal(content.problem, name), content.labels)
        self._success = False
        self.goal = content.goal
        self.first_observation = language.show(self._game.look())

    @property
    def progress(self) -> float:
        """Running maximum in 0 .. 1; 1 exactly when won."""
        return self._measure.value

    @property
    def success(self) -> bool:
        """Whether the game was won, now or before."""
        return self._success

    def call(self, name: str, arguments: Sequence[Plain], keywords: Mapping[str, Plain]) -> Step:
        """Do an action given as a call."""
        said = [repr(a) for a in arguments] + [f"{k}={v!r}" for k, v in keywords.items()]
        command = self._language.from_call(name, arguments, keywords)
        if isinstance(command, Refusal):
            return self._refused(f"{name}({', '.join(said)})", command.reason)
        return self._do(command, self._language.call_of(command.action, command.arguments))

    def text(self, command: str) -> Step:
        """Do an action given as text."""
        understood = self._language.from_text(command)
        if isinstance(understood, Refusal):
            return self._refused(command.strip(), understood.reason)
        return self._do(understood, command.strip())

    def admissible(self) -> tuple[str, ...]:
        """The engine's commands that are possible now, sorted, without `help`; `Language` says them as text or calls."""
        return tuple(sorted(c for c in self._game.commands() if c != "help"))

    def close(self) -> None:
        """Give the engine back. Idempotent."""
        self._game.close()

    def _do(self, command: Command, said: str) -> Step:
        told = self._game.do(command.engine)
        if told is None:
            verb = "use" if command.action == "toggle" else command.action
            return self._refused(said, self._language.show(reason(self._game, verb, command.arguments)))
        told = _without_noise(told)
        self._success = self._success or self._game.won
        self._measure.see(told, self._success)
        return Step(said, True, self._language.show(told), self.progress, self._success)

    def _refused(self, said: str, why: str) -> Step:
        return Step(said, False, f"{NOTHING} {why}".strip(), self.progress, self._success)


def _without_noise(told: str) -> str:
    """Without `You arrive at loc 31.`, as the published wrapper has it."""
    return told.split(". ", 1)[1] if told.startswith(_NOISE) else told
