"""What watches a run: a base class whose methods show nothing."""

from __future__ import annotations

from dataclasses import dataclass

from learnact.job import Job
from learnact.job.preflight import Preflight
from learnact.records import EndpointState, Outcome
from learnact.records.trials import TrialSpec
from learnact.results.counters import Counters
from learnact.runners.calls import Spending, SpendingLimits
from learnact.trial import TrialResult


@dataclass(frozen=True)
class Standing:
    """What a run has used, all its sessions together, what it may use, and how it stands at the limits of the
    endpoints that it asks."""

    spent: Spending
    limits: SpendingLimits
    endpoints: tuple[EndpointState, ...] = ()


class Display:
    """Override what is to be shown. The driver calls the methods from its event loop: each returns at
    once."""

    def begin(self, job: Job, plan: Preflight, counters: Counters) -> None:
        """The run starts."""

    def stage(self, trial: TrialSpec, what: str) -> None:
        """A trial has begun something ("learning", "testing")."""

    def outcome(self, outcome: Outcome, counters: Counters) -> None:
        """A unit is committed, or found committed."""

    def limits(self, standing: Standing) -> None:
        """How it stands at the limits, about once a second."""

    def trial(self, result: TrialResult) -> None:
        """A trial has ended."""
