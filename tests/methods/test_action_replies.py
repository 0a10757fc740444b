"""What chat models send, and what is read from it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.library.calls import CallExpression, UnreadableCall, find_calls, parse_call
from learnact.methods import learner_replies
from learnact.methods.action_replies import ParsedCall, ParsedCommand, ParsedThought, Unparsed, read
from learnact.methods.reply_code import code_of
from learnact.methods.reply_text import READ_CHARS

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


def test_only_the_first_line_is_read_where_the_job_says_so():
    reply = "Thought: go on\nAction: pick('ball1', 'rooma', 'left')"
    assert read(reply, KNOWN, thoughts=True) == ParsedCall(PICK, "go on")
    said = read(reply, KNOWN, thoughts=True, first_line=True)
    assert (said, said.ignored) == (ParsedThought("go on"), ("lines",))
    said = read(reply.replace("\n", " "), KNOWN, thoughts=True, first_line=True)
    assert isinstance(said, ParsedThought)
    said = read(f"pick('ball1', 'rooma', 'left')\n{reply}", KNOWN, thoughts=True, first_line=True)
    assert (said, said.ignored) == (ParsedCall(PICK), ("lines",))


@pytest.mark.parametrize("finish", ["length", "tool_calls"])
def test_how_a_reply_ended_explains_that_it_is_empty(finish):
    said = read("", KNOWN, thoughts=False, finish=finish)
    assert said.cause == {"length": "cut", "tool_calls": "tool_call"}[finish]
    assert read("I think that", KNOWN, thoughts=False, finish="length").cause == "cut"
    assert read("I think so.", KNOWN, thoughts=False).cause == "no_call"


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("I will grap('ball1').", "there is no action grap"),
        ("I will pik('ball1').", "did you mean pick?"),
        ("pick('ball1', 'rooma'", "the brackets or quotes of pick(...) are not closed"),
        ("pick ball1", "pick is not written as a call"),
        ("for x in y:\n    pick(x)", "the reply is a program"),
        ("pick('ball1') is not possible.", "the reply speaks of pick but does not say"),
    ],
)
def test_what_was_wrong_is_told(reply, told):
    assert told in read(reply, KNOWN, thoughts=False).reason


@pytest.mark.parametrize(
    "reply",
    ["Action: go to fridge 1", "> go to fridge 1.", "```\ngo to fridge 1\n```", "“go to\u00a0fridge 1”"],
)
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


@pytest.mark.parametrize(
    "reply",
    [
        "pick(“ball1”, “rooma”, ‘left’)",
        'Action: pick(‘ball1’, \'rooma’, "left")',
        "pick（'ball1'，'rooma'，'left'）",
        "pick（“ball1”、“rooma”、“left”）",
        "pick\u00a0('ball1',\u00a0'rooma',\u202f'left')",
        "pi\u200bck('ball1', \ufeff'room\u200ba', 'left')",
        "pick\\('ball1', 'rooma', 'left'\\)",
        "**pick**('ball1', 'rooma', 'left')",
        "`pick`('ball1', 'rooma', 'left')",
        "Action\uff1a pick('ball1', 'rooma', 'left')",
        "\ufeffAction: pick('ball1', 'rooma', 'left')",
        "1. Action: pick('ball1', 'rooma', 'left')",
        'ｐｉｃｋ（＇ball1＇，"rooma"，left）',
        "pick(\n    'ball1',  \n    'rooma',\n    'left'\n)",
    ],
)
def test_characters_that_look_like_pythons_are_read(reply):
    assert read(reply, KNOWN, thoughts=False) == ParsedCall(PICK)


@pytest.mark.parametrize(
    "reply", ["jack\\_up('hub1')", "Action: jack\\_up(‘hub1’)", "jack\\_up(hub1)", "jack＿up('hub1')"]
)
def test_escaped_underscores_are_read(reply):
    assert read(reply, {"jack_up"}, thoughts=False) == ParsedCall(CallExpression("jack_up", ("hub1",)))
    assert parse_call(reply.removeprefix("Action: ")) == CallExpression("jack_up", ("hub1",))


def test_quotes_inside_an_argument_are_kept():
    assert parse_call("take('the baker’s mug')").args == ("the baker’s mug",)
    assert parse_call("take(‘the baker’s mug’, “a 'b' c”)").args == ("the baker’s mug", "a 'b' c")
    assert parse_call("take('the baker's mug', 2)").args == ("the baker's mug", 2)


@pytest.mark.parametrize(
    "reply",
    [
        "[THINK]I could pick('ball1', 'rooma', 'left') now.[/THINK]",
        "<think>pick('ball1', 'rooma', 'left')",
        "Well <think> so pick('ball1', 'rooma', 'left')",
        "[Perhaps I should first pick('ball1', 'rooma', 'left') and then look around for the others]",
        "(It would be wrong to call pick('ball1', 'rooma', 'left') here.)",
        "[The hand is free, so the plan is: pick('ball1', 'rooma', 'left'), then",
    ],
)
def test_calls_inside_reasoning_are_not_actions(reply):
    assert isinstance(read(reply, KNOWN, thoughts=False), Unparsed)
    ended = read(f"{reply}\n\nI am done." if reply.endswith(("]", ")")) else reply, KNOWN, thoughts=True)
    assert not isinstance(ended, ParsedCall)


@pytest.mark.parametrize(
    "reply",
    [
        "[THINK]I could carry('x') now.[/THINK]pick('ball1', 'rooma', 'left')",
        "<think>carry('x')</think>\n<think>or carry('y')</think>pick('ball1', 'rooma', 'left')",
        "[I first thought of carry('x'), but it is the wrong room for that]\npick('ball1', 'rooma', 'left')",
        "[pick('ball1', 'rooma', 'left'), carry('ball2'), carry('ball3'), carry('ball4'), carry('x')]",
        "My action (pick('ball1', 'rooma', 'left')).",
        "{" + "(" * 300 + "pick('ball1', 'rooma', 'left')",
    ],
)
def test_the_action_beside_reasoning_is_read(reply):
    assert read(reply, KNOWN, thoughts=False) == ParsedCall(PICK)


def test_an_action_behind_long_reasoning_with_many_brackets_is_read():
    reasoning = "It is so (see f(x) and g(y)) that we wait. " * 150
    assert read(f"{reasoning}\npick('ball1', 'rooma', 'left')", KNOWN, thoughts=False) == ParsedCall(PICK)


@pytest.mark.parametrize(
    "argument",
    ["0x" + "f" * 3000, "1e999", "-1e999", r"'\ud800'", r"{'\udfff': 1}", "9" * 3990, "[" * 12 + "]" * 12],
)
def test_arguments_that_cannot_be_written_or_stored_are_refused(argument):
    with pytest.raises(UnreadableCall):
        parse_call(f"pick({argument})")


LONG = {
    "newlines": "\n", "spaces": " ", "stars": "*\n", "emphasis": "*_ ", "quotes": "> ", "hashes": "# ",
    "dots": "1. ", "think": "<think>", "brackets": "(", "names": "f(", "strings": "f('", "pairs": "f()",
    "square": "[a ", "fences": "```\n", "labelled fences": "```python\n", "words": "word ", "one word": "w",
    "labels": "Action ", "label lines": "Action:\n", "colons": ":", "closed": "</think>", "curly": "f(“",
    "passages": "(a) ", "definitions": "def f():\n", "usage": "Usage:\n", "usage blocks": "Usage:\n```\n",
    "carriage": "\r", "indented": "    ", "escapes": "\\", "observation": "Observation: a\n", "number": "9",
    "braces": "{", "tool calls": '{"name": "pick", "arguments": {"a": 1}} ', "half tool": '{"name": "a", ',
    "function tags": "<function=pick>", "parameters": "<function=a><parameter=b>c</parameter>",
    "inputs": "Action: pick\nAction Input: {", "loops": "for x in y:\n", "ifs": "if a:\n b()\n",
    "doubts": "not pick('a') is not ", "colons above": "It failed:\n\n", "bold": "**a:** ",
    "docstrings": '"""', "main": "if __name__ == '__main__':\n", "notes": "Note: a\n",
    "numbers": "1. f(a)\n", "ands": "pick('a') and ",
    "backticks": "`", "tildes": "~~~\n", "mixed": "([{", "calls": "pick('ball1', 'rooma', 'left') ",
}  # fmt: skip
"""Texts that, repeated, took a time that grew with the square of the length in earlier versions, and their
kin."""


