"""Metrics of workers and of the limiter, exported by Ray at each node's metrics port (docs/cluster.md).

Where Ray exports none (a Ray of our own has no metrics agent) they go nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from learnact.records import ENDPOINT_VALUES, METRICS, Call, EndpointState, EpisodeResult, Outcome, Reply


class RayMetrics:
    """The metrics of one process of a cluster."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}
        self._counted: dict[tuple[str, str, str], float] = {}

    def call(self, call: Call) -> None:
        """A call was answered."""
        tokens = call.reply.tokens
        self._add("calls", 1)
        self._add("prompt_tokens", tokens.prompt)
        self._add("completion_tokens", tokens.completion)
        self._add("dollars", call.reply.cost or 0.0)

    def outcome(self, outcome: Outcome) -> None:
        """A unit has ended in this worker."""
        self._add("episodes", isinstance(outcome.result, EpisodeResult))
        self._add("learner_requests", isinstance(outcome.result, Reply))
        self._add("retries", len(outcome.attempts))
        self._add("failed_units", outcome.result is None)

    def endpoints(self, states: Iterable[EndpointState]) -> None:
        """How it stands at each endpoint."""
        for state in states:
            labels = {"model": state.name.model, "endpoint": state.name.url}
            for name, read in ENDPOINT_VALUES.items():
                value = read(state)
                if value is None:
                    continue
                if METRICS[name][0] == "gauge":
                    self._metric(name).set(float(value), tags=labels)
                else:
                    key = (name, state.name.model, state.name.url)
                    self._add(name, value - self._counted.get(key, 0.0), labels)
                    self._counted[key] = value

    def _add(self, name: str, amount: float, labels: dict[str, str] | None = None) -> None:
        if amount > 0:
            self._metric(name).inc(float(amount), tags=labels)

    def _metric(self, name: str) -> Any:
        if name not in self._made:
            from ray.util import metrics

            kind, text, labels = METRICS[name]
            make = metrics.Counter if kind == "counter" else metrics.Gauge
            self._made[name] = make(f"learnact_{name}", description=text, tag_keys=labels)
        return self._made[name]
