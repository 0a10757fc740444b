"""Options of the domain `gym`: which environment, what its actions are called, when it is solved."""

from __future__ import annotations

import json
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from learnact.domains.family import FamilyOptions
from learnact.domains.family_text import ExampleText, FunctionText, read_primitive

_FORM = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class GymAction(BaseModel):
    """An action of the environment, as a call."""

    model_config = _FORM

    call: str
    """Its signature, `guess(number: int)`; without parameters where actions have numbers."""
    does: str = ""
    """What the prompt says of it."""
    text: str = ""
    """Where actions are text: what is sent, with {0} for the first argument; default: the arguments."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.call.partition("(")[0].strip()

    @field_validator("call")
    @classmethod
    def _signature(cls, value: str) -> str:
        read_primitive(value, "")
        return value


class GymOptions(FamilyOptions):
    """Options of the domain `gym`."""

    env: str = "learnact.domains.gym.example:LearnactGuess-v0"
    """As `gymnasium.make` takes it: `module:Name-v0` imports the module that registers it."""
    arguments: str = "{}"
    """Keyword arguments of the environment, as JSON or a mapping."""
    title: str = "a text environment of Gymnasium"
    """One line on what it is."""
    instruction: str = "You play a game in text. An action that is not possible has no effect and says why."
    """How it works, for the prompt."""
    goal: str = "say the number that is thought of"
    """The goal; empty: what `reset` returns as info["goal"]."""
    actions: tuple[GymAction, ...] = Field(
        default=(
            GymAction(call="guess(number: int)", does="You are told whether the number is higher or lower."),
        ),
        min_length=1,
    )
    """Its actions. A discrete space: all of them, in the order of their numbers."""
    success: Literal["reward", "info", "terminated"] = "reward"
    """When it is solved: it ends with a reward above 0, info["success"] is true, or it ends."""
    best_return: float | None = Field(default=None, gt=0)
    """Sum of rewards that is progress 1; default: info["progress"], where there is one."""
    observation: str = ""
    """Where observations are dictionaries: the key of the text."""
    example: ExampleText | None = None
    """A worked example for prompts: goal, observation, steps of {do, observation}."""
    function: FunctionText | None = None
    """A worked function for learners: source, description, usage."""

    @field_validator("arguments", mode="before")
    @classmethod
    def _as_json(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return json.dumps(value, sort_keys=True)
        try:
            fits = isinstance(json.loads(value), dict)
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise ValueError("must be a mapping of names to values")
        return value

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [action.name for action in self.actions]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"actions: two are called {', '.join(twice)}")
        return self
