"""What watches a run: a base class whose methods show nothing."""

from __future__ import annotations

from learnact.job import Job
from learnact.job.preflight import Preflight
from learnact.records import Outcome
from learnact.records.trials import TrialSpec
from learnact.results.counters import Counters
from learnact.trial import TrialResult


class Display:
    """Override what is to be shown. The driver calls the methods from its event loop: each returns at
    once."""

    def begin(self, job: Job, plan: Preflight, counters: Counters) -> None:
        """The run starts."""

    def stage(self, trial: TrialSpec, what: str) -> None:
        """A trial has begun something ("learning", "testing")."""

    def outcome(self, outcome: Outcome, counters: Counters) -> None:
        """A unit is committed, or found committed."""

    def trial(self, result: TrialResult) -> None:
        """A trial has ended."""
