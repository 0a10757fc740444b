"""What a report answers first: does a method beat the one without learning, and how sure is that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from learnact.report.data import ALL, EpisodeSample, ReportData, RowKey, join_samples, over_all_domains
from learnact.report.result_table import format_cell
from learnact.statistics.differences import Difference, difference
from learnact.statistics.intervals import Interval


@dataclass(frozen=True)
class Answer:
    """One method minus the reference on one domain (or all), in pairs of the same task and repeat."""

    method: str
    reference: str
    domain: str
    models: str
    tasks: Interval
    """For these libraries on other tasks."""
    of_method: Interval
    """For other libraries and other tasks."""
    simulated: bool

    @property
    def spoken(self) -> Interval:
        """The interval that the verdict goes by: the method's where there are libraries enough."""
        return self.of_method if self.of_method.trusted else self.tasks

    @property
    def verdict(self) -> str:
        """What the interval says, in words."""
        if self.spoken.low > 0:
            return f"{self.method} solves more than {self.reference}"
        if self.spoken.high < 0:
            return f"{self.method} solves fewer than {self.reference}"
        return "no difference is shown"

    @property
    def points(self) -> str:
        """The difference in percentage points, with its interval."""
        return f"{format_cell(self.spoken, 'difference')} points"

    @property
    def certainty(self) -> str:
        """What the interval comes from, and what it does not cover."""
        tasks = f"{self.tasks.clusters} task{'s' if self.tasks.clusters != 1 else ''}"
        number = self.of_method.libraries
        if not number:
            return f"from {tasks}"
        made = f"{number} librar{'ies' if number != 1 else 'y'}"
        if self.domain == ALL:
            made = f"at least {made} a domain"
        few = "too few libraries to speak of others" if not self.of_method.trusted else "speaks of others too"
        return f"from {tasks} and {made}; {few}"

    def cells(self) -> list[str]:
        """Both intervals, in percentage points."""
        return [format_cell(one, "difference") for one in (self.tasks, self.of_method)]


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
            found.append(_answer(data, key, against, apart, one))
    return found


def _answer(
    data: ReportData, key: RowKey, against: RowKey, apart: Difference, sample: EpisodeSample
) -> Answer:
    models = key.agent_model
    if key.learner_model and key.learner_model != key.agent_model:
        models += f", learner {key.learner_model}"
    return Answer(
        method=key.method,
        reference=against.method,
        domain=key.domain,
        models=models,
        tasks=apart.tasks,
        of_method=apart.method,
        simulated=sample.simulated or data.is_simulated(key),
    )


def _reference_of(samples: dict[RowKey, EpisodeSample], key: RowKey, reference: str | None) -> RowKey | None:
    """The row of the reference on the same domain with the same agent model."""
    for other in samples:
        if (other.method, other.domain, other.agent_model) == (reference, key.domain, key.agent_model):
            return other
    return None
