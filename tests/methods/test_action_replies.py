"""What chat models send, and what is read from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.library.calls import CallExpression, UnreadableCall, find_calls, parse_call
from learnact.methods.action_replies import ParsedCall, ParsedCommand, ParsedThought, Unparsed, code_of, read

KNOWN = {"pick", "carry"}
PICK = CallExpression("pick", ("ball1", "rooma", "left"))


@pytest.mark.parametrize(
    "reply",
    [
        "pick('ball1', 'rooma', 'left')",
        'Action: pick("ball1", "rooma", "left")',
        "**Action:** `pick('ball1', 'rooma', 'left')`",
        "Action 3: pick(ball1, rooma, left)",
        "```python\npick('ball1', 'rooma', 'left')\n```",
        "```\nx = pick('ball1', 'rooma', 'left')\n```",
        "I pick (with the left hand) the first ball: pick('ball1', 'rooma', 'left'). Then I will move.",
        "pick('ball1', 'rooma', 'left')\ncarry('ball2')",
        "move_on('x') would be wrong.\nAction: pick('ball1', 'rooma', 'left')",
        "Next action: pick('ball1', 'rooma', 'left')\nObservation: carry('made', 'up')",
        "Think: first the ball.\nAction: pick('ball1', 'rooma', 'left')",
    ],
)
def test_a_call_is_found_in_what_chat_models_send(reply):
    assert read(reply, KNOWN, thoughts=False) == ParsedCall(PICK)


def test_keyword_arguments_lists_and_numbers_are_kept():
    call = parse_call("carry(['a', 'b'], start='rooma', count=-2, fast=True)")
    assert call == CallExpression("carry", (["a", "b"],), {"start": "rooma", "count": -2, "fast": True})


def test_a_misspelt_action_is_a_call_so_that_the_agent_is_told():
    assert read("grab('ball1')", KNOWN, thoughts=False) == ParsedCall(CallExpression("grab", ("ball1",)))


@pytest.mark.parametrize(
    "reply",
    ["", "I do not know (sorry).", "pick('ball1'", "pick(ball 1)", "pick(*args)", "Observation: pick('x')"],
)
def test_what_is_no_call_is_unreadable(reply):
    assert isinstance(read(reply, KNOWN, thoughts=False), Unparsed)


def test_a_thought_counts_only_for_agents_that_may_think():
    reply = "Think: pick('a', 'b', 'c') would be good."
    assert read(reply, KNOWN, thoughts=True) == ParsedThought("pick('a', 'b', 'c') would be good.")
    assert isinstance(read(reply, KNOWN, thoughts=False), ParsedCall)


def test_what_follows_a_thought_is_cut():
    assert read("Thought: go on\nAction: pick('a','b','c')", KNOWN, thoughts=True) == ParsedThought("go on")


@pytest.mark.parametrize("reply", ["Action: go to fridge 1", "> go to fridge 1.", "```\ngo to fridge 1\n```"])
def test_commands_of_text_environments(reply):
    assert read(reply, KNOWN, thoughts=False, commands=True) == ParsedCommand("go to fridge 1")


def test_an_unreadable_reply_is_shown_short():
    said = read("blah " * 500, KNOWN, thoughts=False)
    assert isinstance(said, Unparsed)
    assert len(said.said) <= 300


names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda n: n.isidentifier() and n not in {"if", "in", "is", "or", "as"}
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=6,
)


@given(names, st.lists(values, max_size=3), st.dictionaries(names, values, max_size=2))
def test_a_call_survives_being_written_and_read(name, args, kwargs):
    import keyword

    if keyword.iskeyword(name) or any(map(keyword.iskeyword, kwargs)):
        return
    call = CallExpression(name, tuple(args), kwargs)
    assert parse_call(call.text) == call


@given(st.text(max_size=200))
def test_no_reply_breaks_the_parser(reply):
    read(reply, KNOWN, thoughts=True)
    read(reply, KNOWN, thoughts=False, commands=True)
    list(find_calls(reply))


def test_brackets_without_end_take_no_time():
    assert list(find_calls("f(" * 5000)) == []


def test_deep_nesting_is_refused():
    with pytest.raises(UnreadableCall):
        parse_call("f(" + "[" * 50 + "]" * 50 + ")")


def test_code_is_all_fenced_blocks_or_starts_at_the_first_line_of_code():
    assert code_of("Here:\n```py\nx = 1\n```\nand\n```\ny = 2\n```") == "x = 1\n\ny = 2"
    assert code_of("Sure.\ndef f(a):\n    return a") == "def f(a):\n    return a"
    assert code_of("Nothing here.") == ""
