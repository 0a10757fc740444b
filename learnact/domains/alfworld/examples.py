"""Worked examples of the six task types for prompts, kept in one form and written in any interface
(`examples.yaml`)."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Any

import yaml

from learnact.domains.alfworld.language import Language
from learnact.domains.base import Example, FunctionExample


@cache
def _all() -> dict[str, Any]:
    text = resources.files("learnact.domains.alfworld").joinpath("examples.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def instruction(language: Language) -> str:
    """What the world is like, without the list of actions; in other words under `reworded`."""
    name = "reworded_instruction" if "reworded" in language.perturb else "instruction"
    return language.show(str(_all()[name]).strip())


def example(kind: str, language: Language, as_text: bool = False) -> Example:
    """The worked example of a type, with actions as calls or as text."""
    kept = _all()["tasks"][kind]
    steps = []
    for thought, command, observation in kept["steps"]:
        engine = _in_surface(command, language)
        action = language.as_text(engine) if as_text else language.as_call(engine)
        steps.append(
            (language.show(thought), action, language.show(_observed(command, observation, language)))
        )
    return Example(kept["goal"], language.show(kept["observation"]), tuple(steps))


def function_example(language: Language, which: str = "function") -> FunctionExample:
    """One worked example of a learned function, which solves no task; `own_function`: one that does a large
    part of one (`learner_example: same_domain`)."""
    kept = _all()[which]
    parts = {
        name: language.show(language.code(kept[name]).rstrip()) for name in ("source", "description", "usage")
    }
    return FunctionExample(**parts)


def answers(language: Language) -> tuple[str, str]:
    """The forms in which primitive actions answer, as `Profile.possible` and `Profile.impossible`."""
    possible, impossible = (language.show(str(_all()[name]).strip()) for name in ("possible", "impossible"))
    return possible, impossible


def game(kind: str) -> str:
    """The game of the worked example of a type, as a task's content (`example_games.yaml`)."""
    text = resources.files("learnact.domains.alfworld").joinpath("example_games.yaml").read_text("utf-8")
    return "".join(str(yaml.safe_load(text)[kind]).split())


def _in_surface(command: str, language: Language) -> str:
    return (
        re.sub(r"^put (.*) in/on (.*)$", r"move \1 to \2", command) if language.surface == "new" else command
    )


def _observed(command: str, observation: str, language: Language) -> str:
    """What the surface `new` says instead of the published one."""
    if language.surface == "published":
        return observation
    if command.startswith("go to "):
        return f"You arrive at {command.removeprefix('go to ')}. {observation}"
    return re.sub(r"^You put the (.*) in/on the (.*)\.$", r"You move the \1 to the \2.", observation)
