"""`Job`: a job file, checked, with its identity and its trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from pydantic import PrivateAttr, ValidationError

from learnact.errors import JobError
from learnact.job import grid
from learnact.job.file import JobFile, Key, dotted, from_mapping, keys_of, override, read, with_presets
from learnact.job.messages import job_error
from learnact.job.options import axes_of, method_of, option_problems
from learnact.job.schema import JobConfig
from learnact.job.shipped import job_path
from learnact.job.validation import check
from learnact.records import Plain, digest
from learnact.records.trials import TrainedTrial, TrialSpec


class Job(JobConfig):
    """A job as given, with presets and overrides applied. Made by `load`; frozen."""

    _source: JobFile = PrivateAttr(default_factory=lambda: JobFile({}, {}))

    @cached_property
    def id(self) -> str:
        """Content address of the grid: equal for jobs that ask for the same trials, whatever their name,
        place, prices or endpoints. The run's id also covers the versions of domains and the libraries of
        other runs (`preflight`).
        """
        return run_id(self.trials())

    def resolved(self) -> dict[str, Plain]:
        """The whole job as plain data, defaults and presets filled in; `load` takes it back."""
        filled = self.model_dump(mode="json", by_alias=True)
        return cast("dict[str, Plain]", {**filled, "learner": self._learner_options(), "preset": None})

    def _learner_options(self) -> dict[str, Any]:
        """The options under `learner`, with the defaults of those that the job's methods have."""
        options = dict(self.learner.given)
        for index, entry in enumerate(self.methods):
            for model in method_of(entry, ("methods", index), self._source).option_models():
                defaults = axes_of(model)().model_dump(mode="json")
                options = {**defaults, **options}
        return options

    def given(self) -> dict[str, Plain]:
        """What was written, presets and overrides applied, nothing filled in."""
        return cast("dict[str, Plain]", self._source.values)

    def trials(self, trained: Mapping[str, tuple[TrainedTrial, ...]] | None = None) -> tuple[TrialSpec, ...]:
        """The grid, each trial once.

        Raises `JobError` for impossible combinations; `load` has looked for those.

        `trained`: the trials of the runs whose libraries the job names, by the run's name.
        """
        return grid.trials(self, self._source, trained) if trained else self._trials

    @cached_property
    def _trials(self) -> tuple[TrialSpec, ...]:
        return grid.trials(self, self._source)

    @property
    def source(self) -> JobFile:
        """What was written, with its places."""
        return self._source

    def where(self, path: str | Sequence[Key] = ()) -> str:
        """The place of a key (`domains.1.train`), such as `jobs/a.yaml:12`, `--set ...` or `preset
        paper:3`.
        """
        return self._source.where(path)

    def error(self, path: str | Sequence[Key], message: str) -> JobError:
        """An error about a key, for callers that know more than the file's form."""
        return JobError(f"{self.where(path)}: {dotted(keys_of(path))}: {message}")


def run_id(trials: Sequence[TrialSpec]) -> str:
    """Content address of a run, from its trials."""
    return digest("job", sorted((trial.id, trial.test_repeats, trial.label) for trial in trials))


def load(job: str | Path | Mapping[str, Any], overrides: Sequence[str] = ()) -> Job:
    """A job from a file or a mapping, with presets and `key=value` overrides.

    Raises `JobError` before anything starts.

    >>> load({"name": "x", "domains": "gripper", "methods": "act"}, ["repeats.test=2"]).repeats.test
    2
    """
    source = from_mapping(job) if isinstance(job, Mapping) else read(job_path(job))
    source = with_presets(override(source, overrides))
    if "trajectories" in source.values:
        why = "this job makes data: `learnact synthesize` runs it (--dry-run: plans)"
        raise JobError(f"{source.at('trajectories')}: {why}")
    problems: list[str] = []
    try:
        checked = Job.model_validate(source.values)
    except ValidationError as error:
        problems.append(str(job_error(error, source)))
    problems += option_problems(source)
    if problems:
        raise JobError("\n".join(problems))
    checked._source = source
    check(checked, source)
    checked.trials()
    return checked
