"""Turns and streams, without a cluster."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.records import Outcome, Reply, Unit
from learnact.runners.ray.streams import RoundRobin, UnitInFlight, UnitStream
from tests.cluster.workers import unit

SAFETY_SECONDS = 600


def units(count: int, trial: str = "t") -> list[Unit]:
    return [unit(n, trial=trial) for n in range(count)]


def finish(stream: UnitStream, entry: UnitInFlight) -> None:
    stream.done(entry, Outcome(entry.unit, Reply("")))


async def test_the_end_is_known_with_the_last_outcome() -> None:
    stream = UnitStream(units(1), window=4)
    entry = stream.next()
    assert entry is not None
    finish(stream, entry)
    assert await stream.take() is not None
    async with asyncio.timeout(SAFETY_SECONDS):
        assert await stream.take() is None


async def test_an_empty_stream_ends_at_once() -> None:
    async with asyncio.timeout(SAFETY_SECONDS):
        assert await UnitStream([], window=4).take() is None


async def test_a_lost_unit_comes_first_and_holds_the_end_back() -> None:
    stream = UnitStream(units(2), window=4)
    first, second = stream.next(), stream.next()
    assert first is not None
    assert second is not None
    finish(stream, second)
    stream.lost(first)
    await stream.take()
    assert stream.next() is first
    finish(stream, first)
    assert await stream.take() is not None
    assert await stream.take() is None


async def test_the_window_bounds_what_is_not_taken() -> None:
    stream = UnitStream(units(100), window=3)
    entries = [stream.next() for _ in range(3)]
    assert stream.next() is None
    for entry in entries:
        assert entry is not None
        finish(stream, entry)
    assert stream.next() is None
    await stream.take()
    assert stream.next() is not None


async def test_an_error_of_the_input_comes_after_what_was_under_way() -> None:
    def bad() -> Iterator[Unit]:
        yield unit(1)
        raise LookupError("gone")

    stream = UnitStream(bad(), window=3)
    entry = stream.next()
    assert entry is not None
    assert stream.next() is None
    finish(stream, entry)
    assert await stream.take() is not None
    with pytest.raises(LookupError, match="gone"):
        await stream.take()


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(1, 40))
@settings(max_examples=60)
def test_streams_advance_evenly(sizes: list[int], places: int) -> None:
    async def play() -> Counter[str]:
        turns = RoundRobin()
        for number, size in enumerate(sizes):
            turns.add(UnitStream(units(size, str(number)), window=100))
        taken = [turn for _ in range(places) if (turn := turns.next()) is not None]
        return Counter(entry.unit.trial for _, entry in taken)

    counts = asyncio.run(play())
    assert sum(counts.values()) == min(places, sum(sizes))
    unfinished = [counts[str(n)] for n, size in enumerate(sizes) if counts[str(n)] < size]
    assert not unfinished or max(counts.values()) <= min(unfinished) + 1
