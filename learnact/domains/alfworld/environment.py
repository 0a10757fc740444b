"""A game being played through our interface. Engine processes only.

Covers: actions as calls and as text, success (`won`, latched), progress, and the reason why an action was
invalid, as far as the agent could know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from learnact.domains.alfworld.content import GameContent
from learnact.domains.alfworld.engine import Game
from learnact.domains.alfworld.invalid_actions import why_invalid
from learnact.domains.alfworld.language import EngineCommand, Language, NotUnderstood, shortened
from learnact.domains.alfworld.progress import ProgressMeasure
from learnact.domains.alfworld.task_types import read_goal
from learnact.domains.alfworld.translation import translate
from learnact.records import Plain, Step

NOTHING = "Nothing happens."
_LOCATION_PREFIX = "You arrive at loc "
_SEES_NOTHING = "Looking quickly around you, you see nothing."


class AlfworldEnvironment:
    """`learnact.domains.base.Environment` on the real engine."""

    def __init__(self, content: GameContent, language: Language, name: str) -> None:
        self._language = language
        self._game = Game(language.surface, translate(content.problem))
        self._measure = ProgressMeasure(self._game, read_goal(content.problem, name), content.labels)
        self._success = False
        self._place = ""
        self._places = {name for name, _ in self._game.facts_named("receptacletype")}
        self.goal = content.goal
        self._around = self._game.look()
        self.first_observation = language.show(self._around)

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
        values = [(f"{k}=", v) for k, v in keywords.items()]
        written = [f"{k}{shortened(repr(v))}" for k, v in [*(("", a) for a in arguments), *values]]
        command = self._language.from_call(name, arguments, keywords)
        if isinstance(command, NotUnderstood):
            return self._invalid(f"{shortened(name)}({', '.join(written)})", command.reason)
        return self._do(command, self._language.format_call(command.action, command.arguments))

    def text(self, command: str) -> Step:
        """Do an action given as text."""
        understood = self._language.from_text(command)
        if isinstance(understood, NotUnderstood):
            return self._invalid(shortened(command), understood.reason)
        return self._do(understood, command.strip())

    def close(self) -> None:
        """Give the engine back. Idempotent."""
        self._game.close()

    def _do(self, command: EngineCommand, written: str) -> Step:
        observation = self._game.do(command.engine) or self._go_nowhere(command)
        if observation is None:
            why = why_invalid(self._game, command.action, command.arguments)
            return self._invalid(written, self._language.show(why))
        if command.goes:
            self._place = command.arguments["recep"]
        observation = self._told(command, observation)
        self._success = self._success or self._game.won
        self._measure.update(observation, self._success)
        return Step(written, True, self._language.show(observation), self.progress, self._success)

    def _go_nowhere(self, command: EngineCommand) -> str | None:
        """What going to a place shows when the agent stands where it is reached from. None for any other
        command.

        Several places can be reached from one point. The engine has no command for going from a point to
        itself, so it would refuse both a place that the agent has not gone to and the one where it is.
        """
        place = command.arguments.get("recep", "")
        if not command.goes or place not in self._places:
            return None
        again = place == self._place
        if again and self._language.in_place == "invalid":
            return None
        observation = self._game.do(f"examine {place}")
        if observation is None:
            return None
        if again:
            return f"You are already at {place}. {observation}"
        return (
            observation if self._language.surface == "published" else f"You arrive at {place}. {observation}"
        )

    def _told(self, command: EngineCommand, observation: str) -> str:
        """The engine's answer as the agent reads it: without `You arrive at loc 31.`, as the published
        wrapper shows it; and a look around the room shows its places, where the engine says `nothing`."""
        if command.action == "look" and observation.endswith(_SEES_NOTHING):
            return self._around
        return observation.split(". ", 1)[1] if observation.startswith(_LOCATION_PREFIX) else observation

    def _invalid(self, written: str, why: str) -> Step:
        return Step(written, False, f"{NOTHING} {why}".strip(), self.progress, self._success)
