"""A real HTTP server whose faults a test scripts: one behaviour for each request, then good replies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Behaviour = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


class FaultServer:
    """`async with FaultServer(first, second) as server`: answers with the behaviours in turn; `always`
    answers every request."""

    def __init__(self, *script: Behaviour, always: Behaviour | None = None) -> None:
        self.script = list(script)
        self.always = always
        self.models: list[dict[str, Any]] | None = None
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.paths: list[str] = []

    async def __aenter__(self) -> FaultServer:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self._answer)
        app.router.add_post("/v1/embeddings", self._embed)
        app.router.add_get("/v1/models", self._list)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        self.times.append(time.monotonic())
        self.paths.append(request.path_qs)
        behaviour = self.script.pop(0) if self.script else self.always or good()
        return await behaviour(request, body)

    async def _list(self, _: web.Request) -> web.StreamResponse:
        if self.models is None:
            raise web.HTTPNotFound
        return web.json_response({"data": self.models})

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        if self.script:
            return await self.script.pop(0)(request, body)
        rows = [{"index": i, "embedding": [float(len(t)), 1.0]} for i, t in enumerate(body["input"])]
        return web.json_response({"data": rows[::-1], "model": "e", "usage": {"prompt_tokens": 7}})


def completion(
    content: str | None = "look()", finish: str = "stop", usage: Any = "default", **message: Any
) -> dict[str, Any]:
    """The body of a good chat completion."""
    body: dict[str, Any] = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m-2026-01-01",
        "system_fingerprint": "fp_1",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
    }
    body["usage"] = {"prompt_tokens": 100, "completion_tokens": 10} if usage == "default" else usage
    return body


def good(content: str | None = "look()", **options: Any) -> Behaviour:
    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.json_response(completion(content, **options))

    return answer


def raw(text: str, content_type: str, status: int = 200) -> Behaviour:
    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return web.Response(text=text, content_type=content_type, status=status)

    return answer


def js(body: Any, status: int = 200, **headers: str) -> Behaviour:
    async def answer(request: web.Request, _: dict[str, Any]) -> web.StreamResponse:
        names = {k.replace("_", "-"): v for k, v in headers.items()}
        return web.json_response(body, status=status, headers=names)

    return answer


def error(status: int, message: str = "it went wrong", **fields: Any) -> Behaviour:
    headers = {k: fields.pop(k) for k in ("retry_after", "retry_after_ms") if k in fields}
    return js({"error": {"message": message, **fields}}, status, **headers)


def hang(seconds: float = 30.0) -> Behaviour:
    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.json_response(completion())

    return answer


def drip(seconds: float = 30.0) -> Behaviour:
    """Sends a byte now and then: alive for a time-out that looks at single reads only."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/json"})
        await response.prepare(request)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    return answer


def drop() -> Behaviour:
    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    return answer


def cut() -> Behaviour:
    """Breaks off in the middle of the body."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/json", "content-length": "5000"})
        await response.prepare(request)
        await response.write(b'{"choices": [')
        assert request.transport is not None
        request.transport.abort()
        return response

    return answer


def picky(*names: str, style: str = "openai") -> Behaviour:
    """Refuses the parameters named, one at a time, in the words of different servers; also `system`."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        for name in names:
            if name == "system":
                if any(m["role"] == "system" for m in body["messages"]):
                    return web.json_response({"error": {"message": "System role not supported"}}, status=400)
            elif name in body:
                return web.json_response(_words(style, name), status=422 if style == "pydantic" else 400)
        return web.json_response(completion())

    return answer


def _words(style: str, name: str) -> dict[str, Any]:
    if style == "openai":
        text = f"Unsupported parameter: '{name}' is not supported with this model."
        return {
            "error": {
                "message": text,
                "type": "invalid_request_error",
                "param": name,
                "code": "unsupported_parameter",
            }
        }
    if style == "old":
        return {
            "error": {
                "message": f"Unrecognized request argument supplied: {name}",
                "param": None,
                "code": None,
            }
        }
    if style == "pydantic":
        return {
            "detail": [
                {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}
            ]
        }
    return {
        "error": {
            "message": "litellm.UnsupportedParamsError: vendor does not support parameters: "
            f"['{name}'], for model=m"
        }
    }
