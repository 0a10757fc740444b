"""Actions as tools: what servers really send is read, and a turn is shown again as the chat API shows it."""

from __future__ import annotations

import contextlib
import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.domains import registry
from learnact.library.calls import UnreadableCall
from learnact.library.parameters import as_call, by_name, of_learned
from learnact.methods.tool_calls import parameters_of, read_tool_call, tools_of, turn_entries
from learnact.records import DomainSpec, LearnedAction, Library, Prompt, Rules, ToolCall, Turn, TurnKind

CARRY = LearnedAction(
    "carry_all",
    "carry_all(balls, start, end, *, hand='left', twice=False)",
    "def carry_all(balls, start, end, *, hand='left', twice=False):\n"
    "    for ball in balls:\n        pick(ball)\n",
    "Carries balls.",
    ("Walk there first.",),
)
GRIPPER = registry.build(DomainSpec("gripper"))
OFFERED = parameters_of(GRIPPER, Library((CARRY,)))
PICK = "pick('ball1', 'rooma', 'left')"
BY_NAME = dict(zip([p.name for p in OFFERED["pick"]], ["ball1", "rooma", "left"], strict=True))


READ = {
    "an object as text": ("pick", json.dumps(BY_NAME), PICK),
    "in another order": ("pick", json.dumps(dict(reversed(BY_NAME.items()))), PICK),
    "quoted twice": ("pick", json.dumps(json.dumps(BY_NAME)), PICK),
    "a list by position": ("pick", '["ball1", "rooma", "left"]', PICK),
    "Python's literals, no JSON": ("pick", str(BY_NAME), PICK),
    "arguments of a call": ("pick", "'ball1', 'rooma', hand='left'", "pick('ball1', 'rooma', hand='left')"),
    "in brackets": ("pick", "('ball1', 'rooma', 'left')", PICK),
    "bare words": ("pick", "ball1, rooma, left", PICK),
    "a name with a prefix": ("functions.pick", json.dumps(BY_NAME), PICK),
    "the whole call as the name": (PICK, "", PICK),
    "no arguments": ("look", "", "look()"),
    "null": ("look", "null", "look()"),
    "an empty object": ("look", "{}", "look()"),
    "an unknown name": ("fly", '{"to": "roomb"}', "fly(to='roomb')"),
    "an unknown argument": ("pick", '{"ball": "ball1"}', "pick(ball='ball1')"),
    "one value": ("look", '"around"', "look('around')"),
    "a list, and what must be given by name": (
        "carry_all",
        '{"hand": "right", "end": "b", "balls": ["x", "y"], "start": "a"}',
        "carry_all(['x', 'y'], 'a', 'b', hand='right')",
    ),
    "a gap: the rest by name": (
        "pick",
        json.dumps({list(BY_NAME)[2]: "left"}),
        f"pick({list(BY_NAME)[2]}='left')",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "call"), READ.values(), ids=READ)
def test_what_servers_send_is_read(name: str, arguments: str, call: str) -> None:
    assert read_tool_call(ToolCall("", name, arguments), OFFERED).text == call


UNREADABLE = {
    "broken JSON": ("pick", '{"obj": "ball1", "pla'),
    "prose": ("pick", "I think that I should pick the ball up."),
    "prose as the name": ("pick the ball up", ""),
    "too long": ("pick", json.dumps({"obj": "x" * 5000})),
    "too deep": ("pick", "[" * 1900 + "]" * 1900),
    "half a pair": ("pick", '{"obj": "\\ud800"}'),
}


