"""A game being played: the game file in the interpreter gives the text, the game's own rules give the state.
Engine processes only.

The stock wrapper lists all possible actions after each step to find out which one was done (6 to 10 ms).
Here the action is known before it is sent: it is looked up in the rules, sent only when it is possible, and
applied to the state when the game says that it was carried out. A test plays both side by side.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jericho
from textworld.generator.game import Game as GeneratedGame
from textworld.logic import Action, State, Variable

from learnact.domains.textworld.view import Fact, StateView

_TAG = re.compile(r"\[([^\]]+)\]\n?")
_SCORE = "Your score has just gone up by"
_END = re.compile(r"\s*\*\*\* (The End|You lost!) \*\*\*.*", re.DOTALL)
_BLANK = re.compile(r"\n\s*\n\s*")


class TextGame:
    """One game being played. `close` frees the interpreter."""

    def __init__(self, folder: Path) -> None:
        self._game = GeneratedGame.load(str(folder / "tw-game.json"))
        self._rules = self._game.kb.rules
        self._constants = self._game.kb.types.constants_mapping  # the player and what it carries
        self._types = self._game.kb.logic.types
        self._state: State = self._game.world.state.copy()
        self._variables = {name: Variable(i.id, i.type) for name, i in _named(self._game).items()}
        kinds = {name: frozenset(self._kinds(v.type)) for name, v in self._variables.items()}
        self._quests = [_Quest(quest) for quest in self._game.quests]
        self.view = StateView({name: v.name for name, v in self._variables.items()}, kinds, self._facts())
        # The interpreter takes a game for one of TextWorld by its name.
        with warnings.catch_warnings():  # it knows only published games by name
            warnings.simplefilter("ignore")
            self._interpreter = jericho.FrotzEnv(str(folder / "tw-game.z8"))
        told = _clean(self._interpreter.reset()[0])
        self._interpreter.step("tw-trace-actions")
        self.goal: str = " ".join(self._game.objective.split())
        self.first_observation = told[told.index("-= ") :]
        self.score = 0
        self.max_score = sum(quest.reward for quest in self._quests)
        self.won = self.lost = False
        self._judge()

    def close(self) -> None:
        """Free the interpreter. Idempotent."""
        if self._interpreter is not None:
            self._interpreter.close()
            self._interpreter = None

    @property
    def target(self) -> str:
        """The identifier of what must be carried to win; "" where a game asks for more than that."""
        if self.max_score != 1:
            return ""
        wanted = [fact for quest in self._quests for win in quest.win for fact in win]
        return next((fact[1] for fact in wanted if fact[0] == "in" and fact[2] == "I"), "")

    def possible(self, rules: Sequence[str], given: Mapping[str, str]) -> Action | None:
        """The action of the first of these rules that is possible now; `given` binds some of a rule's
        variables to names of things."""
        for name in rules:
            rule = self._rules.get(name)
            if rule is None:
                continue
            bound = {p: self._variables[given[p.name]] for p in rule.placeholders if p.name in given}
            if len(bound) == len(given) and all(self._fits(v.type, p.type) for p, v in bound.items()):
                bound.update({p: v for p, v in self._constants.items() if p in rule.placeholders})
                action = next(iter(self._state.all_instantiations(rule, bound)), None)
                if action is not None:
                    return action
        return None

    def do(self, command: str, action: Action | None) -> tuple[bool, str]:
        """Send a command that is possible: whether the game carried it out, and what it says. `action` is
        what changes in the state; None for a command that changes nothing."""
        told = self._interpreter.step(command)[0]
        done = any(" - succeeded" in tag for tag in _TAG.findall(told))
        if done and action is not None:
            self._state.apply(action)
            self.view.facts = self._facts()
            self._judge()
        return done, _clean(told)

    def _judge(self) -> None:
        for quest in self._quests:
            quest.update(self.view.facts)
        self.score = sum(quest.reward for quest in self._quests if quest.completed)
        needed = [quest for quest in self._quests if not quest.optional]
        self.lost = self.lost or any(quest.failed for quest in needed)
        self.won = not self.lost and all(quest.completed for quest in needed if quest.win)

    def _facts(self) -> frozenset[Fact]:
        return frozenset(_fact(proposition) for proposition in self._state.facts)

    def _fits(self, kind: str, wanted: str) -> bool:
        return wanted in self._kinds(kind)

    def _kinds(self, kind: str) -> list[str]:
        return [found.name for found in self._types.get(kind).supertypes]


class _Quest:
    """What is to be reached (any set of facts of `win`) and to be avoided (`fail`); settled once."""

    def __init__(self, quest: Any) -> None:
        self.win = [_conditions(event) for event in quest.win_events]
        self.fail = [_conditions(event) for event in quest.fail_events]
        self.reward = int(quest.reward)
        self.optional = bool(quest.optional)
        self.completed = self.failed = False

    def update(self, facts: frozenset[Fact]) -> None:
        if not (self.completed or self.failed):
            self.completed = any(wanted <= facts for wanted in self.win)
            self.failed = any(unwanted <= facts for unwanted in self.fail)


def _conditions(event: Any) -> frozenset[Fact]:
    return frozenset(_fact(proposition) for proposition in event.condition.preconditions)


def _fact(proposition: Any) -> Fact:
    return (proposition.name, *(argument.name for argument in proposition.arguments))


def _named(game: GeneratedGame) -> dict[str, Any]:
    return {info.name.lower(): info for info in game.infos.values() if info.name}


def _clean(told: str) -> str:
    """What the game says, without the notes of what it carried out, its end menu and its blank lines."""
    text = _END.sub("", _TAG.sub("", told))
    return _BLANK.sub("\n", text).strip()
