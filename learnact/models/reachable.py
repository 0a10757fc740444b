"""Whether a model can be asked, before a run: its endpoints answer, take the key and know the model."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from learnact.errors import ProviderFailure
from learnact.models import context, negotiation
from learnact.models.client import Endpoint, RejectedRequest, RetryableError, ServerReply, checked_key
from learnact.models.pool import OPENAI_URL
from learnact.models.refusals import refusal_failure
from learnact.models.retry import RetryPolicy, retrying
from learnact.records import ModelSpec, Prompt

HELLO = Prompt("", (), "Say: hello")
REACHABLE_TOKENS = 16
"""Limit of the reply where a model has to be asked for one."""
RETRIES = RetryPolicy(tries=2, first_wait=0.5, longest_wait=5.0, limited=60.0)


async def reachable(model: ModelSpec) -> str | None:
    """Whether each of a model's endpoints answers and knows the model: None, or the reason with the way out.

    Sends one small request to each URL: the list of models (`GET /models`), which costs nothing and takes
    no turn from a rate limit. Only where that list does not name the model, or cannot be read, the model is
    asked for a reply of at most `REACHABLE_TOKENS` tokens. An endpoint without a list is taken to be right:
    the run's first request tells. The embedded simulated model is not asked.
    """
    if model.simulated and not model.base_urls:
        return None
    try:
        for url in model.base_urls or (os.environ.get("OPENAI_BASE_URL") or OPENAI_URL,):
            key = checked_key(model.api_key_env, os.environ.get(model.api_key_env, ""))
            if not key and url == OPENAI_URL:
                return (
                    f"{model.name}: set the environment variable {model.api_key_env} to an API key for {url}"
                )
            endpoint = Endpoint.open(url, key)
            try:
                if await _is_listed(endpoint, model) is False:
                    small = dataclasses.replace(model, max_tokens=REACHABLE_TOKENS, effort=None, stop=())
                    await _ask_once(endpoint, small, HELLO)
            finally:
                await endpoint.close()
    except ProviderFailure as failure:
        return str(failure) if str(failure).startswith(model.name) else f"{model.name}: {failure}"
    return None


async def _is_listed(endpoint: Endpoint, model: ModelSpec) -> bool | None:
    """Whether the endpoint's list of models names the model; None where it has no list.

    Raises:
        ProviderFailure: nobody answers, the key is refused, or the list lies at another path.
    """
    try:
        body = (await _listed_models(endpoint, "/models", model.timeout)).body
    except RejectedRequest as refusal:
        if refusal.status in (401, 402, 403):
            raise refusal_failure(model, endpoint, refusal) from None
        if await _has_list(endpoint, "/v1/models", model.timeout):
            correct = f"{endpoint.shown.rstrip('/')}/v1"
            raise ProviderFailure(f"{model.name}: base_url lacks /v1: use {correct}", False) from None
        return None
    except RetryableError as fault:
        if fault.kind in ("connection", "timeout"):
            raise _no_answer(endpoint, model, fault) from None
        return None if fault.kind == "limit" else False
    rows = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(rows, list):
        return False
    return any(isinstance(row, Mapping) and row.get("id") == model.name for row in rows)


async def _listed_models(endpoint: Endpoint, path: str, timeout: float) -> ServerReply:
    """The list of models; asked again once after a lost connection, which a restart may cause."""
    try:
        return await endpoint.get(path, timeout)
    except RetryableError as fault:
        if fault.kind != "connection":
            raise
        await asyncio.sleep(RETRIES.first_wait)
        return await endpoint.get(path, timeout)


async def _has_list(endpoint: Endpoint, path: str, timeout: float) -> bool:
    try:
        body = (await endpoint.get(path, timeout)).body
    except (RejectedRequest, RetryableError):
        return False
    return isinstance(body, Mapping) and isinstance(body.get("data"), list)


def _no_answer(endpoint: Endpoint, model: ModelSpec, fault: RetryableError) -> ProviderFailure:
    way_out = "start the server, or correct base_url"
    if fault.kind == "reply":
        way_out = "check that base_url is an OpenAI-compatible endpoint and ends in /v1"
    return ProviderFailure(f"{model.name}: {endpoint.clean(str(fault))} -- {way_out}", False)


async def _ask_once(endpoint: Endpoint, model: ModelSpec, prompt: Prompt) -> None:
    """Raises `ProviderFailure` when the endpoint does not answer, or the request is refused for good."""
    refused: frozenset[str] = frozenset()
    while True:
        sent = negotiation.parameters(model, 0, refused)
        asked = negotiation.shaped(prompt, refused)
        messages = [m.as_sent() for m in asked.messages()]
        try:
            await _post_chat(endpoint, {**sent, "messages": messages}, model.timeout)
            return
        except RejectedRequest as refusal:
            name = negotiation.refused_by(refusal, sent, system=bool(asked.system))
            if name is None and context.too_long(refusal):
                return
            if name is None:
                raise refusal_failure(model, endpoint, refusal) from None
            refused |= {name}
        except RetryableError as fault:
            if fault.kind == "limit":
                return
            raise _no_answer(endpoint, model, fault) from None


async def _post_chat(endpoint: Endpoint, body: Mapping[str, Any], timeout: float) -> None:
    """One request, asked again after a fault; the body of its reply must be an object with choices."""
    async for attempt in retrying(RETRIES):
        with attempt:
            found = (await endpoint.post("/chat/completions", body, timeout)).body
            if not isinstance(found, Mapping) or not isinstance(found.get("choices"), list):
                raise RetryableError(
                    "reply", f"{endpoint.shown} answered with something that is no chat completion"
                )
