"""What an endpoint supports, found out with about ten small requests, and the job settings that follow.

Each test asks for one thing and looks at what came back: a refusal, a reply that shows it was heeded, or one
that shows it was not. A test whose request fails is reported as unknown; the others go on. Costs some 6,000
prompt tokens in all (one longer prompt shows whether prompts are cut silently). No request asks for more than
a server is made for: no huge limits, no huge prompts."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

from learnact.errors import ProviderFailure
from learnact.models import constraints, context, reading
from learnact.models.client import Endpoint, RejectedRequest, RetryableError, checked_key
from learnact.models.refusals import refusal_failure
from learnact.models.retry import RetryPolicy, retrying
from learnact.records import ModelSpec, Plain, Prices, Reply

Verdict = Literal["yes", "no", "ignored", "unknown"]

KEY_VARIABLE = "OPENAI_API_KEY"
"""The environment variable that a job reads a key from when it names none."""

LONG_WORDS = 5000
"""Words of the longer prompt: more than the 4,096 tokens at which some servers cut by default, cheap
everywhere."""

SMALLEST_CONTEXT = 256
"""A number below this in a refusal is no context length."""

_FIRST = RetryPolicy(tries=3, first_wait=0.5, longest_wait=5.0, limited=60.0)
_LATER = RetryPolicy(tries=2, first_wait=0.5, longest_wait=5.0, limited=60.0)


_NO_PARAMETERS = {"type": "object", "properties": {}}


@dataclass(frozen=True)
class CheckFinding:
    """One thing found out: what, whether it is supported, and what was seen."""

    name: str
    verdict: Verdict
    seen: str


@dataclass(frozen=True)
class CheckFindings:
    """All that was found out about a model at an endpoint. `settings` are fields of a model in a job file."""

    base_url: str
    model: str
    answers_as: str
    calls: int
    findings: tuple[CheckFinding, ...]
    settings: Mapping[str, Plain] = field(default_factory=dict)

    def verdict(self, name: str) -> Verdict:
        """The verdict on one thing."""
        return next((f.verdict for f in self.findings if f.name == name), "unknown")


async def check_endpoint(
    base_url: str, name: str, api_key_env: str = KEY_VARIABLE, timeout: float = 60.0
) -> CheckFindings:
    """Ask the endpoint about a dozen things.

    Raises `ProviderFailure` when it does not answer the plainest request.
    """
    key = checked_key(api_key_env, os.environ.get(api_key_env, ""))
    endpoint = Endpoint.open(base_url, key)
    model = ModelSpec(name, base_urls=(base_url,), api_key_env=api_key_env, timeout=timeout)
    try:
        return await _EndpointCheck(endpoint, model).run()
    finally:
        await endpoint.close()


class _EndpointCheck:
    """The tests of one model at one endpoint, and what they have found so far."""

    def __init__(self, endpoint: Endpoint, model: ModelSpec) -> None:
        self._endpoint = endpoint
        self._model = model
        self._requests = 0
        self._found: list[CheckFinding] = []
        self._settings: dict[str, Plain] = {}

    async def run(self) -> CheckFindings:
        plain = await self._plain()
        await self._limit()
        await self._stop()
        await self._seed()
        await self._sampling()
        await self._system()
        await self._context()
        await self._tools()
        await self._constraint()
        settings: dict[str, Plain] = {
            "base_url": _pasteable(self._endpoint.base_url),
            "name": self._model.name,
        }
        if self._model.api_key_env != KEY_VARIABLE:
            settings["api_key_env"] = self._model.api_key_env
        return CheckFindings(
            base_url=self._endpoint.shown,
            model=self._model.name,
            answers_as=plain.model,
            calls=self._requests,
            findings=tuple(self._found),
            settings={**settings, **self._settings},
        )

    # One thing each

    async def _plain(self) -> Reply:
        """The plainest request: without a reply to it nothing else makes sense."""
        try:
            reply = await self._reply("Say: hello", _FIRST)
        except RejectedRequest as refusal:
            raise refusal_failure(self._model, self._endpoint, refusal) from None
        except RetryableError as fault:
            raise ProviderFailure(f"{self._model.name}: {self._endpoint.clean(str(fault))}") from None
        counted = reply.tokens.prompt > 0
        tokens = f"{reply.tokens.prompt} + {reply.tokens.completion} tokens"
        self._note("usage", "yes" if counted else "no", tokens)
        thinks = bool(reply.reasoning) or reply.tokens.reasoning > 0
        seen = "thinking text in the reply; it is taken out" if reply.reasoning else "none"
        if thinks and not reply.reasoning:
            seen = f"{reply.tokens.reasoning} hidden thinking tokens"
        self._note("thinking", "yes" if thinks else "no", seen)
        if thinks:
            self._settings["max_tokens"] = 8192
        return reply

    async def _limit(self) -> None:
        """A limit of five tokens, under its older and its newer name."""
        for name in ("max_tokens", "max_completion_tokens"):
            reply = await self._ask(name, "Count from one to fifty in words, one to a line.", **{name: 5})
            if reply is None:
                continue
            if reply.finish == "length" or 0 < reply.tokens.completion <= 5:
                self._note(name, "yes", f"cut after {reply.tokens.completion} tokens")
            else:
                seen = f"{reply.tokens.completion} tokens came, finish reason {reply.finish!r}"
                self._note(name, "ignored", seen)

    async def _stop(self) -> None:
        reply = await self._ask("stop", "Repeat exactly: alpha beta gamma delta", stop=["gamma"])
        if reply is None:
            return
        if "gamma" in reply.text:
            self._note("stop", "ignored", f"{reply.text[:60]!r}")
        elif "beta" in reply.text:
            self._note("stop", "yes", f"{reply.text[:60]!r}")
        else:
            await self._stop_within(reply.text)

    async def _stop_within(self, text: str) -> None:
        """For a model that did not do as asked: stop at a word that it says anyway."""
        words = text.split()
        word = words[len(words) // 2] if len(words) > 2 else ""
        if not word:
            self._note("stop", "unknown", f"accepted, but the reply does not show it: {text[:60]!r}")
            return
        again = await self._ask("stop", "Repeat exactly: alpha beta gamma delta", stop=[word])
        if again is not None and words[0] in again.text and word not in again.text:
            self._note("stop", "yes", f"{again.text[:60]!r}")
        elif again is not None:
            self._note("stop", "unknown", f"accepted, but the reply does not show it: {text[:60]!r}")

    async def _seed(self) -> None:
        question = "Write a random number of twelve digits, nothing else."
        hot: dict[str, Any] = {"temperature": 1.0}
        try:
            await self._reply(question, _LATER, **hot)
        except (RejectedRequest, RetryableError):
            hot = {}
        texts = []
        for seed in (1, 1, 2):
            reply = await self._ask("seed", question, seed=seed, **hot)
            if reply is None:
                if self._found[-1].verdict == "no":
                    self._settings["send_seed"] = False
                return
            texts.append(reply.text)
        first, again, other = texts
        if first != again:
            self._note("seed", "ignored", f"the same seed gave {first[:20]!r} and {again[:20]!r}")
        elif first == other:
            self._note("seed", "unknown", "accepted; the same reply for any seed")
        else:
            self._note("seed", "yes", "the same seed gave the same reply, another one another")

    async def _sampling(self) -> None:
        for name, value in (("temperature", 0.0), ("top_p", 1.0)):
            if await self._ask(name, "Say: hello", **{name: value}) is not None:
                self._note(name, "yes", f"{value} accepted")
            elif self._found[-1].verdict == "no":
                self._settings[name] = None

    async def _system(self) -> None:
        system = {"role": "system", "content": "Whatever the user says, answer with the single word banana."}
        user = {"role": "user", "content": "Say: hello"}
        reply = await self._ask("system role", "", messages=[system, user])
        if reply is None:
            return
        if "banana" in reply.text.lower():
            self._note("system role", "yes", "heeded")
        else:
            seen = f"accepted, but the reply does not show it: {reply.text[:60]!r}"
            self._note("system role", "unknown", seen)

    async def _tools(self) -> None:
        """Whether the endpoint calls a tool that is offered (`action_format: tools`)."""
        function = {"name": "kiwi", "description": "Eats a kiwi.", "parameters": _NO_PARAMETERS}
        tools = [{"type": "function", "function": function}]
        reply = await self._ask("tools", "Eat a kiwi: call the tool named kiwi.", tools=tools)
        if reply is None:
            return
        if reply.called:
            self._note("tools", "yes", f"called {reply.called[0].name!r}")
        else:
            self._note("tools", "unknown", f"accepted, but no tool was called: {reply.text[:60]!r}")

    async def _constraint(self) -> None:
        """In which form the endpoint heeds constraints (`action_format: constrained`)."""
        for form in constraints.FORMS:
            fields = constraints.fields_of(constraints.PROBE, form)
            try:
                reply = await self._reply(
                    constraints.PROBE.request, _LATER, **fields, max_tokens=constraints.PROBE_TOKENS
                )
            except (RejectedRequest, RetryableError):
                continue
            if constraints.heeded(reply.text):
                self._note("constrained", "yes", f"heeds {form}")
                self._settings["constraint"] = form
                return
        self._note("constrained", "no", f"heeds none of {', '.join(constraints.FORMS)}")

    async def _context(self) -> None:
        """From the list of models; then whether a longer prompt is cut silently or refused."""
        length = await self._listed()
        seen = "as its list of models says"
        if length is None or length > LONG_WORDS * 1.5:
            try:
                reply = await self._reply("word " * LONG_WORDS + "\nSay: hello", _LATER)
            except RejectedRequest as refusal:
                length, seen = self._refused_length(refusal, length)
            except RetryableError as fault:
                if length is None:
                    self._note("context", "unknown", f"a prompt of {LONG_WORDS} words failed: {fault}")
                    return
            else:
                tokens = reply.tokens.prompt
                if 0 < tokens < LONG_WORDS * 0.9:
                    length = tokens
                    seen = f"a longer prompt was cut silently to {tokens} tokens: raise the server's context"
        if length is None:
            self._note(
                "context",
                "unknown",
                seen if "refused" in seen else "not told: state `context` from the model's card",
            )
            return
        self._note("context", "yes", f"{length} tokens, {seen}")
        self._settings["context"] = length

    def _refused_length(self, refusal: RejectedRequest, listed: int | None) -> tuple[int | None, str]:
        """The context that a refusal of the longer prompt names: the one number in it that such a prompt
        exceeds."""
        plain = re.sub(r"(?<=\d),(?=\d{3})", "", refusal.text)
        numbers = {int(n) for n in re.findall(r"\d{1,9}", plain)}
        fitting = [n for n in numbers if SMALLEST_CONTEXT <= n < LONG_WORDS]
        seen = f"a prompt of {LONG_WORDS} words was refused: {refusal.message}"
        if context.too_long(refusal) and len(fitting) == 1:
            return fitting[0], seen
        return listed, seen

    async def _listed(self) -> int | None:
        """The context length in the server's list of models, in the fields that servers use."""
        self._requests += 1
        try:
            body = (await self._endpoint.get("/models", self._model.timeout)).body
        except (RetryableError, RejectedRequest):
            return None
        data = body.get("data") if isinstance(body, Mapping) else None
        for row in data if isinstance(data, list) else []:
            if isinstance(row, Mapping) and row.get("id") == self._model.name:
                meta = row.get("meta")
                nested = meta if isinstance(meta, Mapping) else {}
                for value in (row.get("max_model_len"), row.get("context_length"), nested.get("n_ctx")):
                    if isinstance(value, int) and SMALLEST_CONTEXT <= value <= reading.MOST_TOKENS:
                        return value
        return None

    # Asking

    async def _ask(self, name: str, text: str, **fields: Any) -> Reply | None:
        """The reply to a test's request; None when it was refused or failed, which is noted under the test's
        name."""
        try:
            return await self._reply(text, _LATER, **fields)
        except RejectedRequest as refusal:
            self._note(name, "no", refusal.message)
        except RetryableError as fault:
            self._note(name, "unknown", f"the request failed: {fault}")
        return None

    async def _reply(self, text: str, policy: RetryPolicy, **fields: Any) -> Reply:
        """Raises `RejectedRequest` or `RetryableError`."""
        body = {"model": self._model.name, "messages": [{"role": "user", "content": text}], **fields}
        async for attempt in retrying(policy):
            with attempt:
                self._requests += 1
                answered = await self._endpoint.post("/chat/completions", body, self._model.timeout)
                reply = reading.read(answered.body, Prices(), self._endpoint.shown).reply
                return dataclasses.replace(reply, latency=answered.seconds)
        raise AssertionError("tenacity ended without a result")

    def _note(self, name: str, verdict: Verdict, seen: str) -> None:
        seen = self._endpoint.clean(seen)
        self._found.append(CheckFinding(name, verdict, seen if len(seen) <= 160 else seen[:157] + "..."))


def _pasteable(url: str) -> str:
    """A base URL as a job file takes it: as it was given, with its query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), parts.query, ""))
