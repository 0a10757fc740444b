"""Metrics of a run for Prometheus: what `learnact run --metrics-port` serves (docs/cluster.md has the list).

The names are those that the workers of a cluster export through Ray (`runners/ray/metrics.py`), without Ray's
prefix.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from learnact.errors import BadInput
from learnact.job import Job
from learnact.job.preflight import Preflight
from learnact.records import ENDPOINT_VALUES, METRICS, Outcome
from learnact.records.trials import TrialSpec
from learnact.report.display import Display, Standing
from learnact.results.counters import Counters
from learnact.trial import TrialResult


class MetricsServer(Display):
    """Serves the metrics of a run over HTTP, and passes everything on to another display. A context
    manager.

    `port` 0: a free one; `port` then says which.
    """

    def __init__(self, display: Display, port: int, host: str = "0.0.0.0") -> None:
        self._display = display
        self._host = host
        self.port = port
        self._counters = Counters()
        self._standing: Standing | None = None
        self._server: Any = None

    def __enter__(self) -> MetricsServer:
        """Raises `BadInput` where the port cannot be had."""
        from prometheus_client import CollectorRegistry, start_http_server

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        try:
            self._server, _ = start_http_server(self.port, self._host, registry)
        except (OSError, OverflowError) as error:
            raise BadInput(f"--metrics-port {self.port}: {error}; give a port that is free") from None
        self.port = self._server.server_port
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def collect(self) -> Iterator[Any]:
        """What prometheus_client asks for at each scrape, in the server's thread."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        values = dict(_of_run(self._counters, self._standing))
        for name, (kind, text, labels) in METRICS.items():
            family = (CounterMetricFamily if kind == "counter" else GaugeMetricFamily)(
                f"learnact_{name}", text, labels=labels
            )
            for given, value in values.get(name, []):
                family.add_metric(given, value)
            yield family

    def begin(self, job: Job, plan: Preflight, counters: Counters) -> None:
        """The run starts."""
        self._counters = counters
        self._display.begin(job, plan, counters)

    def stage(self, trial: TrialSpec, what: str) -> None:
        """A trial has begun something."""
        self._display.stage(trial, what)

    def outcome(self, outcome: Outcome, counters: Counters) -> None:
        """A unit is committed, or was found committed."""
        self._counters = counters
        self._display.outcome(outcome, counters)

    def limits(self, standing: Standing) -> None:
        """How it stands at the limits."""
        self._standing = standing
        self._display.limits(standing)

    def trial(self, result: TrialResult) -> None:
        """A trial has ended."""
        self._display.trial(result)


def _of_run(
    counters: Counters, standing: Standing | None
) -> Iterator[tuple[str, list[tuple[list[str], float]]]]:
    """The values of each metric, with those of its labels."""
    yield "episodes", [([], counters.episodes)]
    yield "learner_requests", [([], counters.requests)]
    yield "retries", [([], counters.attempts)]
    yield "failed_units", [([], counters.failed)]
    if standing is None:
        return
    spent = standing.spent
    yield "calls", [([], spent.calls)]
    yield "prompt_tokens", [([], spent.prompt_tokens)]
    yield "completion_tokens", [([], spent.completion_tokens)]
    yield "dollars", [([], spent.dollars)]
    for name, read in ENDPOINT_VALUES.items():
        found = [([one.name.model, one.name.url], read(one)) for one in standing.endpoints]
        yield name, [(labels, float(value)) for labels, value in found if value is not None]
