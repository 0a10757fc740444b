"""check-model against servers that support different things."""

from __future__ import annotations

import asyncio
import json
import os
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
from learnact.models import check
from learnact.models.check import check_endpoint
from learnact.models.client import shown
from learnact.models.pool import ModelPool
from learnact.models.reachable import reachable
from learnact.models.retry import RetryPolicy
from learnact.records import ModelSpec, Prompt
from tests.models.server import Behaviour, FaultServer, completion, drop, error, picky, raw


def able(
    limit: int = 8192, think: str = "", refuse: tuple[str, ...] = (), cut: int | None = None
) -> Behaviour:
    """A small model: repeats, counts, obeys the system message; heeds stop, seed and limits unless told to
    refuse them."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        for name in refuse:
            if name in body or (name == "system" and body["messages"][0]["role"] == "system"):
                return await picky(*refuse)(request, body)
        text = body["messages"][-1]["content"]
        tokens = len(text.split()) if cut is None else min(cut, len(text.split()))
        most = body.get("max_tokens") or body.get("max_completion_tokens") or 1000
        if cut is None and tokens + most > limit:
            message = f"This model's maximum context length is {limit} tokens. "
            message += f"However, you requested {tokens + most} tokens."
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
        server.models = [{"id": "m", "max_model_len": 8192}]
        found = await check_endpoint(server.url, "m")
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
        "tools": "unknown",
        "constrained": "no",
    }
    assert found.settings == {"base_url": server.url, "name": "m", "context": 8192}
    assert found.calls <= 20


async def test_tools_and_the_form_of_constraints_are_found() -> None:
    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if "tools" in body:
            return web.json_response(completion(None, tool_calls=[{"function": {"name": "kiwi"}}]))
        if "guided_regex" in body:
            return web.json_response(completion("kiwi()"))
        return await able()(request, body)

    async with FaultServer(always=answer) as server:
        found = await check_endpoint(server.url, "m")
    assert (found.verdict("tools"), found.verdict("constrained")) == ("yes", "yes")
    assert found.settings["constraint"] == "guided_regex"
    async with FaultServer(always=able(refuse=("tools", "grammar"))) as server:
        found = await check_endpoint(server.url, "m")
    assert (found.verdict("tools"), found.verdict("constrained")) == ("no", "no")


async def test_a_reasoning_model_that_refuses_much() -> None:
    refuse = ("stop", "temperature", "max_tokens", "seed", "system")
    async with FaultServer(always=able(think="<think>well</think>", refuse=refuse)) as server:
        found = await check_endpoint(server.url, "m")
    assert found.verdict("thinking") == "yes"
    assert [found.verdict(n) for n in ("stop", "temperature", "max_tokens", "seed", "system role")] == [
        "no"
    ] * 5
    assert found.verdict("max_completion_tokens") == "yes"
    assert found.settings["send_seed"] is False
    assert found.settings["temperature"] is None


async def test_a_server_that_cuts_prompts_silently() -> None:
    async with FaultServer(always=able(cut=2048)) as server:
        found = await check_endpoint(server.url, "m")
    assert found.settings["context"] == 2048
    assert "silently" in next(f.seen for f in found.findings if f.name == "context")


async def test_an_endpoint_that_refuses_everything() -> None:
    async with FaultServer(always=error(401, "bad key")) as server:
        with pytest.raises(ProviderFailure, match="bad key"):
            await check_endpoint(server.url, "m")


def test_the_command_prints_settings_that_can_be_pasted() -> None:
    app = typer.Typer()
    app.command()(check_model)
    with Threaded(able(limit=4096)) as url:
        table = CliRunner().invoke(app, ["--base-url", url, "--model", "m"])
        plain = CliRunner().invoke(app, ["--base-url", url, "--model", "m", "--json"])
    assert table.exit_code == 0
    settings = yaml.safe_load(table.stdout.split("In a job file:")[1])
    loaded = load({"name": "x", "domains": "gripper", "methods": "act", **settings})
    assert loaded.models.agent[0].context == (4096,)
    assert settings == {"models": {"agent": {"base_url": url, "name": "m", "context": 4096}}}
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
        assert ready.wait(600)
        return self._url

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


def settings_printed(url: str, *options: str) -> dict[str, Any]:
    app = typer.Typer()
    app.command()(check_model)
    done = CliRunner().invoke(app, ["--base-url", url, "--model", "m", *options])
    assert done.exit_code == 0, done.output
    settings = yaml.safe_load(done.stdout.split("In a job file:")[1])
    return dict(settings["models"]["agent"])


def test_what_is_printed_can_be_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "key-12345")
    with Threaded(able()) as url:
        named = settings_printed(url, "--api-key-env", "MINE")
        with_query = settings_printed(url + "/?api-version=7")
    assert named["api_key_env"] == "MINE"
    assert with_query["base_url"] == url + "?api-version=7"
    assert shown("http://[::1]:8000/v1") == "http://[::1]:8000/v1"


def test_an_unset_key_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    app = typer.Typer()
    app.command()(check_model)
    with Threaded(error(401, "no key")) as url:
        done = CliRunner().invoke(app, ["--base-url", url, "--model", "m", "--api-key-env", "NO_SUCH_KEY"])
    assert done.exit_code == 1
    assert "NO_SUCH_KEY (it is not set)" in done.output


BREAKS: dict[str, Any] = {
    "a long prompt": lambda b: len(str(b["messages"])) > 10_000,
    "a stop string": lambda b: "stop" in b,
    "a seed": lambda b: "seed" in b,
    "a temperature": lambda b: "temperature" in b,
    "a system message": lambda b: b["messages"][0]["role"] == "system",
    "a limit": lambda b: "max_tokens" in b,
}


@pytest.mark.parametrize("name", BREAKS)
@pytest.mark.parametrize("how", ["500", "empty", "drop"])
async def test_a_test_that_fails_is_unknown_and_the_others_go_on(
    name: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "_LATER", RetryPolicy(tries=2, first_wait=0.01, longest_wait=0.02))
    fault = {"500": error(500), "empty": raw("", "application/json"), "drop": drop()}[how]

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return await (fault if BREAKS[name](body) else able())(request, body)

    async with FaultServer(always=answer) as server:
        found = await check_endpoint(server.url, "m")
    assert found.verdict("usage") == "yes"
    assert sum(f.verdict == "unknown" for f in found.findings) >= 1
    assert len(found.findings) == 12


async def test_no_request_asks_for_more_than_a_server_is_made_for() -> None:
    async with FaultServer(always=able(limit=10**9)) as server:
        await check_endpoint(server.url, "m")
    assert all(body.get("max_tokens", 0) <= 8192 for body in server.bodies)
    assert max(len(str(body)) for body in server.bodies) < 40_000


async def test_a_refused_long_prompt_is_not_called_cut() -> None:
    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        if len(str(body)) > 10_000:
            return await error(400, "Input is too long for requested model.")(request, body)
        return await able()(request, body)

    async with FaultServer(always=answer) as server:
        found = await check_endpoint(server.url, "m")
    seen = next(f.seen for f in found.findings if f.name == "context")
    assert found.verdict("context") == "unknown"
    assert "refused" in seen
    assert "cut" not in seen


def model(*urls: str, **options: Any) -> ModelSpec:
    return ModelSpec("m", base_urls=urls, api_key_env="CHECK_KEY", **options)


async def test_a_model_that_answers_is_reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHECK_KEY", "key-1234567")
    for behaviour in (
        None,
        picky("max_tokens", "seed"),
        error(429, retry_after="90"),
        raw("{}", "text/plain"),
    ):
        async with FaultServer(always=behaviour) as server:
            server.models = [{"id": "the model behind the alias m"}]
            why = await reachable(model(server.url))
        assert why is None or "no chat completion" in why
        assert len(server.bodies) <= 3
    assert await reachable(ModelSpec("sim", simulated=True)) is None


async def test_a_model_that_is_listed_or_whose_endpoint_has_no_list_is_asked_nothing() -> None:
    for listed in ([{"id": "m"}], None):
        async with FaultServer(always=error(500, "not asked")) as server:
            server.models = listed
            assert await reachable(model(server.url)) is None
        assert server.bodies == []


async def test_a_base_url_that_lacks_its_path_is_told_the_right_one() -> None:
    async with FaultServer() as server:
        server.models = [{"id": "m"}]
        why = await reachable(model(server.url.removesuffix("/v1")))
    assert why == f"m: base_url lacks /v1: use {server.url}"


UNREACHABLE: dict[str, tuple[Behaviour, str]] = {
    "a wrong key": (error(401, "bad key"), "CHECK_KEY"),
    "an unknown model": (error(404, "the model m does not exist"), "check the name"),
    "a page": (raw("<html>log in</html>", "text/html"), "ends in /v1"),
    "a broken server": (error(500, "out of memory"), "out of memory"),
}


@pytest.mark.parametrize("name", UNREACHABLE)
async def test_what_makes_a_model_unreachable_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHECK_KEY", raising=False)
    behaviour, told = UNREACHABLE[name]
    async with FaultServer(always=behaviour) as server:
        server.models = []
        why = await reachable(model(server.url))
    assert why is not None
    assert why.startswith("m: ")
    assert told in why
    assert len(server.bodies) <= 2


@pytest.mark.parametrize(
    "url", ["localhost:8125/v1", "ftp://x/v1", "http://x:99999/v1", "http:///v1", "http://me:word@x/v1"]
)
async def test_what_is_no_url_is_told(url: str) -> None:
    why = await reachable(model(url))
    assert why is not None
    assert "http://HOST:PORT/v1" in why or "api_key_env" in why


async def test_a_server_that_does_not_run_is_told() -> None:
    async with FaultServer() as server:
        pass
    why = await reachable(model(server.url))
    assert why is not None
    assert "start the server" in why


@pytest.mark.parametrize(
    "key", ["abcdefgh12345678\n", "abcdefgh\u202612345678", " abcdefgh12345678", "abc\x00defgh12345678"]
)
async def test_a_key_that_cannot_be_sent_is_told_and_not_shown(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ, "CHECK_KEY": key})
    async with FaultServer() as server:
        why = await reachable(model(server.url))
        async with ModelPool() as pool:
            with pytest.raises(ProviderFailure, match="CHECK_KEY") as caught:
                await pool.complete(model(server.url), Prompt("", (), "x"), 1, "e")
    assert why is not None
    assert "CHECK_KEY" in why
    assert "defgh" not in why + str(caught.value)
    assert not caught.value.retryable
    assert server.bodies == []
