"""The Ray runner with real worker processes on this machine."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from learnact.errors import HarnessFailure
from learnact.records import Call, Outcome, Reply, Unit
from learnact.runners.ray.options import RayOptions
from learnact.runners.ray.runner import LOST_TRIES, RayRunner
from tests.cluster.workers import MemoryLog, Scripted, unit

pytestmark = pytest.mark.asyncio(loop_scope="module")
SAFETY_SECONDS = 600
"""A wait that takes longer fails; none comes near it."""


LOG = MemoryLog()


def home_token() -> int | None:
    """When Ray's token in the home directory was written, by whomever; None when there is none."""
    path = Path.home() / ".ray" / "auth_token"
    return path.stat().st_mtime_ns if path.exists() else None


TOKEN_BEFORE = home_token()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runner() -> AsyncIterator[RayRunner]:
    options = RayOptions(workers=2, in_flight=4, stall_seconds=5.0)
    async with RayRunner(options, Scripted, LOG) as opened:
        await both_workers_are_there(opened)
        yield opened


async def collect(runner: RayRunner, units: list[Unit] | Iterator[Unit]) -> list[Outcome]:
    return [outcome async for outcome in runner.run(units)]


def pids(outcomes: list[Outcome]) -> set[int]:
    return {int(o.result.text.split()[-1]) for o in outcomes if isinstance(o.result, Reply)}


async def test_every_unit_comes_back_once_from_both_workers(runner: RayRunner) -> None:
    units = [unit(n) for n in range(100)]
    outcomes = await collect(runner, units)
    assert sorted(o.key for o in outcomes) == sorted(u.key for u in units)
    assert {o.unit for o in outcomes} == set(units)
    assert len(pids(outcomes)) == 2
    assert os.getpid() not in pids(outcomes)
    assert all(o.node and not o.attempts for o in outcomes)


async def test_nothing_to_do(runner: RayRunner) -> None:
    assert await collect(runner, []) == []


async def test_outcomes_come_as_they_complete(runner: RayRunner) -> None:
    units = [unit(0, "sleep 0.8"), unit(1, "sleep 0.01")]
    assert [o.unit.seed for o in await collect(runner, units)] == [1, 0]


async def test_input_is_taken_lazily(runner: RayRunner) -> None:
    taken = 0

    def endless() -> Iterator[Unit]:
        nonlocal taken
        while True:
            taken += 1
            yield unit(taken)

    iterator = runner.run(endless())
    for _ in range(5):
        await anext(iterator)
    await iterator.aclose()
    assert taken <= 5 + 2 * 8 + 1


async def test_an_error_of_the_input_reaches_the_consumer(runner: RayRunner) -> None:
    def bad() -> Iterator[Unit]:
        yield unit(1)
        raise LookupError("no more tasks")

    iterator = runner.run(bad())
    assert (await anext(iterator)).unit == unit(1)
    with pytest.raises(LookupError, match="no more tasks"):
        await anext(iterator)
    assert len(await collect(runner, [unit(2)])) == 1


async def test_iterators_share_the_workers_in_turns(runner: RayRunner) -> None:
    """A short run that starts behind a long one does not wait for its end."""
    order: list[str] = []

    async def play(name: str, count: int) -> None:
        async for _ in runner.run(unit(n, "sleep 0.03", trial=name) for n in range(count)):
            order.append(name)

    long = asyncio.create_task(play("long", 120))
    await asyncio.sleep(0)
    await play("short", 8)
    assert order.count("long") < 60
    await long
    assert order.count("long") == 120


async def test_closing_cancels_what_is_under_way(runner: RayRunner, tmp_path: Path) -> None:
    mark = tmp_path / "begun"
    iterator = runner.run([unit(1, "echo first"), unit(2, f"mark {mark} 60")])
    await anext(iterator)
    async with asyncio.timeout(SAFETY_SECONDS):
        while not mark.exists():
            await asyncio.sleep(0.01)
        await iterator.aclose()
        while not Path(f"{mark}.cancelled").exists():
            await asyncio.sleep(0.01)
    assert len(await collect(runner, [unit(n) for n in range(20)])) == 20


async def test_closing_gives_every_place_back(runner: RayRunner) -> None:
    """Units that are just being sent when the consumer goes away have not begun; their places are free again
    all the same."""
    async with asyncio.timeout(SAFETY_SECONDS):
        for _ in range(30):
            iterator = runner.run(unit(n) for n in itertools.count())
            await anext(iterator)
            await iterator.aclose()
        assert len(await collect(runner, [unit(n) for n in range(20)])) == 20
    await both_workers_are_there(runner)


async def test_a_killed_worker_loses_nothing(runner: RayRunner) -> None:
    units = [unit(n, "sleep 0.1") for n in range(60)]
    outcomes: list[Outcome] = []
    victim = next(iter(pids(await collect(runner, [unit(0)]))))
    async for outcome in runner.run(units):
        outcomes.append(outcome)
        if len(outcomes) == 10:
            os.kill(victim, signal.SIGKILL)
    assert sorted(o.key for o in outcomes) == sorted(u.key for u in units)
    assert all(isinstance(o.result, Reply) for o in outcomes)
    lost = [a for o in outcomes for a in o.attempts]
    assert 1 <= len(lost) <= 4
    assert {a.boundary for a in lost} == {"harness"}
    assert {a.attempt for a in lost} == {0}
    await both_workers_are_there(runner)


