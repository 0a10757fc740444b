"""One unit of work with its tries: the same code in the in-process runner and in a cluster's workers.

A `Worker` holds what is costly to make (sandbox, engine processes, domains) for as long as its event loop
lives. It never raises for a unit: what failed outside the agent is recorded as an attempt, attributed to one
boundary, and tried again."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace
from typing import TypeAlias

from learnact.domains import registry
from learnact.domains.base import Domain, NarrowsToTask, TwoSeats
from learnact.domains.engine_process import EnginePool
from learnact.domains.environments import AsyncEnvironment, open_environment
from learnact.domains.two_seats import SharedTask
from learnact.errors import BadInput, Failure, HarnessFailure
from learnact.methods.episode import AskModel, EpisodeRun
from learnact.methods.registry import find_agent
from learnact.models.limits.deadline import deadline
from learnact.models.limits.gate import RequestGate
from learnact.protocols import Chat
from learnact.records import (
    ACT,
    OPPONENT,
    Attempt,
    Call,
    Episode,
    EpisodeResult,
    Exchange,
    Outcome,
    Prompt,
    Purpose,
    Reply,
    Request,
    Unit,
    seed_from,
)
from learnact.sandbox.bounds import Bounds
from learnact.sandbox.sandbox import Sandbox

ERROR_CHARS = 4000
"""Bound on the text of an error that is recorded."""


@dataclass(frozen=True)
class UnitLimits:
    """Limits of a unit of work. Passing one is the harness's failure, never the agent's.

    `tries`: how often it is tried. `deadline`: wall-clock seconds of one try, without those in which it waits
    for a limit of an endpoint. `tokens`, `dollars`: what the calls of one episode may use; an episode that
    has used them up ends between two calls, and goes on when the limit is raised."""

    tries: int = 3
    deadline: float = 3600.0
    tokens: int | None = None
    dollars: float | None = None


OnCall: TypeAlias = Callable[[Call], Awaitable[None] | None]
"""Is told of a call; what it returns is awaited before the unit goes on."""


def ignore_call(_: Call) -> None:
    """For callers that keep no journal."""


class Worker:
    """Executes units in one event loop. Async context manager.

    `gate`: that of the models' requests, where `stop` is to reach those that wait for it."""

    def __init__(
        self,
        chat: Chat,
        limits: UnitLimits = UnitLimits(),
        node: str = "",
        gate: RequestGate | None = None,
    ) -> None:
        self._chat = chat
        self._limits = limits
        self._node = node
        self._gate = gate
        self._stopped: Failure | None = None
        self._stack = AsyncExitStack()
        self._sandboxes: dict[tuple[str, Bounds], Sandbox] = {}
        self._engines = EnginePool()

    async def __aenter__(self) -> Worker:
        await self._stack.enter_async_context(self._engines)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def stop(self, failure: Failure) -> None:
        """Begin no call from now on: units end with this failure, and the calls in flight are answered
        first."""
        self._stopped = failure
        if self._gate is not None:
            self._gate.stop(failure)

    async def execute(
        self,
        unit: Unit,
        replayed: Sequence[Call] = (),
        on_call: OnCall = ignore_call,
    ) -> Outcome:
        """Play an episode or send a request, with as many tries as the limits allow. Never raises for the
        unit.

        `replayed`: calls that an interrupted execution of this unit made, to be used instead of asking again.
        `on_call` is told of each call that is made now, as soon as it is answered."""
        calls = _UnitCalls(unit, replayed, on_call)
        attempts: list[Attempt] = []
        for number in range(self._limits.tries):
            began = time.perf_counter()
            try:
                async with deadline(self._limits.deadline):
                    result, made = await self._try(unit, calls)
                return Outcome(unit, result, tuple(attempts), made, time.time(), self._node)
            except asyncio.CancelledError as error:
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    raise
                failure = _attribute(error, self._limits.deadline)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the boundary: attributed and recorded
                failure = _attribute(error, self._limits.deadline)
            seconds = time.perf_counter() - began
            text = str(failure)[:ERROR_CHARS]
            attempts.append(Attempt(unit.key, number, failure.boundary, text, seconds, self._node))
            if not failure.retryable:
                break
        return Outcome(unit, None, tuple(attempts), tuple(calls.received), time.time(), self._node)

    async def _try(self, unit: Unit, calls: _UnitCalls) -> tuple[EpisodeResult | Reply, tuple[Call, ...]]:
        if isinstance(unit, Episode):
            return await self._play(unit, calls)
        return await self._send(unit, calls)

    async def _send(self, request: Request, calls: _UnitCalls) -> tuple[Reply, tuple[Call, ...]]:
        exchange = calls.find(request.prompt, 0)
        if exchange is None:
            self._check_stopped()
            if request.texts:
                reply = await self._chat.embed(request.model, request.texts)
                exchange = Exchange(request.prompt, reply)
            else:
                exchange = await self._chat.complete(request.model, request.prompt, request.seed, request.key)
            await calls.add(request.purpose, exchange)
        return exchange.reply, tuple(calls.received)

    async def _play(self, episode: Episode, calls: _UnitCalls) -> tuple[EpisodeResult, tuple[Call, ...]]:
        """One try of an episode. Replies that an earlier try received are used again: nothing is asked
        twice."""
        domain = registry.build(episode.domain)
        made: list[Call] = []

        def asker(player: Episode, purpose: Purpose) -> AskModel:
            """How a player asks its model. The calls of both players have one order: one acts at a time."""

            async def ask(prompt: Prompt, ordinal: int) -> Exchange:  # noqa: ARG001
                found = calls.find(prompt, len(made))
                if found is None:
                    self._check_stopped()
                    self._check_limits(calls.received)
                    assert player.model is not None, "an agent without a model asked one"
                    found = await self._chat.complete(player.model, prompt, player.seed, episode.key)
                    await calls.add(purpose, found)
                made.append(Call(episode.key, len(made), purpose, found.prompt, found.reply))
                return found

            return ask

        async with AsyncExitStack() as stack:
            environment = await self._opened(episode, domain, asker)
            stack.push_async_callback(environment.close)
            run = await self._play_seat(episode, domain, environment, asker(episode, ACT))
            result = run.result()
            if isinstance(environment, SharedTask):
                result = replace(result, opponent_progress=environment.finish())
            return result, tuple(made)

    async def _opened(
        self, episode: Episode, domain: Domain, asker: Callable[[Episode, Purpose], AskModel]
    ) -> AsyncEnvironment:
        """The task, with the second player on its other seat where the episode has one."""
        opponent = episode.opponent
        if opponent is None:
            return await open_environment(domain, episode.domain, episode.task, self._engines)
        if not isinstance(domain, TwoSeats):
            raise HarnessFailure(f"{episode.domain.name} has no seat for a second player", False)
        other = replace(
            episode,
            agent=opponent.agent,
            library=opponent.library,
            model=opponent.model,
            seed=seed_from(episode.seed, OPPONENT),
            opponent=None,
        )

        async def play(seat: AsyncEnvironment) -> None:
            await self._play_seat(other, domain, seat, asker(other, OPPONENT))

        return await SharedTask.open(domain.open_seats(episode.task), play)

    async def _play_seat(
        self, episode: Episode, domain: Domain, environment: AsyncEnvironment, ask: AskModel
    ) -> EpisodeRun:
        """One player's agent from its first turn to its last."""
        agent = find_agent(episode.agent.name)
        async with AsyncExitStack() as stack:
            session = None
            if episode.library.actions or agent.writes_code:
                sandbox = await self._sandbox(episode)
                names = [p.name for p in domain.primitives]
                session = await stack.enter_async_context(
                    sandbox.session(episode.library.source, names, episode.seed)
                )
            offered = domain.for_task(episode.task) if isinstance(domain, NarrowsToTask) else domain
            run = EpisodeRun(episode, offered, environment, session, ask)
            await agent.play(run, agent.options_of(episode.agent))
            return run

    def _check_stopped(self) -> None:
        if self._stopped is not None:
            raise type(self._stopped)(self._stopped.message, self._stopped.retryable)

    def _check_limits(self, calls: Sequence[Call]) -> None:
        """Raises when the calls of an episode have used up what it may use."""
        limits = self._limits
        tokens = sum(call.reply.tokens.prompt + call.reply.tokens.completion for call in calls)
        if limits.tokens is not None and tokens >= limits.tokens:
            text = f"the episode's limit of {limits.tokens:,} tokens is used up ({tokens:,} used; "
            raise HarnessFailure(f"{text}limits.episode_tokens): raise it to go on", False)
        dollars = sum(call.reply.cost or 0.0 for call in calls)
        if limits.dollars is not None and dollars >= limits.dollars:
            text = f"the episode's limit of ${limits.dollars:g} is used up (${dollars:.4g} spent; "
            raise HarnessFailure(f"{text}limits.episode_dollars): raise it to go on", False)

    async def _sandbox(self, episode: Episode) -> Sandbox:
        kind, bounds = episode.rules.sandbox, bounds_of(episode)
        if (kind, bounds) not in self._sandboxes:
            sandbox = Sandbox(bounds, kind)
            self._sandboxes[kind, bounds] = sandbox
            await self._stack.enter_async_context(sandbox)
        return self._sandboxes[kind, bounds]


