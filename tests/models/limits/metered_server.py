"""A real HTTP server that enforces requests and tokens a minute over a true sliding window, and counts what
it saw. A request that is refused counts for nothing."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.models.server import completion

MINUTE = 60.0


@dataclass
class Seen:
    """Requests by time in seconds since the first: those that were let through, and those refused."""

    passed: list[tuple[float, int]] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def rate(self, begin: float, end: float) -> tuple[float, float]:
        """Requests and tokens a minute that were let through."""
        part = [tokens for when, tokens in self.passed if begin <= when < end]
        return len(part) * MINUTE / (end - begin), sum(part) * MINUTE / (end - begin)

    def refused_share(self, begin: float, end: float) -> float:
        """Refused requests of all."""
        refused = sum(begin <= when < end for when in self.refused)
        return refused / max(1, refused + sum(begin <= when < end for when, _ in self.passed))


class MeteredHttpServer:
    """`async with MeteredHttpServer(...) as server`. `usage`: tokens of prompt and reply to a request.
    `storm`: from when to when everything is refused, in seconds since the first request."""

    def __init__(
        self,
        requests: int,
        tokens: int,
        usage: Callable[[dict[str, Any], random.Random], tuple[int, int]],
        storm: tuple[float, float] = (0.0, 0.0),
        report_usage: bool = True,
    ) -> None:
        self._requests, self._tokens, self._usage, self._storm = requests, tokens, usage, storm
        self._report_usage = report_usage
        self._window: deque[tuple[float, int]] = deque()
        self._used = 0
        self._rng = random.Random(7)
        self._first: float | None = None
        self.seen = Seen()

    async def __aenter__(self) -> MeteredHttpServer:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        now = time.monotonic()
        self._first = now if self._first is None else self._first
        since = now - self._first
        prompt, reply = self._usage(body, self._rng)
        if self._storm[0] <= since < self._storm[1] or not self._fits(prompt + reply, now):
            self.seen.refused.append(since)
            return web.json_response({"error": {"message": "Rate limit reached"}}, status=429)
        self.seen.passed.append((since, prompt + reply))
        await asyncio.sleep(self._rng.uniform(0.3, 0.7))
        usage = {"prompt_tokens": prompt, "completion_tokens": reply} if self._report_usage else None
        return web.json_response(completion("move('rooma', 'roomb')", usage=usage))

    def _fits(self, tokens: int, now: float) -> bool:
        while self._window and self._window[0][0] <= now - MINUTE:
            self._used -= self._window.popleft()[1]
        if len(self._window) + 1 > self._requests or self._used + tokens > self._tokens:
            return False
        self._window.append((now, tokens))
        self._used += tokens
        return True
