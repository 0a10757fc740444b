"""`learnact replay`: do a finished run again from its recorded calls, and say where it differs.

    run on file -> its job -> trials of this version -> ReplayRunner -> identity, or a difference

The learners run as they would, on the recorded results; every episode is played again with the recorded
replies, in the real environment and sandbox. No model is asked. What may differ is this program.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from learnact.errors import BadInput
from learnact.job import load
from learnact.job.preflight import preflight
from learnact.records import Candidate, Episode, Library, Outcome, Request, Unit
from learnact.records.trials import TrialSpec
from learnact.results.location import Location, location_of
from learnact.results.reader import find_run
from learnact.results.recorded import FORK_OF, RecordedRun, RecordedTrial
from learnact.runners.recorded import RecordDifference, ReplayRunner, different_texts, text_of
from learnact.trial import LearningCosts, TrialResult, run_trial


@dataclass(frozen=True)
class Found:
    """A difference with its place: the trial, and the unit in words."""

    trial: str
    unit: str
    difference: RecordDifference


@dataclass
class ReplayReport:
    """What a replay came to. `first` is None where everything is as recorded.

    `episodes`, `requests`: done again. `unplayed`: units without a result on file, because the run was not
    finished. `unasked`: recorded units that were not asked for now.
    """

    run: str
    episodes: int = 0
    requests: int = 0
    unplayed: int = 0
    unasked: int = 0
    first: Found | None = None

    @property
    def identical(self) -> bool:
        """Whether all that is recorded came out again, and nothing else."""
        return self.first is None and not self.unasked


def replay(run: str, *, results: str | Location = Path("results"), in_flight: int = 8) -> ReplayReport:
    """Replay a run by its name, id or folder (see `find_run`).

    Raises:
        BadInput: there is no such run, it is damaged, or its job cannot be loaded any more.
    """
    record = RecordedRun(find_run(results, run).folder)
    if FORK_OF in record.job:
        raise BadInput(
            f"run {record.info.run} holds forks; replay the run {record.job[FORK_OF]} that they go on from"
        )
    return asyncio.run(_replay(record, location_of(results), in_flight))


async def _replay(record: RecordedRun, results: Location, in_flight: int) -> ReplayReport:
    plan = preflight(load(record.job), results)
    recorded = {trial.place: trial for trial in record.trials()}
    replayed = _Replayed(record, recorded, plan.trials)
    costs = LearningCosts()
    async with ReplayRunner(
        replayed.find, replayed.report, lambda: bool(replayed.found), in_flight
    ) as runner:

        async def one(trial: TrialSpec) -> TrialResult:
            given = plan.libraries.get(trial.id)
            return await run_trial(trial, runner, _KeepsNothing(), lambda _trial, _text: None, given, costs)

        ended = await asyncio.gather(*(one(trial) for trial in plan.trials))
    replayed.compare(ended)
    return replayed.summary(record.info.run)


class _KeepsNothing:
    """Keeps nothing. Implements `protocols.Journal`."""

    def library(self, trial: str, library: Library) -> None:
        """Nothing."""

    def candidate(self, candidate: Candidate) -> None:
        """Nothing."""


@dataclass
class _ReplayedTrial:
    """A trial of now with its record: the recorded units by what does not change with the program."""

    number: int
    spec: TrialSpec
    recorded: RecordedTrial | None
    units: dict[str, Outcome] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)

    @property
    def shown(self) -> str:
        return self.recorded.shown if self.recorded else f"{self.spec.label} on {self.spec.domain.name}"


class _Replayed:
    """What was found so far."""

    def __init__(
        self,
        record: RecordedRun,
        recorded: dict[tuple[str, str, str, str, int], RecordedTrial],
        trials: Sequence[TrialSpec],
    ) -> None:
        self._trials: dict[str, _ReplayedTrial] = {}
        for number, trial in enumerate(trials):
            place = (
                trial.label,
                trial.domain.name,
                trial.agent_model.shown,
                trial.learned_by,
                trial.learn_repeat,
            )
            self._trials[trial.id] = one = _ReplayedTrial(number, trial, recorded.get(place))
            if one.recorded is not None:
                one.units = {_lasting(o.unit): o for o in record.outcomes(one.recorded.id)}
                one.left = set(one.units)
        self._order: dict[str, tuple[int, int]] = {}
        self._counts = {Episode: 0, Request: 0}
        self._unplayed = 0
        self.found: list[tuple[tuple[int, int], Found]] = []

    def find(self, unit: Unit) -> Outcome | None:
        """The recorded outcome of a unit of now."""
        trial = self._trials[unit.trial]
        self._order.setdefault(unit.key, (trial.number, len(self._order)))
        key = _lasting(unit)
        outcome = trial.units.get(key)
        trial.left.discard(key)
        if outcome is None:
            self._not_recorded(trial, unit)
        return outcome

    def report(self, unit: Unit, difference: RecordDifference | None) -> None:
        """A unit was done again."""
        self._counts[type(unit)] += 1
        if difference is not None:
            self._add(self._trials[unit.trial], unit, difference)

    def compare(self, ended: Sequence[TrialResult]) -> None:
        """Each trial ended as it did."""
        for result in ended:
            trial = self._trials[result.trial.id]
            if trial.recorded and trial.recorded.status == "done" and not self.found:
                before = f"{trial.recorded.status}, library {trial.recorded.library or 'none'}"
                now = f"{result.status}, library {result.library or 'none'}"
                if before != now:
                    what = f"the trial ends otherwise{f' ({result.reason})' if result.reason else ''}"
                    place = (trial.number, len(self._order))
                    self.found.append(
                        (place, Found(trial.shown, "", RecordDifference("", None, what, before, now)))
                    )

    def summary(self, run: str) -> ReplayReport:
        """The report, with the difference that comes first in the order of the job."""
        first = min(self.found, key=lambda found: found[0])[1] if self.found else None
        unasked = 0 if first else sum(len(trial.left) for trial in self._trials.values())
        return ReplayReport(run, self._counts[Episode], self._counts[Request], self._unplayed, unasked, first)

    def _not_recorded(self, trial: _ReplayedTrial, unit: Unit) -> None:
        """A unit without a record: not played, or another one than before."""
        if trial.recorded is None:
            self._add(trial, unit, RecordDifference("", None, "the run has no such trial"))
            return
        like = next((o.unit for o in trial.units.values() if _same_place(o.unit, unit)), None)
        if like is not None:
            self._add(trial, unit, _changed(like, unit))
        elif trial.recorded.status == "done":
            self._add(trial, unit, RecordDifference("", None, "the record has no such unit"))
        else:
            self._unplayed += 1

    def _add(self, trial: _ReplayedTrial, unit: Unit, difference: RecordDifference) -> None:
        self.found.append((self._order[unit.key], Found(trial.shown, described(unit), difference)))


def described(unit: Unit) -> str:
    """A unit in words."""
    if isinstance(unit, Episode):
        return f"{unit.phase} episode on {unit.domain.name}, task {unit.task.name}, repeat {unit.test_repeat}"
    place = f"iteration {unit.iteration}, candidate {unit.candidate}, try {unit.attempt}"
    return f"request to {unit.purpose}, {place}"


def _lasting(unit: Unit) -> str:
    """Identity of a unit without what stands for the version of the program."""
    if isinstance(unit, Episode):
        return replace(unit, trial="", prompts="", versions="").key
    return replace(unit, trial="").key


def _same_place(one: Unit, other: Unit) -> bool:
    """Whether two units are the same step of a trial, with other content."""
    fields: tuple[str, ...]
    if isinstance(one, Request) and isinstance(other, Request):
        fields = ("purpose", "iteration", "candidate", "attempt", "seed")
    elif isinstance(one, Episode) and isinstance(other, Episode):
        fields = ("phase", "domain", "seed", "agent", "replicate", "learn_repeat", "test_repeat")
    else:
        return False
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def _changed(recorded: Unit, now: Unit) -> RecordDifference:
    if isinstance(recorded, Request) and isinstance(now, Request):
        before, after = text_of(recorded.prompt), text_of(now.prompt)
        return RecordDifference(recorded.key, None, "the prompt differs", *different_texts(before, after))
    names = ("task", "library", "budget", "rules", "model")
    name = next((n for n in names if getattr(recorded, n, None) != getattr(now, n, None)), "content")
    before, after = str(getattr(recorded, name, "")), str(getattr(now, name, ""))
    return RecordDifference(recorded.key, None, f"the {name} differs", *different_texts(before, after))


def check_finished(report: ReplayReport) -> None:
    """Raises `BadInput` for a run of which nothing could be done again."""
    if not report.episodes and not report.requests and report.first is None:
        raise BadInput(f"run {report.run} holds no finished unit; `learnact run` its job first")
