"""The HTTP server of one process: chat completions in the form of OpenAI-compatible endpoints.

Serves `/v1/chat/completions` (no streaming), `/v1/models`, and `/stats` (what this process has answered).
Requests are parsed and checked here; the simulated model gets messages, model name and seed. Replies are
cached: the same request gives the same text.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import random
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from learnact.simulated import constraints, tools
from learnact.simulated.faults import Faults, TokenBucket
from learnact.simulated.models import MODELS, VERSION
from learnact.simulated.replies import SimulatedReply, reply_to

CACHED_REPLIES = 8192
LARGEST_REQUEST = 64 * 1024 * 1024
HANG_SECONDS = 3600.0
UNREAD = "unread lines"
"""The name in `/stats` of the number of lines of prompts that could not be read."""
UNREAD_LINE = "this line of a prompt cannot be read: "
"""How the log tells of one."""
MOST_SAID = 50
"""Different lines that the log tells of."""
_CHARS_A_TOKEN = 4
_log = logging.getLogger("learnact.simulated")


class SimulatedModels:
    """The simulated models of one process: reply to requests, cache replies, count them."""

    def __init__(self, faults: Faults, number: int = 0) -> None:
        self.faults = faults
        self.counts: Counter[str] = Counter()
        self._unread: set[str] = set()
        self._cache: OrderedDict[str, SimulatedReply] = OrderedDict()
        self._rng = random.Random(f"{faults.seed}/{number}")
        self._requests = TokenBucket(faults.rpm)
        self._tokens = TokenBucket(faults.tpm)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """`POST /v1/chat/completions`."""
        try:
            body = json.loads(await request.read())
            model, messages, seed = _checked(body)
            offered = tools.offered_tools(body)
            schema = constraints.schema_of(body)
        except ValueError as error:
            return _refusal(str(error))
        for name in self.faults.refuse:
            if name in body:
                return _refusal(f"Unsupported parameter: '{name}' is not supported with this model.", name)
        prompt_tokens = sum(_tokens(content) for _, content in messages)
        prompt_tokens += _tokens(json.dumps(body["tools"])) if offered else 0
        waiting = max(self._requests.wait(1), self._tokens.wait(prompt_tokens))
        if waiting:
            self.counts["limited"] += 1
            return _limited(waiting)
        fault = self.faults.fault(self._rng)
        seconds = self.faults.seconds(self._rng)
        if seconds:
            await asyncio.sleep(seconds)
        if fault:
            self.counts[f"fault: {fault}"] += 1
            return await _faulty(fault, request)
        reply: SimulatedReply | ToolReply
        if offered:
            reply = self._tool_reply(body, model, seed, offered)
        else:
            reply = self._reply(model, messages, seed)
        if schema is not None:
            reply = SimulatedReply(
                constraints.constrained(self._acting(reply, model, messages, seed), schema), ""
            )
        self._tokens.wait(_tokens(reply.text))
        return web.json_response(_completion(body, model, reply, prompt_tokens))

    def _acting(
        self, reply: SimulatedReply | ToolReply, model: str, messages: Sequence[tuple[str, str]], seed: int
    ) -> str:
        """A reply's text; behind a thought the call that the model makes next."""
        if not reply.text.startswith("Think:"):
            return reply.text
        role, content = messages[-1]
        head = content.rpartition(tools.ANSWER)[0]
        return f"{reply.text}\n{self._reply(model, [*messages[:-1], (role, head + tools.CALL)], seed).text}"

    def _tool_reply(
        self, body: dict[str, Any], model: str, seed: int, offered: Sequence[tools.OfferedTool]
    ) -> ToolReply:
        """The reply to a request that offers tools: a call, with the thought before it where it has one."""
        messages, thought = body["messages"], ""
        may_think = tools.allows_thoughts(messages)
        asked = tools.THOUGHT_OR_CALL if may_think else tools.CALL
        reply = self._reply(model, tools.as_text(messages, offered, asked), seed)
        if may_think and reply.text.startswith("Think:"):
            thought = reply.text.removeprefix("Think:").strip()
            reply = self._reply(model, tools.as_text(messages, offered, tools.CALL), seed)
        function = tools.tool_call(reply.text, offered)
        return ToolReply(thought if function else reply.text, reply.kind, function)

    async def models(self, _: web.Request) -> web.Response:
        """`GET /v1/models`."""
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "learnact"} for name in MODELS]
        return web.json_response({"object": "list", "data": data})

    async def stats(self, _: web.Request) -> web.Response:
        """`GET /stats`: how many replies of each kind this process gave."""
        return web.json_response(dict(sorted(self.counts.items())))

    def _reply(self, model: str, messages: Sequence[tuple[str, str]], seed: int) -> SimulatedReply:
        if self.faults.canned:
            self.counts["canned"] += 1
            return SimulatedReply(self.faults.canned, "canned")
        key = hashlib.blake2b(json.dumps([model, messages, seed]).encode(), digest_size=20).hexdigest()
        reply = self._cache.get(key)
        if reply is None:
            reply = reply_to(model, messages, seed)
            self._cache[key] = reply
            if len(self._cache) > CACHED_REPLIES:
                self._cache.popitem(last=False)
        self.counts[reply.kind or "not understood"] += 1
        for line in reply.unread:
            self._say_unread(line)
        return reply

    def _say_unread(self, line: str) -> None:
        """Count a line that could not be read, and say it in the log the first time."""
        self.counts[UNREAD] += 1
        if line not in self._unread and len(self._unread) < MOST_SAID:
            self._unread.add(line)
            _log.warning("%s%s", UNREAD_LINE, line)