async def both_workers_are_there(runner: RayRunner) -> set[int]:
    """Wait for two workers; their process ids."""
    found: set[int] = set()
    async with asyncio.timeout(SAFETY_SECONDS):
        while len(found) < 2:
            found = pids(await collect(runner, [unit(n, "sleep 0.05") for n in range(8)]))
    return found


async def test_a_unit_that_kills_workers_ends_and_ends_no_other(runner: RayRunner) -> None:
    units = [unit(0, "die"), *(unit(n, "sleep 0.05") for n in range(1, 30))]
    outcomes = {o.unit.seed: o for o in await collect(runner, units)}
    assert len(outcomes) == 30
    assert outcomes[0].result is None
    assert [a.attempt for a in outcomes[0].attempts] == list(range(LOST_TRIES))
    assert all(o.result is not None for seed, o in outcomes.items() if seed)
    await both_workers_are_there(runner)


async def test_a_lost_try_is_counted_before_the_others(runner: RayRunner, tmp_path: Path) -> None:
    (outcome,) = await collect(runner, [unit(0, f"die-once {tmp_path / 'died'}")])
    assert outcome.result is not None
    assert [(a.attempt, a.boundary) for a in outcome.attempts] == [(0, "harness")]
    (outcome,) = await collect(runner, [unit(0, "tried")])
    assert [(a.attempt, a.boundary) for a in outcome.attempts] == [(0, "provider")]
    await both_workers_are_there(runner)


async def test_a_bug_in_a_worker_is_the_harness_and_bounded(runner: RayRunner) -> None:
    (outcome,) = await collect(runner, [unit(0, "raise")])
    assert outcome.result is None
    assert {a.boundary for a in outcome.attempts} == {"harness"}
    assert "KeyError" in outcome.attempts[0].error
    assert len(outcome.attempts) == LOST_TRIES


async def test_a_unit_that_exits_ends_without_a_result_and_the_worker_lives(runner: RayRunner) -> None:
    before = await both_workers_are_there(runner)
    outcome, other = await collect(runner, [unit(0, "exit"), unit(1)])
    if outcome.unit.seed:
        outcome, other = other, outcome
    assert outcome.result is None
    assert "SystemExit" in outcome.attempts[0].error
    assert other.result is not None
    assert await both_workers_are_there(runner) == before


async def test_calls_reach_the_journal_as_they_are_answered(runner: RayRunner) -> None:
    LOG.calls.clear()
    asked = unit(1, "calls 100", trial="journal")
    running = asyncio.create_task(collect(runner, [asked]))
    async with asyncio.timeout(SAFETY_SECONDS):
        while not LOG.calls:
            await asyncio.sleep(0.01)
    assert not running.done()
    (outcome,) = await running
    assert [call.ordinal for call in LOG.calls] == list(range(100))
    assert tuple(LOG.calls) == outcome.calls


async def test_what_workers_warn_of_is_logged_once(
    runner: RayRunner, caplog: pytest.LogCaptureFixture
) -> None:
    await collect(runner, [unit(n, "warn", trial="warn") for n in range(20)])
    async with asyncio.timeout(SAFETY_SECONDS):
        while "the endpoint is slow" not in caplog.text:
            await asyncio.sleep(0.01)
    await collect(runner, [unit(n, "sleep 0.05", trial="warn") for n in range(8)])
    assert caplog.text.count("the endpoint is slow") == 1


async def test_what_the_journal_holds_is_not_asked_again(runner: RayRunner) -> None:
    asked = unit(2, "calls 6", trial="journal")
    LOG.calls[:] = [Call(asked.key, n, "create", asked.prompt, Reply(f"before {n}")) for n in range(4)]
    (outcome,) = await collect(runner, [asked])
    assert [call.reply.text for call in outcome.calls] == [*(f"before {n}" for n in range(4)), "4", "5"]
    assert len(LOG.calls) == 6


async def test_a_worker_that_stalls_is_replaced(runner: RayRunner, tmp_path: Path) -> None:
    (outcome,) = await collect(runner, [unit(0, f"block-once {tmp_path / 'blocked'}")])
    assert outcome.result is not None
    assert [a.error for a in outcome.attempts] == ["the worker was lost"]
    await both_workers_are_there(runner)


async def test_a_second_session_in_one_process_is_refused(runner: RayRunner) -> None:
    with pytest.raises(HarnessFailure, match="one after the other"):
        async with RayRunner(RayOptions(workers=1), Scripted):
            pass


async def test_ray_writes_nothing_home_and_shows_no_dashboard(runner: RayRunner) -> None:
    assert home_token() == TOKEN_BEFORE
    assert len(os.environ["RAY_AUTH_TOKEN"]) == 64


async def test_a_stop_ends_units_between_two_calls_and_keeps_their_calls(runner: RayRunner) -> None:
    """Last in this file: the runner of the module begins no call after it."""
    LOG.calls.clear()
    units = [unit(n, "calls 1000", trial="stop") for n in range(4)]
    running = asyncio.create_task(collect(runner, units))
    async with asyncio.timeout(SAFETY_SECONDS):
        while len(LOG.calls) < 20:
            await asyncio.sleep(0.01)
        runner.stop(HarnessFailure("the limit is used up", False))
        outcomes = await running
    assert all(o.result is None for o in outcomes)
    assert {o.attempts[-1].error for o in outcomes} == {"the limit is used up"}
    for outcome in outcomes:
        assert LOG.replay(outcome.key) == outcome.calls
        assert len(outcome.calls) < 1000
