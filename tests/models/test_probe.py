"""check-model against servers that support different things."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
import typer
import yaml
from aiohttp import web
from typer.testing import CliRunner

from learnact.cli.check_model import check_model
from learnact.errors import ProviderFailure
from learnact.job import load
from learnact.models.check import probe
from tests.models.server import Behaviour, FaultServer, completion, error, picky

pytestmark = pytest.mark.timeout(60)


def able(
    limit: int = 8192, think: str = "", refuse: tuple[str, ...] = (), cut: int | None = None
) -> Behaviour:
    """A small model: repeats, counts, obeys the system message; heeds stop, seed and limits unless told to refuse them."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        for name in refuse:
            if name in body or (name == "system" and body["messages"][0]["role"] == "system"):
                return await picky(*refuse)(request, body)
        text = body["messages"][-1]["content"]
        tokens = len(text.split()) if cut is None else min(cut, len(text.split()))
        most = body.get("max_tokens") or body.get("max_completion_tokens") or 1000
        if cut is None and tokens + most > limit:
            message = f"This model's maximum context length is {limit} tokens. However, you requested {tokens + most} tokens."
            return web.json_response({"error": {"message": message}}, status=400)
        said = f"{think}{reply(text, body)}"
        for stop in body.get("stop") or []:
            said = said.split(stop)[0]
        words = said.split(" ")[:most]
        finish = "length" if len(said.split(" ")) > most else "stop"
        usage = {"prompt_tokens": tokens, "completion_tokens": len(words)}
        return web.json_response(completion(" ".join(words), finish=finish, usage=usage))

    def reply(text: str, body: dict[str, Any]) -> str:
        if body["messages"][0]["role"] == "system":
            return "banana"
        if found := re.search(r"(?:Say|Repeat exactly): (.*)", text):
            return found[1]
        if "random number" in text:
            return str(100_000_000_000 + 7919 * body.get("seed", 0))
        return "one two three four five six seven eight nine ten"

    return answer


async def test_an_able_endpoint() -> None:
    async with FaultServer(always=able()) as server:
        found = await probe(server.url, "m")
    assert {f.name: f.verdict for f in found.findings} == {
        "usage": "yes",
        "thinking": "no",
        "max_tokens": "yes",
        "max_completion_tokens": "yes",
        "stop": "yes",
        "seed": "yes",
        "temperature": "yes",
        "top_p": "yes",
        "system role": "yes",
        "context": "yes",
    }
    assert found.settings == {"base_url": server.url, "name": "m", "context": 8192}
    assert found.calls <= 14


async def test_a_reasoning_model_that_refuses_much() -> None:
    refuse = ("stop", "temperature", "max_tokens", "seed", "system")
    async with FaultServer(always=able(think="<think>well</think>", refuse=refuse)) as server:
        found = await probe(server.url, "m")
    assert found.verdict("thinking") == "yes"
    assert [found.verdict(n) for n in ("stop", "temperature", "max_tokens", "seed", "system role")] == [
        "no"
    ] * 5
    assert found.verdict("max_completion_tokens") == "yes"
    assert found.settings["send_seed"] is False
    assert found.settings["temperature"] is None


async def test_a_server_that_cuts_prompts_silently() -> None:
    async with FaultServer(always=able(cut=2048)) as server:
        found = await probe(server.url, "m")
    assert found.settings["context"] == 2048
    assert "silently" in next(f.seen for f in found.findings if f.name == "context")


async def test_an_endpoint_that_refuses_everything() -> None:
    async with FaultServer(always=error(401, "bad key")) as server:
        with pytest.raises(ProviderFailure, match="bad key"):
            await probe(server.url, "m", "secret-key")


def test_the_command_prints_settings_that_can_be_pasted() -> None:
    app = typer.Typer()
    app.command()(check_model)
    with Threaded(able()) as url:
        table = CliRunner().invoke(app, ["--base-url", url, "--model", "m"])
        plain = CliRunner().invoke(app, ["--base-url", url, "--model", "m", "--json"])
    assert table.exit_code == 0
    settings = yaml.safe_load(table.stdout.split("In a job file:")[1])
    loaded = load({"name": "x", "domains": "gripper", "methods": "act", **settings})
    assert loaded.models.agent[0].context == (8192,)
    assert settings == {"models": {"agent": {"base_url": url, "name": "m", "context": 8192}}}
    assert json.loads(plain.stdout)["settings"] == settings["models"]["agent"]
    assert CliRunner().invoke(app, ["--base-url", url]).exit_code == 2
    assert CliRunner().invoke(app, ["--base-url", url, "--model", "m", "--timeout", "2"]).exit_code == 1


class Threaded:
    """The server in a thread of its own, for a command that runs its own event loop."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    def __enter__(self) -> str:
        import threading

        ready = threading.Event()
        self._loop = asyncio.new_event_loop()

        async def serve() -> None:
            async with FaultServer(always=self._behaviour) as server:
                self._url = server.url
                self._stop = asyncio.Event()
                ready.set()
                await self._stop.wait()

        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(serve(),))
        self._thread.start()
        assert ready.wait(10)
        return self._url

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
