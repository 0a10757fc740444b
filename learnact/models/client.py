"""One endpoint: an OpenAI-compatible base URL, asked once at a time per call; no retries here.

Turns whatever happens into three things: a decoded body, a `Trouble` (worth another try) or a `Refusal` (a 4xx that means what it says).
Keys never reach a message: texts of servers are cleaned before they are kept.
Does not cover: retries (`retry`), what a body means (`reading`), parameters (`settle`).
"""

from __future__ import annotations

import asyncio
import email.utils
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    import openai

TroubleKind = Literal["connection", "timeout", "limit", "server", "reply"]

CONNECT_SECONDS = 10.0
"""Bound on making a connection; the whole request is bounded by the model's own time-out."""

IDLE_SECONDS = 3.0
"""How long an idle connection is kept: less than the 5 s after which uvicorn (vLLM, SGLang, LiteLLM) closes it, or requests meet closed ones."""

ERROR_CHARS = 400
"""How much of a server's error text is kept."""

_SECRETS = re.compile(r"(?i)\b(sk-|hf_|gsk_|xai-|AIza)[\w*.\-]{4,}|bearer\s+[^\s\"',]+")

for _name in ("openai", "httpx", "httpx2", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class RetryableError(Exception):
    """A try that failed in a way that another try may cure. `retry_after`: seconds that the server asked to wait, or None."""

    def __init__(self, kind: TroubleKind, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after


class RejectedRequest(Exception):
    """The endpoint refused the request (a 4xx other than 408, 409, 429). `parameter` is the one it named, or ""."""

    def __init__(self, status: int, message: str, code: str = "", parameter: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.parameter = parameter


@dataclass(frozen=True)
class ServerReply:
    """A decoded body (or text, where it was no JSON) and the seconds it took."""

    body: Any
    seconds: float


class Endpoint:
    """An open client for one base URL and key. Close it when done."""

    def __init__(self, base_url: str, key: str) -> None:
        import openai  # here and below: 1.2 s of CPU that only a process which asks models has to spend

        self.base_url = base_url
        self._key = key
        local = urlsplit(base_url).hostname in {"127.0.0.1", "localhost", "::1"}
        limits = type(openai.DEFAULT_CONNECTION_LIMITS)(
            max_connections=1000, max_keepalive_connections=None, keepalive_expiry=IDLE_SECONDS
        )
        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            api_key=key or "none",
            max_retries=0,
            timeout=openai.Timeout(None, connect=CONNECT_SECONDS),
            http_client=openai.DefaultAioHttpClient(
                timeout=openai.Timeout(None, connect=CONNECT_SECONDS), limits=limits, trust_env=not local
            ),
        )

    @property
    def shown(self) -> str:
        """The URL without user, password and query: fit for messages."""
        return shown(self.base_url)

    async def ask(self, path: str, body: Mapping[str, Any], timeout: float) -> ServerReply:
        """Post `body` to `path`; the whole request takes at most `timeout` seconds. Raises `Trouble` or `Refusal`.

        The untyped `post` of the client is used on purpose: building typed bodies and replies costs 0.6 ms of CPU a call,
        and replies are validated by `reading` anyway.
        """
        return await self._bounded(
            self._client.post(self._url(path), cast_to=object, body=dict(body)), timeout
        )

    async def get(self, path: str, timeout: float) -> ServerReply:
        """Get `path`, likewise."""
        return await self._bounded(self._client.get(self._url(path), cast_to=object), timeout)

    def _url(self, path: str) -> str:
        """The whole URL, a query of the base URL kept behind it; whole, since the client spends 0.1 ms on joining."""
        parts = urlsplit(self.base_url)
        return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, parts.query, ""))

    async def _bounded(self, request: Any, timeout: float) -> ServerReply:
        import openai

        start = time.perf_counter()
        try:
            async with asyncio.timeout(timeout):
                body = await request
        except TimeoutError:
            raise RetryableError("timeout", f"{self.shown} did not answer within {timeout:g} s") from None
        except openai.APITimeoutError:
            raise RetryableError(
                "connection", f"{self.shown} cannot be reached, or dropped the connection"
            ) from None
        except openai.APIStatusError as error:
            raise self._status(error) from None
        except (openai.APIConnectionError, OSError) as error:
            cause = error.__cause__ or error
            text = self.clean(f"{type(cause).__name__} {cause}")
            raise RetryableError("connection", f"{self.shown} cannot be reached: {text}") from None
        except (openai.APIError, ValueError) as error:
            text = self.clean(str(error))
            raise RetryableError(
                "reply", f"{self.shown} answered with something that cannot be read: {text}"
            ) from None
        return ServerReply(body, time.perf_counter() - start)

    def _status(self, error: openai.APIStatusError) -> RetryableError | RejectedRequest:
        status, text = error.status_code, self.clean(_said(error.body))
        code = str(error.code or "")
        if status == 429 and "insufficient_quota" in (code, error.type):
            return RejectedRequest(status, text, code="insufficient_quota")
        if status in (408, 409, 429) or status >= 500:
            kind: TroubleKind = "limit" if status == 429 else "server"
            wait = retry_after(error.response.headers, time.time())
            return RetryableError(kind, f"{self.shown} answered {status}: {text}", wait)
        return RejectedRequest(status, text, code, str(error.param or ""))

    def clean(self, text: str) -> str:
        """A server's words without keys and line breaks, bounded."""
        if len(self._key) >= 4:
            text = text.replace(self._key, "[key]")
        text = " ".join(_SECRETS.sub("[key]", text).split())
        return text if len(text) <= ERROR_CHARS else text[: ERROR_CHARS - 3] + "..."

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def shown(url: str) -> str:
    """A URL without user, password and query."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}".rstrip("/")


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a server asks to wait: `retry-after-ms`, or `retry-after` in seconds or as an HTTP date; None when it does not say."""
    milliseconds = headers.get("retry-after-ms")
    if milliseconds is not None:
        try:
            return max(0.0, float(milliseconds) / 1000)
        except ValueError:
            pass
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now)
    except (TypeError, ValueError):
        return None


def _said(body: object) -> str:
    """What an error body says, in whatever form servers give it."""
    if isinstance(body, Mapping):
        for name in ("message", "detail", "error", "msg"):
            if body.get(name):
                return body[name] if isinstance(body[name], str) else str(body[name])
        return str(dict(body))
    if body is None:
        return "no text"
    return re.sub(r"<[^>]*>", " ", str(body))
