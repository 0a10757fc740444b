"""Where a job learns and where it tests: its domains with their options, and which of them go together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from learnact.domains.registry import has_levels
from learnact.errors import JobError
from learnact.job.file import JobFile
from learnact.job.matching import named_by
from learnact.job.schema import BudgetsConfig, DomainConfig, JobConfig
from learnact.records import DomainSpec, canonical
from learnact.records.trials import TrainedTrial

DOMAIN_KEYS = ("domains", "learn_on", "test_on")
"""The keys of a job that name domains."""


class DomainPlan(NamedTuple):
    """A domain that is learned on, those that what was learned is tested on, and the budget of its own."""

    learned: DomainSpec
    tested: tuple[DomainSpec, ...]
    budget: BudgetsConfig


def learned_here(job: JobConfig, source: JobFile) -> Iterator[DomainPlan]:
    """Domains to learn on, each with those that it is tested on."""
    learned = job.learn_on or job.domains
    for entry in learned or job.test_on or ():
        spec = domain_spec(job, entry)
        tested: tuple[DomainSpec, ...] = (spec,)
        if learned and job.test_on is not None:
            by_name = "domain" in named_by(job).match
            tested = tuple(domain_spec(job, t) for t in job.test_on if not by_name or t.name == entry.name)
            if not tested:
                raise JobError(
                    f"{source.where('test_on')}: test_on: nothing to test {entry.name!r} on: name it there, "
                    "or leave 'domain' out of library.match to test every library everywhere"
                )
        yield DomainPlan(spec, tested, entry.budget)


def learned_in(
    run: str, taught: Sequence[TrainedTrial] | None, job: JobConfig, source: JobFile
) -> Iterator[DomainPlan]:
    """Domains that the run has learned on, each with those that it is tested on: methods that learn nothing
    are tested on the same.
    """
    key = "domains" if job.test_on is None else "test_on"
    tests = [domain_spec(job, entry) for entry in getattr(job, key) or ()]
    everywhere = "domain" not in named_by(job).match
    learned = {t.domain: None for t in taught} if taught is not None else dict.fromkeys(tests)
    names = {spec.name for spec in learned}
    unknown = sorted({spec.name for spec in tests} - names)
    if unknown and not everywhere:
        raise JobError(
            f"{source.at(key)}: run {run} learned nothing on {', '.join(unknown)}, but on "
            f"{', '.join(sorted(names))}; "
            "leave these out, or leave 'domain' out of library.match to test every library everywhere"
        )
    for spec in learned:
        tested = tuple(t for t in tests if everywhere or t.name == spec.name)
        if tested:
            yield DomainPlan(spec, tested, BudgetsConfig())


def domain_spec(job: JobConfig, entry: DomainConfig) -> DomainSpec:
    """The domain with its own options; the job's `tasks` and `domain_options` stand in where it sets none
    of its own.
    """
    options = job.tasks.model_dump(exclude_none=True)
    own = entry.model_extra or {}
    if "level" in options and ("source" in own or not has_levels(entry.name)):
        del options["level"]
    for family in families(job, entry.name):
        options |= job.domain_options[family]
    return DomainSpec(entry.name, canonical({**options, **own}))


def families(job: JobConfig, domain: str) -> list[str]:
    """Keys of `domain_options` that speak of a domain, the one that wins last: its name, or the beginning
    of it before a dash.
    """
    return sorted((f for f in job.domain_options if f"{domain}-".startswith(f"{f}-")), key=len)