class _UnitCalls:
    """The calls of one unit: those of earlier tries and interrupted executions, and those that are made
    now."""

    def __init__(self, unit: Unit, replayed: Sequence[Call], on_call: OnCall) -> None:
        self._unit = unit
        self._on_call = on_call
        self.received = [call for number, call in enumerate(replayed) if call.ordinal == number]

    def find(self, prompt: Prompt, ordinal: int) -> Exchange | None:
        """The exchange that was made for this prompt before.

        From the first one that does not fit on, all are dropped.
        """
        if ordinal >= len(self.received):
            return None
        call = self.received[ordinal]
        if not _sent_for(prompt, call.prompt):
            del self.received[ordinal:]
            return None
        return Exchange(call.prompt, call.reply)

    async def add(self, purpose: Purpose, exchange: Exchange) -> None:
        """A call that has just been answered."""
        number = len(self.received)
        call = Call(self._unit.key, number, purpose, exchange.prompt, exchange.reply)
        self.received.append(call)
        counted = self._on_call(call)
        if counted is not None:
            await counted


def _sent_for(asked: Prompt, sent: Prompt) -> bool:
    """Whether a prompt as it was sent (oldest turns dropped, the system message in front) belongs to the one
    asked."""
    dropped = sent.history_start - asked.history_start
    same_history = dropped >= 0 and asked.history[dropped:] == sent.history
    fixed, sent_fixed = "".join(asked.fixed), "".join(sent.fixed)
    same_offer = (asked.tools, asked.grammar) == (sent.tools, sent.grammar)
    return same_history and same_offer and asked.request == sent.request and sent_fixed.endswith(fixed)


def bounds_of(episode: Episode) -> Bounds:
    """What learned code may use in an episode."""
    given = asdict(episode.rules.bounds)
    memory = given.pop("memory_mb") << 20
    return Bounds(memory_bytes=memory, primitives=episode.budget.primitives_per_call, **given)


def _attribute(error: BaseException, deadline: float) -> Failure:
    """Every error belongs to one boundary; what is not attributed is the harness's."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, TimeoutError):
        return HarnessFailure(f"not finished after {deadline:g} seconds of wall-clock time")
    if isinstance(error, BadInput):
        return HarnessFailure(str(error), False)
    return HarnessFailure(describe(error))


def describe(error: BaseException) -> str:
    """An unforeseen error in one line: its type, its text, and where it was raised."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an exception whose own text fails; its type and place are told
        text = "(its text cannot be shown)"
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text}{place}"
