"""Constrained decoding: each form says the same, endpoints are tried for the form that they heed."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

import learnact
from learnact.domains import registry
from learnact.errors import ProviderFailure
from learnact.library.calls import parse_call
from learnact.methods.action_replies import ParsedCall, read
from learnact.methods.constrained import FUNCTIONS, allowed_replies
from learnact.models import constraints
from learnact.models.pool import ModelPool
from learnact.records import DomainSpec, LearnedAction, Library, ModelSpec, Prompt, Task
from learnact.records.allowed import AllowedCall, AllowedReplies, AllowedValue, allowed_from
from learnact.results.reader import connect
from tests.models.server import Behaviour, FaultServer, completion, error, picky
from tests.models.test_pool import QUICK

ALLOWED = AllowedReplies(
    (
        AllowedCall("look"),
        AllowedCall("pick", (AllowedValue("ball", choices=("ball1", "it's")), AllowedValue("room"))),
        AllowedCall(
            "carry",
            (
                AllowedValue("balls", "list", choices=("ball1", "ball2")),
                AllowedValue("times", "number", required=False),
                AllowedValue("fast", "flag", required=False, by_name=True),
            ),
        ),
    ),
    thoughts=True,
)
PATTERN = constraints.pattern_of(ALLOWED)
NAMES = {call.name for call in ALLOWED.calls}


@given(st.from_regex(PATTERN.regex, fullmatch=True))
def test_whatever_the_pattern_allows_is_read_as_one_of_the_calls(reply: str) -> None:
    said = read(reply, NAMES, thoughts=True)
    assert isinstance(said, ParsedCall)
    assert said.call.name in NAMES


@pytest.mark.parametrize(
    "reply",
    [
        "Action: look()",
        "Think: I look.\nAction: look()",
        "Action: pick('ball1', 'rooma')",
        "Action: pick(\"it's\", 'rooma')",
        "Action: carry(['ball1', 'ball2'])",
        "Action: carry(['ball1'], -3, fast=True)",
        "Action: carry(['ball1'], fast=False)",
    ],
)
def test_allowed(reply: str) -> None:
    assert re.fullmatch(PATTERN.regex, reply)


@pytest.mark.parametrize(
    "reply",
    [
        "look()",
        "Action: look('x')",
        "Action: fly()",
        "Action: pick('ball2', 'rooma')",
        "Action: pick('ball1')",
        "Action: carry([])",
        "Action: look() ",
    ],
)
def test_not_allowed(reply: str) -> None:
    assert not re.fullmatch(PATTERN.regex, reply)


def test_a_json_reply_is_read_as_the_call_that_it_means() -> None:
    said = {"thought": "I\npick.", "action": {"name": "pick", "arguments": {"ball": "it's", "room": "a"}}}
    jsonschema.validate(said, constraints.schema_of(ALLOWED))
    assert constraints.as_text(json.dumps(said)) == "Think: I pick.\nAction: pick(ball=\"it's\", room='a')"
    for wrong in (
        {"action": {"name": "fly", "arguments": {}}},
        {"action": {"name": "pick", "arguments": {}}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"thought": "", **wrong}, constraints.schema_of(ALLOWED))


@pytest.mark.parametrize("reply", ["{", "[1]", "{}", '{"action": 3}', '{"action": {"name": "x"}}', "look()"])
def test_any_other_reply_stays_as_it_is(reply: str) -> None:
    assert constraints.as_text(reply) == reply


def test_what_is_allowed_is_kept_and_read_again() -> None:
    assert allowed_from(ALLOWED.as_text()) == ALLOWED


def first_task(name: str) -> Task:
    return registry.build(DomainSpec(name)).tasks("test")[0]


def test_the_objects_of_the_task_are_the_choices() -> None:
    domain, task = registry.build(DomainSpec("tyreworld")), first_task("tyreworld")
    allowed = allowed_from(allowed_replies(domain, Library(), task, thoughts=False))
    loosen = next(call for call in allowed.calls if call.name == "loosen")
    nuts, hubs = (value.choices for value in loosen.values)
    assert nuts
    assert hubs
    assert not set(nuts) & set(hubs)
    plan = domain.plan(task.content)  # type: ignore[attr-defined]
    calls = [parse_call(text) for text in domain.calls(plan)]  # type: ignore[attr-defined]
    pattern = constraints.pattern_of(allowed).regex
    assert all(re.fullmatch(pattern, call.text) for call in calls), "a plan can be said"


def test_learned_actions_take_objects_and_their_own_defaults() -> None:
    action = LearnedAction("f", "f(a, how='slow')", "def f(a, how='slow'):\n    pass\n")
    domain = registry.build(DomainSpec("gripper"))
    allowed = allowed_from(allowed_replies(domain, Library((action,)), first_task("gripper"), thoughts=False))
    a, how = next(call for call in allowed.calls if call.name == "f").values
    assert "ball1" in a.choices
    assert how.choices == (*a.choices, "slow")


def heeding(form: str | None, refuse: tuple[str, ...] = ()) -> Behaviour:
    """Heeds one form of constraints, refuses some fields, and ignores all others."""
    field = "response_format" if form == "json_schema" else form

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if any(name in body for name in refuse):
            return await picky(*refuse)(request, body)
        said = "Hello! How can I help?"
        if field in body:
            said = "kiwi()" if "kiwi" in json.dumps(body[field]) else "Action: look()"
            if form == "json_schema":
                name = "kiwi" if "kiwi" in json.dumps(body[field]) else "look"
                said = json.dumps({"action": {"name": name, "arguments": {}}})
        return web.json_response(completion(said))

    return answer


CASES = [
    ("grammar", (), 1),
    ("structured_outputs", (), 2),
    ("guided_regex", ("grammar",), 3),
    ("json_schema", ("grammar", "structured_outputs", "guided_regex"), 4),
    ("json_schema", ("temperature",), 5),
]


@pytest.mark.parametrize(("form", "refuse", "probes"), CASES)
async def test_the_form_that_an_endpoint_heeds_is_found_once(
    form: str, refuse: tuple[str, ...], probes: int
) -> None:
    prompt = Prompt("", (), "What next?", grammar=ALLOWED.as_text())
    async with FaultServer(always=heeding(form, refuse)) as server, ModelPool(retry_policy=QUICK) as pool:
        model = ModelSpec("m", base_urls=(server.url,))
        replies = await asyncio.gather(*(pool.complete(model, prompt, n, str(n)) for n in range(3)))
        assert len(server.bodies) == probes + 3
    for reply in replies:
        assert json.loads(reply.reply.parameters)["constraint"] == form
        assert reply.prompt == prompt
        assert "look()" in constraints.as_text(reply.reply.text)


async def test_a_form_that_is_stated_is_not_tried() -> None:
    prompt = Prompt("", (), "What next?", grammar=ALLOWED.as_text())
    async with FaultServer(always=heeding("json_schema")) as server, ModelPool(retry_policy=QUICK) as pool:
        model = ModelSpec("m", base_urls=(server.url,), constraint="json_schema")
        await pool.complete(model, prompt, 1, "")
        assert ["response_format" in body for body in server.bodies] == [True]


@pytest.mark.parametrize("always", [heeding(None), error(400, "extra fields are not permitted")])
async def test_an_endpoint_that_heeds_none_is_named_with_the_way_out(always: Behaviour) -> None:
    async with FaultServer(always=always) as server, ModelPool(retry_policy=QUICK) as pool:
        model = ModelSpec("m", base_urls=(server.url,))
        prompt = Prompt("", (), "What next?", grammar=ALLOWED.as_text())
        with pytest.raises(ProviderFailure, match=r"heeds none of the known forms.*action_format: call"):
            await pool.complete(model, prompt, 1, "")


async def test_a_learner_that_cannot_be_constrained_is_asked_without() -> None:
    async with FaultServer(always=heeding(None)) as server, ModelPool(retry_policy=QUICK) as pool:
        model = ModelSpec("m", base_urls=(server.url,))
        exchange = await pool.complete(model, Prompt("", (), "Write.", grammar=FUNCTIONS), 1, "")
    assert exchange.reply.text.startswith("Hello")


def test_functions_have_a_form() -> None:
    pattern = constraints.pattern_of(allowed_from(FUNCTIONS)).regex
    reply = "```python\ndef fetch(ball, room):\n    pick(ball)\n    move(room)\n```\nUsage: fetch('a', 'b')"
    assert re.fullmatch(pattern, reply)
    assert not re.fullmatch(pattern, "I think:\n" + reply)


async def test_the_simulated_model_is_constrained(tmp_path: Path) -> None:
    wanted = {
        "name": "t",
        "domains": {"name": "gripper", "balls": 2},
        "methods": ["react"],
        "rules": {"action_format": ["call", "constrained"]},
        "repeats": {"learn": 1},
        "tasks": {"test": 2},
        "cluster": {"runner": "local"},
    }
    summary = await asyncio.to_thread(learnact.run, wanted, results=tmp_path, address="local")
    assert summary.done
    with connect(tmp_path) as db:
        rows = db.execute(
            """SELECT c.grammar IS NOT NULL, t.kind, t.raw LIKE '{%', t.said LIKE '%(''%', count(*)
               FROM turns t JOIN calls c ON c.unit = t.episode AND c.ordinal = t.turn GROUP BY ALL"""
        ).fetchall()
        grammars = db.execute("SELECT DISTINCT grammar FROM prompts WHERE grammar IS NOT NULL").fetchall()
    free = [row[1:4] for row in rows if not row[0]]
    constrained = [row[1:4] for row in rows if row[0]]
    assert ("thought", False, False) in free
    assert constrained == [("action", True, True)]
    assert all(allowed_from(text).thoughts for (text,) in grammars)
