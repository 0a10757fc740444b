"""Playing by hand: a person takes the agent's place on the same stage as every agent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from learnact.domains.base import Domain
from learnact.domains.environments import open_environment
from learnact.errors import HarnessFailure
from learnact.library.calls import UnreadableCall, parse_call
from learnact.methods.episode import EpisodeRun
from learnact.methods.observations import error_text
from learnact.records import (
    AgentSpec,
    Budget,
    DomainSpec,
    Episode,
    Exchange,
    Library,
    Prompt,
    Rules,
    Task,
    Turn,
)
from learnact.sandbox.bounds import Bounds
from learnact.sandbox.sandbox import Sandbox

ENDLESS = Budget(turns=1_000_000_000)


@dataclass(frozen=True)
class Setting:
    """What is played: a task of a domain, with the learned actions of a library; commands are calls, or the engine's text."""

    domain: Domain
    spec: DomainSpec
    task: Task
    library: Library = field(default_factory=Library)
    text: bool = False


@dataclass(frozen=True)
class Told:
    """What came of a command. `error` is None, or why the command could not be read or carried out to its end."""

    turn: int
    command: str
    valid: bool
    observation: str
    progress: float
    success: bool
    error: str | None


class Hand:
    """A task being played by hand."""

    def __init__(self, setting: Setting, stage: EpisodeRun, environment: Any) -> None:
        self.goal = stage.goal
        self.first_observation = stage.first_observation
        self._text = setting.text
        self._stage = stage
        self._environment = environment

    async def do(self, command: str) -> Told:
        """Do one command. It need not be valid nor readable; the world does not change by one that is not."""
        raw = command
        if not self._text:
            try:
                raw = parse_call(command).text
            except UnreadableCall as error:
                return self._told(len(self._stage.turns) + 1, command, self._unread(command), str(error))
        turn = await self._stage.take(raw, thoughts=False)
        return self._told(turn.index + 1, command, turn, error_text(turn.error) if turn.error else None)

    def _unread(self, command: str) -> Turn:
        turn = Turn(
            len(self._stage.turns),
            "unreadable",
            command,
            command,
            "",
            "",
            False,
            False,
            "",
            self._environment.progress,
        )
        self._stage.turns.append(turn)
        return turn

    def _told(self, number: int, command: str, turn: Turn, error: str | None) -> Told:
        success = bool(self._environment.success)
        return Told(number, command, turn.ok, turn.observation, turn.progress, success, error)


@asynccontextmanager
async def sit_down(setting: Setting) -> AsyncIterator[Hand]:
    """Open the task, and the sandbox where there are learned actions. Raises `TaskError`, `Failure`."""
    episode = Episode(
        trial="",
        method="hand",
        phase="test",
        domain=setting.spec,
        task=setting.task,
        agent=AgentSpec("hand"),
        library=setting.library,
        model=None,
        budget=ENDLESS,
        rules=Rules(action_format="text" if setting.text else "call"),
        seed=0,
        prompts="",
        versions=setting.domain.version,
    )
    async with AsyncExitStack() as stack:
        environment = await open_environment(setting.domain, setting.spec, setting.task, None)
        stack.push_async_callback(environment.close)
        session = None
        if setting.library.actions:
            sandbox = await stack.enter_async_context(Sandbox(Bounds(primitives=ENDLESS.primitives_per_call)))
            names = [primitive.name for primitive in setting.domain.primitives]
            session = await stack.enter_async_context(sandbox.session(setting.library.source, names, 0))
        yield Hand(setting, EpisodeRun(episode, setting.domain, environment, session, _nobody), environment)


async def _nobody(prompt: Prompt, ordinal: int) -> Exchange:  # noqa: ARG001 - the form of `Ask`
    raise HarnessFailure("a task played by hand asks no model", False)
