"""The one writer of a run: commits outcomes, keeps what learners write down, and gives back what is committed.

Group commit: outcomes that arrive close together go into one part. A part is written when no outcome has arrived for `QUIET` seconds, and at least
every `PERIOD` seconds while they keep arriving; in between, writing is kept to about one tenth of the time. `commit` returns once its outcome is on
stable storage. Used from one event loop; writing happens in a thread beside it. Formats: schema.py, parts.py. Reading for people: reader.py.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import socket
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from learnact.errors import ResultsError
from learnact.records import (
    Call,
    Candidate,
    Episode,
    EpisodeResult,
    Library,
    Outcome,
    Plain,
    Reply,
    Request,
    Tokens,
    canonical,
    history_entries,
)
from learnact.results import files, rows
from learnact.results.blocks import Blocks
from learnact.results.committed import Committed
from learnact.results.counters import Counters
from learnact.results.parts import Parts, check_version
from learnact.results.pending import CallJournal
from learnact.results.redact import hide, hide_in, secrets
from learnact.results.schema import SCHEMA_VERSION

QUIET = 0.01
PERIOD = 1.0
ID_CHARS = 12
REST = 9.0
"""Seconds of rest for each second of writing, as far as `PERIOD` allows."""

TRIAL_COLUMNS = (
    "method",
    "domain",
    "agent_model",
    "learner_model",
    "learn_repeat",
    "test_repeats",
    "test_episodes",
    "seed",
    "status",
    "reason",
    "library",
    "options",
)


def run_folder(results: Path, run: str, name: str) -> Path:
    """Where a run lies: the job's name for people, the beginning of the run's id for uniqueness."""
    return results / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name).strip('-.') or 'run'}-{run[:ID_CHARS]}"


class RunStore:
    """One run's writer. Implements the protocols `Ledger`, `Journal` and `CallLog`."""

    def __init__(self, folder: Path, run: str, name: str, lock: files.Lock) -> None:
        self.folder, self.run, self.name = folder, run, name
        self._lock = lock
        self._secrets = secrets()
        self._parts = Parts(folder)
        self._committed = Committed(folder, self._parts)
        self._blocks = Blocks(self._committed.block_hashes())
        self._pending = CallJournal(folder, self._committed.__contains__)
        self._libraries = self._committed.libraries()
        self._seq = self._committed.next_seq()
        self._buffer: dict[str, list[rows.Row]] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._uncommitted: dict[str, tuple[Outcome, asyncio.Future[None]]] = {}
        self._changed = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
        self._first, self._last, self._rested = 0.0, math.inf, 0.0
        self._failure: BaseException | None = None
        self._worked = sum(bool(set(p.rows) - {"events"}) for p in self._parts.live) > 1
        self._counters = Counters()
        self._statuses: dict[str, str] = self._committed.trial_statuses()

    @classmethod
    def open(
        cls,
        results: Path | str,
        run: str,
        name: str,
        job: Plain,
        resolved: Plain,
        versions: Mapping[str, str],
    ) -> RunStore:
        """Start a run, or continue it. Raises `ResultsError` when another driver holds it or its schema is unknown."""
        known = sorted(Path(results).glob(f"*-{run[:ID_CHARS]}/run.json"))
        folder = known[0].parent if known else run_folder(Path(results), run, name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResultsError(
                f"cannot write results to {folder}: {error.strerror}; choose another --results"
            ) from error
        lock = files.Lock(folder)
        try:
            there = _greet(folder, run, name, versions)
            store = cls(folder, run, name, lock)
            store._event("resumed" if there else "started", job, resolved, versions)
            store._write(store._take())
        except BaseException:
            lock.release()
            raise
        return store

    # Ledger -----------------------------------------------------------------------------------------------------------

    def find(self, key: str) -> Outcome | None:
        """The committed outcome of a unit with its result, its model without URLs, or None. Its calls are read with the reader."""
        if key in self._uncommitted:
            return None
        outcome = self._committed.find(key)
        if outcome is not None:
            self._counters = replace(self._counters, found=self._counters.found + 1)
        return outcome

    async def commit(self, outcome: Outcome) -> None:
        """Returns once the outcome is on stable storage. The first commit of a key wins; a later one is dropped.

        A unit that failed (no result) leaves its attempts only. Raises `ResultsError` when storage fails: nothing is committed from then on.
        """
        self._check()
        key = outcome.key
        if key in self._committed:
            return
        if key in self._uncommitted:
            await asyncio.shield(self._uncommitted[key][1])
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._add(outcome)
        if outcome.result is not None:
            self._uncommitted[key] = (outcome, done)
        self._waiting.append(done)
        self._touch()
        await asyncio.shield(done)

    def _add(self, outcome: Outcome) -> None:
        unit, result = outcome.unit, outcome.result
        calls: list[Call] = list(outcome.calls or self._pending.of(outcome.key))
        kind = "episode" if isinstance(unit, Episode) else "request"
        now = time.time()
        for tried in outcome.attempts:
            error = hide(tried.error, self._secrets)
            self._put(
                "attempts",
                (
                    self.run,
                    unit.trial,
                    tried.unit,
                    kind,
                    tried.attempt,
                    tried.boundary,
                    error,
                    tried.seconds,
                    tried.node,
                    now,
                ),
            )
        if isinstance(unit, Episode) and isinstance(result, EpisodeResult):
            self._episode(unit, outcome, result, calls)
        elif isinstance(unit, Request) and isinstance(result, Reply):
            self._request(unit, outcome, result, calls)
        elif result is not None:
            raise TypeError(f"a {type(unit).__name__} cannot come to a {type(result).__name__}")
        self._count(outcome, calls)

    def _episode(self, unit: Episode, outcome: Outcome, result: EpisodeResult, calls: list[Call]) -> None:
        self.library(unit.trial, unit.library)
        self._put("episodes", rows.episode_row(self.run, unit, outcome, result, self._blocks))
        self._buffer.setdefault("turns", []).extend(
            rows.turn_rows(self.run, unit.trial, unit.key, result.turns)
        )
        self._calls(unit.trial, calls, history_entries(result.turns))

    def _request(self, unit: Request, outcome: Outcome, result: Reply, calls: list[Call]) -> None:
        if not calls or calls[-1].reply != result:
            ordinal = calls[-1].ordinal + 1 if calls else 0
            calls.append(Call(unit.key, ordinal, unit.purpose, unit.prompt, result))
        self._put("requests", rows.request_row(self.run, unit, outcome, calls, self._blocks))
        self._calls(unit.trial, calls, ())

    def _calls(self, trial: str, calls: list[Call], entries: tuple[str, ...]) -> None:
        self._buffer.setdefault("calls", []).extend(
            rows.call_row(self.run, trial, call, entries, self._blocks) for call in calls
        )

    # Journal ----------------------------------------------------------------------------------------------------------

    def library(self, trial: str, library: Library) -> None:
        """Keep a library under its content address. It is on storage no later than the outcome committed next."""
        if library.id and (trial, library.id) not in self._libraries:
            self._libraries[trial, library.id] = library
            self._put("libraries", rows.library_row(self.run, trial, library))
            self._touch()

    def candidate(self, candidate: Candidate) -> None:
        """Keep a candidate's row; the last row of (trial, iteration, candidate) counts."""
        self._put("candidates", rows.candidate_row(self.run, self._number(), candidate))
        self._touch()

    def trial(self, trial: str, row: Plain) -> None:
        """Keep a trial's row; the last one counts. Keys with a column of their own: `TRIAL_COLUMNS`; others are kept as JSON in `more`."""
        given = dict(hide_in(row, self._secrets) if isinstance(row, dict) else {})  # type: ignore[arg-type]
        cells: dict[str, Any] = {name: given.pop(name, None) for name in TRIAL_COLUMNS}
        for name in ("method", "domain", "agent_model", "learner_model", "options"):
            if cells[name] is not None and not isinstance(cells[name], str):
                cells[name] = canonical(cells[name])
        ordered = (cells[name] for name in TRIAL_COLUMNS)
        self._put("trials", (self.run, self._number(), trial, *ordered, canonical(given)))
        self._statuses[trial] = str(cells["status"] or "")
        self._touch()

    def check(self, name: str, row: Plain) -> None:
        """Keep a fact that the run has made sure of, e.g. that no test task is a training task. The last row of a name counts."""
        self._put("checks", (self.run, self._number(), name, canonical(hide_in(row, self._secrets))))
        self._touch()

    # CallLog ----------------------------------------------------------------------------------------------------------

    def record(self, call: Call) -> None:
        """Take a call of a unit that is being played; does not wait for it to be stored."""
        if call.unit not in self._uncommitted:
            self._pending.record(call)
            self._touch(hurry=False)

    def replay(self, unit: str) -> tuple[Call, ...]:
        """Acknowledged calls of an interrupted unit in order, to be used instead of asking the model again."""
        return self._pending.of(unit)

    # Counting ---------------------------------------------------------------------------------------------------------

    @property
    def counters(self) -> Counters:
        """What has been done so far."""
        return replace(self._counters, trials=dict(sorted(Counter(self._statuses.values()).items())))

    def _count(self, outcome: Outcome, calls: list[Call]) -> None:
        old, result = self._counters, outcome.result
        tokens = old.tokens + rows.total([call.reply.tokens for call in calls])
        costs = [call.reply.cost for call in calls]
        if isinstance(result, EpisodeResult) and not calls:
            tokens, costs = tokens + result.tokens, [result.cost]
        self._counters = replace(
            old,
            episodes=old.episodes + isinstance(result, EpisodeResult),
            requests=old.requests + isinstance(result, Reply),
            calls=old.calls + len(calls),
            tokens=tokens,
            cost=old.cost + sum(cost for cost in costs if cost is not None),
            unpriced=old.unpriced + sum(cost is None for cost in costs),
            attempts=old.attempts + len(outcome.attempts),
            failed=old.failed + (result is None),
        )

    # Writing ----------------------------------------------------------------------------------------------------------

    async def close(self, event: str = "finished") -> None:
        """Write what waits and the event, merge the parts, and let go of the run. Idempotent."""
        if self._flusher is not None:
            self._flusher.cancel()
            await asyncio.gather(self._flusher, return_exceptions=True)
            self._flusher = None
        if self._lock.held:
            try:
                if self._failure is None:
                    self._event(event)
                    await self._flush()
                    self._check()
                    if self._worked:
                        await asyncio.to_thread(self._parts.compact)
                    self._pending.rewrite()
            finally:
                self._lock.release()

    def _event(
        self, event: str, job: Plain = None, resolved: Plain = None, versions: Mapping[str, str] | None = None
    ) -> None:
        shown = [
            canonical(hide_in(value, self._secrets)) if value is not None else None
            for value in (job, resolved)
        ]
        self._put(
            "events",
            (
                self.run,
                self._number(),
                self.name,
                event,
                time.time(),
                *shown,
                canonical(dict(versions)) if versions else None,
                socket.gethostname(),
                os.getpid(),
            ),
        )

    def _number(self) -> int:
        self._seq += 1
        return self._seq

    def _put(self, table: str, row: rows.Row) -> None:
        self._check()
        self._buffer.setdefault(table, []).append(row)

    def _check(self) -> None:
        if self._failure is not None:
            raise ResultsError(f"{self.folder} could not be written: {self._failure}") from self._failure
        if not self._lock.held:
            raise ResultsError(f"the run in {self.folder} has been closed")

    def _touch(self, hurry: bool = True) -> None:
        """Something waits to be written: see to it that the flusher runs and knows. Outside of an event loop it waits for `close`."""
        now = time.monotonic()
        self._first = self._first or now
        if hurry:
            self._last = now
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._changed.set()
        if self._flusher is None or self._flusher.done():
            self._flusher = loop.create_task(self._keep_flushing(), name=f"results of {self.name}")

    async def _keep_flushing(self) -> None:
        while self._failure is None:
            await self._changed.wait()
            self._changed.clear()
            while (wait := self._due() - time.monotonic()) > 0:
                await asyncio.sleep(min(wait, QUIET))
            await self._flush()

    def _due(self) -> float:
        return min(max(self._last + QUIET, self._rested), self._first + PERIOD)

    async def _flush(self) -> None:
        async with self._writing:
            waiting, self._waiting = self._waiting, []
            written = dict(self._uncommitted)
            lines, taken = self._pending.take(), self._take()
            self._first, self._last, began = 0.0, math.inf, time.monotonic()
            work = asyncio.ensure_future(asyncio.to_thread(self._write, taken, lines))
            try:
                await asyncio.shield(work)
            except asyncio.CancelledError:
                await asyncio.gather(work, return_exceptions=True)
                self._settle(work, written, waiting)
                raise
            except Exception:  # noqa: BLE001 - attributed in _settle: every caller of commit gets it
                pass
            ended = time.monotonic()
            self._rested = ended + REST * (ended - began)
            self._settle(work, written, waiting)
            self._pending.rewrite_when_large()

    def _settle(
        self,
        work: asyncio.Future[None],
        written: dict[str, tuple[Outcome, asyncio.Future[None]]],
        waiting: list[asyncio.Future[None]],
    ) -> None:
        error = work.exception()
        self._failure = self._failure or error
        for key, (outcome, _) in written.items():
            self._uncommitted.pop(key, None)
            if error is None:
                self._committed.add(outcome)
                self._pending.forget(key)
        for done in waiting:
            if done.done():
                continue
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(ResultsError(f"{self.folder} could not be written: {error}"))

    def _take(self) -> dict[str, list[rows.Row]]:
        buffer, self._buffer = self._buffer, {}
        blocks = self._blocks.take()
        if blocks:
            buffer["blocks"] = [(self.run, address, text) for address, text in blocks.items()]
        self._worked = self._worked or any(name != "events" for name in buffer)
        return buffer

    def _write(self, taken: dict[str, list[rows.Row]], lines: str = "") -> None:
        if taken:
            tables: dict[str, pa.Table] = {name: rows.arrow(name, found) for name, found in taken.items()}
            self._parts.append(tables)
        if lines:
            self._pending.append(lines)


def _greet(folder: Path, run: str, name: str, versions: Mapping[str, str]) -> bool:
    """Whether the run was there already; writes `run.json` when it was not."""
    card = folder / "run.json"
    if card.exists():
        known = json.loads(card.read_text())
        check_version(known.get("schema_version"), card)
        if known["run"] != run:
            raise ResultsError(
                f"{folder} holds another run ({known['run']}); choose another --results folder"
            )
        return True
    content = {
        "schema_version": SCHEMA_VERSION,
        "run": run,
        "name": name,
        "created": time.time(),
        "versions": dict(versions),
    }
    files.put(card, json.dumps(content, indent=1).encode())
    files.sync_folder(folder)
    return False


__all__ = ["Counters", "RunStore", "Tokens", "run_folder"]
