"""The host's side of the protocol against whatever bytes a process may send: no hang, no crash, no growth,
and only sound results."""

from __future__ import annotations

import asyncio
import json
import os
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from learnact.sandbox import protocol
from learnact.sandbox.confinement import LINUX
from learnact.sandbox.process import ConfinedProcess, ProcessLost
from tests.sandbox.peer import BOUNDS, PRIMITIVES, converse, frame, sound

pytestmark = pytest.mark.skipif(not LINUX, reason="reads /proc")

SETTINGS = settings(max_examples=60, derandomize=True)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)
PLACE = PLAIN | st.tuples(
    st.sampled_from(["<library>", "<program>", "x"]), st.text(max_size=9), st.integers(-9, 9)
).map(list)
DO = st.tuples(
    st.just("do"),
    st.sampled_from([*PRIMITIVES, "reward", ""]) | PLAIN,
    st.lists(st.just("stop") | PLAIN, max_size=3) | PLAIN,
    st.dictionaries(st.text(max_size=5), PLAIN, max_size=3) | PLAIN,
    PLACE,
    st.text(max_size=80) | PLAIN,
).map(list)
ERROR = st.none() | st.tuples(st.text(max_size=150), st.text(max_size=300), PLACE).map(list) | PLAIN
END = st.tuples(st.just("end"), PLAIN, ERROR, st.text(max_size=80) | PLAIN).map(list)


def encoded(message: Any) -> bytes:
    return frame(json.dumps(message).encode())


MESSAGE = (DO | END | PLAIN).map(encoded)
BROKEN = st.builds(
    lambda data, at, junk: data[:at] + junk + data[at:], MESSAGE, st.integers(0, 60), st.binary(max_size=8)
)
CHUNK = MESSAGE | BROKEN | st.binary(max_size=300) | st.tuples(MESSAGE, MESSAGE).map(b"".join)


def play(answers: list[bytes]) -> None:
    result, sandbox = asyncio.run(asyncio.wait_for(converse(answers), 300))
    sound(result, sandbox)


@given(st.lists(CHUNK, max_size=8))
@SETTINGS
@example([encoded(["do", "pick", [1], {}, None, ""])] * 8)
@example([encoded(["do", "pick", ["stop"], {}, None, ""]), encoded(["do", "move", [], {}, None, ""])])
@example([b"\xff\xff\xff\xff"])
@example([frame(b"[" * 4000)])
@example([frame(b'["end",' + b"9" * 3900 + b',null,""]')])
@example([frame(b'["end","\\ud800",null,""]')])
@example([frame(b'["end",1e400,null,""]')])
def test_whatever_a_process_sends_the_result_is_sound(answers: list[bytes]) -> None:
    play(answers)


@given(st.lists(DO.map(encoded), min_size=1, max_size=9), END.map(encoded))
@SETTINGS
def test_well_formed_dialogues_are_sound(requests: list[bytes], end: bytes) -> None:
    play([*requests, end])


@pytest.mark.slow
@given(st.lists(CHUNK | DO.map(encoded), max_size=9))
@settings(SETTINGS, max_examples=1500, derandomize=False)
def test_many_more_dialogues_each_time_others(answers: list[bytes]) -> None:
    play(answers)


@given(PLAIN, st.integers(0, 5), st.integers(1, 40))
@SETTINGS
def test_refusal_is_about_the_value_and_nothing_else(value: Any, depth: int, items: int) -> None:
    limits = protocol.MessageLimits(depth, items, 1000)
    if protocol.find_problem(value, limits) is None:
        assert protocol.unpack(protocol.pack(value, 1 << 20)[4:]) == value
        assert protocol.flatten(value, limits, lenient=False) == value


@given(st.text() | st.binary().map(lambda b: b.decode("utf-8", "surrogateescape")), st.integers(0, 50))
@SETTINGS
def test_cleaned_text_is_short_and_harmless(text: str, limit: int) -> None:
    kept = protocol.clean(text, limit)
    assert len(kept) <= limit
    assert kept.encode("utf-8").decode("utf-8") == kept
    assert not any(c < " " and c not in "\n\t" for c in kept)


def test_thousands_of_broken_dialogues_do_not_grow() -> None:
    broken = [
        [b"\xff\xff\xff\xff"],
        [frame(b"[" * 4000)],
        [b"x" * 4000],
        [encoded(["do", "pick", [1], {}, None, "p" * 99])] * 7,
        [],
    ]

    def rounds(count: int) -> int:
        for _ in range(count):
            for answers in broken:
                play(list(answers))
        return len(os.listdir("/proc/self/fd"))

    descriptors = rounds(5)
    tracemalloc.start()
    try:
        rounds(5)
        before = tracemalloc.get_traced_memory()[0]
        assert rounds(20) == descriptors
        assert tracemalloc.get_traced_memory()[0] - before < 200_000
    finally:
        tracemalloc.stop()


async def test_a_message_is_taken_whole_however_it_is_cut() -> None:
    import socket

    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    process = ConfinedProcess(ours, os.getpid(), BOUNDS.message_bytes, confined=False)
    process.start_deadlines(1e6, 300.0)
    waiting = asyncio.ensure_future(process.exchange(b""))
    for byte in encoded(["ready", "ü"]):
        theirs.send(bytes([byte]))
        await asyncio.sleep(0)
    assert await waiting == ["ready", "ü"]
    process.close()
    theirs.close()


async def test_a_process_that_is_silent_is_given_up() -> None:
    import socket

    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    process = ConfinedProcess(ours, os.getpid(), BOUNDS.message_bytes, confined=False)
    process.start_deadlines(1e6, 0.2)
    with pytest.raises(ProcessLost) as lost:
        await process.exchange(b"x" * 10)
    assert lost.value.reason == "wall"
    process.close()
    theirs.close()
