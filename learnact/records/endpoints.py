"""Endpoints of models, and how it stands at their limits."""

from __future__ import annotations

from dataclasses import dataclass


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
