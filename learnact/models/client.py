"""One endpoint: an OpenAI-compatible base URL. One request for each call; no retries here.

The outcome of a request is one of three things: a decoded body, a `RetryableError` (worth another try) or a
`RejectedRequest` (a 4xx that means what it says). Keys never reach a message: texts of servers are cleaned
before they are kept. Does not cover: retries (retry.py), what a body means (reading.py), parameters
(negotiation.py)."""

from __future__ import annotations

import asyncio
import email.utils
import json
import logging
import math
import re
import time
from collections.abc import Awaitable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit, urlunsplit

from learnact.errors import ProviderFailure
from learnact.models.limits.headers import PREFIX, SAID_NOTHING, RateHeaders, rate_headers

if TYPE_CHECKING:
    import openai

FaultKind = Literal["connection", "timeout", "limit", "server", "reply"]

CONNECT_SECONDS = 10.0
"""Bound on making a connection; the whole request is bounded by the model's own time-out."""

IDLE_SECONDS = 3.0
"""How long an idle connection is kept: less than the 5 s after which uvicorn (vLLM, SGLang, LiteLLM) closes
it, or requests meet closed ones."""

ERROR_CHARS = 400
"""How much of a server's error text is shown."""

READ_CHARS = 20_000
"""How much of a server's error text is read for its meaning: the parameter that is refused may be named
late."""

_LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0", "::"})

_SECRETS = re.compile(r"(?i)\b(sk-|hf_|gsk_|xai-|AIza)[\w*.\-]{4,}|bearer\s+[^\s\"',]+")

for _name in ("openai", "httpx", "httpx2", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class RetryableError(Exception):
    """A request that failed in a way that another try may cure.

    `retry_after`: seconds that the server asked to wait, or None. `text`: the server's words, for their
    meaning. `headers`: what its headers say of its limits."""

    def __init__(
        self,
        kind: FaultKind,
        message: str,
        retry_after: float | None = None,
        text: str = "",
        headers: RateHeaders = SAID_NOTHING,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        self.text = text or message
        self.headers = headers


class RejectedRequest(Exception):
    """The endpoint refused the request (a 4xx other than 408, 409, 429).

    `message`: the server's words, shortened for people; `text`: the words as they are read for their meaning.
    `parameter`: the parameter that the server named in its own field, or "".
    """

    def __init__(
        self, status: int, message: str, code: str = "", parameter: str = "", text: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.parameter = parameter
        self.text = text or message


@dataclass(frozen=True)
class ServerReply:
    """A decoded body (or text, where it was no JSON), the seconds it took, and what the headers say of the
    server's limits."""

    body: Any
    seconds: float
    headers: RateHeaders = SAID_NOTHING


class Endpoint:
    """An open client for one base URL and key. Close it when done."""

    def __init__(self, base_url: str, key: str) -> None:
        import openai  # here and below: 1.2 s of CPU that only a process which asks models has to spend

        self.base_url = base_url
        self._key = key
        limits = type(openai.DEFAULT_CONNECTION_LIMITS)(
            max_connections=1000, max_keepalive_connections=None, keepalive_expiry=IDLE_SECONDS
        )
        timeout = openai.Timeout(None, connect=CONNECT_SECONDS)
        local = urlsplit(base_url).hostname in _LOCAL_HOSTS
        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            api_key=key or "none",
            max_retries=0,
            timeout=timeout,
            http_client=openai.DefaultAioHttpClient(
                timeout=timeout,
                limits=limits,
                trust_env=not local,
                event_hooks={"response": [_keep_headers]},
            ),
        )

    @classmethod
    def open(cls, base_url: str, key: str) -> Endpoint:
        """A client for a URL that a person wrote. Raises `ProviderFailure` for what is no URL."""
        if (wrong := wrong_url(base_url)) is not None:
            raise ProviderFailure(wrong, False)
        try:
            return cls(base_url, key)
        except Exception as error:  # noqa: BLE001 - another library's account of what is wrong with the URL
            raise ProviderFailure(f"{shown(base_url)} cannot be used as a base_url: {error}", False) from None

    @property
    def has_key(self) -> bool:
        """Whether requests carry a key."""
        return bool(self._key)

    @property
    def shown(self) -> str:
        """The URL without user, password and query: fit for messages."""
        return shown(self.base_url)

    async def post(self, path: str, body: Mapping[str, Any], timeout: float) -> ServerReply:
        """Post `body` to `path`; the whole request takes at most `timeout` seconds.

        Raises `RetryableError` or `RejectedRequest`. The untyped `post` of the client is used on purpose:
        building typed bodies and replies costs 0.6 ms of CPU a call, and replies are validated by reading.py
        anyway."""
        request = self._client.post(self._url(path), cast_to=object, body=dict(body))
        return await self._bounded(request, timeout)

    async def get(self, path: str, timeout: float) -> ServerReply:
        """Get `path`, likewise."""
        return await self._bounded(self._client.get(self._url(path), cast_to=object), timeout)

    def _url(self, path: str) -> str:
        """The whole URL, with the base URL's query at its end; the client spends 0.1 ms on joining it."""
        parts = urlsplit(self.base_url)
        return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, parts.query, ""))

    async def _bounded(self, request: Awaitable[object], timeout: float) -> ServerReply:
        import openai

        start = time.perf_counter()
        _received.set(SAID_NOTHING)
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
        except Exception as error:  # noqa: BLE001 - the boundary to the server: its bytes are its fault
            text = self.clean(f"{type(error).__name__} {error}")
            raise RetryableError(
                "reply", f"{self.shown} answered with something that cannot be read: {text}"
            ) from None
        decoded = _decoded(body)
        if (refusal := self._error_with_200(decoded)) is not None:
            raise refusal
        return ServerReply(decoded, time.perf_counter() - start, _received.get())

    def _status(self, error: openai.APIStatusError) -> RetryableError | RejectedRequest:
        """What an error response says."""
        return self._classified(
            error.status_code,
            _error_text(_decoded(error.body)),
            codes=(str(error.code or ""), str(error.type or "")),
            parameter=str(error.param or ""),
            wait=retry_after(error.response.headers, time.time()),
        )

    def _error_with_200(self, body: object) -> RetryableError | RejectedRequest | None:
        """An error that a gateway sent with status 200 and the real status in its `code`."""
        error = body.get("error") if isinstance(body, Mapping) and not body.get("choices") else None
        code = error.get("code") if isinstance(error, Mapping) else None
        status = int(code) if isinstance(code, (int, str)) and re.fullmatch(r"[45]\d\d", str(code)) else None
        return None if status is None else self._classified(status, _error_text(error))

    def _classified(
        self,
        status: int,
        text: str,
        *,
        codes: tuple[str, str] = ("", ""),
        parameter: str = "",
        wait: float | None = None,
    ) -> RetryableError | RejectedRequest:
        text = self._without_secrets(text)[:READ_CHARS]
        message = self.clean(text)
        if status == 429 and "insufficient_quota" in codes:
            return RejectedRequest(status, message, code="insufficient_quota")
        if status in (408, 409, 429) or status >= 500:
            kind: FaultKind = "limit" if status == 429 else "server"
            told = f"{self.shown} answered {status}: {message}"
            return RetryableError(kind, told, wait, text, _received.get())
        return RejectedRequest(status, message, codes[0][:100], parameter[:100], text)

    def clean(self, text: str) -> str:
        """A server's words without keys and line breaks, shortened."""
        text = " ".join(self._without_secrets(text[: 4 * READ_CHARS]).split())
        text = "".join(c if c.isprintable() else "?" for c in text)
        return text if len(text) <= ERROR_CHARS else text[: ERROR_CHARS - 3] + "..."

    def _without_secrets(self, text: str) -> str:
        if len(self._key) >= 4:
            text = text.replace(self._key, "[key]")
        return _SECRETS.sub("[key]", text)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


