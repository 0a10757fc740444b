"""One unit of work with its tries: the same code in the in-process runner and in a cluster's workers.

A `Worker` holds what is costly to make (sandbox, engine processes, domains) for as long as its event loop
lives. It never raises for a unit: what failed outside the agent is recorded as an attempt, attributed to one
boundary, and tried again."""

from __future__ import annotations

import asyncio
import time
import traceback
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass

from learnact.domains import registry
from learnact.domains.engine_process import EnginePool
from learnact.domains.environments import open_environment
from learnact.errors import BadInput, Failure, HarnessFailure
from learnact.methods.agents import AGENTS, WRITES_CODE
from learnact.methods.episode import EpisodeRun
from learnact.protocols import Chat
from learnact.records import (
    Attempt,
    Call,
    Episode,
    EpisodeResult,
    Exchange,
    Outcome,
    Prompt,
    Reply,
    Request,
    Unit,
)
from learnact.sandbox.bounds import Bounds
from learnact.sandbox.sandbox import Sandbox


@dataclass(frozen=True)
class UnitLimits:
    """How often a unit is tried, and the wall-clock seconds of one try (the harness's failure when passed,
    never the agent's)."""

    tries: int = 3
    deadline: float = 3600.0


class Worker:
    """Executes units in one event loop. Async context manager."""

    def __init__(self, chat: Chat, limits: UnitLimits = UnitLimits(), node: str = "") -> None:
        self._chat = chat
        self._limits = limits
        self._node = node
        self._stack = AsyncExitStack()
        self._sandboxes: dict[tuple[str, Bounds], Sandbox] = {}
        self._engines = EnginePool()

    async def __aenter__(self) -> Worker:
        await self._stack.enter_async_context(self._engines)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def execute(self, unit: Unit) -> Outcome:
        """Play an episode or send a request, with as many tries as the limits allow.

        Never raises for the unit.
        """
        attempts: list[Attempt] = []
        received: list[Exchange] = []
        for number in range(self._limits.tries):
            began = time.perf_counter()
            try:
                async with asyncio.timeout(self._limits.deadline):
                    result, calls = await self._try(unit, received)
                return Outcome(unit, result, tuple(attempts), calls, time.time(), self._node)
            except Exception as error:  # noqa: BLE001 - the boundary: attributed and recorded
                failure = _attribute(error, self._limits.deadline)
            seconds = time.perf_counter() - began
            attempts.append(Attempt(unit.key, number, failure.boundary, str(failure), seconds, self._node))
            if not failure.retryable:
                break
        paid = tuple(Call(unit.key, n, "act", e.prompt, e.reply) for n, e in enumerate(received))
        return Outcome(unit, None, tuple(attempts), paid, time.time(), self._node)

    async def _try(
        self, unit: Unit, received: list[Exchange]
    ) -> tuple[EpisodeResult | Reply, tuple[Call, ...]]:
        if isinstance(unit, Episode):
            return await self._play(unit, received)
        return await self._send(unit)

    async def _send(self, request: Request) -> tuple[Reply, tuple[Call, ...]]:
        if request.texts:
            return await self._chat.embed(request.model, request.texts), ()
        exchange = await self._chat.complete(request.model, request.prompt, request.seed, request.key)
        return exchange.reply, (Call(request.key, 0, request.purpose, exchange.prompt, exchange.reply),)

    async def _play(
        self, episode: Episode, received: list[Exchange]
    ) -> tuple[EpisodeResult, tuple[Call, ...]]:
        """One try of an episode.

        Replies that an earlier try received are used again, so a repeated try asks nothing twice.
        """
        domain = registry.build(episode.domain)
        player = AGENTS.find(episode.agent.name)
        async with AsyncExitStack() as stack:
            environment = await open_environment(domain, episode.domain, episode.task, self._engines)
            stack.push_async_callback(environment.close)
            session = None
            if episode.library.actions or episode.agent.name in WRITES_CODE:
                sandbox = await self._sandbox(episode)
                names = [p.name for p in domain.primitives]
                session = await stack.enter_async_context(
                    sandbox.session(episode.library.source, names, episode.seed)
                )

            async def ask(prompt: Prompt, ordinal: int) -> Exchange:
                if ordinal == len(received):
                    assert episode.model is not None, "an agent without a model asked one"
                    received.append(
                        await self._chat.complete(episode.model, prompt, episode.seed, episode.key)
                    )
                return received[ordinal]

            stage = EpisodeRun(episode, domain, environment, session, ask)
            await player(stage)
            return stage.result(), tuple(stage.calls)

    async def _sandbox(self, episode: Episode) -> Sandbox:
        kind, bounds = episode.rules.sandbox, bounds_of(episode)
        if (kind, bounds) not in self._sandboxes:
            sandbox = Sandbox(bounds, kind)
            self._sandboxes[kind, bounds] = sandbox
            await self._stack.enter_async_context(sandbox)
        return self._sandboxes[kind, bounds]


def bounds_of(episode: Episode) -> Bounds:
    """What learned code may use in an episode."""
    given = asdict(episode.rules.bounds)
    memory = given.pop("memory_mb") << 20
    return Bounds(memory_bytes=memory, primitives=episode.budget.primitives_per_call, **given)


def _attribute(error: Exception, deadline: float) -> Failure:
    """Every error belongs to one boundary; what nobody attributed is the harness's."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, TimeoutError):
        return HarnessFailure(f"not finished after {deadline:g} seconds of wall-clock time")
    if isinstance(error, BadInput):
        return HarnessFailure(str(error), False)
    where = traceback.extract_tb(error.__traceback__)[-1]
    return HarnessFailure(f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})")
