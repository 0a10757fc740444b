"""What a report answers first: does a method beat the one without learning, and how sure is that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from learnact.report.data import ALL, EpisodeSample, ReportData, RowKey, join_samples, over_all_domains
from learnact.statistics.differences import difference
from learnact.statistics.intervals import ENOUGH_LIBRARIES, Interval


@dataclass(frozen=True)
class Answer:
    """One method minus the reference on one domain (or all), in pairs of the same task and repeat.

    The interval speaks of the method where it has libraries enough, else of these libraries on other tasks.
    """

    method: str
    reference: str
    domain: str
    models: str
    difference: Interval
    libraries: int
    """Libraries that the method was tested with on each domain at least; 0 where it learns nothing."""
    simulated: bool

    @property
    def verdict(self) -> str:
        """What the interval says, in words."""
        if self.difference.low > 0:
            return f"{self.method} solves more than {self.reference}"
        if self.difference.high < 0:
            return f"{self.method} solves fewer than {self.reference}"
        return "no difference is shown"

    @property
    def points(self) -> str:
        """The difference in percentage points, with its interval."""
        mean, low, high = (
            100 * value for value in (self.difference.mean, self.difference.low, self.difference.high)
        )
        return f"{mean:+.1f} points ({low:+.0f} to {high:+.0f})"

    @property
    def certainty(self) -> str:
        """What the interval comes from, and what it does not cover."""
        tasks = f"{self.difference.clusters} task{'s' if self.difference.clusters != 1 else ''}"
        if not self.libraries:
            return f"from {tasks}"
        made = f"{self.libraries} librar{'ies' if self.libraries != 1 else 'y'}"
        few = self.libraries < ENOUGH_LIBRARIES
        return f"from {tasks} and {made}; " + (
            "too few libraries to speak of others" if few else "speaks of other libraries and tasks"
        )


def reference_method(data: ReportData, methods: Sequence[str]) -> str | None:
    """What the others are compared with: the job's first method without learning, else its first."""
    ordered = sorted(methods, key=data.place_of)
    learning = {trial.method for trial in data.trials.values() if trial.learns}
    return next((method for method in ordered if method not in learning), next(iter(ordered), None))


def answers(data: ReportData) -> list[Answer]:
    """Every method minus the reference, over all domains first, then by domain."""
    samples = dict(data.test_samples)
    for key, parts in over_all_domains(data.test_samples).items():
        samples[key] = join_samples(samples[part] for part in parts)
    reference = reference_method(data, list({key.method for key in samples}))
    found = []
    for key in sorted(data.ordered(samples), key=lambda key: key.domain != ALL):
        against = _reference_of(samples, key, reference)
        if key.method == reference or against is None:
            continue
        one, two = samples[key], samples[against]
        apart = difference(one.outcomes(one.success), two.outcomes(two.success))
        if apart.known:
            spoken = apart.method if apart.method.trusted else apart.tasks
            found.append(replace(_answer(data, key, against, spoken, one), libraries=apart.libraries))
    return found


def _answer(
    data: ReportData, key: RowKey, against: RowKey, difference: Interval, sample: EpisodeSample
) -> Answer:
    models = key.agent_model
    if key.learner_model and key.learner_model != key.agent_model:
        models += f", learner {key.learner_model}"
    return Answer(
        method=key.method,
        reference=against.method,
        domain=key.domain,
        models=models,
        difference=difference,
        libraries=0,
        simulated=sample.simulated or data.is_simulated(key),
    )


def _reference_of(samples: dict[RowKey, EpisodeSample], key: RowKey, reference: str | None) -> RowKey | None:
    """The row of the reference on the same domain with the same agent model."""
    for other in samples:
        if (other.method, other.domain, other.agent_model) == (reference, key.domain, key.agent_model):
            return other
    return None
