"""All the models of a process: endpoints, replicas, retries, refused parameters. The production
`protocols.Chat`.

An episode stays on one replica (its key picks it) and goes to another when that one fails. Whatever remains
after the retries of one call is a `ProviderFailure`; nothing else is raised."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import logging
import os
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar, cast

from learnact.errors import ProviderFailure
from learnact.models import constraints, context, negotiation, reading
from learnact.models.client import Endpoint, RejectedRequest, RetryableError, ServerReply, checked_key
from learnact.models.constraints import ConstraintForm
from learnact.models.embedded import Embedded, LocalServers
from learnact.models.limits.estimates import TokenEstimator, used_tokens
from learnact.models.limits.gate import RequestGate
from learnact.models.refusals import no_tools, refusal_failure
from learnact.models.retry import RetryPolicy, retrying
from learnact.records import Exchange, ModelSpec, Prompt, Reply
from learnact.records.allowed import allowed_from

OPENAI_URL = "https://api.openai.com/v1"
DOWN_SECONDS = 15.0
"""How long a replica that could not be reached is passed over, while another one is up."""

_log = logging.getLogger("learnact.models")
_T = TypeVar("_T")


class ModelPool:
    """Asks models; an async context manager, used from one event loop.

    `embedded` starts the simulated model where a spec asks for it, `local` the local ones; `keys` maps names
    of environment variables to keys and overrides the environment; `gate` holds requests to the limits of
    their endpoints, and is closed with the pool."""

    def __init__(
        self,
        embedded: Embedded | None = None,
        retry_policy: RetryPolicy | None = None,
        gate: RequestGate | None = None,
        keys: Mapping[str, str] | None = None,
        local: LocalServers | None = None,
    ) -> None:
        self._embedded = embedded or Embedded()
        self._local = local or LocalServers()
        self.retry_policy = retry_policy or RetryPolicy()
        self.gate = gate or RequestGate()
        self._keys = dict(keys or {})
        self._endpoints: dict[tuple[str, str], Endpoint] = {}
        self._refused: dict[tuple[str, str], frozenset[str]] = {}
        self._too_long: dict[tuple[str, str], int] = {}
        self._told: set[tuple[str, str, str]] = set()
        self._down: dict[str, float] = {}
        self._estimators: dict[tuple[str, str, int | None], TokenEstimator] = {}
        self.constraints: dict[tuple[str, str], ConstraintForm | None] = {}
        self.probing: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __aenter__(self) -> ModelPool:
        return self

    async def __aexit__(self, *_: object) -> None:
        for endpoint in self._endpoints.values():
            await endpoint.close()
        self._endpoints.clear()
        await self.gate.close()
        self._embedded.close()
        self._local.close()

    async def complete(self, model: ModelSpec, prompt: Prompt, seed: int, affinity: str) -> Exchange:
        """One validated reply, and the prompt as it was sent. Raises `ProviderFailure`, nothing else."""
        return await _RetriedCall(self, model, affinity).complete(context.fit(prompt, model), seed)

    async def embed(self, model: ModelSpec, texts: tuple[str, ...]) -> Reply:
        """Embedding vectors of the texts, in order. Raises `ProviderFailure`."""
        return await _RetriedCall(self, model, affinity="").embed(texts)

    # What a call needs of the pool

    async def endpoint(self, model: ModelSpec, affinity: str, avoid: set[str]) -> Endpoint:
        """The replica to ask: in the order that `affinity` gives, the first that is up and not in `avoid`."""
        if model.simulated and not model.base_urls:
            return self._open(await self._embedded.url(), "")
        if model.local and not model.base_urls:
            return self._open(await self._local.url(model.name), "")
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
        return checked_key(model.api_key_env, key)

    def _open(self, url: str, key: str) -> Endpoint:
        if (url, key) not in self._endpoints:
            self._endpoints[url, key] = Endpoint.open(url, key)
        return self._endpoints[url, key]

    def failed(self, endpoint: Endpoint, model: ModelSpec, fault: RetryableError) -> None:
        """Note a failed try: a replica that cannot be reached is passed over for a while."""
        text = f"{endpoint.clean(str(fault))} (asked again; told once)"
        self.tell_once(endpoint, model, f"fault: {fault.kind}", text)
        if fault.kind == "connection":
            self._embedded.check_again()
            self._local.check_again()
            self._down[endpoint.base_url] = time.monotonic() + DOWN_SECONDS

    def refused(self, endpoint: Endpoint, model: ModelSpec) -> frozenset[str]:
        """Parameters that this endpoint is known to refuse for this model."""
        return self._refused.get((endpoint.base_url, model.name), frozenset())

    def leave_out(self, endpoint: Endpoint, model: ModelSpec, name: str) -> None:
        """Leave a parameter out from now on."""
        known = self.refused(endpoint, model)
        if name not in known:
            _log.warning(
                "%s: %s does not take %r; it is left out from now on", endpoint.shown, model.name, name
            )
            self._refused[endpoint.base_url, model.name] = known | {name}

    def estimator(self, endpoint: Endpoint, model: ModelSpec) -> TokenEstimator:
        """What calls of the model at the endpoint are expected to use."""
        limit = negotiation.completion_limit(model)
        return self._estimators.setdefault((endpoint.base_url, model.name, limit), TokenEstimator(limit))

    def smallest_refused(self, endpoint: Endpoint, model: ModelSpec) -> int | None:
        """The smallest estimated size of a prompt that this endpoint refused as too long; None when it
        refused none."""
        return self._too_long.get((endpoint.base_url, model.name))

    def too_long(self, endpoint: Endpoint, model: ModelSpec, size: int) -> None:
        """Note that a prompt of an estimated size was refused as too long."""
        known = self.smallest_refused(endpoint, model)
        self._too_long[endpoint.base_url, model.name] = size if known is None else min(known, size)
        if model.context is None:
            self.tell_once(
                endpoint, model, "context", "an overlong prompt was refused: state `context` in the job"
            )

    def tell_once(self, endpoint: Endpoint, model: ModelSpec, about: str, text: str) -> None:
        """Log a warning about a model at an endpoint, the first time only."""
        if (endpoint.base_url, model.name, about) not in self._told:
            self._told.add((endpoint.base_url, model.name, about))
            _log.warning("%s: %s: %s", endpoint.shown, model.name, text)


class _RetriedCall:
    """One call: its requests, counted, over replicas and retries."""

    def __init__(self, pool: ModelPool, model: ModelSpec, affinity: str) -> None:
        self._pool = pool
        self._model = model
        self._affinity = affinity
        self._requests = 0
        self._began = asyncio.get_running_loop().time()
        self._avoid: set[str] = set()

    async def complete(self, prompt: Prompt, seed: int) -> Exchange:
        """A reply to the prompt; shorter where the endpoint refuses it as too long."""
        while True:
            try:
                return await self._retried(partial(self._ask, prompt, seed))
            except _PromptTooLong as refused:
                prompt = self._shorter(refused)

    async def embed(self, texts: tuple[str, ...]) -> Reply:
        """The vectors of texts."""
        model = self._model
        sent = {"model": model.name, "encoding_format": "float"}

        async def ask(endpoint: Endpoint) -> Reply:
            try:
                answered = await self._post(
                    endpoint, "/embeddings", {**sent, "input": list(texts)}, context.tokens_of_texts(texts)
                )
            except RejectedRequest as refusal:
                raise refusal_failure(self._model, endpoint, refusal) from None
            found, body = reading.vectors(answered.body, len(texts), endpoint.shown)
            usage = body.get("usage")
            tokens, odd = reading.tokens_of(usage if isinstance(usage, Mapping) else None)
            price = model.prices.prompt
            return Reply(
                text="",
                tokens=tokens,
                cost=None if price is None or not tokens.prompt else tokens.prompt * price / 1e6,
                model=str(body.get("model") or "")[: reading.NAME_CHARS],
                parameters=negotiation.recorded(sent, frozenset(), odd),
                tries=self._requests,
                latency=answered.seconds,
                vectors=found,
            )

        return await self._retried(ask)

    async def _retried(self, ask: Callable[[Endpoint], Awaitable[_T]]) -> _T:
        """Run `ask(endpoint)` with retries over replicas; the last fault becomes a `ProviderFailure`, with it
        as the cause."""
        try:
            async for attempt in retrying(self._pool.retry_policy):
                with attempt:
                    endpoint = await self._pool.endpoint(self._model, self._affinity, self._avoid)
                    try:
                        return await ask(endpoint)
                    except RetryableError as fault:
                        self._pool.failed(endpoint, self._model, fault)
                        self._avoid_next(endpoint, fault)
                        raise RetryableError(
                            fault.kind, endpoint.clean(str(fault)), fault.retry_after
                        ) from None
        except RetryableError as fault:
            hint = " (content filter: another try may not help)" if "content filter" in str(fault) else ""
            raise ProviderFailure(
                f"{self._model.name}: {fault}, after {self._requests} requests{hint}"
            ) from fault
        raise AssertionError("tenacity ended without a result")

    def _avoid_next(self, endpoint: Endpoint, fault: RetryableError) -> None:
        if fault.kind == "limit":
            return
        self._avoid.add(endpoint.base_url)
        if self._avoid >= set(self._model.base_urls):
            self._avoid.clear()

    async def _ask(self, prompt: Prompt, seed: int, endpoint: Endpoint) -> Exchange:
        """One reply from one endpoint, without what it refuses."""
        model = self._model
        prompt = context.below(prompt, self._pool.smallest_refused(endpoint, model))
        while True:
            constraint = await self._constraint(endpoint, prompt) if prompt.grammar else None
            refused = self._pool.refused(endpoint, model)
            sent = negotiation.parameters(model, seed, refused, bool(prompt.tools))
            asked = negotiation.shaped(prompt, refused)
            messages = [m.as_sent() for m in asked.messages()]
            offer = constraints.fields_of(asked, constraint) if constraint else negotiation.offer(asked)
            body = {**sent, "messages": messages, **offer}
            try:
                answered = await self._post(endpoint, "/chat/completions", body, context.estimate(asked))
                break
            except RejectedRequest as refusal:
                name = negotiation.refused_by(refusal, sent, system=bool(asked.system))
                if name is None and context.too_long(refusal):
                    raise _PromptTooLong(prompt, endpoint, refusal.message) from None
                if name is None and asked.tools and negotiation.refuses_tools(refusal):
                    raise no_tools(model, endpoint, refusal) from None
                if name is None:
                    raise refusal_failure(self._model, endpoint, refusal) from None
                self._pool.leave_out(endpoint, model, name)
            except RetryableError as fault:
                if fault.kind == "server" and prompt.history and context.says_too_long(fault.text):
                    raise _PromptTooLong(prompt, endpoint, str(fault)) from None
                raise
        noted = {**sent, "constraint": constraint} if constraint else sent
        reply = self._read(endpoint, answered, noted, refused)
        if reply.tool_calls and not reply.text and not asked.tools:
            self._pool.tell_once(
                endpoint,
                model,
                "tools",
                "the reply holds tool calls and no text, though no tools were offered: turn tool calling off",
            )
        return Exchange(asked, reply)

    async def _constraint(self, endpoint: Endpoint, asked: Prompt) -> ConstraintForm | None:
        """The form in which the endpoint heeds constraints: as the model says, or found out by trying, once.
        None where there is none and the prompt can do without (a learner's).

        Raises `ProviderFailure`: there is none, and an agent's call was to be constrained.
        """
        model, place = self._model, (endpoint.base_url, self._model.name)
        if model.constraint is not None:
            return cast(ConstraintForm, model.constraint)
        async with self._pool.probing[place]:
            if place not in self._pool.constraints:
                self._pool.constraints[place] = await self._heeded(endpoint)
        form = self._pool.constraints[place]
        if form is None and not allowed_from(asked.grammar).functions:
            raise ProviderFailure(
                f"{model.name}: {endpoint.shown} heeds none of the known forms of constraints "
                f"({', '.join(constraints.FORMS)}) -- set `action_format: call`, or say which form it takes "
                "with `constraint` of the model",
                False,
            )
        return form

    async def _heeded(self, endpoint: Endpoint) -> ConstraintForm | None:
        """The first form in which the endpoint gives a reply that it would not give by itself."""
        model = dataclasses.replace(self._model, max_tokens=constraints.PROBE_TOKENS, stop=())
        for form in constraints.FORMS:
            fields = constraints.fields_of(constraints.PROBE, form)
            answered = await self._probed(endpoint, model, fields)
            if answered is None:
                continue
            if constraints.heeded(reading.read(answered.body, model.prices, endpoint.shown).reply.text):
                return form
        return None

    async def _probed(
        self, endpoint: Endpoint, model: ModelSpec, fields: Mapping[str, Any]
    ) -> ServerReply | None:
        """The answer to the probe with these fields; None where they are refused."""
        messages = [m.as_sent() for m in constraints.PROBE.messages()]
        while True:
            sent = negotiation.parameters(model, 0, self._pool.refused(endpoint, model))
            try:
                body = {**sent, "messages": messages, **fields}
                size = context.estimate(constraints.PROBE)
                return await self._post(endpoint, "/chat/completions", body, size)
            except RejectedRequest as refusal:
                if refusal.status in (401, 402, 403):
                    raise refusal_failure(model, endpoint, refusal) from None
                name = negotiation.refused_by(refusal, sent, system=False)
                if name is None:
                    return None
                self._pool.leave_out(endpoint, model, name)

    def _read(
        self, endpoint: Endpoint, answered: ServerReply, sent: dict[str, Any], refused: frozenset[str]
    ) -> Reply:
        model = self._model
        checked = reading.read(answered.body, model.prices, endpoint.shown)
        if checked.odd:
            self._pool.tell_once(
                endpoint,
                model,
                "odd",
                f"odd values in the reply's {', '.join(checked.odd)}; they are corrected",
            )
        if checked.reply.finish == "length" and not checked.reply.text:
            limit = negotiation.completion_limit(model)
            self._pool.tell_once(
                endpoint,
                model,
                "length",
                f"thinking used up the limit of a reply (finish_reason length, no text, max_tokens {limit}): "
                "raise max_tokens, or set effort",
            )
        return dataclasses.replace(
            checked.reply,
            parameters=negotiation.recorded(sent, refused, checked.odd),
            tries=self._requests,
            latency=answered.seconds,
        )

    async def _post(self, endpoint: Endpoint, path: str, body: Mapping[str, Any], prompt: int) -> ServerReply:
        """One request, when the limits let it through. `prompt`: about so many tokens."""
        model, pool = self._model, self._pool
        estimator = pool.estimator(endpoint, model)
        place = endpoint.shown if model.base_urls or not (model.simulated or model.local) else ""
        expected = estimator.expect(prompt) if path == "/chat/completions" else prompt
        async with pool.gate.permit(
            model, place, expected, since=self._began, patience=pool.retry_policy.limited
        ) as permit:
            self._requests += 1
            try:
                answered = await endpoint.post(path, body, model.timeout)
            except RetryableError as error:
                permit.failed(error)
                raise
            tokens = used_tokens(answered.body, prompt)
            if path == "/chat/completions":
                estimator.learn(prompt, *tokens)
            permit.answered(sum(tokens), answered.headers)
            return answered

    def _shorter(self, refused: _PromptTooLong) -> Prompt:
        prompt, endpoint = refused.prompt, refused.endpoint
        size = context.estimate(prompt)
        if not prompt.history:
            limit = negotiation.completion_limit(self._model)
            raise ProviderFailure(
                f"{self._model.name}: even without any history the prompt (about {size} tokens, "
                f"and up to {limit} for the reply) is over the context of {endpoint.shown}: lower "
                "max_tokens, "
                "shorten what is fixed (examples, library), or take a model with a longer context. "
                f"It said: {refused.message}",
                False,
            )
        self._pool.too_long(endpoint, self._model, size)
        return context.shorter(prompt)


class _PromptTooLong(Exception):
    """A prompt that the endpoint refused as too long."""

    def __init__(self, prompt: Prompt, endpoint: Endpoint, message: str) -> None:
        super().__init__(message)
        self.prompt = prompt
        self.endpoint = endpoint
        self.message = message
