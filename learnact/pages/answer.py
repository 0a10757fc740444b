"""What a report answers first: does a method beat the one without learning, and how sure is that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from learnact.report.data import ALL, EpisodeSample, ReportData, RowKey, join_samples, over_all_domains
from learnact.results.statistics import Interval, paired_difference

FEW_LIBRARIES = 5
"""With fewer libraries, what an interval says of other libraries cannot be trusted."""


@dataclass(frozen=True)
class Answer:
    """One method minus the reference on one domain (or all), in pairs of the same task."""

    method: str
    reference: str
    domain: str
    models: str
    difference: Interval
    libraries: int
    """Distinct libraries that the method was tested with; 0 where it has none."""
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
        few = "; too few libraries to speak of others" if self.libraries < FEW_LIBRARIES else ""
        return f"from {tasks} and {made}{few}"


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
        difference = paired_difference(one.success_by(one.libraries), two.success_by(two.libraries))
        if difference.known:
            found.append(_answer(data, key, against, difference, one))
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
        libraries=len(set(sample.libraries) - {""}),
        simulated=sample.simulated or data.is_simulated(key),
    )


def _reference_of(samples: dict[RowKey, EpisodeSample], key: RowKey, reference: str | None) -> RowKey | None:
    """The row of the reference on the same domain with the same agent model."""
    for other in samples:
        if (other.method, other.domain, other.agent_model) == (reference, key.domain, key.agent_model):
            return other
    return None
