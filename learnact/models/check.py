"""What an endpoint supports, found out with about ten small calls, and the job settings that follow.

Each probe asks for one thing and looks at what came back: a refusal, an answer that shows it was heeded, or one that shows it was not.
Costs some 6,000 prompt tokens in all (one longer prompt shows whether prompts are cut silently).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from learnact.errors import ProviderFailure
from learnact.models import context, reading
from learnact.models.client import Endpoint, RejectedRequest, RetryableError
from learnact.models.retry import RetryPolicy, retrying
from learnact.records import Plain, Prices, Reply

Verdict = Literal["yes", "no", "ignored", "unknown"]

LONG_WORDS = 5000
"""Words of the longer prompt: more than the 4,096 tokens at which some servers cut by default, cheap everywhere."""

HUGE = 50_000_000
"""A token limit that no model has, asked for to make a server name its own."""

_PATIENCE = RetryPolicy(tries=3, first_wait=0.5, longest_wait=5.0, limited=60.0)


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


async def probe(base_url: str, name: str, key: str = "", timeout: float = 60.0) -> CheckFindings:
    """Ask the endpoint about ten things. Raises `ProviderFailure` when it does not answer the plainest request."""
    endpoint = Endpoint(base_url, key)
    try:
        return await _Probe(endpoint, name, timeout).run()
    finally:
        await endpoint.close()


class _Probe:
    def __init__(self, endpoint: Endpoint, name: str, timeout: float) -> None:
        self._endpoint = endpoint
        self._name = name
        self._timeout = timeout
        self._calls = 0
        self._limit_name = "max_tokens"
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
        settings = {"base_url": self._endpoint.shown, "name": self._name, **self._settings}
        return CheckFindings(
            self._endpoint.shown, self._name, plain.model, self._calls, tuple(self._found), settings
        )

    # One thing each ---------------------------------------------------------------------------------------------------

    async def _plain(self) -> Reply:
        """The plainest request: without it nothing else makes sense."""
        reply = await self._ask("Say: hello")
        if isinstance(reply, RejectedRequest):
            raise ProviderFailure(
                f"{self._name}: {self._endpoint.shown} refuses even the plainest request "
                f"({reply.status}: {reply.message}): check URL (it ends in /v1), name and key",
                False,
            )
        usage = reply.tokens.prompt > 0
        self._say(
            "usage", "yes" if usage else "no", f"{reply.tokens.prompt} + {reply.tokens.completion} tokens"
        )
        thinks = bool(reply.reasoning) or reply.tokens.reasoning > 0
        seen = "thinking text in the reply; it is taken out" if reply.reasoning else "none"
        if thinks and not reply.reasoning:
            seen = f"{reply.tokens.reasoning} hidden thinking tokens"
        self._say("thinking", "yes" if thinks else "no", seen)
        if thinks:
            self._settings["max_tokens"] = 8192
        return reply

    async def _limit(self) -> None:
        """A limit of five tokens, under its older and its newer name."""
        heeded: list[str] = []
        for name in ("max_tokens", "max_completion_tokens"):
            reply = await self._ask("Count from one to fifty in words, one to a line.", **{name: 5})
            if isinstance(reply, RejectedRequest):
                self._say(name, "no", reply.message)
            elif reply.finish == "length" or 0 < reply.tokens.completion <= 5:
                self._say(name, "yes", f"cut after {reply.tokens.completion} tokens")
                heeded.append(name)
            else:
                self._say(
                    name, "ignored", f"{reply.tokens.completion} tokens came, finish reason {reply.finish!r}"
                )
        if heeded:
            self._limit_name = heeded[0]

    async def _stop(self) -> None:
        reply = await self._ask("Repeat exactly: alpha beta gamma delta", stop=["gamma"])
        if isinstance(reply, RejectedRequest):
            self._say("stop", "no", reply.message)
        elif "gamma" in reply.text:
            self._say("stop", "ignored", f"{reply.text[:60]!r}")
        elif "beta" in reply.text:
            self._say("stop", "yes", f"{reply.text[:60]!r}")
        else:
            await self._stop_within(reply.text)

    async def _stop_within(self, text: str) -> None:
        """For a model that did not do as asked: stop at a word that it says anyway."""
        words = text.split()
        word = words[len(words) // 2] if len(words) > 2 else ""
        again = await self._ask("Repeat exactly: alpha beta gamma delta", stop=[word]) if word else None
        if isinstance(again, Reply) and words[0] in again.text and word not in again.text:
            self._say("stop", "yes", f"{again.text[:60]!r}")
        else:
            self._say("stop", "unknown", f"accepted, but the reply does not show it: {text[:60]!r}")

    async def _seed(self) -> None:
        question = "Write a random number of twelve digits, nothing else."
        first = await self._ask(question, seed=1, temperature=1.0)
        if isinstance(first, RejectedRequest):
            first = await self._ask(question, seed=1)
        if isinstance(first, RejectedRequest):
            self._say("seed", "no", first.message)
            self._settings["send_seed"] = False
            return
        again = await self._ask(question, seed=1, temperature=1.0)
        other = await self._ask(question, seed=2, temperature=1.0)
        if not (isinstance(again, Reply) and isinstance(other, Reply)):
            self._say("seed", "unknown", "accepted once, then refused")
        elif first.text != again.text:
            self._say("seed", "ignored", f"the same seed gave {first.text[:20]!r} and {again.text[:20]!r}")
        elif first.text == other.text:
            self._say("seed", "unknown", "accepted; the same reply for any seed")
        else:
            self._say("seed", "yes", "the same seed gave the same reply, another one another")

    async def _sampling(self) -> None:
        for name, value in (("temperature", 0.0), ("top_p", 1.0)):
            reply = await self._ask("Say: hello", **{name: value})
            refused = isinstance(reply, RejectedRequest)
            self._say(
                name,
                "no" if refused else "yes",
                reply.message if isinstance(reply, RejectedRequest) else f"{value} accepted",
            )
            if refused:
                self._settings[name] = None

    async def _system(self) -> None:
        system = {"role": "system", "content": "Whatever the user says, answer with the single word banana."}
        user = {"role": "user", "content": "Say: hello"}
        reply = await self._ask("", messages=[system, user])
        if isinstance(reply, RejectedRequest):
            self._say("system role", "no", reply.message)
        elif "banana" in reply.text.lower():
            self._say("system role", "yes", "heeded")
        else:
            self._say(
                "system role", "unknown", f"accepted, but the reply does not show it: {reply.text[:60]!r}"
            )

    async def _context(self) -> None:
        """From the list of models, else from what the server says to an impossible limit; then whether it cuts silently."""
        length = await self._listed()
        seen = "as its list of models says"
        if length is None:
            reply = await self._ask("Say: hello", **{self._limit_name: HUGE})
            said = context.too_long(reply) if isinstance(reply, RejectedRequest) else None
            length = said.limit if said else None
            seen = "as its refusal of a huge limit says"
        if length is None or length > LONG_WORDS * 1.5:
            cut = await self._cut()
            if cut is not None:
                length, seen = (
                    cut,
                    f"a longer prompt was cut silently to {cut} tokens: raise the server's context",
                )
        if length is None:
            self._say("context", "unknown", "not told: state `context` from the model's card")
            return
        self._say("context", "yes", f"{length} tokens, {seen}")
        self._settings["context"] = length

    async def _listed(self) -> int | None:
        self._calls += 1
        try:
            body = (await self._endpoint.get("/models", self._timeout)).body
        except (RetryableError, RejectedRequest):
            return None
        data = body.get("data") if isinstance(body, Mapping) else None
        for row in data if isinstance(data, list) else []:
            if isinstance(row, Mapping) and row.get("id") == self._name:
                meta = row.get("meta")
                nested = meta if isinstance(meta, Mapping) else {}
                for value in (row.get("max_model_len"), row.get("context_length"), nested.get("n_ctx")):
                    if isinstance(value, int) and value > 0:
                        return value
        return None

    async def _cut(self) -> int | None:
        """The tokens to which a longer prompt was cut, None when it was not (or that cannot be seen)."""
        reply = await self._ask("word " * LONG_WORDS + "\nSay: hello")
        if isinstance(reply, RejectedRequest):
            said = context.too_long(reply)
            return said.limit if said else None
        return reply.tokens.prompt if 0 < reply.tokens.prompt < LONG_WORDS * 0.9 else None

    # Asking -----------------------------------------------------------------------------------------------------------

    async def _ask(self, text: str, **fields: Any) -> Reply | RejectedRequest:
        body = {"model": self._name, "messages": [{"role": "user", "content": text}], **fields}
        try:
            async for attempt in retrying(_PATIENCE):
                with attempt:
                    self._calls += 1
                    answer = await self._endpoint.ask("/chat/completions", body, self._timeout)
                    return dataclasses.replace(
                        reading.read(answer.body, Prices(), self._endpoint.shown), latency=answer.seconds
                    )
        except RejectedRequest as refusal:
            return refusal
        except RetryableError as trouble:
            raise ProviderFailure(f"{self._name}: {self._endpoint.clean(str(trouble))}") from None
        raise AssertionError("tenacity ended without a result")

    def _say(self, name: str, verdict: Verdict, seen: str) -> None:
        self._found.append(CheckFinding(name, verdict, re.sub(r"\s+", " ", seen)[:160]))
