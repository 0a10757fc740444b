"""When to try again and how long to wait: tenacity, with what the server asks for first.

Faults (connections, time-outs, 408, 409, 5xx, unreadable replies) are bounded in number; rate limits (429) in
time, because a rate limit says nothing about whether the next try works. How long a rate limit is waited for
is the limiter's matter, for all calls together (`limits/`); here only what keeps one call from asking again
at once. What remains after that is raised as a `ProviderFailure`, and the whole unit is tried again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from learnact.models.client import RetryableError


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long one call is tried at an endpoint.

    `tries`: requests that may end in a fault. `first_wait`, `longest_wait`: seconds between tries, doubling,
    with jitter. `limited`: seconds since the first rate limit after which a call is given up; likewise when
    a server asks for more than this at once."""

    tries: int = 6
    first_wait: float = 0.5
    longest_wait: float = 30.0
    limited: float = 600.0


def retrying(policy: RetryPolicy) -> AsyncRetrying:
    """The retry loop of one call: `async for attempt in retrying(p): with attempt: ...`; raises the last
    `RetryableError`."""
    return AsyncRetrying(
        retry=retry_if_exception_type(RetryableError),
        wait=_WaitTime(policy),
        stop=_StopRule(policy),
        reraise=True,
    )


LONGEST_LIMIT_WAIT = 1.0
"""Seconds that a call waits by itself after a rate limit: a server that answers "0.01 s" each time would be
asked a hundred times a second."""


class _WaitTime:
    """Exponential with jitter; not shorter than what the server asked for, where that is no rate limit."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._backoff = wait_exponential_jitter(
            multiplier=policy.first_wait, max=policy.longest_wait, jitter=policy.first_wait
        )

    def __call__(self, state: RetryCallState) -> float:
        fault = _fault(state)
        backoff = self._backoff(state)
        if fault is not None and fault.kind == "limit":
            return min(backoff, LONGEST_LIMIT_WAIT) if state.attempt_number > 1 else 0.0
        if fault is None or fault.retry_after is None:
            return backoff
        return max(fault.retry_after + min(backoff, 0.1 * fault.retry_after + 0.05), 0.0)


@dataclass
class _StopRule:
    policy: RetryPolicy
    faults: int = field(default=0)
    limited_since: float | None = field(default=None)

    def __call__(self, state: RetryCallState) -> bool:
        fault = _fault(state)
        if fault is not None and (fault.retry_after or 0.0) > self.policy.limited:
            return True
        if fault is not None and fault.kind == "limit":
            now = time.monotonic()
            self.limited_since = now if self.limited_since is None else self.limited_since
            return now - self.limited_since >= self.policy.limited
        self.faults += 1
        return self.faults >= self.policy.tries


def _fault(state: RetryCallState) -> RetryableError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, RetryableError) else None
