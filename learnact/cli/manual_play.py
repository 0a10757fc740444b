"""Manual play: a person takes the agent's place in the same episode run as every agent."""

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
    PrimitiveStep,
    Prompt,
    Rules,
    Task,
    Turn,
)
from learnact.sandbox.bounds import Bounds
from learnact.sandbox.sandbox import Sandbox

ENDLESS = Budget(turns=1_000_000_000)


@dataclass(frozen=True)
class ManualSetup:
    """What is played: a task of a domain, with the learned actions of a library; commands are calls, or the
    engine's text."""

    domain: Domain
    spec: DomainSpec
    task: Task
    library: Library = field(default_factory=Library)
    text: bool = False


@dataclass(frozen=True)
class CommandResult:
    """What came of a command. `error` is None, or why the command could not be read or carried out to its
    end."""

    turn: int
    command: str
    valid: bool
    observation: str
    progress: float
    success: bool
    error: str | None
    primitives: tuple[PrimitiveStep, ...] = ()
    """What a learned call did, primitive by primitive; nothing for a primitive call itself."""
    over: bool = False
    """Whether the task has ended without success, so that no further command can change anything."""


class ManualPlay:
    """A task that is being played by a person."""

    def __init__(self, setup: ManualSetup, episode_run: EpisodeRun, environment: Any) -> None:
        self.goal = episode_run.goal
        self.first_observation = episode_run.first_observation
        self._text = setup.text
        self._episode_run = episode_run
        self._environment = environment

    async def play(self, command: str) -> CommandResult:
        """Do one command. It need not be valid nor readable; the world does not change by one that is not."""
        raw = command
        if not self._text:
            try:
                raw = parse_call(command).text
            except UnreadableCall as error:
                return self._result(
                    len(self._episode_run.turns) + 1, command, self._unread(command), str(error)
                )
        turn = await self._episode_run.take(raw, thoughts=False)
        return self._result(turn.index + 1, command, turn, error_text(turn.error) if turn.error else None)

    def _unread(self, command: str) -> Turn:
        turn = Turn(
            index=len(self._episode_run.turns),
            kind="unreadable",
            raw=command,
            said=command,
            call="",
            callee="",
            learned=False,
            ok=False,
            observation="",
            progress=self._environment.progress,
        )
        self._episode_run.turns.append(turn)
        return turn

    def _result(self, number: int, command: str, turn: Turn, error: str | None) -> CommandResult:
        success = bool(self._environment.success)
        return CommandResult(
            turn=number,
            command=command,
            valid=turn.ok,
            observation=turn.observation,
            progress=turn.progress,
            success=success,
            error=error,
            primitives=turn.steps if turn.learned else (),
            over=self._episode_run.over and not success,
        )


@asynccontextmanager
async def open_manual_play(setup: ManualSetup) -> AsyncIterator[ManualPlay]:
    """Open the task, and the sandbox where there are learned actions. Raises `TaskError`, `Failure`."""
    episode = Episode(
        trial="",
        method="hand",
        phase="test",
        domain=setup.spec,
        task=setup.task,
        agent=AgentSpec("hand"),
        library=setup.library,
        model=None,
        budget=ENDLESS,
        # A person's call that only computes is no failure; in an evaluation it is no success either.
        rules=Rules(action_format="text" if setup.text else "call", empty_call="successful"),
        seed=0,
        prompts="",
        versions=setup.domain.version,
    )
    async with AsyncExitStack() as stack:
        environment = await open_environment(setup.domain, setup.spec, setup.task, None)
        stack.push_async_callback(environment.close)
        session = None
        if setup.library.actions:
            sandbox = await stack.enter_async_context(Sandbox(Bounds(primitives=ENDLESS.primitives_per_call)))
            names = [primitive.name for primitive in setup.domain.primitives]
            session = await stack.enter_async_context(sandbox.session(setup.library.source, names, 0))
        yield ManualPlay(
            setup, EpisodeRun(episode, setup.domain, environment, session, _no_model), environment
        )


async def _no_model(prompt: Prompt, ordinal: int) -> Exchange:  # noqa: ARG001 - the form of `Ask`
    raise HarnessFailure("a task played by a person asks no model", False)
