"""A Gymnasium environment being played through actions that the user names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
from gymnasium import spaces

from learnact.domains.base import Primitive
from learnact.domains.family_environment import FamilyEnvironment, PrimitiveAnswer, shortened
from learnact.domains.gym.options import GymAction, GymOptions
from learnact.errors import TaskError
from learnact.records import Plain

ENDED = "The episode has ended without reaching the goal."


class GymEnvironment(FamilyEnvironment):
    """`learnact.domains.base.Environment` around `gymnasium.make`."""

    def __init__(self, options: GymOptions, primitives: Sequence[Primitive], seed: int) -> None:
        super().__init__(primitives)
        self._options = options
        self._actions = dict(zip(self._primitives, options.actions, strict=True))
        self._env = _made(options)
        self._numbers = _numbers(self._env.action_space, options)
        observation, info = self._env.reset(seed=seed)
        self._return = 0.0
        self.goal = options.goal or str(info.get("goal", "")) or "Solve the task."
        self.first_observation = self._text(observation)

    def answer(self, name: str, values: tuple[Plain, ...]) -> PrimitiveAnswer:
        """What the environment answers to the action that a primitive stands for."""
        action: Any = self._numbers[name] if self._numbers else _command(self._actions[name], values)
        if not self._env.action_space.contains(action):
            return PrimitiveAnswer(f"The environment does not take {shortened(repr(action))}.", valid=False)
        observation, reward, terminated, truncated, info = self._env.step(action)
        self._return += float(reward)
        if reason := info.get("invalid"):
            return PrimitiveAnswer(str(reason), valid=False)
        success = self._succeeded(float(reward), bool(terminated), info)
        over = (terminated or truncated) and not success
        return PrimitiveAnswer(
            self._text(observation), True, self._share(info), success, ENDED if over else ""
        )

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _succeeded(self, reward: float, terminated: bool, info: Mapping[str, Any]) -> bool:
        match self._options.success:
            case "info":
                return bool(info.get("success", False))
            case "terminated":
                return terminated
            case "reward":
                return terminated and reward > 0

    def _share(self, info: Mapping[str, Any]) -> float | None:
        if "progress" in info:
            return float(info["progress"])
        best = self._options.best_return
        return None if best is None else min(1.0, max(0.0, self._return / best))

    def _text(self, observation: Any) -> str:
        key = self._options.observation
        if key:
            observation = observation[key]
        return observation if isinstance(observation, str) else str(observation)


def _made(options: GymOptions) -> Any:
    try:
        return gymnasium.make(options.env, disable_env_checker=True, **json.loads(options.arguments))
    except (gymnasium.error.Error, ImportError, TypeError, ValueError) as error:
        raise TaskError(f"domain gym: env {options.env}: {type(error).__name__}: {error}") from error


def _numbers(space: Any, options: GymOptions) -> dict[str, int]:
    """The number of each action of a discrete space, by name; empty where actions are text."""
    if isinstance(space, spaces.Text):
        return {}
    if not isinstance(space, spaces.Discrete):
        raise TaskError(
            f"domain gym: env {options.env}: its actions are {space}; only spaces.Text and spaces.Discrete "
            "can be played, wrap it in an environment that has one of these"
        )
    if len(options.actions) != space.n:
        raise TaskError(
            f"domain gym: env {options.env}: it has {space.n} actions, and actions names "
            f"{len(options.actions)}; name each, in the order of their numbers"
        )
    start = int(space.start)
    return {action.name: start + number for number, action in enumerate(options.actions)}


def _command(action: GymAction, values: tuple[Plain, ...]) -> str:
    return (action.text or " ".join("{}" for _ in values)).format(*values) if values else action.text
