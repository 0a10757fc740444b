"""`Job`: a job file, checked, with its identity and its trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from pydantic import PrivateAttr, ValidationError

from learnact.errors import JobError
from learnact.job import grid
from learnact.job.file import JobFile, Key, from_mapping, override, read, with_presets
from learnact.job.messages import job_error
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
        """Content address of the run: equal for jobs that ask for the same trials, whatever their name, place, prices or endpoints. Where
        libraries are another run's, `preflight` finds it."""
        return run_id(self.trials())

    def resolved(self) -> dict[str, Plain]:
        """The whole job as plain data, defaults and presets filled in; `load` takes it back."""
        return cast("dict[str, Plain]", {**self.model_dump(mode="json", by_alias=True), "preset": None})

    def given(self) -> dict[str, Plain]:
        """What was written, presets and overrides applied, nothing filled in."""
        return cast("dict[str, Plain]", self._source.values)

    def trials(self, taught: Mapping[str, tuple[TrainedTrial, ...]] | None = None) -> tuple[TrialSpec, ...]:
        """The grid, each trial once. Raises `JobError` for impossible combinations; `load` has looked for those.

        `taught`: what the runs have learned whose libraries the job names, by the run's name; to be given where it names any.
        """
        return grid.trials(self, self._source, taught) if taught else self._trials

    @cached_property
    def _trials(self) -> tuple[TrialSpec, ...]:
        return grid.trials(self, self._source)

    def where(self, path: str | Sequence[Key] = ()) -> str:
        """The place of a key (`domains.1.train`), such as `jobs/a.yaml:12`, `--set ...` or `preset paper:3`."""
        return self._source.where(path)

    def error(self, path: str | Sequence[Key], message: str) -> JobError:
        """An error about a key, to be raised by a floor that knows more than the file's form."""
        from learnact.job.file import dotted, keys_of

        return JobError(f"{self.where(path)}: {dotted(keys_of(path))}: {message}")


def run_id(trials: Sequence[TrialSpec]) -> str:
    """Content address of a run, from its trials."""
    return digest("job", sorted((trial.id, trial.test_repeats, trial.label) for trial in trials))


def load(job: str | Path | Mapping[str, Any], overrides: Sequence[str] = ()) -> Job:
    """A job from a file or a mapping, with presets and `key=value` overrides. Raises `JobError` before anything starts.

    >>> load({"name": "x", "domains": "gripper", "methods": "act"}, ["repeats.test=2"]).repeats.test
    2
    """
    source = from_mapping(job) if isinstance(job, Mapping) else read(job_path(job))
    source = with_presets(override(source, overrides))
    try:
        checked = Job.model_validate(source.values)
    except ValidationError as error:
        raise job_error(error, source) from None
    checked._source = source
    check(checked, source)
    checked.trials()
    return checked
