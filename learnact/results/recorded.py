"""A run on file as what was done: its job, its trials, and each unit with its result and its calls. Reads
only; the run may be going on.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from learnact.errors import ResultsError
from learnact.records import Outcome
from learnact.results.committed import Committed
from learnact.results.location import Location
from learnact.results.manifests import ResultsPart, live_parts
from learnact.results.run_file import read_run_file
from learnact.results.storage import storage_of

FORK_OF = "fork_of"
"""The key under which a run of forks names the run that they go on from, in the place of a job."""
TRAJECTORIES = "trajectories"
"""The key under which the job of a synthesis says how many are wanted (synthesis/job.py)."""


def compares_methods(folder: Location) -> bool:
    """Whether a run's episodes are results of methods: it holds neither forks nor a synthesis of training
    data. True where it cannot be read.
    """
    try:
        return not {FORK_OF, TRAJECTORIES} & RecordedRun(folder).job.keys()
    except ResultsError:
        return True


@dataclass(frozen=True)
class RecordedTrial:
    """A trial's last row: who, where, how it ended, with which library ("" for none)."""

    id: str
    label: str
    domain: str
    agent_model: str
    learner_model: str
    learn_repeat: int
    status: str
    library: str
    options: str

    @property
    def place(self) -> tuple[str, str, str, str, int]:
        """What tells it from the other trials of its run, whatever version of the program played it."""
        return (self.label, self.domain, self.agent_model, self.learner_model, self.learn_repeat)

    @property
    def shown(self) -> str:
        """For people."""
        return f"{self.label} on {self.domain}, learning repeat {self.learn_repeat}"


class RecordedRun:
    """A run's folder, read. Raises `ResultsError` where it is damaged."""

    def __init__(self, folder: Location) -> None:
        self.info = read_run_file(folder)
        weakref.finalize(self, storage_of(folder).begin_reading())
        self._committed = Committed(folder, _Live(live_parts(folder)))

    @property
    def job(self) -> dict[str, Any]:
        """The job with everything filled in, as it was when the run began."""
        rows = self._committed.read("events", ["seq", "resolved"]).sort_by("seq").to_pylist()
        found = next((row["resolved"] for row in rows if row["resolved"]), None)
        if found is None:
            raise ResultsError(f"{self.info.folder} does not hold the job that it was made from")
        job: dict[str, Any] = json.loads(found)
        return job

    def trials(self) -> list[RecordedTrial]:
        """The trials, each by its last row."""
        rows = {row["trial"]: row for row in self._committed.read("trials").sort_by("seq").to_pylist()}
        return [
            RecordedTrial(
                id=trial,
                label=row["method"],
                domain=row["domain"],
                agent_model=row["agent_model"] or "",
                learner_model=row["learner_model"] or "",
                learn_repeat=row["learn_repeat"] or 0,
                status=row["status"] or "",
                library=row["library"] or "",
                options=row["options"] or "{}",
            )
            for trial, row in rows.items()
        ]

    def outcomes(self, trial: str) -> Iterator[Outcome]:
        """The units of a trial with their results and calls."""
        return self._committed.with_calls(trial)

    def episode(self, beginning: str) -> Outcome:
        """An episode with its result and calls, by key or the beginning of it."""
        keys = [key for key in self._committed.keys_of("episodes") if key.startswith(beginning)]
        if len(keys) != 1 or not beginning:
            found = f"begins the keys of {len(keys)} episodes" if keys and beginning else "is no episode"
            raise ResultsError(
                f"{beginning!r} {found} of {self.info.folder.name}; list them: "
                f"learnact sql --run {self.info.folder.name} 'SELECT key, method, domain FROM episodes'"
            )
        return next(self._committed.with_calls(self._committed.trial_of(keys[0]), keys[0]))


@dataclass(frozen=True)
class _Live:
    """Parts that do not change."""

    live: Sequence[ResultsPart]
