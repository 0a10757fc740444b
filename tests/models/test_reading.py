"""Thinking text, in the forms in which servers send it."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.models.client import RetryableError
from learnact.models.reading import read, split_thinking, vectors
from learnact.records import Prices


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("look()", ("look()", "")),
        ("<think>a\nb</think>\nlook()", ("look()", "a\nb")),
        ("a and b</think>look()", ("look()", "a and b")),
        ("<think>cut off", ("", "cut off")),
        ("<think>one</think>go(1)<think>two</think>", ("go(1)", "one\ntwo")),
        ("<THINK>a</THINK>look()", ("look()", "a")),
        ("<reasoning>a</reasoning>look()", ("look()", "a")),
        ("go('<1>') if a < b", ("go('<1>') if a < b", "")),
        ("[THINK]a[/THINK]look()", ("look()", "a")),
        ("[THINK]go(1)\nlook()", ("", "go(1)\nlook()")),
        ("[think] of it", ("[think] of it", "")),
        ("look()\n<think>go(1)", ("look()", "go(1)")),
        ("say('<think>')", ("say('<think>')", "")),
        ("◁think▷a◁/think▷look()", ("look()", "a")),
        ("<seed:think>a</seed:think>look()", ("look()", "a")),
        ("<|START_THINKING|>a<|END_THINKING|>look()", ("look()", "a")),
        ("<|begin_of_thought|>a<|end_of_thought|>look()", ("look()", "a")),
        ("<think>a<think>b</think>look()", ("look()", "a<think>b")),
        ("a</think>b</think>look()", ("look()", "a\nb")),
        ("<think>a</thinking></think>look()", ("look()", "a</thinking>")),
        ("<|channel|>analysis<|message|>hm, go(1)", ("", "<|channel|>analysis<|message|>hm, go(1)")),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant"
            "<|channel|>final<|message|>look()<|return|>",
            None,
        ),
    ],
)
def test_thinking_is_taken_out(text: str, expected: tuple[str, str] | None) -> None:
    said, thought = split_thinking(text)
    if expected is None:
        assert said == "look()"
        assert "hm" in thought
    else:
        assert (said, thought) == expected


@given(
    st.text(alphabet=st.characters(blacklist_characters="<|")),
    st.text(alphabet=st.characters(blacklist_characters="<|")),
)
def test_a_block_before_a_reply_is_separated_from_it(thought: str, said: str) -> None:
    assert split_thinking(f"<think>{thought}</think>{said}") == (said.strip(), thought.strip())


UNITS = [
    "<think>",
    "</think>",
    "<think></think>",
    "[THINK]",
    "<",
    "<think>\n",
    "\n",
    "<|channel|>final",
    "<think",
    " ",
]


def steps(text: str) -> int:
    """Lines of Python executed while a text is split: a measure of time that does not depend on the
    machine."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        split_thinking(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("unit", UNITS)
def test_time_is_linear_in_the_text(unit: str) -> None:
    once, twice = steps(unit * 2_000), steps(unit * 4_000)
    assert twice <= 2.5 * once + 200


@given(st.text(alphabet="<>/thinkTHINK[]|\n ◁▷ab", max_size=200))
def test_any_text_is_split(text: str) -> None:
    said, thought = split_thinking(text)
    assert len(said) + len(thought) <= len(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "finish_reason": JSON,
        "message": JSON
        | st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ("content", "reasoning", "reasoning_content", "tool_calls", "refusal"), JSON
            ),
        ),
    },
)
BODIES = JSON | st.fixed_dictionaries(
    {},
    optional={
        "choices": JSON | st.lists(FIELDS, max_size=2),
        "usage": JSON
        | st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                (
                    "prompt_tokens",
                    "completion_tokens",
                    "total_tokens",
                    "prompt_tokens_details",
                    "completion_tokens_details",
                    "prompt_cache_hit_tokens",
                ),
                JSON,
            ),
        ),
        "model": JSON,
        "system_fingerprint": JSON,
        "error": JSON,
    },
)


@given(BODIES)
def test_any_body_is_a_reply_or_a_fault_of_the_server(body: Any) -> None:
    try:
        checked = read(body, Prices(1.0, 0.5, 2.0), "there")
    except RetryableError:
        return
    reply = checked.reply
    assert isinstance(reply.text, str)
    assert isinstance(reply.finish, str)
    assert 0 <= reply.tokens.cached <= reply.tokens.prompt
    assert 0 <= reply.tokens.reasoning <= reply.tokens.completion
    assert reply.cost is None or reply.cost >= 0


@given(JSON | st.fixed_dictionaries({"data": st.lists(JSON, max_size=3)}), st.integers(0, 3))
def test_any_body_is_vectors_or_a_fault_of_the_server(body: Any, count: int) -> None:
    try:
        found, _ = vectors(body, count, "there")
    except RetryableError:
        return
    assert len(found) == count
