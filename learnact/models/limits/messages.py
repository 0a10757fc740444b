"""What the gate of a worker and the limiter say to each other: plain data, which may be said twice.

All times are durations in seconds, so that no clocks are compared.
"""

from __future__ import annotations

from dataclasses import dataclass

from learnact.records import EndpointLimits, EndpointName

NO_LIMITS = EndpointLimits()


@dataclass(frozen=True)
class Ticket:
    """A call that waits for a permit. `tokens`: what it is expected to use; `waited`: since when."""

    id: int
    tokens: int
    waited: float = 0.0


@dataclass(frozen=True)
class ServerQuota:
    """What a server says is left of one of its limits (`x-ratelimit-*`): `remaining` of `limit`, all of it
    again in `reset` seconds."""

    limit: float
    remaining: float
    reset: float


@dataclass(frozen=True)
class EndpointReport:
    """What happened at an endpoint in one worker since it last reported.

    `waiting`: calls without a permit that are new. `dropped`: calls that wait no longer; a permit of theirs
    comes back. `used`: permits with which a request was sent, and how long ago. `settled`: what a call used
    in truth. `places`, `in_flight`, `queued`: places that the worker has, requests in flight and calls that
    wait, now. `good`: good replies. `refused`: for each request that met a rate limit or was not answered in
    time, how long ago it was sent. `hold`: how long the server asks to wait. `requests_left`, `tokens_left`:
    its `x-ratelimit-*`.
    """

    name: EndpointName
    limits: EndpointLimits = NO_LIMITS
    waiting: tuple[Ticket, ...] = ()
    dropped: tuple[int, ...] = ()
    used: tuple[tuple[int, float], ...] = ()
    settled: tuple[tuple[int, int], ...] = ()
    places: int = 0
    in_flight: int = 0
    queued: int = 0
    good: int = 0
    refused: tuple[float, ...] = ()
    hold: float = 0.0
    requests_left: ServerQuota | None = None
    tokens_left: ServerQuota | None = None


@dataclass(frozen=True)
class Report:
    """One worker's news. `leaves`: it has nothing to do; its places come back."""

    worker: str
    endpoints: tuple[EndpointReport, ...] = ()
    leaves: bool = False


@dataclass(frozen=True)
class EndpointAnswer:
    """What a worker may do at an endpoint: `places` requests in flight, and one request for each ticket of
    `granted`. No request before `hold` is over."""

    name: EndpointName
    places: int
    granted: tuple[int, ...] = ()
    hold: float = 0.0


@dataclass(frozen=True)
class LimiterAnswer:
    """`epoch`: of what was said before, only what was answered with the same epoch is known. `lease`: how
    long places and permits hold. `wait`: when to report again at the latest; `pause`: at the soonest."""

    epoch: str
    endpoints: tuple[EndpointAnswer, ...] = ()
    lease: float = 5.0
    wait: float = 0.25
    pause: float = 0.0
