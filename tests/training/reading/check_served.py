"""`learnact serve-env` as a trainer meets it: OpenEnv's own clients against the real command."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from fastapi import FastAPI
from openenv.core import CallToolAction, GenericEnvClient, ListToolsAction
from openenv.core.mcp_client import MCPToolClient

from learnact.errors import BadInput
from learnact.training.serving import serve
from tests.training.reading.serving import Served, descendants, serve_env

EASY = ("gripper", "--level", "easy", "-o", "balls=2", "-o", "train=3", "-o", "test=2")
SOLUTION = ("pick('ball1', 'rooma', 'left')", "move('rooma', 'roomb')", "drop('ball1', 'roomb', 'left')")
CARRY = """def carry(ball, start, end, hand):
    \"\"\"Carry a ball to another room.\"\"\"
    pick(ball, start, hand)
    move(start, end)
    drop(ball, end, hand)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With learned actions, one of which does not end."""
    library = tmp_path_factory.mktemp("library") / "actions.py"
    library.write_text(CARRY + "\n\ndef spin():\n    while True:\n        pass\n")
    with serve_env(*EASY, "--reward", "steps", "--library", library) as served:
        yield served


@pytest.fixture(scope="module")
def small() -> Iterator[Served]:
    """Two sessions, four turns, test tasks too."""
    with serve_env(*EASY, "--sessions", 2, "--turns", 4, "--include-test") as served:
        yield served


def called(text: str) -> dict[str, Any]:
    return {"type": "call_tool", "tool_name": text}


async def refused(client: GenericEnvClient, **given: Any) -> str:
    with pytest.raises(RuntimeError) as told:
        await client.reset(**given)
    return str(told.value)


async def test_the_rewards_of_an_episode_add_up_to_that_of_the_whole(server: Served) -> None:
    async with GenericEnvClient(base_url=server.url) as client:
        result = await client.reset(index=0)
        assert result.observation["task"] == "gripper-train-0-0"
        assert result.observation["text"].endswith(result.observation["observation"])
        earned = [result.reward]
        for call in ("pick('ball9', 'rooma', 'left')", *SOLUTION):
            assert not result.done
            result = await client.step(called(call))
            earned.append(result.reward)
        assert result.done
        assert sum(earned) == pytest.approx(0.96)
        assert result.metadata == {"valid": True, "progress": 1.0, "steps": 4}
        after = await client.step(called("move('roomb', 'rooma')"))
        assert (after.done, after.reward) == (True, 0)
        assert after.observation["result"] == "The task is solved; nothing is left to do."


async def test_learned_actions_run_in_the_sandbox_and_delay_nobody(server: Served) -> None:
    async with GenericEnvClient(server.url) as client, GenericEnvClient(server.url) as other:
        await client.reset(index=0)
        begun = await other.reset(index=0)
        endless = asyncio.create_task(client.step(called("spin()")))
        solved = await other.step(called("carry('ball1', 'rooma', 'roomb', 'left')"))
        assert (solved.done, solved.metadata["steps"]) == (True, 3)
        assert begun.reward + solved.reward == pytest.approx(0.97)
        assert (await endless).metadata["valid"] is False


async def test_the_tools_are_the_actions_with_their_schemas(server: Served) -> None:
    async with MCPToolClient(base_url=server.url) as client:
        tools = {tool.name: tool for tool in await client.list_tools()}
        assert list(tools) == ["move", "pick", "drop", "carry", "spin"]
        assert tools["pick"].input_schema["required"] == ["obj", "place", "hand"]
        assert "obj is a ball" in tools["pick"].description
        await client.reset(index=0)
        said = await client.call_tool("pick", obj="ball1", place="rooma", hand="left")
        assert "left holds ball1" in said["result"]
        wrong = await client.call_tool("fly", where="home")
        assert wrong["error"]["error_type"] == "tool_not_found"
        state = await client.state()
        assert state.step_count == 2


async def test_seeds_choose_tasks_and_states_say_which(server: Served) -> None:
    async with GenericEnvClient(base_url=server.url) as client:
        chosen = [(await client.reset(seed=seed, episode_id=f"e{seed}")).observation for seed in (0, 1, 3)]
        assert [one["index"] for one in chosen] == [0, 1, 0]
        assert chosen[0] == chosen[2]
        assert (await client.state())["episode_id"] == "e3"
        assert (await client.reset()).observation["index"] in (0, 1, 2)


async def test_bad_input_is_refused_with_reasons_and_the_session_goes_on(server: Served) -> None:
    async with GenericEnvClient(base_url=server.url) as client:
        with pytest.raises(RuntimeError, match="no task has begun; call reset first"):
            await client.step(called("move('rooma', 'roomb')"))
        assert "`learnact serve-env --include-test` serves them" in await refused(client, split="test")
        assert "did you mean 'train'?" in await refused(client, split="trian")
        assert "gripper has 3 train tasks, and no task 3" in await refused(client, index=3)
        assert "index True: it is a whole number from 0" in await refused(client, index=True)
        assert "seed -1: it is a whole number from 0" in await refused(client, seed=-1)
        assert "reset has no argument 'task'" in await refused(client, task="gripper-train-0-0")
        assert "episode_id 7: it is text" in await refused(client, episode_id=7)
        for wrong in ({"tool_name": 3}, {"tool_name": "pick", "arguments": [1]}, {"action": "pick"}, {}):
            with pytest.raises(RuntimeError, match="VALIDATION_ERROR"):
                await client.step(wrong)
        assert (await client.reset(index=1)).observation["index"] == 1
        nothing = await client.step(called("no call at all"))
        assert nothing.observation["error"]["error_type"] == "tool_not_found"
        assert nothing.metadata["valid"] is False
    async with websockets.connect(server.url.replace("http", "ws") + "/ws") as raw:
        for text, code in [("{", "INVALID_JSON"), ('{"type": "jump"}', "UNKNOWN_TYPE")]:
            await raw.send(text)
            assert json.loads(await raw.recv())["data"]["code"] == code


async def test_tasks_are_listed_without_what_would_tell_a_solution(server: Served) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        assert (await http.get("/list_environments")).json() == ["gripper"]
        assert (await http.get("/gripper/splits")).json() == [{"name": "train", "type": "train"}]
        assert (await http.post("/gripper/num_tasks", json={"split": "train"})).json() == {"num_tasks": 3}
        (task,) = (
            await http.post("/gripper/task_range", json={"split": "train", "start": 1, "stop": 2})
        ).json()["tasks"]
        assert set(task) == {"split", "index", "name", "hash"}
        for index in (3, -1):
            wrong = await http.post("/gripper/task", json={"split": "train", "index": index})
            assert wrong.status_code == 400
        hidden = await http.post("/gripper/tasks", json={"split": "test"})
        assert (hidden.status_code, "test tasks are not served" in hidden.text) == (400, True)
        assert (await http.post("/reset", json={"index": 2})).json()["observation"]["index"] == 2
        lost = await http.post("/step", json={"action": called("move('rooma', 'roomb')")})
        assert (lost.status_code, lost.json()["detail"]) == (400, "no task has begun; call reset first")
        schema = (await http.get("/schema")).json()
        assert schema["action"]["title"] == "CallToolAction"
        assert "goal" in schema["reset_observation"]["properties"]


async def test_test_tasks_are_served_where_they_are_asked_for_and_turns_end_an_episode(small: Served) -> None:
    assert "3 train tasks, 2 test tasks" in small.told
    async with GenericEnvClient(base_url=small.url) as client:
        begun = await client.reset(split="test", index=1)
        assert begun.observation["task"] == "gripper-test-0-1"
        steps = [await client.step(called("move('rooma', 'rooma')")) for _ in range(5)]
        assert [step.done for step in steps] == [False, False, False, True, True]
        assert steps[-1].observation["result"] == "The episode ended after 4 actions."
        assert (await client.state())["step_count"] == 4
        await client.reset(index=0)
        rewards = [(await client.step(called(call))).reward for call in SOLUTION]
        assert rewards == [0, 0, 1]


async def test_sessions_are_bounded_and_a_lost_connection_frees_its_place(small: Served) -> None:
    address = small.url.replace("http", "ws") + "/ws"
    one = await websockets.connect(address)
    async with websockets.connect(address) as two:
        for kept in (one, two):
            await begin(kept)
        async with websockets.connect(address) as third:
            full = json.loads(await third.recv())["data"]
            assert (full["code"], full["active_sessions"]) == ("CAPACITY_REACHED", 2)
        one.transport.abort()
        await until_there_is_a_place(address)


async def begin(connection: Any) -> bool:
    """Whether a task has begun; none does where there is no place."""
    try:
        await connection.send('{"type": "reset", "data": {"index": 0}}')
        return bool(json.loads(await connection.recv())["type"] == "observation")
    except websockets.ConnectionClosed:
        return False


async def until_there_is_a_place(address: str) -> None:
    while True:
        async with websockets.connect(address) as again:
            if await begin(again):
                return


async def test_an_idle_session_is_closed_and_says_so() -> None:
    with serve_env(*EASY, "--sessions", 1, "--idle", 1) as served:
        address = served.url.replace("http", "ws") + "/ws"
        async with websockets.connect(address) as idle:
            assert await begin(idle)
            await until_there_is_a_place(address)
            for message in ({"type": "step", "data": called("move('rooma', 'roomb')")}, {"type": "reset"}):
                await idle.send(json.dumps(message))
                assert "this session was closed (it was idle for too long" in await idle.recv()


async def test_an_engine_that_dies_is_told_to_its_sessions_alone() -> None:
    with serve_env("textworld-coin", "-o", "train=2", "-o", "test=1") as served:
        async with GenericEnvClient(served.url) as one, GenericEnvClient(served.url) as other:
            await one.reset(index=0)
            (first,) = [pid for pid in descendants(served.process.pid)[1:] if is_engine(pid)]
            await other.reset(index=1)
            assert len([pid for pid in descendants(served.process.pid)[1:] if is_engine(pid)]) > 1
            os.kill(first, signal.SIGKILL)
            with pytest.raises(RuntimeError, match="the engine process"):
                await one.step(called("go('south')"))
            assert (await other.step(called("go('nowhere')"))).metadata["valid"] is False
            await one.reset(index=0)
            assert (await one.step(called("go('nowhere')"))).metadata["valid"] is False


def is_engine(pid: int) -> bool:
    return b"learnact.domains.engine_process" in Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("griper",), "did you mean 'gripper'"),
        (("gripper", "-o", "balz=2"), "balz"),
        (("gripper", "--library", "none.py"), "there is no such library file"),
    ],
)
def test_what_cannot_be_served_is_refused(arguments: tuple[str, ...], told: str) -> None:
    command = [sys.executable, "-m", "learnact.cli", "serve-env", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, told in done.stderr.replace("\n", " ")) == (2, True), done.stderr


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", ""), ("no.such.host.invalid", "0")])
def test_an_address_that_cannot_be_taken_is_named(server: Served, host: str, port: str) -> None:
    port = port or server.url.rpartition(":")[2]
    with pytest.raises(BadInput, match=f"--host {host}"):
        asyncio.run(serve(FastAPI(), host, int(port), print))


def test_nemo_gyms_adapter_plays_through_the_class_of_the_example(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its server `openenv` does, in its order: tools once, then a session of its own."""
    monkeypatch.setenv("LEARNACT_SERVER", server.url)
    example = importlib.import_module("examples.training.nemo_gym")
    first = example.LearnactEnvironment()
    first.reset()
    tools = {tool.name: tool for tool in first.step(ListToolsAction()).tools}
    assert "pick" in tools and set(tools["pick"].input_schema["properties"]) == {"obj", "place", "hand"}
    first.close()
    session = example.LearnactEnvironment()
    total = float(session.reset(index=0).reward)
    names = dict(ball="ball1", start="rooma", end="roomb", hand="left")
    answer = session.step(CallToolAction(tool_name="carry", arguments=names))
    assert (answer.done, answer.error) == (True, None)
    assert total + float(answer.reward) == pytest.approx(0.97)
    assert session.state.step_count == 1
    session.close()
