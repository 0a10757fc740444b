"""When to try again and how long to wait: tenacity with the server's own wishes first.

Faults (connections, time-outs, 408, 409, 5xx, unreadable replies) are bounded in number; rate limits (429) in time, for they say nothing
about whether the next try works. What remains after that goes up as a `ProviderFailure` and is tried again as a whole unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from learnact.models.client import RetryableError


@dataclass(frozen=True)
class RetryPolicy:
    """How long to bear with an endpoint within one call.

    `tries`: requests that may end in a fault. `first_wait`, `longest_wait`: seconds between tries, doubling, with jitter.
    `limited`: seconds in all that a call waits because of rate limits; a server that asks for more than this at once is given up.
    """

    tries: int = 6
    first_wait: float = 0.5
    longest_wait: float = 30.0
    limited: float = 600.0


def retrying(patience: RetryPolicy) -> AsyncRetrying:
    """The retry loop for one call: `async for attempt in retrying(p): with attempt: ...`; raises the last `Trouble`."""
    return AsyncRetrying(
        retry=retry_if_exception_type(RetryableError),
        wait=_Wait(patience),
        stop=_Bound(patience),
        reraise=True,
    )


class _Wait:
    """What the server asked for, else exponential with jitter; a little jitter on top keeps the herd apart."""

    def __init__(self, patience: RetryPolicy) -> None:
        self._backoff = wait_exponential_jitter(
            multiplier=patience.first_wait, max=patience.longest_wait, jitter=patience.first_wait
        )

    def __call__(self, state: RetryCallState) -> float:
        trouble = _trouble(state)
        if trouble is None or trouble.retry_after is None:
            return self._backoff(state)
        return trouble.retry_after + min(self._backoff(state), 0.1 * trouble.retry_after + 0.05)


@dataclass
class _Bound:
    patience: RetryPolicy
    faults: int = field(default=0)

    def __call__(self, state: RetryCallState) -> bool:
        trouble = _trouble(state)
        if trouble is not None and (trouble.retry_after or 0.0) > self.patience.limited:
            return True
        if trouble is not None and trouble.kind == "limit":
            return state.idle_for >= self.patience.limited
        self.faults += 1
        return self.faults >= self.patience.tries


def _trouble(state: RetryCallState) -> RetryableError | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, RetryableError) else None
