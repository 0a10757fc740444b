"""Rows of a run that wait to be written, made from records as they come."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from learnact.records import (
    Attempt,
    Call,
    Candidate,
    Episode,
    EpisodeResult,
    Library,
    Outcome,
    Plain,
    Reply,
    Request,
    history_entries,
)
from learnact.records.synthesis import ReplyCheck, SynthesisScript, SynthesizedExample
from learnact.results import rows, tables
from learnact.results.blocks import Blocks
from learnact.results.bounded import json_text
from learnact.results.newest_rows import NewestRows
from learnact.results.redact import hide, hide_in, secrets
from learnact.results.tables import Row

NO_SCRIPT = SynthesisScript("", "", (), ())
"""What is stored of an example that came to none."""


class RowBuffer:
    """Rows by table. `known` are addresses of texts on file, `seq` is the highest number given so far,
    `keyed` are the rows on file of the tables in which the last row of a key counts.
    """

    def __init__(
        self,
        run: str,
        name: str,
        known: Sequence[str],
        seq: int,
        keyed: Mapping[str, Sequence[Mapping[str, Any]]],
    ) -> None:
        self.run, self.name = run, name
        self._newest = NewestRows(keyed)
        self._blocks = Blocks(known)
        self._seq = seq
        self._secrets = secrets()
        self._rows: dict[str, list[Row]] = {}

    def take(self) -> dict[str, list[Row]]:
        """All rows, with the texts that they need; the buffer is empty afterwards."""
        for address, text in self._blocks.take().items():
            self._put("blocks", tables.BLOCKS.row(run=self.run, hash=address, text=text))
        taken, self._rows = self._rows, {}
        return taken | self._newest.take()

    def outcome(self, outcome: Outcome, calls: Sequence[Call]) -> None:
        """Rows of an outcome with its calls; one without result leaves its attempts only."""
        unit, result = outcome.unit, outcome.result
        self._attempts(outcome)
        if isinstance(unit, Episode) and isinstance(result, EpisodeResult):
            self._put("episodes", rows.episode_row(self.run, unit, outcome, result, self._blocks))
            turns = rows.turn_rows(self.run, unit.trial, unit.key, result.turns)
            self._rows.setdefault("turns", []).extend(turns)
            self._calls(unit.trial, calls, history_entries(result.turns))
        elif isinstance(unit, Request) and isinstance(result, Reply):
            self._put("requests", rows.request_row(self.run, unit, outcome, calls, self._blocks))
            self._calls(unit.trial, calls, ())
        elif result is not None:
            raise TypeError(f"a {type(unit).__name__} cannot come to a {type(result).__name__}")

    def library(self, trial: str, library: Library) -> None:
        """A row of `libraries`."""
        self._put("libraries", tables.LIBRARIES.row(run=self.run, trial=trial, library=library))

    def candidate(self, candidate: Candidate) -> bool:
        """A row of `candidates`; False where none is written now."""
        row = tables.CANDIDATES.row(run=self.run, seq=self._number(), candidate=candidate)
        return self._newest.put_anew(tables.CANDIDATES, row)

    def example(self, example: SynthesizedExample) -> None:
        """A row of `trajectories`."""
        row = tables.TRAJECTORIES.row(run=self.run, example=example, script=example.script or NO_SCRIPT)
        self._put("trajectories", row)

    def reply_check(self, check: ReplyCheck) -> bool:
        """A row of `reply_checks`; False where the last of that reply is equal."""
        row = tables.REPLY_CHECKS.row(run=self.run, seq=self._number(), check=check)
        return self._newest.put(tables.REPLY_CHECKS, row)

    def trial(self, trial: str, facts: Plain) -> bool:
        """A row of `trials`, without secrets; False where the last of that trial is equal."""
        hidden = hide_in(facts, self._secrets)
        known: dict[str, Any] = hidden if isinstance(hidden, dict) else {}
        if known.get("status") != "running":
            self._newest.settle(tables.CANDIDATES, run=self.run, trial=trial)
        row = rows.trial_row(self.run, self._number(), trial, known)
        return self._newest.put(tables.TRIALS, row)

    def check(self, name: str, facts: Plain) -> bool:
        """A row of `checks`, without secrets; False where the last of that name is equal."""
        shown = json_text(hide_in(facts, self._secrets))
        row = tables.CHECKS.row(run=self.run, seq=self._number(), name=name, facts=shown)
        return self._newest.put(tables.CHECKS, row)

    def event(
        self, event: str, job: Plain = None, resolved: Plain = None, versions: Mapping[str, str] | None = None
    ) -> None:
        """A row of `events` now, without secrets."""
        row = tables.EVENTS.row(
            run=self.run,
            seq=self._number(),
            name=self.name,
            event=event,
            recorded=time.time(),
            job=self._json(job),
            resolved=self._json(resolved),
            versions=json_text(dict(versions)) if versions else None,
            host=socket.gethostname(),
            pid=os.getpid(),
        )
        self._put("events", row)

    def _json(self, value: Plain) -> str | None:
        return json_text(hide_in(value, self._secrets)) if value is not None else None

    def _attempts(self, outcome: Outcome) -> None:
        kind = "episode" if isinstance(outcome.unit, Episode) else "request"
        now = time.time()
        for tried in outcome.attempts:
            shown: Attempt = replace(tried, error=hide(tried.error, self._secrets))
            row = tables.ATTEMPTS.row(
                run=self.run, trial=outcome.unit.trial, kind=kind, attempt=shown, recorded=now
            )
            self._put("attempts", row)

    def _calls(self, trial: str, calls: Sequence[Call], entries: tuple[str, ...]) -> None:
        made = [rows.call_row(self.run, trial, call, entries, self._blocks) for call in calls]
        self._rows.setdefault("calls", []).extend(made)

    def _number(self) -> int:
        self._seq += 1
        return self._seq

    def _put(self, table: str, row: Row) -> None:
        self._rows.setdefault(table, []).append(row)
