"""`action_format: tools` in whole runs over HTTP: what is sent, what is read, what is kept."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import learnact
from learnact.driver import Summary
from learnact.models.client import RejectedRequest
from learnact.models.negotiation import refuses_tools
from learnact.results.blocks import prompt_from
from learnact.results.reader import connect, dictionaries
from tests.integration.test_run import job
from tests.models.server import Behaviour, FaultServer, completion, error, picky
from tests.results.compare import compare

MOVES = (
    ("pick", ["ball1", "rooma", "left"]),
    ("move", ["rooma", "roomb"]),
    ("drop", ["ball1", "roomb", "left"]),
)


async def run(server: FaultServer, results: Path, **changes: Any) -> Summary:
    wanted = job(
        server.url,
        **{
            "methods": ["act"],
            "tasks": {"test": 1},
            "rules": {"action_format": "tools", "show_turns": False},
            "budget": {"test": {"turns": 6}},
            "cluster": {"runner": "local"},
            **changes,
        },
    )
    return await asyncio.to_thread(learnact.run, wanted, results=results, address="local", check=False)


def named(body: dict[str, Any], name: str, values: list[str]) -> dict[str, str]:
    tool = next(t["function"] for t in body["tools"] if t["function"]["name"] == name)
    return dict(zip(tool["parameters"]["properties"], values, strict=True))


def calling(make: Callable[[str, dict[str, str]], dict[str, Any]]) -> Behaviour:
    """Makes the moves in turn; `make` writes the message from a name and arguments."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        made = sum(m["role"] == "assistant" for m in body["messages"])
        name, values = MOVES[made % len(MOVES)]
        message = make(name, named(body, name, values))
        return web.json_response(completion(message.pop("content", None), **message))

    return answer


def function(name: str, arguments: Any, **fields: Any) -> dict[str, Any]:
    return {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}, **fields}


SERVERS: dict[str, tuple[Callable[[str, dict[str, str]], dict[str, Any]], str]] = {
    "as OpenAI's": (lambda n, a: {"tool_calls": [function(n, json.dumps(a))]}, "tool_call"),
    "arguments as an object": (lambda n, a: {"tool_calls": [function(n, a)]}, "tool_call"),
    "arguments by position": (lambda n, a: {"tool_calls": [function(n, list(a.values()))]}, "tool_call"),
    "quoted twice": (lambda n, a: {"tool_calls": [function(n, json.dumps(json.dumps(a)))]}, "tool_call"),
    "no id": (lambda n, a: {"tool_calls": [function(n, json.dumps(a), id=None)]}, "tool_call"),
    "no type": (lambda n, a: {"tool_calls": [{"function": {"name": n, "arguments": a}}]}, "tool_call"),
    "empty content": (lambda n, a: {"content": "", "tool_calls": [function(n, json.dumps(a))]}, "tool_call"),
    "text beside the call": (
        lambda n, a: {"content": "I go on.", "tool_calls": [function(n, json.dumps(a))]},
        "tool_call",
    ),
    "one call, no list": (lambda n, a: {"tool_calls": function(n, json.dumps(a))}, "tool_call"),
    "name and arguments without `function`": (
        lambda n, a: {"tool_calls": [{"name": n, "arguments": a}]},
        "tool_call",
    ),
    "`parameters` for `arguments`": (
        lambda n, a: {"tool_calls": [{"function": {"name": n, "parameters": a}}]},
        "tool_call",
    ),
    "the older function_call": (
        lambda n, a: {"function_call": {"name": n, "arguments": json.dumps(a)}},
        "tool_call",
    ),
    "empty list, call in the text": (
        lambda n, a: {"content": f"{n}({', '.join(map(repr, a.values()))})", "tool_calls": []},
        "text",
    ),
    "no calls, call in the text": (
        lambda n, a: {"content": f"{n}({', '.join(map(repr, a.values()))})"},
        "text",
    ),
}  # fmt: skip


async def test_servers_differ_and_all_are_read(tmp_path: Path) -> None:
    """One episode whose replies come in the form of one server after the other."""
    answers = [calling(make) for make, _ in SERVERS.values()]

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        made = sum(m["role"] == "assistant" for m in body["messages"])
        return await answers[made % len(answers)](request, body)

    async with FaultServer(always=answer) as server:
        await run(server, tmp_path, budget={"test": {"turns": len(SERVERS), "history": 2 * len(SERVERS)}})
    with connect(tmp_path) as db:
        turns = db.execute("SELECT said, form FROM turns ORDER BY turn").fetchall()
    written = [f"{name}({', '.join(map(repr, values))})" for name, values in MOVES]
    forms = [form for _, form in SERVERS.values()]
    assert dict(zip(SERVERS, turns, strict=True)) == {
        server: (written[number % len(MOVES)], form)
        for number, (server, form) in enumerate(zip(SERVERS, forms, strict=True))
    }


async def test_what_was_sent_is_kept_and_shows_each_call_with_its_result(tmp_path: Path) -> None:
    make = SERVERS["as OpenAI's"][0]
    async with FaultServer(always=calling(make)) as server:
        await run(server, tmp_path)
        bodies = server.bodies
    with connect(tmp_path) as db:
        blocks = dict(db.execute("SELECT hash, text FROM blocks").fetchall())
        calls = list(dictionaries(db, "SELECT * FROM calls ORDER BY ordinal"))
        views = db.execute(
            """SELECT request = left(sha256(system || chr(10) || chr(10) || "user" || chr(10) || chr(10)
               || tools), 24) FROM prompts"""
        ).fetchall()
    assert len(calls) == len(bodies) > 3
    for row, body in zip(calls, bodies, strict=True):
        prompt = prompt_from(row, blocks.__getitem__)
        assert [m.as_sent() for m in prompt.messages()] == body["messages"]
        assert json.loads(prompt.tools) == body["tools"]
        assert body["parallel_tool_calls"] is False
        assert json.loads(row["tool_calls"])[0]["name"] in {t["function"]["name"] for t in body["tools"]}
    assert set(views) == {(True,)}
    third = bodies[2]["messages"]
    assert [m["role"] for m in third] == ["system", "user", "assistant", "tool", "assistant", "tool"]
    assert third[2]["tool_calls"][0]["id"] == third[3]["tool_call_id"]
    for one, next_one in itertools.pairwise(bodies):
        assert next_one["messages"][: len(one["messages"])] == one["messages"]


