"""Prompts that are too long for a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.errors import ProviderFailure
from learnact.models.context import below, estimate, fit, says_too_long, shorter, shrink
from learnact.models.pool import ModelPool
from learnact.records import ModelSpec, Prompt
from tests.models.server import Behaviour, FaultServer, completion, error
from tests.models.test_pool import QUICK, spec

HISTORY = tuple(
    f"{'Action' if i % 2 == 0 else 'Observation'}: entry {i} " + "word " * 40 + "\n" for i in range(20)
)
LONG = Prompt("System.", ("Instructions. ", "Goal and first observation.\n"), "Action:", HISTORY)

prompts = st.builds(
    Prompt,
    system=st.text(max_size=50),
    fixed=st.lists(st.text(max_size=200), max_size=3).map(tuple),
    request=st.text(max_size=30),
    history=st.lists(st.text(max_size=300), max_size=12).map(tuple),
    history_start=st.integers(0, 7),
)


@given(prompts, st.integers(1, 500))
@settings(max_examples=150)
def test_only_the_oldest_turns_go(prompt: Prompt, context: int) -> None:
    model = ModelSpec("m", context=context, max_tokens=50)
    fitted = fit(prompt, model)
    dropped = len(prompt.history) - len(fitted.history)
    assert (fitted.system, fitted.fixed, fitted.request) == (prompt.system, prompt.fixed, prompt.request)
    assert fitted.history == prompt.history[dropped:]
    assert fitted.history_start == prompt.history_start + dropped
    assert not fitted.history or estimate(fitted) <= context - 50
    assert dropped == 0 or estimate(prompt) > context - 50
    assert fit(fitted, model) == fitted
    assert not (dropped and fitted.history) or fitted.history_start % 2 == 0


def test_without_a_stated_context_nothing_goes() -> None:
    assert fit(LONG, ModelSpec("m")) is LONG


def limited(limit: int, form: str, per_byte: float = 0.5) -> Behaviour:
    """A server with a context; its tokens are twice as many as the estimate."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        prompt = int(sum(len(m["content"]) for m in body["messages"]) * per_byte)
        reply = body.get("max_tokens", 0)
        if prompt + reply <= limit:
            return web.json_response(completion())
        texts = {
            "openai": f"This model's maximum context length is {limit} tokens. However, you requested "
            f"{prompt + reply} tokens ({prompt} in the messages, {reply} in the completion). Please reduce "
            "the length of the messages.",
            "vllm": f"This model's maximum context length is {limit} tokens. However, you requested {reply} "
            f"output tokens and your prompt contains at least {prompt} input tokens, for a total of at least "
            f"{prompt + reply} tokens.",
            "llama.cpp": f"the request exceeds the available context size ({limit} tokens), "
            "try increasing it",
            "anthropic": f"prompt is too long: {prompt} tokens > {limit - reply} maximum",
            "mute": "context window exceeded",
        }
        return web.json_response({"error": {"message": texts[form]}}, status=400)

    return answer


@pytest.mark.parametrize("form", ["openai", "vllm", "llama.cpp", "anthropic", "mute"])
async def test_a_refusal_teaches_how_much_must_go(form: str) -> None:
    async with FaultServer(always=limited(1200, form)) as server:
        async with ModelPool(retry_policy=QUICK) as pool:
            exchange = await pool.complete(spec(server.url, max_tokens=100), LONG, 1, "e")
    sent = exchange.prompt
    assert 0 < len(sent.history) < len(HISTORY)
    assert sent.history == HISTORY[sent.history_start :]
    assert sent.fixed == LONG.fixed
    assert exchange.reply.tries == len(server.bodies) <= 8


REFUSALS = yaml.safe_load(Path(__file__).with_name("refusals.yaml").read_text())
WORDINGS: dict[str, str] = REFUSALS["too long"]
OTHERS: dict[str, str] = REFUSALS["something else"]


@pytest.mark.parametrize("name", WORDINGS)
@pytest.mark.parametrize("status", [400, 413, 422, 500])
async def test_a_refusal_about_length_is_recognised_in_any_words(name: str, status: int) -> None:
    async with FaultServer(error(status, WORDINGS[name])) as server:
        async with ModelPool(retry_policy=QUICK) as pool:
            exchange = await pool.complete(spec(server.url), LONG, 1, "e")
    assert exchange.reply.tries == 2
    assert len(HISTORY) / 2 <= len(exchange.prompt.history) < len(HISTORY)


@pytest.mark.parametrize("name", OTHERS)
def test_a_refusal_about_something_else_is_not(name: str) -> None:
    assert not says_too_long(OTHERS[name])


@given(prompts.filter(lambda p: len(p.history) > 0))
@settings(max_examples=80)
def test_a_share_of_the_oldest_turns_goes_at_a_time(prompt: Prompt) -> None:
    less = shorter(prompt)
    dropped = len(prompt.history) - len(less.history)
    assert dropped > 0
    assert less.history == prompt.history[dropped:]
    assert less.history_start == prompt.history_start + dropped


async def test_what_was_refused_is_not_sent_again() -> None:
    """The smallest size that an endpoint refused is kept for it; a prompt below it is left alone."""
    async with FaultServer(always=limited(1200, "openai")) as server:
        async with ModelPool(retry_policy=QUICK) as pool:
            model = spec(server.url, max_tokens=100)
            first = await pool.complete(model, LONG, 1, "e")
            again = await pool.complete(model, LONG, 1, "e")
            small = await pool.complete(model, shrink(LONG, 300), 1, "e")
    assert first.reply.tries > 1
    assert again.reply.tries == 1
    assert first.prompt == again.prompt
    assert small.prompt == shrink(LONG, 300)


def test_what_is_known_leaves_the_last_turn_to_the_server() -> None:
    assert below(LONG, 1).history == LONG.history[-2:]
    assert below(LONG, None) is LONG


async def test_a_prompt_that_cannot_be_shortened_says_so() -> None:
    async with FaultServer(always=limited(50, "openai")) as server:
        async with ModelPool(retry_policy=QUICK) as pool:
            with pytest.raises(ProviderFailure, match="without any history") as caught:
                await pool.complete(spec(server.url, max_tokens=100), LONG, 1, "e")
    assert not caught.value.retryable
