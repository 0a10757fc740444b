"""Endpoints of models, and how it stands at their limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class EndpointName:
    """One endpoint of one model: what a provider's limits are about."""

    url: str
    model: str

    def __str__(self) -> str:
        return f"{self.model} at {self.url}" if self.url else self.model


@dataclass(frozen=True)
class EndpointState:
    """How it stands at an endpoint, for people and metrics, over all workers.

    `waits_for`: what holds up the calls that wait, "" for nothing: `retry-after` (until `hold` seconds from
    now), `requests_per_minute`, `tokens_per_minute`, `in_flight` or `x-ratelimit`. Where no rate is limited,
    what is left of it is None.
    """

    name: EndpointName
    in_flight: int
    waiting: int
    bound: int
    hold: float = 0.0
    requests_left: int | None = None
    tokens_left: int | None = None
    waits_for: str = ""
    refused: int = 0


METRICS: dict[str, tuple[Literal["counter", "gauge"], str, tuple[str, ...]]] = {
    "episodes": ("counter", "Episodes with a result, in this session", ()),
    "learner_requests": ("counter", "Requests of learners with a reply, in this session", ()),
    "calls": ("counter", "Calls of models that were answered", ()),
    "prompt_tokens": ("counter", "Tokens of prompts", ()),
    "completion_tokens": ("counter", "Tokens of replies", ()),
    "dollars": ("counter", "US dollars that calls with a price cost", ()),
    "retries": ("counter", "Tries of units that failed, in this session", ()),
    "failed_units": ("counter", "Units of which every try failed, in this session", ()),
    "in_flight": ("gauge", "Requests in flight", ("model", "endpoint")),
    "limiter_waiting": ("gauge", "Calls that wait for a limit", ("model", "endpoint")),
    "limiter_bound": ("gauge", "Requests that may be in flight now", ("model", "endpoint")),
    "limiter_hold_seconds": ("gauge", "Until the server may be asked again", ("model", "endpoint")),
    "limiter_requests_left": ("gauge", "Requests left of this minute's", ("model", "endpoint")),
    "limiter_tokens_left": ("gauge", "Tokens left of this minute's", ("model", "endpoint")),
    "rate_limited": ("counter", "Requests refused (429) or not answered in time", ("model", "endpoint")),
}
"""Metrics for Prometheus: kind, meaning, labels. Names begin with `learnact_`; Ray puts `ray_` before that,
and Prometheus `_total` after a counter."""

ENDPOINT_VALUES: dict[str, Callable[[EndpointState], float | None]] = {
    "in_flight": lambda state: state.in_flight,
    "limiter_waiting": lambda state: state.waiting,
    "limiter_bound": lambda state: state.bound,
    "limiter_hold_seconds": lambda state: state.hold,
    "limiter_requests_left": lambda state: state.requests_left,
    "limiter_tokens_left": lambda state: state.tokens_left,
    "rate_limited": lambda state: state.refused,
}
"""What the metrics of endpoints say."""
