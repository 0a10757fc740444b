"""Gates of three workers, the limiter and servers of several kinds on a simulated clock. Rates are a fifth of
those of issue 12 (120 requests, 12,000 tokens a minute); `test_real_servers.py` has them in real time."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learnact.errors import HarnessFailure, ProviderFailure
from learnact.models.client import RetryableError
from learnact.models.limits.deadline import deadline
from learnact.models.limits.gate import RequestGate
from learnact.records import EndpointLimits, ModelSpec
from tests.models.limits.simulation import (
    MeteredServer,
    SharedLimiter,
    caller,
    clock,
    simulate,
    traffic,
)
from tests.models.limits.test_window import most_in_a_minute

LIMITS = EndpointLimits(120, 12_000)
SECONDS = 180.0
SIZES = {
    "requests bind": lambda rng: (50, None),
    "tokens bind": lambda rng: (200, None),
    "mixed": lambda rng: (rng.choice([20, 60, 300]), None),
    "estimates too high": lambda rng: (150, 1200),
    "estimates too low": lambda rng: (300, 100),
}


CASES = [
    pytest.param(name, None, id=name, marks=[] if name == "requests bind" else pytest.mark.slow)
    for name in SIZES
]
CASES += [
    pytest.param(name, seconds, id=f"{name}, bucket of {seconds:g} s", marks=pytest.mark.slow)
    for name, seconds in [("requests bind", 1.0), ("tokens bind", 3.0), ("mixed", 60.0)]
]


@pytest.mark.parametrize(("name", "bucket"), CASES)
def test_a_rate_is_used_to_95_percent_with_hardly_a_refusal(name: str, bucket: float | None) -> None:
    server = MeteredServer(120, 12_000, bucket_seconds=bucket)
    began = simulate(traffic(server, LIMITS, SIZES[name], seconds=SECONDS, callers=15))
    requests, tokens = server.rate(began + 70, began + SECONDS)
    assert max(requests / 120, tokens / 12_000) >= 0.95
    assert server.refused_share(began + 70, began + SECONDS) <= 0.01


@pytest.mark.parametrize("retry_after", [None, pytest.param(3.0, marks=pytest.mark.slow)])
def test_after_a_storm_the_rate_is_back_within_a_minute(retry_after: float | None) -> None:
    server = MeteredServer(120, 12_000, storm=(1080.0, 1140.0), retry_after=retry_after)
    simulate(traffic(server, LIMITS, SIZES["requests bind"], seconds=230.0, callers=15))
    before, _ = server.rate(1060.0, 1080.0)
    after, _ = server.rate(1170.0, 1230.0)
    assert after >= 0.9 * before
    assert len(server.refused) <= 60


@pytest.mark.slow
def test_a_server_that_bears_fewer_requests_at_once_is_found_out() -> None:
    server = MeteredServer(in_flight=6)
    began = simulate(traffic(server, EndpointLimits(), seconds=150.0, callers=30))
    requests, _ = server.rate(began + 60, began + 150)
    assert requests >= 0.85 * 6 * 60 / 0.51
    assert server.refused_share(began + 60, began + 150) <= 0.03


def test_requests_in_flight_of_all_workers_keep_to_the_bound() -> None:
    server = MeteredServer()
    simulate(traffic(server, EndpointLimits(in_flight=5), seconds=30.0, callers=30))
    assert server.most == 5
    fewer_than_workers = MeteredServer()
    simulate(traffic(fewer_than_workers, EndpointLimits(in_flight=1), seconds=30.0, callers=9))
    assert fewer_than_workers.most == 1
    assert len(fewer_than_workers.passed) > 30


@given(
    seed=st.integers(0, 10**6),
    delay=st.sampled_from([0.0, 0.01, 0.2]),
    ends=st.lists(
        st.tuples(st.floats(0.0, 100.0), st.sampled_from(["restart", "lost", "worker"])), max_size=5
    ),
)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_minute_has_more_than_the_limits_whatever_dies(
    seed: int, delay: float, ends: list[tuple[float, str]]
) -> None:
    """The limiter is lost with all it knew, does not answer for a while, workers die with their permits: the
    server never saw more in a minute than the limits, and calls went on."""
    server = MeteredServer()

    async def run() -> None:
        link, rng = SharedLimiter(delay), random.Random(seed)
        gates = [RequestGate(link) for _ in range(3)]
        started = clock()

        def play(gate: RequestGate, number: int) -> list[asyncio.Task[None]]:
            sizes = SIZES["mixed"]
            calls = (
                caller(gate, server, LIMITS, sizes, seed=seed + number + n, until=started + 130.0)
                for n in range(5)
            )
            return [asyncio.create_task(call) for call in calls]

        groups = [(gate, play(gate, 10 * n)) for n, gate in enumerate(gates)]

        async def end(group: tuple[RequestGate, list[asyncio.Task[None]]]) -> None:
            """A worker that dies says nothing."""
            await group[0].close()
            for task in group[1]:
                task.cancel()
            await asyncio.gather(*group[1], return_exceptions=True)

        for when, what in sorted(ends):
            await asyncio.sleep(max(0.0, started + when - clock()))
            if what == "restart":
                link.restart()
            elif what == "lost":
                link.lost = True
                await asyncio.sleep(5.0)
                link.lost = False
            else:
                place = rng.randrange(3)
                await end(groups[place])
                gate = RequestGate(link)
                groups[place] = (gate, play(gate, rng.randrange(10**6)))
        await asyncio.sleep(max(0.0, started + 130.0 - clock()))
        for group in groups:
            await end(group)

    simulate(run())
    assert most_in_a_minute([(when, 1.0) for when, _ in server.passed]) <= 120
    assert most_in_a_minute([(when, float(tokens)) for when, tokens in server.passed]) <= 12_000
    assert len(server.passed) >= 20


def test_one_workers_retry_after_holds_for_all() -> None:
    server = MeteredServer(storm=(1005.0, 1005.2), retry_after=20.0)
    simulate(traffic(server, EndpointLimits(), seconds=40.0, callers=9))
    assert not [when for when, _ in server.passed if 1006.0 < when < 1024.0]
    assert [when for when, _ in server.passed if when > 1026.0]


def test_a_server_that_asks_for_more_than_the_patience_is_given_up_by_all_at_once() -> None:
    async def run() -> tuple[int, float]:
        gate, model = RequestGate(), ModelSpec("m")
        ended: list[float] = []

        async def one(number: int) -> None:
            async with gate.permit(model, "u", 10, since=float(number), patience=60.0) as permit:
                await asyncio.sleep(1.0)
                permit.failed(RetryableError("limit", "429", 86_400.0))
                ended.append(clock())
                return

        came = await asyncio.gather(*(one(number) for number in range(200)), return_exceptions=True)
        await gate.close()
        assert all(isinstance(error, RetryableError) and error.retry_after for error in came if error)
        return len(ended), clock()

    asked, now = simulate(run())
    assert asked <= 64
    assert now < 1010.0


def test_a_call_that_could_never_be_let_through_is_refused_at_once() -> None:
    async def run() -> None:
        gate, model = RequestGate(), ModelSpec("m", limits=EndpointLimits(tokens_per_minute=1000))
        with pytest.raises(ProviderFailure, match=r"1,200 tokens.*tokens_per_minute \(1,000\)"):
            async with gate.permit(model, "u", 1200, since=0.0, patience=60.0):
                pass

    simulate(run())


def test_a_call_as_large_as_a_minute_is_let_through_within_two() -> None:
    async def run() -> float:
        gate, model = RequestGate(), ModelSpec("m", limits=EndpointLimits(tokens_per_minute=1000))
        began = clock()
        for _ in range(2):
            async with gate.permit(model, "u", 1000, since=clock(), patience=60.0) as permit:
                permit.answered(1000, permit.headers)
        await gate.close()
        return clock() - began

    assert simulate(run()) < 130.0


def test_stopping_ends_what_waits_and_what_comes() -> None:
    async def run() -> None:
        gate, model = RequestGate(), ModelSpec("m", limits=EndpointLimits(requests_per_minute=1))

        async def one() -> None:
            async with gate.permit(model, "u", 10, since=0.0, patience=60.0):
                raise AssertionError("it was let through")

        tasks = [asyncio.create_task(one()) for _ in range(5)]
        await asyncio.sleep(1.0)
        gate.stop(HarnessFailure("enough", False))
        for task in [*tasks, asyncio.create_task(one())]:
            with pytest.raises(HarnessFailure, match="enough"):
                await task
        await gate.close()

    simulate(run())


def test_waiting_for_a_limit_does_not_use_up_the_time_of_a_try() -> None:
    async def run() -> None:
        gate, model = RequestGate(), ModelSpec("m", limits=EndpointLimits(requests_per_minute=2))
        async with deadline(10.0):
            for _ in range(4):
                async with gate.permit(model, "u", 10, since=clock(), patience=60.0) as permit:
                    await asyncio.sleep(1.0)
                    permit.answered(10, permit.headers)
        assert clock() > 1060.0
        with pytest.raises(TimeoutError):
            async with deadline(10.0):
                await asyncio.sleep(11.0)
        await gate.close()

    simulate(run())


@pytest.mark.slow
def test_a_servers_own_count_is_heeded_where_it_is_lower_than_ours() -> None:
    """The account allows half of what the job says: with the headers hardly anything is refused."""
    told = MeteredServer(60, None, bucket_seconds=60.0, headers=True)
    began = simulate(traffic(told, EndpointLimits(120), seconds=SECONDS, callers=9))
    silent = MeteredServer(60, None, bucket_seconds=60.0)
    simulate(traffic(silent, EndpointLimits(120), seconds=SECONDS, callers=9))
    assert told.rate(began + 90, began + SECONDS)[0] >= 0.9 * 60
    assert len(told.refused) <= len(silent.refused) / 2
