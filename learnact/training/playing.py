"""Tasks being played by a trainer: one task after another, primitive and learned actions, rewards.

All environments of a process live on one event loop in a thread of its own (`run`), so that a trainer may use
them from any thread and from a running loop. Those that may block live in engine processes, which they share;
so a long step of one delays only those of the same process. Learned actions run in one sandbox.

Does not cover: the form in which a trainer sees them (environments, served).
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeVar

from learnact.domains import registry
from learnact.domains.base import Domain
from learnact.domains.engine_process import EnginePool
from learnact.domains.environments import AsyncEnvironment, open_environment
from learnact.errors import BadInput
from learnact.library.calls import CallExpression
from learnact.library.check import check
from learnact.methods.observations import build_observation, output_lines
from learnact.records import DomainSpec, Library, Plain, PrimitiveStep, Rules, Task
from learnact.sandbox.bounds import PrimitiveResult
from learnact.sandbox.sandbox import Sandbox
from learnact.sandbox.session import SandboxSession

RewardKind = Literal["success", "progress", "steps"]
"""success: 1 when the task is solved, else 0. progress: in 0 .. 1. steps: solved, 1 less `STEP_COST` for each
primitive action; not solved, half the progress."""
Split = Literal["train", "test"]
STEP_COST = 0.01
"""What a primitive action takes from the reward `steps`."""
SOLVED = "The task is solved; nothing is left to do."
OVER = "The task can no longer be solved; nothing is left to do."
ENGINES = min(4, os.cpu_count() or 1)
"""How many engine processes the environments of a process share at most."""
T = TypeVar("T")


@dataclass(frozen=True)
class Playable:
    """A domain as a trainer plays it. `library`: the learned actions beside the primitive ones."""

    spec: DomainSpec
    domain: Domain
    library: Library
    reward: RewardKind

    @property
    def learned(self) -> frozenset[str]:
        """The names of the learned actions on offer."""
        return frozenset(action.name for action in self.library.offered)


def playable(spec: DomainSpec, library: Library | None, reward: RewardKind) -> Playable:
    """A domain with a library, checked.

    Raises:
        JobError: there is no such domain or option.
        BadInput: the library is not acceptable for the domain.
    """
    domain, given = registry.build(spec), library or Library()
    problems = check(given.source, [p.name for p in domain.primitives]) if given.actions else ()
    if problems:
        raise BadInput(f"the library is not acceptable for {spec.name}: {problems[0]}")
    return Playable(spec, domain, given, reward)


@dataclass(frozen=True)
class ActionAnswer:
    """What came of one action. `valid`: it was carried out, of a learned action every step of it."""

    observation: str
    valid: bool


class Playing:
    """One task after another, for one player. Use it on the loop of `run`; actions are done in turn."""

    def __init__(self, what: Playable) -> None:
        self.what = what
        self.steps = 0
        """Primitive actions since the task began."""
        self._over = False
        self._environment: AsyncEnvironment | None = None
        self._session: SandboxSession | None = None
        self._engine: _Engine | None = None
        self._turn = asyncio.Lock()

    @property
    def environment(self) -> AsyncEnvironment:
        """The task's environment. Raises `BadInput` where no task has begun."""
        if self._environment is None:
            raise BadInput("no task has begun; call reset first")
        return self._environment

    @property
    def ended(self) -> str:
        """Why nothing is left to do; "" while there is."""
        return SOLVED if self.environment.success else OVER if self._over else ""

    @property
    def reward(self) -> float:
        """The reward of what was done since the task began, in 0 .. 1."""
        playing, kind = self.environment, self.what.reward
        if kind == "success":
            return float(playing.success)
        if kind == "progress":
            return playing.progress
        return max(0.0, 1 - STEP_COST * self.steps) if playing.success else 0.5 * playing.progress

    async def begin(self, task: Task) -> str:
        """Begin a task; what is known at its start: instruction, goal and first observation.

        Raises `TaskError` or `EnvironmentFailure` as the domain's `open` does.
        """
        async with self._turn:
            await self.close()
            self.steps, self._over = 0, False
            if self.what.domain.profile.blocking:
                self._engine = min(_engines(), key=lambda engine: engine.open)
                self._engine.open += 1
            pool = self._engine.pool if self._engine else None
            opened = await open_environment(self.what.domain, self.what.spec, task, pool)
            self._environment = opened
        told = f"{self.what.domain.instruction}\n\nGoal: {opened.goal}"
        return f"{told}\nObservation: {opened.first_observation}"

    async def call(
        self, name: str, arguments: Sequence[Plain], keywords: Mapping[str, Plain]
    ) -> ActionAnswer:
        """Do one action, primitive or learned. An action that is not possible is an answer, no exception.

        Raises:
            BadInput: no task has begun.
            EnvironmentFailure, SandboxFailure: the engine or the sandbox failed; begin again.
        """
        async with self._turn:
            playing = self.environment
            if self.ended:
                return ActionAnswer(self.ended, False)
            if name in self.what.learned:
                return await self._learned(CallExpression(name, tuple(arguments), keywords).text)
            self.steps += 1
            step = await playing.call(name, arguments, keywords)
            self._over = step.over
            return ActionAnswer(step.observation, step.valid)

    async def close(self) -> None:
        """Free what the task holds; a running action fails. Idempotent."""
        environment, self._environment = self._environment, None
        session, self._session = self._session, None
        engine, self._engine = self._engine, None
        if engine:
            engine.open -= 1
        if environment is not None:
            await environment.close()
        if session is not None:
            await session.close()

    async def _learned(self, code: str) -> ActionAnswer:
        playing, steps = self.environment, list[PrimitiveStep]()

        async def do(name: str, args: Sequence[Plain], kwargs: Mapping[str, Plain]) -> PrimitiveResult:
            step = await playing.call(name, args, kwargs)
            self._over = self._over or step.over
            steps.append(PrimitiveStep(step.command, step.valid, step.observation))
            return PrimitiveResult(step.observation, end=step.success or step.over)

        if self._session is None:
            names = tuple(p.name for p in self.what.domain.primitives)
            self._session = _sandbox().session(self.what.library.source, names, 0)
        result = await self._session.call(code, do)
        self.steps += len(steps)
        shown = [step.observation for step in steps if step.ok]
        said = output_lines(result.value, result.printed, shown)
        mode = self.what.domain.profile.call_observation
        text = build_observation(mode, Rules(), steps, result.error, said)
        return ActionAnswer(text, result.error is None and all(step.ok for step in steps))


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of work on the loop of the environments, for callers of any thread but that loop's own."""
    return asyncio.run_coroutine_threadsafe(work, _loop()).result()


async def run_async(work: Coroutine[Any, Any, T]) -> T:
    """The same for a caller on another event loop, which goes on meanwhile."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, _loop()))


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="learnact environments", daemon=True).start()
    return loop


@dataclass
class _Engine:
    """An engine process, started when it is first needed, and how many environments are open in it."""

    pool: EnginePool = field(default_factory=EnginePool)
    open: int = 0


@cache
def _engines() -> tuple[_Engine, ...]:
    return tuple(_Engine() for _ in range(ENGINES))


@cache
def _sandbox() -> Sandbox:
    return Sandbox()
