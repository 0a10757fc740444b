"""Thinking text, in the forms in which servers send it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.models.reading import split_thinking


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
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>look()<|return|>",
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