_received: ContextVar[RateHeaders] = ContextVar("rate headers", default=SAID_NOTHING)
"""Of the response to the request that this task makes: the client's untyped `post` gives the body alone."""


async def _keep_headers(response: Any) -> None:
    """Called by the client with each response."""
    if any(name.lower().startswith(PREFIX) for name in response.headers):
        _received.set(rate_headers(response.headers))


def shown(url: str) -> str:
    """A URL without user, password and query; a host that is an IPv6 address keeps its brackets."""
    try:
        parts = urlsplit(url)
        host, number = parts.hostname or "", parts.port
    except ValueError:
        return "(not a URL)"
    if ":" in host:
        host = f"[{host}]"
    port = f":{number}" if number else ""
    return f"{parts.scheme}://{host}{port}{parts.path}".rstrip("/")


def wrong_url(url: str) -> str | None:
    """What is wrong with a base URL, and the way out; None for one that can be asked."""
    example = "give it as http://HOST:PORT/v1 or https://HOST/v1"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"base_url {shown(url)}: {error}; {example}"
    if parts.scheme not in ("http", "https"):
        return f"base_url {url.split('?')[0]!r} does not begin with http:// or https://; {example}"
    if parts.username or parts.password:
        way_out = "give a key in the variable that api_key_env names"
        return f"base_url {shown(url)} holds a user or a password: {way_out}"
    if not host:
        return f"base_url {shown(url)!r} names no host; {example}"
    return None


def checked_key(variable: str, key: str) -> str:
    """The key, when it can be sent in a header.

    Raises `ProviderFailure`, which names the variable and never the key.
    """
    if key != key.strip():
        wrong = "begins or ends with a blank or a line end (a file saved on Windows?)"
    elif not key.isascii():
        wrong = "holds a character outside ASCII (copied from a page?)"
    elif not key.isprintable():
        wrong = "holds a control character or a line end"
    else:
        return key
    raise ProviderFailure(f"the key in the environment variable {variable} {wrong}: set it again", False)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a server asks to wait: `retry-after-ms`, or `retry-after` in seconds or as an HTTP date.

    None when it does not say; also for 0 and for a date that has passed, which say nothing about how long to
    wait."""
    milliseconds = _positive(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if (seconds := _positive(value)) is not None:
        return seconds
    try:
        until = email.utils.parsedate_to_datetime(value or "").timestamp() - now
    except (TypeError, ValueError, OverflowError):
        return None
    return until if until > 0 else None


def _positive(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if number > 0 and not math.isnan(number) else None


def _decoded(body: object) -> object:
    """JSON that came as text, because the server gave it another content type; anything else as it is."""
    if not isinstance(body, str) or not body.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        return body
    try:
        return json.loads(body.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return body


def _error_text(body: object) -> str:
    """What an error body says, in whatever form servers give it."""
    if isinstance(body, Mapping):
        for name in ("message", "detail", "error", "msg"):
            if body.get(name):
                return _error_text(body[name]) if isinstance(body[name], Mapping) else str(body[name])
        return str(dict(body))
    if body is None:
        return "no text"
    return re.sub(r"<[^<>]*>", " ", str(body)[:READ_CHARS])