@dataclass(frozen=True)
class ToolReply:
    """A reply to a request that offers tools: text, its kind, and the function that it calls, if any."""

    text: str
    kind: str
    function: dict[str, str] | None


def application(model: SimulatedModels) -> web.Application:
    """The routes of a process."""
    app = web.Application(client_max_size=LARGEST_REQUEST)
    app.router.add_post("/v1/chat/completions", model.complete)
    app.router.add_get("/v1/models", model.models)
    app.router.add_get("/stats", model.stats)
    return app


def _checked(body: Any) -> tuple[str, list[tuple[str, str]], int]:
    """Model, messages and seed of a request; raises `ValueError` saying what is wrong."""
    if not isinstance(body, dict):
        raise ValueError("the request must be a JSON object")
    model = body.get("model")
    if model not in MODELS:
        raise ValueError(f"there is no model {model!r}; there are {', '.join(MODELS)}")
    if body.get("stream"):
        raise ValueError("streaming is not supported: leave out 'stream'")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise ValueError("'messages' must be a list of messages")
    seed = body.get("seed")
    if seed is not None and not isinstance(seed, int):
        raise ValueError("'seed' must be a whole number")
    return str(model), [_message(m) for m in messages], seed or 0


def _message(message: Any) -> tuple[str, str]:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise ValueError("a message must have a role and content")
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(str(p.get("text", "")) for p in content if isinstance(p, dict))
    if content is None and message.get("tool_calls"):
        content = ""
    if not isinstance(content, str):
        raise ValueError("a message's content must be text")
    return message["role"], content


def _tokens(text: str) -> int:
    """About how many tokens a text has; the same on every machine."""
    return -(-len(text) // _CHARS_A_TOKEN)


def _completion(
    body: dict[str, Any], model: str, reply: SimulatedReply | ToolReply, prompt_tokens: int
) -> dict[str, Any]:
    text, finish = _cut(reply.text, body)
    completion_tokens = _tokens(text)
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if isinstance(reply, ToolReply) and reply.function is not None and finish == "stop":
        number = hashlib.blake2b(json.dumps(reply.function).encode(), digest_size=6).hexdigest()
        message["content"] = text or None
        message["tool_calls"] = [{"id": f"call_{number}", "type": "function", "function": reply.function}]
        completion_tokens += _tokens(json.dumps(reply.function))
        finish = "tool_calls"
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    completion_choice = {
        "index": 0,
        "message": message,
        "finish_reason": finish,
    }
    return {
        "id": "chatcmpl-" + hashlib.blake2b(text.encode(), digest_size=8).hexdigest(),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": f"simulated-{VERSION}",
        "choices": [completion_choice],
        "usage": usage,
    }


def _cut(text: str, body: dict[str, Any]) -> tuple[str, str]:
    """The text up to the first stop string and within the most tokens asked for, and why it ended."""
    stop = body.get("stop") or []
    for mark in [stop] if isinstance(stop, str) else stop:
        text = text.split(mark, 1)[0] if mark else text
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    if isinstance(most, int) and _tokens(text) > most:
        return text[: most * _CHARS_A_TOKEN], "length"
    return text, "stop"


def _error(status: int, message: str, kind: str, param: str | None = None, **headers: str) -> web.Response:
    error = {"message": message, "type": kind, "param": param, "code": None}
    return web.json_response({"error": error}, status=status, headers=headers)


def _refusal(message: str, param: str | None = None) -> web.Response:
    return _error(400, message, "invalid_request_error", param)


def _limited(seconds: float) -> web.Response:
    headers = {
        "retry-after": str(max(1, round(seconds + 0.5))),
        "retry-after-ms": str(int(seconds * 1000) + 1),
    }
    return _error(429, "Rate limit reached: wait and try again.", "rate_limit_exceeded", None, **headers)


async def _faulty(fault: str, request: web.Request) -> web.StreamResponse:
    if fault == "errors":
        return _error(500, "The server had an error while processing your request.", "server_error")
    if fault == "hangs":
        await asyncio.sleep(HANG_SECONDS)
    if fault == "drops" and request.transport is not None:
        request.transport.abort()
    if fault == "html":
        return web.Response(text="<html><body>Bad gateway</body></html>", content_type="text/html")
    if fault == "empty":
        return web.json_response({"id": "empty", "object": "chat.completion", "choices": []})
    return web.Response(text='{"id": "chatcmpl-1", "choices": [{"mess', content_type="application/json")
