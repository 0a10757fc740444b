"""A task with the tools of a server: each action is a call; after it the check is asked."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learnact.domains.family_environment import FamilyEnvironment, PrimitiveAnswer, shortened
from learnact.domains.mcp.options import McpTask, ToolCheck
from learnact.domains.mcp.schemas import ToolPrimitive
from learnact.domains.mcp.session import FOLDER, Session
from learnact.errors import BadInput, EnvironmentFailure
from learnact.records import Plain

LONGEST_REASON = 700
"""Characters of a server's own words that a reason repeats."""


@dataclass(frozen=True)
class AnsweredCall:
    """A call that the agent made, by the server's names, and its answer."""

    tool: str
    arguments: Mapping[str, Any]
    answer: str


@dataclass(frozen=True)
class Checked:
    """What a check function of yours is given. `calls`: what the agent did so far; `folder`: the task's
    folder; `call(tool, arguments)`: the text of a tool's answer. It returns whether the task is solved, or
    how far, 0 .. 1."""

    calls: tuple[AnsweredCall, ...]
    folder: Path
    call: Callable[[str, Mapping[str, Any]], str]


CheckFunction = Callable[[Checked], bool | float]


def check_function(name: str) -> CheckFunction:
    """A function of the user's by `module:function`. Raises `BadInput`."""
    module, _, attribute = name.partition(":")
    try:
        found: CheckFunction = getattr(importlib.import_module(module), attribute)
    except Exception as error:
        raise BadInput(f"check {name!r} cannot be loaded: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise BadInput(f"check {name!r} is no function, but {type(found).__name__}")
    return found


class McpEnvironment(FamilyEnvironment):
    """A task (`learnact.domains.base.Environment`)."""

    def __init__(self, session: Session, task: McpTask, tools: Mapping[str, ToolPrimitive]) -> None:
        super().__init__([tool.primitive for tool in tools.values()])
        self._session, self._task, self._tools = session, task, tools
        self._check = check_function(task.check) if isinstance(task.check, str) else None
        self._calls: list[AnsweredCall] = []
        self.goal = task.goal
        for call in task.before:
            answer = session.call(call.tool, call.arguments)
            if answer.failed:
                raise EnvironmentFailure(f"before: {call.tool}: {answer.text}", False)
        self.first_observation = opening(task.files)

    def answer(self, name: str, values: tuple[Plain, ...]) -> PrimitiveAnswer:
        """What the tool answers; a call that the server refuses is invalid."""
        tool = self._tools[name]
        arguments = tool.arguments(values)
        answer = self._session.call(tool.tool, arguments)
        if answer.failed:
            reason = shortened(answer.text, LONGEST_REASON)
            return PrimitiveAnswer(
                reason if len(reason) > 10 else f"The server refused: {reason}.", valid=False
            )
        self._calls.append(AnsweredCall(tool.tool, arguments, answer.text))
        share = self._share()
        return PrimitiveAnswer(answer.text or "Done.", True, share, share >= 1)

    def close(self) -> None:
        """End the server."""
        self._session.close()

    def _share(self) -> float:
        """How far the task is solved, 0 .. 1."""
        if self._check is None:
            checks = [check for check in self._task.check if isinstance(check, ToolCheck)]
            return sum(self._holds(check) for check in checks) / len(checks)
        try:
            return float(self._check(Checked(tuple(self._calls), self._session.folder, self._text)))
        except EnvironmentFailure:
            raise
        except Exception as error:
            raise EnvironmentFailure(
                f"check {self._task.check}: {type(error).__name__}: {error}", False
            ) from error

    def _text(self, tool: str, arguments: Mapping[str, Any]) -> str:
        return self._session.call(tool, arguments).text

    def _holds(self, check: ToolCheck) -> bool:
        answer = self._session.call(check.tool, check.arguments)
        if answer.failed:
            return False
        if check.equals is not None:
            return answer.text.strip() == check.equals.strip()
        return (check.contains or "") in answer.text


def opening(files: Iterable[str]) -> str:
    """What the agent sees first: the files that the task puts into its folder."""
    named = sorted(files)
    held = f"It holds {', '.join(named)}." if named else "It is empty."
    return f"Your folder is {FOLDER}. {held}"