def reading(text):
    """Everything that is read from a reply."""
    read(text, KNOWN, thoughts=True)
    read(text, KNOWN, thoughts=False, commands=True)
    for each in (
        learner_replies.proposal,
        learner_replies.improvement,
        learner_replies.description,
        learner_replies.lesson,
        learner_replies.verdict,
        learner_replies.trajectory,
    ):
        each(text)


def cpu(text):
    """CPU seconds of reading a text: the least of several."""
    taken = []
    for _ in range(2):
        start = time.process_time()
        reading(text)
        taken.append(time.process_time() - start)
    return min(taken)


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize(
    "frame",
    [
        "{}",
        "```python\ndef f():\n    pass\n```{}",
        "Action{}x",
    ],
)
def test_reading_is_linear_in_the_length(name, frame):
    short, long = (frame.format(LONG[name] * (size // len(LONG[name]))) for size in (3_000, 12_000))
    # Four times the text: 4 times the CPU time when linear, 16 times when quadratic. Other programs on the
    # same
    # core add to it now and then, so the measurement may be taken again.
    assert any(cpu(long) < 8 * cpu(short) + 0.02 for _ in range(5))


def test_a_reply_of_any_length_is_read_in_bounded_time():
    text = "pick('ball1', 'rooma', 'left')" + "\n" * 20_000_000
    assert read(text, KNOWN, thoughts=False) == ParsedCall(PICK)
    assert any(cpu(text) < 8 * cpu(text[: 2 * READ_CHARS]) + 0.5 for _ in range(5))


PARTS = [*LONG.values(), "“", "’", "）", "pick", "x", "'", ")", "]", "\n", "="]


@given(st.lists(st.sampled_from(PARTS), max_size=40).map("".join))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_whatever_a_reply_holds_it_is_read(reply):
    reading(reply)


def test_a_command_of_one_long_word_is_read_in_linear_time():
    def taken(length):
        start = time.process_time()
        read("w" * length, KNOWN, thoughts=False, commands=True)
        return time.process_time() - start

    assert any(taken(120_000) < 8 * taken(30_000) + 0.02 for _ in range(5))
