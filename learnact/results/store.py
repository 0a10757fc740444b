"""The one writer of a run: commits outcomes, keeps what learners write down, and gives back what is
committed.

`commit` returns once its outcome is on stable storage; when that is written is decided in group_commit.py.
Used from one event loop. Tables: tables.py. Files: parts.py. Reading for people: reader.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from learnact.errors import ResultsError, RunTakenOver, StoreUnavailable
from learnact.records import Call, Candidate, Episode, Library, Outcome, Plain, Reply, Request
from learnact.records.synthesis import ReplyCheck, SynthesizedExample
from learnact.results.bounded import BoundedValue, count_by_place
from learnact.results.committed import Committed, FinishedTrial
from learnact.results.counters import Counters, RunCounter
from learnact.results.group_commit import GroupCommit
from learnact.results.location import Location, location_of
from learnact.results.parts import Parts
from learnact.results.pending import CallJournal, JournalLines
from learnact.results.row_buffer import RowBuffer
from learnact.results.run_file import ID_CHARS, NAME, read_run_file, run_folder, write_run_file
from learnact.results.storage import storage_of
from learnact.results.storage.protocol import RunLock
from learnact.results.tables import TABLES, Row

BOUNDED = "values that did not fit"
"""Name of the check that says how many values of each column were bounded."""


@dataclass(frozen=True)
class WriteBatch:
    """What one write stores: rows by table, lines of the journal of calls, and the outcomes that are then
    committed.
    """

    rows: dict[str, list[Row]]
    lines: JournalLines
    outcomes: dict[str, Outcome]
    bounded: list[BoundedValue] = field(default_factory=list)
    """Values that did not fit their columns, found while writing."""


class RunStore:
    """One run's writer. Implements the protocols `Ledger`, `Journal` and `CallLog`."""

    def __init__(self, folder: Location, run: str, name: str, lock: RunLock) -> None:
        self.folder, self.run, self.name = folder, run, name
        self._lock = lock
        self._parts = Parts(folder)
        self._committed = Committed(folder, self._parts)
        self._buffer = RowBuffer(
            run,
            name,
            self._committed.block_hashes(),
            self._committed.next_seq(),
            self._committed.keyed_rows(),
        )
        self._pending = CallJournal(folder, self._committed.__contains__)
        self._libraries = self._committed.libraries()
        self._uncommitted: dict[str, tuple[Outcome, asyncio.Future[None]]] = {}
        self._writer = GroupCommit(name, self._take, self._write, self._written)
        self._bounded: list[BoundedValue] = []
        self._worked = sum(bool(set(p.rows) - {"events"}) for p in self._parts.live) > 1
        trials = self._committed.trial_rows()
        self._counter = RunCounter({trial: status for trial, (status, _) in trials.items()})
        done = {trial: library for trial, (status, library) in trials.items() if status == "done"}
        self._finished = self._committed.finished_trials(done)

    @classmethod
    def open(
        cls,
        results: Location | str,
        run: str,
        name: str,
        job: Plain,
        resolved: Plain,
        versions: Mapping[str, str],
    ) -> RunStore:
        """Start a run, or continue it.

        Raises `ResultsError` when another driver holds it, its schema is unknown, or it cannot be written.
        """
        folder = run_folder(location_of(results), run, name)
        try:
            folder = _known_folder(location_of(results), run) or folder
            storage_of(folder).make()
            lock = storage_of(folder).lock()
        except OSError as error:
            raise _unwritable(folder, error) from error
        try:
            there = _is_on_file(folder, run)
            if not there:
                write_run_file(folder, run, name, versions)
            store = cls(folder, run, name, lock)
            store._buffer.event("resumed" if there else "started", job, resolved, versions)
            store._write(store._take())
        except OSError as error:
            lock.release()
            raise _unwritable(folder, error) from error
        except BaseException:
            lock.release()
            raise
        return store

    async def close(self, event: str = "finished") -> None:
        """Write what waits and the event, merge the parts, and release the run. Idempotent."""
        await self._writer.stop()
        if self._lock.held:
            try:
                if self._writer.failure is None:
                    self._buffer.event(event)
                    await self._writer.flush()
                    if self._bounded:  # found in this flush: a check counts them
                        await self._writer.flush()
                    self._check()
                    if self._worked:
                        await asyncio.to_thread(self._parts.compact)
                    self._pending.rewrite()
            except (OSError, RunTakenOver) as error:
                raise self._unwritten(error) from error
            finally:
                self._pending.close()
                self._lock.release()

    # Ledger -------------------------------------------------------------------------------------------------

    def __contains__(self, key: str) -> bool:
        return key not in self._uncommitted and key in self._committed

    def find(self, key: str) -> Outcome | None:
        """The committed outcome of a unit with its result, or None. Its model has no URLs, its calls are left
        out.
        """
        if key in self._uncommitted:
            return None
        outcome = self._committed.find(key)
        if outcome is not None:
            self._counter.found()
        return outcome

    def finished_trial(self, trial: str, episodes: int) -> FinishedTrial | None:
        """What a trial came to that an earlier session has finished with so many test episodes; None where it
        is not finished, or another number of tests is there.
        """
        finished = self._finished.get(trial)
        return finished if finished is not None and finished.episodes == episodes else None

    def pass_over(self, trial: str) -> None:
        """A finished trial is not gone through again: its units count as found."""
        self._counter.found(self._finished[trial].units)

    async def commit(self, outcome: Outcome) -> None:
        """Returns once the outcome is on stable storage. The first commit of a key wins; a later one is
        dropped.

        A unit that failed (no result) leaves its attempts only. Raises `ResultsError` when storage fails:
        nothing is committed from then on.
        """
        self._check()
        key = outcome.key
        if key in self._committed:
            return
        if key in self._uncommitted:
            done = self._uncommitted[key][1]
        else:
            self._add(outcome)
            done = self._writer.next_write()
            if outcome.result is not None:
                self._uncommitted[key] = (outcome, done)
        try:
            await asyncio.shield(done)
        except Exception as error:
            raise self._unwritten(error) from error

    def _add(self, outcome: Outcome) -> None:
        unit, result = outcome.unit, outcome.result
        calls = list(outcome.calls or self._pending.of(outcome.key))
        if isinstance(unit, Episode) and result is not None:
            self.library(unit.trial, unit.library)
            if unit.opponent is not None:
                self.library(unit.trial, unit.opponent.library)
        if (
            isinstance(unit, Request)
            and isinstance(result, Reply)
            and (not calls or calls[-1].reply != result)
        ):
            ordinal = calls[-1].ordinal + 1 if calls else 0
            calls.append(Call(unit.key, ordinal, unit.purpose, unit.prompt, result))
        self._buffer.outcome(outcome, calls)
        self._counter.outcome(outcome, calls)

    # Journal ------------------------------------------------------------------------------------------------

    def library(self, trial: str, library: Library) -> None:
        """Keep a library under its content address. It is stored no later than the outcome committed next."""
        self._check()
        if library.id and (trial, library.id) not in self._libraries:
            self._libraries[trial, library.id] = library
            self._buffer.library(trial, library)
            self._writer.touch()

    def candidate(self, candidate: Candidate) -> None:
        """Keep a candidate's row; the last row of (trial, iteration, candidate) counts. One that an earlier
        session has kept is written again only where it comes to differ, when its trial ends.
        """
        self._check()
        if self._buffer.candidate(candidate):
            self._writer.touch()

    def examples(self) -> dict[tuple[str, int], str]:
        """The examples of a synthesis that earlier sessions have ended, by trial and number, with how."""
        return self._committed.examples()

    def example(self, example: SynthesizedExample) -> None:
        """Keep an example of a synthesis that has ended, once. It is stored no later than the outcome that is
        committed next.
        """
        self._check()
        self._buffer.example(example)
        self._writer.touch()

    def reply_check(self, check: ReplyCheck) -> None:
        """Keep what was found in a reply; the last row of (trial, example, stage, attempt) counts."""
        self._check()
        if self._buffer.reply_check(check):
            self._writer.touch()

    def trial(self, trial: str, row: Plain) -> None:
        """Keep a trial's row; the last one counts. Keys without a column of their own are kept as JSON in
        `more`.
        """
        self._check()
        self._counter.trial(trial, str(row.get("status") or "") if isinstance(row, dict) else "")
        if self._buffer.trial(trial, row):
            self._writer.touch()

    def check(self, name: str, row: Plain) -> None:
        """Keep a fact that the run has checked, e.g. that no test task is a training task. The last of a name
        counts; one that is kept already is not written again.
        """
        self._check()
        if self._buffer.check(name, row):
            self._writer.touch()

    # CallLog ------------------------------------------------------------------------------------------------

    def record(self, call: Call) -> None:
        """Take a call of a unit that is being played: it outlives this process from now on, and the machine
        within a second."""
        if call.unit not in self._uncommitted:
            self._pending.record(call)
            self._writer.touch(hurry=False)

    def replay(self, unit: str) -> tuple[Call, ...]:
        """Acknowledged calls of an interrupted unit, in order, to be used instead of new ones."""
        return self._pending.of(unit)

    # Counting and writing -----------------------------------------------------------------------------------

    @property
    def counters(self) -> Counters:
        """What has been done so far."""
        return self._counter.counters

    def _check(self) -> None:
        if self._writer.failure is not None:
            raise self._unwritten(self._writer.failure) from self._writer.failure
        if self._lock.lost_to:
            raise _taken_over(self.folder, self._lock.lost_to)
        if not self._lock.held:
            raise ResultsError(f"the run in {self.folder} has been closed")

    def _unwritten(self, error: BaseException) -> ResultsError:
        if isinstance(error, RunTakenOver):
            return _taken_over(self.folder, self._lock.lost_to or "another driver")
        if isinstance(error, ResultsError):
            return error
        return ResultsError(
            f"{self.folder} could not be written: {error}; what was stored before is kept: once the folder "
            "can be written again, run the same command again and it continues"
        )

    def _take(self) -> WriteBatch:
        rows = self._buffer.take()
        self._worked = self._worked or any(name != "events" for name in rows)
        outcomes = {key: outcome for key, (outcome, _) in self._uncommitted.items()}
        return WriteBatch(rows, self._pending.take(), outcomes)

    def _write(self, batch: WriteBatch) -> None:
        if batch.rows:
            tables: dict[str, pa.Table] = {}
            for name, rows in batch.rows.items():
                tables[name], bounded = TABLES[name].arrow(rows)
                batch.bounded.extend(bounded)
            self._parts.append(tables)
        self._pending.store(batch.lines)

    def _written(self, batch: WriteBatch) -> None:
        for key, outcome in batch.outcomes.items():
            self._uncommitted.pop(key, None)
            self._committed.add(outcome)
            self._pending.forget(key)
        if batch.bounded:
            self._bounded += batch.bounded
            self._buffer.check(BOUNDED, count_by_place(self._bounded))
            self._writer.touch()


def _known_folder(results: Location, run: str) -> Location | None:
    """The folder that the run has already, whatever it is called."""
    try:
        inside = storage_of(results).folders()
    except FileNotFoundError:
        return None
    known = (results / name for name in inside if name.endswith(f"-{run[:ID_CHARS]}"))
    return next((folder for folder in known if storage_of(folder).exists(NAME)), None)


def _taken_over(folder: Location, who: str) -> RunTakenOver:
    return RunTakenOver(
        f"the run in {folder} has been taken over by {who}, since this driver gave no sign of life for a "
        "while; this one ends, and what it had committed is kept"
    )


def _unwritable(folder: Location, error: OSError) -> ResultsError:
    if isinstance(error, StoreUnavailable):
        return ResultsError(
            f"cannot write results to {folder}: {error}; once it answers, run the same command again"
        )
    return ResultsError(
        f"cannot write results to {folder}: {error.strerror or error}; make room or permit writing there, or "
        "choose another --results folder"
    )


def _is_on_file(folder: Location, run: str) -> bool:
    if not storage_of(folder).exists(NAME):
        return False
    known = read_run_file(folder).run
    if known != run:
        raise ResultsError(f"{folder} holds another run ({known}); choose another --results folder")
    return True
