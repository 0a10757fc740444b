"""A worker: calls are told as they are answered, replayed and stopped; no error reaches beyond its unit."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from learnact.domains import registry
from learnact.errors import BadInput, EnvironmentFailure, HarnessFailure, ProviderFailure
from learnact.records import (
    AgentSpec,
    Budget,
    Call,
    DomainSpec,
    Episode,
    EpisodeResult,
    Exchange,
    Library,
    ModelSpec,
    Prompt,
    Reply,
    Request,
    Rules,
    Tokens,
)
from learnact.runners import worker as worker_module
from learnact.runners.local import LocalRunner
from learnact.runners.worker import UnitLimits, Worker

MOVES = ("move('rooma', 'roomb')", "move('roomb', 'rooma')")


class Chat:
    """Moves to and fro; every call is counted. `fails` may raise before the reply."""

    def __init__(self, fails: Callable[[int], None] = lambda _: None, keep: int | None = None) -> None:
        self.asked = 0
        self.fails = fails
        self.keep = keep

    async def complete(self, model: ModelSpec, prompt: Prompt, seed: int, affinity: str) -> Exchange:
        number = self.asked
        self.asked += 1
        self.fails(number)
        await asyncio.sleep(0)
        if self.keep is not None:
            start = max(0, len(prompt.history) - self.keep)
            prompt = dataclasses.replace(
                prompt, history=prompt.history[start:], history_start=prompt.history_start + start
            )
        reply = Reply(MOVES[number % 2], tokens=Tokens(prompt=90, completion=10), cost=0.01)
        return Exchange(prompt, reply)

    async def embed(self, model: ModelSpec, texts: tuple[str, ...]) -> Reply:
        self.asked += 1
        self.fails(0)
        return Reply("", vectors=tuple((1.0,) for _ in texts))


def episode(turns: int = 6, seed: int = 1) -> Episode:
    spec = DomainSpec("gripper", '{"balls": [2, 2], "level": "easy"}')
    domain = registry.build(spec)
    return Episode(
        trial="t",
        method="act",
        phase="test",
        domain=spec,
        task=next(iter(domain.tasks("test"))),
        agent=AgentSpec("act"),
        library=Library(),
        model=ModelSpec("m"),
        budget=Budget(turns=turns),
        rules=Rules(),
        seed=seed,
        prompts="p",
        versions="v",
    )


def request(text: str = "x", **fields: Any) -> Request:
    return Request("t", "m", "create", ModelSpec("m"), Prompt("", (), text), seed=1, **fields)


async def test_each_call_is_told_when_it_is_answered() -> None:
    told: list[Call] = []
    async with Worker(Chat()) as worker:
        outcome = await worker.execute(episode(), (), told.append)
        sent = await worker.execute(request(), (), told.append)
        embedded = await worker.execute(request(texts=("a", "b")), (), told.append)
    assert isinstance(outcome.result, EpisodeResult)
    assert len(outcome.result.turns) == 6
    assert told == [*outcome.calls, *sent.calls, *embedded.calls]
    assert [call.ordinal for call in outcome.calls] == list(range(6))


@pytest.mark.parametrize("keep", [None, 2])
async def test_an_interrupted_episode_asks_only_for_what_is_missing(keep: int | None) -> None:
    """Also where prompts were sent without their oldest turns."""
    whole = Chat(keep=keep)
    async with Worker(whole) as worker:
        expected = await worker.execute(episode())
    rest = Chat(keep=keep)
    rest.asked = 4
    told: list[Call] = []
    async with Worker(rest) as worker:
        outcome = await worker.execute(episode(), expected.calls[:4], told.append)
    assert isinstance(outcome.result, EpisodeResult)
    assert isinstance(expected.result, EpisodeResult)
    assert outcome.result.turns == expected.result.turns
    assert outcome.calls == expected.calls
    assert told == list(expected.calls[4:])


async def test_replies_to_other_prompts_are_not_used() -> None:
    async with Worker(Chat()) as worker:
        expected = await worker.execute(episode())
        other = [
            dataclasses.replace(c, prompt=dataclasses.replace(c.prompt, request="?")) for c in expected.calls
        ]
        outcome = await worker.execute(episode(), expected.calls[:2] + tuple(other[2:]))
    assert [c.prompt.request for c in outcome.calls] == [c.prompt.request for c in expected.calls]
    assert len(outcome.calls) == 6


async def test_a_stop_ends_an_episode_between_two_calls() -> None:
    chat = Chat()
    async with Worker(chat) as worker:

        def stop_after_three(call: Call) -> None:
            if call.ordinal == 2:
                worker.stop(HarnessFailure("the job's limit is used up", False))

        outcome = await worker.execute(episode(), (), stop_after_three)
        refused = await worker.execute(request())
    assert outcome.result is None
    assert [a.error for a in outcome.attempts] == ["the job's limit is used up"]
    assert len(outcome.calls) == chat.asked == 3
    assert refused.result is None


@pytest.mark.parametrize(
    ("limits", "named"),
    [(UnitLimits(tokens=250), "episode_tokens"), (UnitLimits(dollars=0.03), "episode_dollars")],
)
async def test_an_episode_has_limits_of_its_own_and_goes_on_when_they_are_raised(
    limits: UnitLimits, named: str
) -> None:
    chat = Chat()
    async with Worker(chat, limits) as worker:
        outcome = await worker.execute(episode())
    assert outcome.result is None
    assert named in outcome.attempts[0].error
    assert len(outcome.attempts) == 1
    assert chat.asked == 3
    async with Worker(chat) as worker:
        again = await worker.execute(episode(), outcome.calls)
    assert again.result is not None
    assert chat.asked == 6


class Unprintable(Exception):
    """An exception whose own text fails."""

    def __str__(self) -> str:
        raise ValueError("no text")


ERRORS: dict[str, BaseException] = {
    "key": KeyError("x"),
    "recursion": RecursionError("deep"),
    "memory": MemoryError(),
    "overflow": OverflowError("big"),
    "assertion": AssertionError(),
    "unicode": UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"),
    "exit": SystemExit(2),
    "cancelled": asyncio.CancelledError(),
    "group": ExceptionGroup("several", [ValueError("a")]),
    "unprintable": Unprintable(),
    "bad input": BadInput("wrong"),
    "provider": ProviderFailure("500"),
    "environment": EnvironmentFailure("gone"),
    "stop iteration": StopAsyncIteration(),
    "long": ValueError("x" * 100_000),
}


def inject(place: str, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> Chat:
    """A chat and a worker's surroundings in which one thing raises."""

    def fail(*_: object, **__: object) -> Any:
        raise error

    async def fail_later(*_: object, **__: object) -> Any:
        raise error

    if place == "model":
        return Chat(fail)
    if place == "domain":
        monkeypatch.setattr(worker_module.registry, "build", fail)
    elif place == "environment":
        monkeypatch.setattr(worker_module, "open_environment", fail_later)
    elif place == "agent":
        monkeypatch.setattr(worker_module.EpisodeRun, "ask", fail_later)
    elif place == "result":
        monkeypatch.setattr(worker_module.EpisodeRun, "result", fail)
    elif place == "reply":
        monkeypatch.setattr(worker_module.EpisodeRun, "take", fail_later)
    return Chat()


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("place", ["model", "domain", "environment", "agent", "result", "reply"])
async def test_no_error_reaches_beyond_its_unit(
    place: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = episode()
    chat = inject(place, ERRORS[name], monkeypatch)
    async with Worker(chat, UnitLimits(tries=2)) as worker:
        outcomes = [o async for o in LocalRunner(worker).run([unit])]
    (outcome,) = outcomes
    assert outcome.result is None
    assert 1 <= len(outcome.attempts) <= 2
    assert 0 < len(outcome.attempts[0].error) <= 4000


async def test_an_error_of_the_journal_ends_the_unit_only() -> None:
    def broken(_: Call) -> None:
        raise OSError("disk full")

    async with Worker(Chat()) as worker:
        outcome = await worker.execute(episode(), (), broken)
    assert outcome.result is None
    assert "disk full" in outcome.attempts[0].error


async def test_a_real_cancellation_is_not_swallowed() -> None:
    begun = asyncio.Event()

    class Slow(Chat):
        async def complete(self, model: ModelSpec, prompt: Prompt, seed: int, affinity: str) -> Exchange:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError

    async with Worker(Slow()) as worker:
        task = asyncio.create_task(worker.execute(episode()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_worker_that_raises_ends_the_unit_only() -> None:
    """What escapes a worker, a bug in it, ends at the runner."""

    class Broken(Worker):
        async def execute(self, *_: Any, **__: Any) -> Any:
            raise KeyError("a bug")

    async with Broken(Chat()) as worker:
        outcomes = [o async for o in LocalRunner(worker).run([episode(), request()])]
    assert [o.result for o in outcomes] == [None, None]
    assert all("KeyError" in o.attempts[0].error for o in outcomes)
