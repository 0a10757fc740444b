"""The pool against a real server that fails in the ways that servers fail."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from email.utils import formatdate
from typing import Any

import pytest
from aiohttp import web
from tenacity import RetryCallState

from learnact.errors import ProviderFailure
from learnact.models.client import RetryableError, retry_after
from learnact.models.limits.gate import RequestGate
from learnact.models.pool import ModelPool
from learnact.models.retry import RetryPolicy, retrying
from learnact.records import Exchange, Message, ModelSpec, Prices, Prompt, Tokens
from tests.models.server import (
    Behaviour,
    FaultServer,
    completion,
    cut,
    drip,
    drop,
    error,
    good,
    hang,
    js,
    picky,
    raw,
)

PROMPT = Prompt("You play.", ("Goal: x.\n",), "Action:", ("Action: a\n", "Observation: b\n"))
QUICK = RetryPolicy(tries=4, first_wait=0.01, longest_wait=0.05, limited=5.0)
KEY = "sk-very-secret-0123456789"


def spec(*urls: str, **options: object) -> ModelSpec:
    return ModelSpec("m", base_urls=urls, api_key_env="TEST_MODEL_KEY", **options)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_MODEL_KEY", KEY)


async def ask(server: FaultServer, policy: RetryPolicy = QUICK, **options: object) -> Exchange:
    async with ModelPool(retry_policy=policy) as pool:
        return await pool.complete(spec(server.url, **options), PROMPT, seed=7, affinity="e1")


async def test_a_good_reply_is_read_counted_and_priced() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 30,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    async with FaultServer(good("look()", usage=usage, reasoning_content="hm")) as server:
        exchange = await ask(server, prices=Prices(prompt=2.0, cached=1.0, completion=10.0))
    reply = exchange.reply
    assert exchange.prompt == PROMPT
    assert (reply.text, reply.reasoning, reply.finish, reply.tries) == ("look()", "hm", "stop", 1)
    assert reply.tokens == Tokens(100, 60, 30, 20)
    assert reply.cost == pytest.approx((40 * 2 + 60 * 1 + 30 * 10) / 1e6)
    assert (reply.model, reply.fingerprint) == ("m-2026-01-01", "fp_1")
    assert json.loads(reply.parameters) == {
        "model": "m",
        "temperature": 0.0,
        "top_p": 1.0,
        "max_tokens": 1024,
        "seed": 7,
    }
    sent = server.bodies[0]
    assert sent.pop("messages") == [
        {"role": "system", "content": "You play."},
        {"role": "user", "content": "Goal: x.\nAction: a\nObservation: b\nAction:"},
    ]
    assert sent == json.loads(reply.parameters)
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


FAULTS: dict[str, Behaviour] = {
    "500": error(500),
    "503 with HTML": raw("<html><b>Service</b> unavailable</html>", "text/html", 503),
    "408": error(408),
    "409": error(409),
    "529 overloaded": error(529),
    "429 without retry-after": error(429),
    "429 in ms": error(429, retry_after_ms="20"),
    "429 in seconds": error(429, retry_after="0.02"),
    "429 with a date": error(429, retry_after=formatdate(time.time() - 10, usegmt=True)),
    "429 with nonsense": error(429, retry_after="soon"),
    "dropped connection": drop(),
    "cut body": cut(),
    "time-out": hang(),
    "dripping body": drip(),
    "HTML with 200": raw("<html>log in</html>", "text/html"),
    "no JSON with 200": raw("{not json", "application/json"),
    "empty body": raw("", "application/json"),
    "empty choices": js({"id": "1", "choices": [], "usage": {}}),
    "no choices": js({"id": "1", "choices": None}),
    "an error with 200": js({"error": {"message": "upstream failed"}}),
    "an empty text without tokens": js(completion("", usage={"prompt_tokens": 100, "completion_tokens": 0})),
    "an empty text without usage": js(completion("", usage=None)),
    "an error's half text": good("pick('ball", finish="error"),
    "an aborted text": good("pick('ball", finish="abort"),
    "deep JSON": raw("[" * 50_000, "application/json"),
    "a wrong encoding": raw("\ufffe{", "application/json"),
    "no message": js({"choices": [{"finish_reason": "stop", "message": None}]}),
    "an empty message": js(completion(None, usage=None)),
    "content filter": good("", finish="content_filter"),
    "a list": js([1, 2]),
}

HANGS = ("time-out", "dripping body")


@pytest.mark.parametrize("name", FAULTS)
async def test_a_passing_fault_costs_a_try_and_nothing_else(name: str) -> None:
    async with FaultServer(FAULTS[name]) as server:
        reply = (await ask(server, timeout=2.0 if name in HANGS else 60.0)).reply
    assert (reply.text, reply.tries, len(server.bodies)) == ("look()", 2, 2)
    assert server.bodies[0] == server.bodies[1]


@pytest.mark.parametrize("name", [n for n in FAULTS if not n.startswith("429")])
async def test_a_lasting_fault_is_the_providers_failure_and_bounded(name: str) -> None:
    async with FaultServer(always=FAULTS[name]) as server:
        with pytest.raises(ProviderFailure) as caught:
            await ask(server, timeout=0.2)
    assert caught.value.retryable
    assert caught.value.boundary == "provider"
    assert "m: " in str(caught.value)
    assert len(server.bodies) == QUICK.tries


async def test_retry_after_is_honoured() -> None:
    async with FaultServer(error(429, retry_after_ms="300"), error(429, retry_after="0.3")) as server:
        await ask(server)
    first, second, third = server.times
    assert second - first >= 0.3
    assert third - second >= 0.3


async def test_a_date_in_the_future_is_waited_for() -> None:
    moment = int(time.time()) + 2
    async with FaultServer(error(429, retry_after=formatdate(moment, usegmt=True))) as server:
        await ask(server)
    assert len(server.bodies) == 2
    assert time.time() >= moment


async def test_rate_limits_are_bounded_in_time_not_in_tries() -> None:
    limits = [error(429, retry_after_ms="5") for _ in range(4)]
    async with FaultServer(*limits) as server:
        assert (await ask(server)).reply.tries == 5
    async with FaultServer(always=error(429, retry_after="3600")) as server:
        with pytest.raises(ProviderFailure, match="429"):
            await ask(server)
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (302, "leads elsewhere"),
        (400, "check the model's parameters"),
        (405, "ends in /v1"),
        (401, "TEST_MODEL_KEY"),
        (403, "may not use this model"),
        (404, "ends in /v1"),
        (422, "check the model's parameters"),
    ],
)
async def test_a_refusal_comes_at_once_and_says_what_to_do(status: int, advice: str) -> None:
    async with FaultServer(always=error(status, "no such luck")) as server:
        with pytest.raises(ProviderFailure, match="no such luck") as caught:
            await ask(server)
    assert not caught.value.retryable
    assert advice in str(caught.value)
    assert len(server.bodies) == 1


@pytest.mark.parametrize(("code", "tries"), [(429, 2), ("503", 2), (401, 1), (404, 1)])
async def test_an_error_with_status_200_has_the_status_of_its_code(code: object, tries: int) -> None:
    """As some gateways answer."""
    body = {"error": {"message": "from upstream", "code": code}}
    async with FaultServer(js(body)) as server:
        if tries == 2:
            assert (await ask(server)).reply.tries == 2
        else:
            with pytest.raises(ProviderFailure, match=f"{code}: from upstream") as caught:
                await ask(server)
            assert not caught.value.retryable


async def test_a_used_up_quota_is_no_rate_limit() -> None:
    behaviour = error(
        429, "You exceeded your current quota", code="insufficient_quota", type="insufficient_quota"
    )
    async with FaultServer(always=behaviour) as server:
        with pytest.raises(ProviderFailure, match="quota") as caught:
            await ask(server)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "behaviour", [error(401, f"Incorrect API key: {KEY}"), error(500, f"upstream said Bearer {KEY}")]
)
async def test_keys_never_reach_an_error_or_a_log(
    behaviour: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with FaultServer(always=behaviour) as server:
        url = server.url.replace("http://", "http://user:pass-word@") + "?token=query-secret"
        for address in (server.url, url):
            async with ModelPool(retry_policy=QUICK) as pool:
                with pytest.raises(ProviderFailure) as caught:
                    await pool.complete(spec(address), PROMPT, 1, "e")
            for secret in (KEY, "pass-word", "query-secret"):
                assert secret not in str(caught.value)
                assert secret not in repr(caught.value)
    assert KEY not in caplog.text


async def test_without_a_key_openai_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_MODEL_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    async with ModelPool(retry_policy=QUICK) as pool:
        with pytest.raises(ProviderFailure, match="TEST_MODEL_KEY") as caught:
            await pool.complete(spec(), PROMPT, 1, "e")
    assert not caught.value.retryable


@pytest.mark.parametrize("style", ["openai", "old", "pydantic", "litellm"])
async def test_refused_parameters_are_negotiated_once_and_recorded(style: str) -> None:
    async with FaultServer(always=picky("stop", "seed", "temperature", style=style)) as server:
        async with ModelPool(retry_policy=QUICK) as pool:
            model = spec(server.url, stop=("\n",))
            replies = [(await pool.complete(model, PROMPT, seed, "e")).reply for seed in (1, 2)]
    assert [r.tries for r in replies] == [4, 1]
    for reply in replies:
        sent = json.loads(reply.parameters)
        assert sent == {
            "model": "m",
            "top_p": 1.0,
            "max_tokens": 1024,
            "refused": ["seed", "stop", "temperature"],
        }
    assert set(server.bodies[-1]) == {"model", "top_p", "max_tokens", "messages"}


async def test_what_is_sent_does_not_depend_on_who_met_the_refusal_first() -> None:
    async with FaultServer(always=picky("seed", "stop")) as server:
        async with ModelPool(retry_policy=QUICK) as pool:
            model = spec(server.url, stop=("\n",))
            exchanges = await asyncio.gather(*(pool.complete(model, PROMPT, s, "e") for s in range(20)))
    assert len({e.reply.parameters for e in exchanges}) == 1


async def test_max_tokens_gives_way_to_max_completion_tokens_and_back() -> None:
    for refused, options, expected in (
        ("max_tokens", {}, ("max_completion_tokens", 1024)),
        ("max_completion_tokens", {"effort": "low"}, ("max_tokens", 1024 + 4096)),
    ):
        async with FaultServer(always=picky(refused)) as server:
            reply = (await ask(server, **options)).reply
        name, value = expected
        assert json.loads(reply.parameters)[name] == value
        assert reply.tries == 2


async def test_a_refused_system_role_leads_the_user_message() -> None:
    async with FaultServer(always=picky("system")) as server:
        exchange = await ask(server)
    assert exchange.prompt.messages() == (
        Message("user", "You play.\n\nGoal: x.\nAction: a\nObservation: b\nAction:"),
    )
    assert server.bodies[-1]["messages"] == [
        {"role": "user", "content": exchange.prompt.messages()[0].content}
    ]
    assert json.loads(exchange.reply.parameters)["refused"] == ["system"]


async def test_a_value_that_is_wrong_is_told_and_not_dropped() -> None:
    text = "max_tokens is too large: 99999. This model supports at most 16384 completion tokens"
    async with FaultServer(always=error(400, text, param="max_tokens", code="invalid_value")) as server:
        with pytest.raises(ProviderFailure, match="at most 16384"):
            await ask(server, max_tokens=99999)
    assert len(server.bodies) == 1


async def test_an_episode_stays_on_its_replica_and_leaves_it_when_it_is_down() -> None:
    async with FaultServer() as one, FaultServer() as two:
        async with ModelPool(retry_policy=QUICK) as pool:
            model = spec(one.url, two.url)
            for episode in range(20):
                for turn in range(3):
                    await pool.complete(model, PROMPT, turn, f"episode {episode}")
                assert len(one.bodies) % 3 == len(two.bodies) % 3 == 0
            assert len(one.bodies) > 0
            assert len(two.bodies) > 0
            await one.__aexit__()
            before = len(two.bodies)
            replies = [(await pool.complete(model, PROMPT, 1, f"episode {e}")).reply for e in range(20)]
    assert len(two.bodies) == before + 20
    assert max(r.tries for r in replies) <= 2


async def test_a_replica_that_answers_500_is_left_for_this_call() -> None:
    async with FaultServer(always=error(500)) as bad, FaultServer() as fine:
        async with ModelPool(retry_policy=QUICK) as pool:
            replies = [
                (await pool.complete(spec(bad.url, fine.url), PROMPT, 1, str(e))).reply for e in range(64)
            ]
    # A replica is chosen by a hash of its URL, whose port is random: of 64 episodes some begin at each.
    assert {r.tries for r in replies} == {1, 2}


async def test_a_server_that_does_not_listen() -> None:
    async with FaultServer() as server:
        pass
    async with ModelPool(retry_policy=QUICK) as pool:
        with pytest.raises(ProviderFailure, match="cannot be reached") as caught:
            await pool.complete(spec(server.url), PROMPT, 1, "e")
    assert caught.value.retryable


async def test_embeddings_come_in_the_order_of_the_texts() -> None:
    async with FaultServer(error(500)) as server:
        async with ModelPool(retry_policy=QUICK) as pool:
            reply = await pool.embed(spec(server.url, prices=Prices(prompt=1.0)), ("a", "bbb"))
    assert reply.vectors == ((1.0, 1.0), (3.0, 1.0))
    assert (reply.tries, reply.tokens.prompt, reply.cost) == (2, 7, pytest.approx(7e-6))


async def test_missing_usage_is_no_tokens_and_no_cost() -> None:
    async with FaultServer(good("look()", usage=None)) as server:
        reply = (await ask(server, prices=Prices(1.0, 1.0, 1.0))).reply
    assert (reply.text, reply.tokens, reply.cost) == ("look()", Tokens(), None)


@pytest.mark.parametrize("content", [None, ""])
async def test_thinking_that_used_up_the_limit_is_told_after_one_request(
    content: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 0, "total_tokens": 612}
    async with FaultServer(always=good(content, finish="length", usage=usage)) as server:
        reply = (await ask(server)).reply
    assert (reply.text, reply.finish, reply.tries) == ("", "length", 1)
    assert reply.tokens == Tokens(100, 0, 512, 512)
    assert "raise max_tokens" in caplog.text


async def test_tool_calls_without_text_are_told(caplog: pytest.LogCaptureFixture) -> None:
    call = [{"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]
    async with FaultServer(always=good(None, tool_calls=call)) as server:
        reply = (await ask(server)).reply
    assert (reply.text, reply.finish, reply.tries) == ("", "tool_calls", 1)
    assert "tool call" in caplog.text


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "text/html"])
async def test_json_with_another_content_type_is_json(content_type: str) -> None:
    async with FaultServer(raw("\ufeff" + json.dumps(completion()), content_type)) as server:
        assert (await ask(server)).reply.tries == 1
    refused = json.dumps({"error": {"message": "Unrecognized request argument supplied: seed"}})
    async with FaultServer(raw(refused, content_type, 400)) as server:
        assert (await ask(server)).reply.tries == 2


ODD: dict[str, object] = {
    "huge": 2**63,
    "negative": -5,
    "words": "many",
    "a truth": True,
    "a list": [1],
    "an object": {"a": 1},
    "not a number": float("nan"),
    "infinite": float("inf"),
    "digits without end": "9" * 5000,
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize(
    "field", ["prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "reasoning_tokens"]
)
async def test_odd_numbers_in_usage_are_bounded_and_recorded(field: str, name: str) -> None:
    usage: dict[str, Any] = {
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "prompt_tokens_details": {},
        "completion_tokens_details": {},
    }
    details = {"cached_tokens": "prompt_tokens_details", "reasoning_tokens": "completion_tokens_details"}
    (usage[details[field]] if field in details else usage)[field] = ODD[name]
    async with FaultServer(raw(json.dumps(completion(usage=usage)), "application/json")) as server:
        reply = (await ask(server, prices=Prices(3.0, 0.3, 15.0))).reply
    tokens = reply.tokens
    assert 0 <= tokens.cached <= tokens.prompt <= 10**9
    assert 0 <= tokens.reasoning <= tokens.completion <= 10**9
    assert reply.cost is None or reply.cost >= 0
    assert field in json.loads(reply.parameters)["odd"]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 900}},
            (910, 900, 5, 0),
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 5,
                "completion_tokens_details": {"reasoning_tokens": 70},
            },
            (9, 0, 75, 70),
        ),
        ({"prompt_tokens": "12", "completion_tokens": 5.0}, (12, 0, 5, 0)),
    ],
)
async def test_what_a_server_counts_apart_is_counted_in(
    usage: dict[str, Any], expected: tuple[int, ...]
) -> None:
    async with FaultServer(good(usage=usage)) as server:
        assert (await ask(server)).reply.tokens == Tokens(*expected)


ODD_FIELDS: list[dict[str, Any]] = [
    {"model": 5, "system_fingerprint": ["x"], "usage": [1]},
    {"model": "x" * 10**6},
    {"choices": [{"finish_reason": {"a": 1}, "message": {"content": "look()"}}]},
    {"choices": [{"message": {"content": [{"type": "text", "text": "look()"}, 5, None, {"type": "image"}]}}]},
    {"choices": [{"message": {"content": "look()", "reasoning_content": {"a": 1}}}, 7]},
    {"usage": {"prompt_tokens_details": 5, "completion_tokens_details": [1]}},
]


@pytest.mark.parametrize("fields", ODD_FIELDS)
async def test_each_field_of_a_body_is_checked(fields: dict[str, Any]) -> None:
    async with FaultServer(js({**completion(), **fields})) as server:
        reply = (await ask(server)).reply
    assert reply.text == "look()"
    assert isinstance(reply.model, str)
    assert len(reply.model) <= 200


REFUSALS = {
    "listed late": "Validation failed. " + "x" * 3000 + " Extra inputs are not permitted: ['body', 'seed']",
    "not recognised": "body.seed: property is not recognized",
    "no such": "This deployment has no 'seed'",
    "additional": "Additional properties are not allowed ('seed' was unexpected)",
    "does not apply": "seed: does not apply to this model",
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refused_parameter_is_recognised_in_other_words(name: str) -> None:
    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        refuses = error(400, REFUSALS[name]) if "seed" in body else good()
        return await refuses(request, body)

    async with FaultServer(always=answer) as server:
        reply = (await ask(server)).reply
    assert reply.tries == 2
    assert json.loads(reply.parameters)["refused"] == ["seed"]


async def test_a_rate_limit_that_asks_for_nothing_is_not_hammered() -> None:
    """From the second time on the wait is about a second, not the 0 that the server wrote; what was asked for
    is waited for in the gate."""
    assert retry_after({"retry-after": "0"}, 0.0) is None
    assert retry_after({"retry-after": formatdate(time.time() - 5, usegmt=True)}, time.time()) is None
    assert retry_after({"retry-after": "-3"}, 0.0) is None
    assert retry_after({"retry-after": "nan"}, 0.0) is None
    assert retry_after({"retry-after-ms": "0", "retry-after": "2"}, 0.0) == 2.0
    waits = []
    loop = retrying(RetryPolicy(first_wait=0.5, limited=600.0))
    for number in range(1, 6):
        state = RetryCallState(loop, None, (), {})
        state.attempt_number = number
        state.set_exception((RetryableError, RetryableError("limit", "429", 0.01), None))
        waits.append(loop.wait(state))
    assert all(0.99 <= wait <= 1.0 for wait in waits[2:])


async def test_a_reply_cut_by_length_is_a_reply() -> None:
    async with FaultServer(good("<think>so I wonder whether", finish="length")) as server:
        reply = (await ask(server)).reply
    assert (reply.text, reply.finish, reply.reasoning, reply.tries) == (
        "",
        "length",
        "so I wonder whether",
        1,
    )


async def test_a_time_out_leaves_the_pool_usable() -> None:
    async with FaultServer(hang(), hang()) as server:
        async with ModelPool(retry_policy=QUICK) as pool:
            tasks = [pool.complete(spec(server.url, timeout=3.0), PROMPT, i, str(i)) for i in range(10)]
            replies = await asyncio.gather(*tasks)
    assert sorted(e.reply.tries for e in replies)[-1] >= 2
    assert all(e.reply.text == "look()" for e in replies)


async def test_a_query_in_the_base_url_stays_behind_the_path() -> None:
    async with FaultServer() as server:
        async with ModelPool(retry_policy=QUICK) as pool:
            reply = (await pool.complete(spec(server.url + "/?api-version=7"), PROMPT, 1, "e")).reply
    assert reply.text == "look()"
    assert server.paths == ["/v1/chat/completions?api-version=7"]


async def test_requests_in_flight_at_a_model_are_bounded() -> None:
    now, most = 0, 0

    async def slow(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await asyncio.sleep(0.02)
        now -= 1
        return await good()(request, body)

    async with FaultServer(always=slow) as server:
        async with ModelPool(retry_policy=QUICK, gate=RequestGate(in_flight=3)) as pool:
            await asyncio.gather(*(pool.complete(spec(server.url), PROMPT, n, str(n)) for n in range(20)))
    assert most == 3