async def test_of_several_calls_the_first_is_carried_out_and_the_model_is_told(tmp_path: Path) -> None:
    def make(name: str, arguments: dict[str, str]) -> dict[str, Any]:
        return {"tool_calls": [function(name, json.dumps(arguments)), function("drop", "{}")]}

    async with FaultServer(always=calling(make)) as server:
        await run(server, tmp_path)
        told = server.bodies[1]["messages"][-1]["content"]
        shown = server.bodies[1]["messages"][-2]["tool_calls"]
    assert told.endswith("Only the first of your 2 calls was carried out: make one call in each reply.")
    assert [c["function"]["name"] for c in shown] == ["pick"]


async def test_a_thought_beside_the_call_takes_no_turn_and_is_shown(tmp_path: Path) -> None:
    make = SERVERS["text beside the call"][0]
    async with FaultServer(always=calling(make)) as server:
        await run(server, tmp_path, methods=["react"])
        assert server.bodies[1]["messages"][2]["content"] == "I go on."
    with connect(tmp_path) as db:
        assert set(db.execute("SELECT kind, thought FROM turns").fetchall()) == {("action", "I go on.")}


async def test_a_server_without_parallel_tool_calls_is_asked_without(tmp_path: Path) -> None:
    answer = calling(SERVERS["as OpenAI's"][0])
    async with FaultServer(picky("parallel_tool_calls"), always=answer) as server:
        await run(server, tmp_path)
        assert ["parallel_tool_calls" in body for body in server.bodies[:3]] == [True, False, False]


NO_TOOLS = (
    "registry.ollama.ai/library/gemma3:1b does not support tools",
    '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
    "No endpoints found that support tool use",
    "tools param requires --jinja flag",
    "Unsupported parameter: 'tools' is not supported with this model.",
    "litellm.UnsupportedParamsError: vendor does not support parameters: ['tools'], for model=m",
    "Function calling is not enabled for models/x",
    "`tool calling` is not supported with this model",
)


@pytest.mark.parametrize("words", NO_TOOLS)
def test_words_that_say_that_there_are_no_tools(words: str) -> None:
    assert refuses_tools(RejectedRequest(400, words))


@pytest.mark.parametrize(
    "words", ["Invalid value for 'temperature'", "the model is overloaded", "bad request"]
)
def test_words_about_something_else(words: str) -> None:
    assert not refuses_tools(RejectedRequest(400, words))


async def test_an_endpoint_without_tools_is_named_with_the_way_out(tmp_path: Path) -> None:
    async with FaultServer(always=error(400, NO_TOOLS[0])) as server:
        await run(server, tmp_path)
        assert len(server.bodies) == 1
    with connect(tmp_path) as db:
        ((reason,),) = db.execute("SELECT DISTINCT error FROM attempts").fetchall()
    assert "does not take tools" in reason
    assert "action_format: call" in reason


async def test_a_limited_run_goes_on_and_ends_with_the_same_rows(tmp_path: Path) -> None:
    answer = calling(SERVERS["text beside the call"][0])
    async with FaultServer(always=answer) as server:
        whole = await run(server, tmp_path / "whole", methods=["react"])
        asked = len(server.bodies)
        first = await run(server, tmp_path / "parts", methods=["react"], limits={"tries": 1, "calls": 2})
        assert not first.done
        again = await run(server, tmp_path / "parts", methods=["react"], limits={"tries": 1})
        assert len(server.bodies) == 2 * asked
    assert again.done
    assert compare(whole.folder, again.folder) == []


async def test_the_simulated_model_plays_with_tools(tmp_path: Path) -> None:
    wanted = {
        "name": "t",
        "domains": {"name": "gripper", "balls": 2},
        "methods": ["react", "learnact"],
        "rules": {"action_format": ["call", "tools"]},
        "repeats": {"learn": 1},
        "tasks": {"train": 1, "test": 2},
        "learner": {"candidates": 1, "iterations": 0},
        "cluster": {"runner": "local"},
    }
    summary = await asyncio.to_thread(learnact.run, wanted, results=tmp_path, address="local")
    assert summary.done
    again = await asyncio.to_thread(learnact.run, wanted, results=tmp_path, address="local")
    assert again.executed == 0
    with connect(tmp_path) as db:
        forms = db.execute(
            """SELECT e.setup LIKE '%"action_format":"tools"%' AS tools, t.form, count(*)
               FROM turns t JOIN (
               SELECT key, b.text AS setup FROM episodes e JOIN blocks b ON b.hash = e.setup
               WHERE phase = 'test') e ON e.key = t.episode GROUP BY ALL ORDER BY ALL"""
        ).fetchall()
        solved = dict(
            db.execute(
                "SELECT method, sum(success::INT) FROM episodes WHERE phase = 'test' GROUP BY 1"
            ).fetchall()
        )
        thoughts = db.execute(
            "SELECT count(*) FROM turns WHERE form = 'tool_call' AND thought <> ''"
        ).fetchall()
    assert [(tools, form) for tools, form, _ in forms] == [(False, "text"), (True, "tool_call")]
    assert all(solved.values())
    assert thoughts[0][0] > 0
