"""Patterns that a model wrote, matched in the sandbox with a bound on CPU time.

A regular expression can take longer than the age of the universe on a short text (catastrophic backtracking),
and Python cannot stop it from within. So each match runs in a confined process, which the host kills.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Literal, Self

from learnact.errors import SandboxFailure
from learnact.records import Plain
from learnact.records.synthesis import ScriptAction
from learnact.sandbox.bounds import Bounds, CallResult, PrimitiveResult
from learnact.sandbox.sandbox import Sandbox
from learnact.sandbox.session import SandboxSession

SESSIONS = 2
"""Confined processes at once."""
TRIES = 4
"""Tries of a match whose sandbox fails."""
TEXT_CHARS = 1000
"""Characters of an action that are matched; a longer one fits nothing."""
PATTERN_CHARS = 1000
"""Characters of a pattern; a longer one is refused."""
_LIBRARY = """
import re

def groups_of(pattern):
    try:
        return re.compile(pattern).groups
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)

def matched(patterns, texts):
    found = []
    for text in texts:
        row = []
        for pattern in patterns:
            try:
                match = re.fullmatch(pattern, text)
            except (re.error, OverflowError, RecursionError):
                match = None
            row.append(None if match is None else [group or "" for group in match.groups()])
        found.append(row)
    return found
"""
Values = tuple[str, ...]


@dataclass(frozen=True)
class PatternReport:
    """What is known of an action's pattern.

    `error`: why it is no regular expression, "" where it is one. `groups`: how many it has. `slow`: it used
    up its CPU time on some text. `values`: its groups on the action's name filled in with the first values,
    None where that does not match.
    """

    error: str = ""
    groups: int = 0
    slow: bool = False
    values: Values | None = None


@dataclass(frozen=True)
class ActionFit:
    """Whether an action is one of a script's: `fits`; `value`, where a pattern matches and a value is not
    allowed (`parameter`, `given`); `other`, where no pattern matches; `slow`, where matching took too long.
    """

    kind: Literal["fits", "value", "other", "slow"]
    parameter: str = ""
    given: str = ""


def filled_in(action: ScriptAction) -> str:
    """The action with the first value of each parameter; one without values keeps its place empty."""
    text = action.name
    for name, values in action.parameters:
        text = text.replace("{" + name + "}", values[0] if values else "")
    return text


def probes(action: ScriptAction) -> tuple[str, ...]:
    """Texts on which patterns that backtrack without end show it: long runs that end otherwise."""
    text = filled_in(action)
    last = text[-1:] or "a"
    words = (text + " ") * 20
    return (
        text,
        f"{text}{last * 60}\x00",
        f"{words}\x00",
        f"{'a' * 60}\x00",
        f"{' ' * 60}\x00",
        f"{'1' * 60}\x00",
    )


class PatternMatcher:
    """Matches patterns in confined processes. Async context manager; belongs to one event loop."""

    def __init__(self, cpu_seconds: float = 1.0) -> None:
        self._bounds = Bounds(
            cpu_seconds=cpu_seconds,
            source_bytes=1 << 20,
            message_bytes=1 << 20,
            items=1 << 18,
            value_characters=1 << 20,
        )
        self._stack = AsyncExitStack()
        self._free: asyncio.Queue[SandboxSession] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        sandbox = await self._stack.enter_async_context(Sandbox(self._bounds))
        for number in range(SESSIONS):
            session = sandbox.session(_LIBRARY, (), number)
            self._free.put_nowait(await self._stack.enter_async_context(session))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def report(self, action: ScriptAction) -> PatternReport:
        """What is to be known of an action's pattern."""
        if len(action.pattern) > PATTERN_CHARS:
            return PatternReport(f"it is longer than {PATTERN_CHARS} characters")
        found = await self._call("groups_of", action.pattern)
        if found is None:
            return PatternReport(slow=True)
        if not isinstance(found, int):
            return PatternReport(str(found))
        rows = await self._call("matched", [action.pattern], list(probes(action)))
        if rows is None:
            return PatternReport(groups=found, slow=True)
        own = rows[0][0]
        return PatternReport(groups=found, values=None if own is None else tuple(own))

    async def fits(self, actions: Sequence[ScriptAction], texts: Sequence[str]) -> list[ActionFit]:
        """How texts of a player fit the actions of a script, each tried alone where together they take too
        long.
        """
        short = [text if len(text) <= TEXT_CHARS else "" for text in texts]
        patterns = [action.pattern for action in actions]
        rows = await self._call("matched", patterns, short) if short else []
        if rows is not None:
            found = [_fit(actions, row) for row in rows]
        else:
            found = []
            for text in short:
                alone = await self._call("matched", patterns, [text])
                found.append(ActionFit("slow") if alone is None else _fit(actions, alone[0]))
        longer = [len(text) > TEXT_CHARS for text in texts]
        return [ActionFit("other") if long else fit for long, fit in zip(longer, found, strict=True)]

    async def _call(self, function: str, *arguments: Any) -> Any:
        """What a function of the confined library returns; None where it passed a bound or crashed.

        Raises `SandboxFailure` where the sandbox itself fails.
        """
        session = await self._free.get()
        try:
            code = f"{function}({', '.join(map(repr, arguments))})"
            result = await _called(session, code)
        finally:
            self._free.put_nowait(session)
        return result.value if result.error is None else None


async def _called(session: SandboxSession, code: str) -> CallResult:
    """The result of a call; a sandbox that was lost is made anew."""
    for left in reversed(range(TRIES)):
        try:
            return await session.call(code, _no_primitive)
        except SandboxFailure as failure:
            if not failure.retryable or not left:
                raise
    raise AssertionError("there is a last try")


def _fit(actions: Sequence[ScriptAction], row: Sequence[list[str] | None]) -> ActionFit:
    """The best of the patterns that match: one whose values are all allowed, else the first."""
    refused = ActionFit("other")
    for action, groups in zip(actions, row, strict=True):
        if groups is None:
            continue
        wrong = next(
            (
                ActionFit("value", name, given)
                for (name, values), given in zip(action.parameters, groups, strict=False)
                if given not in values
            ),
            None,
        )
        if wrong is None:
            return ActionFit("fits")
        refused = refused if refused.kind == "value" else wrong
    return refused


async def _no_primitive(_name: str, _args: list[Plain], _kwargs: dict[str, Plain]) -> PrimitiveResult:
    raise SandboxFailure("a pattern asked for a primitive action")
