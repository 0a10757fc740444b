"""All the models of a process: endpoints, replicas, retries, settled parameters. The production `protocols.Chat`.

An episode stays on one replica (its key picks it) and goes to another when that one fails. Whatever remains after the retries of one call is
a `ProviderFailure`; nothing else is raised.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from learnact.errors import ProviderFailure
from learnact.models import context, negotiation, reading
from learnact.models.client import Endpoint, RejectedRequest, RetryableError, ServerReply
from learnact.models.concurrency import RequestsInFlight
from learnact.models.embedded import Embedded
from learnact.models.retry import RetryPolicy, retrying
from learnact.protocols import ConcurrencyLimit
from learnact.records import Exchange, ModelSpec, Prompt, Reply, canonical

OPENAI_URL = "https://api.openai.com/v1"
DOWN_SECONDS = 15.0
"""How long a replica that could not be reached is passed over, while another one is up."""

_log = logging.getLogger("learnact.models")
_T = TypeVar("_T")


class ModelPool:
    """Asks models; an async context manager, used from one event loop.

    `embedded` starts the simulated model where a spec asks for it; `keys` maps names of environment variables to keys and
    overrides the environment; `permits` bounds requests in flight.
    """

    def __init__(
        self,
        embedded: Embedded | None = None,
        patience: RetryPolicy | None = None,
        permits: ConcurrencyLimit | None = None,
        keys: Mapping[str, str] | None = None,
    ) -> None:
        self._embedded = embedded or Embedded()
        self._patience = patience or RetryPolicy()
        self._permits = permits or RequestsInFlight(None)
        self._keys = dict(keys or {})
        self._endpoints: dict[tuple[str, str], Endpoint] = {}
        self._refused: dict[tuple[str, str], frozenset[str]] = {}
        self._down: dict[str, float] = {}

    async def __aenter__(self) -> ModelPool:
        return self

    async def __aexit__(self, *_: object) -> None:
        for endpoint in self._endpoints.values():
            await endpoint.close()
        self._endpoints.clear()
        self._embedded.close()

    async def complete(self, model: ModelSpec, prompt: Prompt, seed: int, affinity: str) -> Exchange:
        """One validated reply, and the prompt as it was sent. Raises `ProviderFailure`, nothing else."""
        call = _Call(self, model, affinity)
        return await call.complete(context.fit(prompt, model), seed)

    async def embed(self, model: ModelSpec, texts: tuple[str, ...]) -> Reply:
        """Embedding vectors of the texts, in order. Raises `ProviderFailure`."""
        call = _Call(self, model, affinity="")
        return await call.embed(texts)

    # What a call needs of the pool ------------------------------------------------------------------------------------

    async def endpoint(self, model: ModelSpec, affinity: str, avoid: set[str]) -> Endpoint:
        """The replica to ask: the first up and not to be avoided in the order that `affinity` gives."""
        if model.simulated and not model.base_urls:
            return self._open(await self._embedded.url(), "")
        urls = model.base_urls or (os.environ.get("OPENAI_BASE_URL") or OPENAI_URL,)
        ranked = sorted(urls, key=lambda url: hashlib.sha256(f"{affinity}\n{url}".encode()).digest())
        now = time.monotonic()
        usable = [url for url in ranked if url not in avoid and self._down.get(url, 0.0) <= now]
        url = (usable or [url for url in ranked if url not in avoid] or ranked)[0]
        return self._open(url, self._key(model, url))

    def _key(self, model: ModelSpec, url: str) -> str:
        key = self._keys.get(model.api_key_env) or os.environ.get(model.api_key_env, "")
        if not key and url == OPENAI_URL:
            raise ProviderFailure(
                f"set the environment variable {model.api_key_env} to an API key for {url}", False
            )
        return key

    def _open(self, url: str, key: str) -> Endpoint:
        if (url, key) not in self._endpoints:
            self._endpoints[url, key] = Endpoint(url, key)
        return self._endpoints[url, key]

    def failed(self, endpoint: Endpoint, trouble: RetryableError) -> None:
        """Note a failed try: a replica that cannot be reached is passed over for a while."""
        _log.debug("%s", trouble)
        if trouble.kind == "connection":
            self._embedded.suspect()
            self._down[endpoint.base_url] = time.monotonic() + DOWN_SECONDS

    def refused(self, endpoint: Endpoint, model: ModelSpec) -> frozenset[str]:
        """Parameters that this endpoint is known to refuse for this model."""
        return self._refused.get((endpoint.base_url, model.name), frozenset())

    def settle(self, endpoint: Endpoint, model: ModelSpec, name: str) -> None:
        """Leave a parameter out from now on."""
        known = self.refused(endpoint, model)
        if name not in known:
            _log.warning(
                "%s: %s does not take %r; it is left out from now on", endpoint.shown, model.name, name
            )
            self._refused[endpoint.base_url, model.name] = known | {name}

    @property
    def patience(self) -> RetryPolicy:
        """How long one call bears with an endpoint."""
        return self._patience

    @property
    def permits(self) -> ConcurrencyLimit:
        """Leave to have a request in flight."""
        return self._permits


class _Call:
    """One call: its requests, counted, over replicas and retries."""

    def __init__(self, pool: ModelPool, model: ModelSpec, affinity: str) -> None:
        self._pool = pool
        self._model = model
        self._affinity = affinity
        self._requests = 0
        self._avoid: set[str] = set()

    async def complete(self, prompt: Prompt, seed: int) -> Exchange:
        while True:
            try:
                return await self._retried(partial(self._ask, prompt, seed))
            except _Overlong as overlong:
                prompt = self._shorter(prompt, overlong)

    async def embed(self, texts: tuple[str, ...]) -> Reply:
        model = self._model
        sent = {"model": model.name, "encoding_format": "float"}

        async def ask(endpoint: Endpoint) -> Reply:
            try:
                answer = await self._post(endpoint, "/embeddings", {**sent, "input": list(texts)})
            except RejectedRequest as refusal:
                raise self._failure(endpoint, refusal) from None
            found, body = reading.vectors(answer.body, len(texts), endpoint.shown)
            tokens = reading.tokens_of(body.get("usage"))
            price = model.prices.prompt
            return Reply(
                text="",
                tokens=tokens,
                cost=None if price is None or not tokens.prompt else tokens.prompt * price / 1e6,
                model=str(body.get("model") or ""),
                parameters=canonical(sent),
                tries=self._requests,
                latency=answer.seconds,
                vectors=found,
            )

        return await self._retried(ask)

    async def _retried(self, ask: Callable[[Endpoint], Awaitable[_T]]) -> _T:
        """Run `ask(endpoint)` with retries over replicas; the last trouble becomes a `ProviderFailure`."""
        try:
            async for attempt in retrying(self._pool.patience):
                with attempt:
                    endpoint = await self._pool.endpoint(self._model, self._affinity, self._avoid)
                    try:
                        return await ask(endpoint)
                    except RetryableError as trouble:
                        self._pool.failed(endpoint, trouble)
                        self._avoid_next(endpoint, trouble)
                        raise RetryableError(
                            trouble.kind, endpoint.clean(str(trouble)), trouble.retry_after
                        ) from None
        except RetryableError as trouble:
            hint = " (content filter: another try may not help)" if "content filter" in str(trouble) else ""
            raise ProviderFailure(
                f"{self._model.name}: {trouble}, after {self._requests} requests{hint}"
            ) from None
        raise AssertionError("tenacity ended without a result")

    def _avoid_next(self, endpoint: Endpoint, trouble: RetryableError) -> None:
        if trouble.kind == "limit":
            return
        self._avoid.add(endpoint.base_url)
        if self._avoid >= set(self._model.base_urls):
            self._avoid.clear()

    async def _ask(self, prompt: Prompt, seed: int, endpoint: Endpoint) -> Exchange:
        """One reply from one endpoint, leaving out what it refuses."""
        model = self._model
        while True:
            refused = self._pool.refused(endpoint, model)
            sent = negotiation.parameters(model, seed, refused)
            asked = negotiation.shaped(prompt, refused)
            messages = [{"role": m.role, "content": m.content} for m in asked.messages()]
            try:
                answer = await self._post(endpoint, "/chat/completions", {**sent, "messages": messages})
                break
            except RejectedRequest as refusal:
                name = negotiation.refused_by(refusal, sent, system=bool(asked.system))
                if name is None and (said := context.too_long(refusal)):
                    raise _Overlong(said, endpoint, refusal) from None
                if name is None:
                    raise self._failure(endpoint, refusal) from None
                self._pool.settle(endpoint, model, name)
        reply = dataclasses.replace(
            reading.read(answer.body, model.prices, endpoint.shown),
            parameters=negotiation.recorded(sent, refused),
            tries=self._requests,
            latency=answer.seconds,
        )
        return Exchange(asked, reply)

    async def _post(self, endpoint: Endpoint, path: str, body: Mapping[str, Any]) -> ServerReply:
        async with self._pool.permits.permit(self._model):
            self._requests += 1
            return await endpoint.ask(path, body, self._model.timeout)

    def _shorter(self, prompt: Prompt, overlong: _Overlong) -> Prompt:
        if not prompt.history:
            limit = negotiation.completion_limit(self._model)
            raise ProviderFailure(
                f"{self._model.name}: even without any history the prompt (about {context.estimate(prompt)} tokens, "
                f"and up to {limit} for the reply) is over the context of {overlong.endpoint.shown}: lower max_tokens, shorten "
                f"what is fixed (examples, library), or take a model with a longer context. It said: {overlong.refusal.message}",
                False,
            )
        if self._model.context is None:
            _log.info("state the context of %s in the job: an overlong prompt was refused", self._model.name)
        return context.shorter(prompt, self._model, overlong.said)

    def _failure(self, endpoint: Endpoint, refusal: RejectedRequest) -> ProviderFailure:
        name, env, where = self._model.name, self._model.api_key_env, endpoint.shown
        probe = f"`learnact check-model --base-url {where} --model {name}` shows what it takes"
        advice = {
            401: f"set the environment variable {env} to a valid key",
            402: "the account has no credit left",
            403: f"the key in {env} may not use this model",
            404: f"no such model or path there: check the name and that the URL ends in /v1; {probe}",
            429: "the account's quota is used up",
        }.get(refusal.status, f"check the model's parameters; {probe}")
        return ProviderFailure(
            f"{name}: {where} answered {refusal.status}: {refusal.message} -- {advice}", False
        )


class _Overlong(Exception):
    """A prompt that the endpoint refused as too long."""

    def __init__(self, said: context.TooLong, endpoint: Endpoint, refusal: RejectedRequest) -> None:
        super().__init__("prompt too long")
        self.said = said
        self.endpoint = endpoint
        self.refusal = refusal