@pytest.mark.parametrize(("name", "arguments"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_call_says_so(name: str, arguments: str) -> None:
    with pytest.raises(UnreadableCall):
        read_tool_call(ToolCall("", name, arguments), OFFERED)


@given(st.text(max_size=60), st.text(max_size=200))
def test_nothing_that_a_model_writes_is_a_crash(name: str, arguments: str) -> None:
    with contextlib.suppress(UnreadableCall):
        read_tool_call(ToolCall("", name, arguments), OFFERED)


def test_tools_are_valid_schemas_in_the_order_of_the_parameters() -> None:
    tools = json.loads(tools_of(GRIPPER, Library((CARRY,)), Rules()))
    assert [t["function"]["name"] for t in tools] == [p.name for p in GRIPPER.primitives] + ["carry_all"]
    for tool in tools:
        jsonschema.Draft202012Validator.check_schema(tool["function"]["parameters"])
    carry = tools[-1]["function"]
    assert carry["description"] == "Carries balls. Note: Walk there first."
    assert carry["parameters"] == {
        "type": "object",
        "properties": {
            "balls": {"type": "array", "items": {"type": "string"}},
            "start": {"type": "string"},
            "end": {"type": "string"},
            "hand": {"type": "string", "default": "left"},
            "twice": {"type": "boolean", "default": False},
        },
        "required": ["balls", "start", "end"],
        "additionalProperties": False,
    }
    hidden = json.loads(tools_of(GRIPPER, Library((CARRY,)), Rules(show_descriptions=False)))
    assert hidden[-1]["function"]["description"] == "Note: Walk there first."


def test_kinds_of_typed_domains_are_told() -> None:
    tools = json.loads(tools_of(registry.build(DomainSpec("tyreworld")), Library(), Rules()))
    loosen = next(t["function"] for t in tools if t["function"]["name"] == "loosen")
    assert {p["description"] for p in loosen["parameters"]["properties"].values()} == {
        "kind: nut",
        "kind: hub",
    }


VALUES = st.one_of(st.text(max_size=5), st.integers(0, 9), st.booleans(), st.lists(st.text(max_size=3)))


@given(st.dictionaries(st.sampled_from(["balls", "start", "end", "hand", "other"]), VALUES))
def test_arguments_by_name_make_a_call_and_come_back(named: dict) -> None:
    parameters = of_learned(CARRY)
    assert by_name(as_call("carry_all", named, parameters), parameters) == named


def test_all_further_arguments_are_spread() -> None:
    action = LearnedAction("f", "f(a, *rest)", "def f(a, *rest):\n    pass\n")
    parameters = of_learned(action)
    call = as_call("f", {"a": 1, "rest": [2, 3]}, parameters)
    assert call.text == "f(1, 2, 3)"
    assert by_name(call, parameters) == {"a": 1, "rest": [2, 3]}


def turn(index: int, kind: TurnKind, said: str, observation: str, thought: str = "") -> Turn:
    return Turn(
        index=index,
        kind=kind,
        raw=said,
        said=said,
        call=said,
        callee="",
        learned=False,
        ok=True,
        observation=observation,
        progress=0.0,
        thought=thought,
    )


def test_turns_are_shown_as_the_chat_api_shows_them() -> None:
    turns = [
        turn(0, "action", PICK, "You have it.", thought="I need the ball."),
        turn(1, "unreadable", "Hm.", "No tool was called."),
        turn(2, "thought", "Now I walk.", "Ok."),
    ]
    entries = tuple(e for t in turns for e in turn_entries(t, OFFERED))
    prompt = Prompt("sys", ("a", "b"), " 3 turns are left.", entries, 0, tools="[]")
    sent = [m.as_sent() for m in prompt.messages()]
    call = {"name": "pick", "arguments": json.dumps(BY_NAME)}
    assert sent == [
        {"role": "system", "content": "sys"},
        {"role": "user", "content": "ab"},
        {
            "role": "assistant",
            "content": "I need the ball.",
            "tool_calls": [{"id": "call_0", "type": "function", "function": call}],
        },
        {"role": "tool", "content": "You have it.", "tool_call_id": "call_0"},
        {"role": "assistant", "content": "Hm."},
        {"role": "user", "content": "No tool was called."},
        {"role": "assistant", "content": "Now I walk."},
        {"role": "user", "content": "Ok. 3 turns are left."},
    ]
