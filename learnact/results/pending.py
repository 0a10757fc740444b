"""Calls of units that are not committed yet, kept so that an interrupted unit is replayed.

Not a table: a file of JSON lines in the run's folder. A call is in the kernel's hands when `record` returns,
so the death of this process loses none; `store` makes calls outlive the machine. A unit's calls leave the
file when the unit is committed. An incomplete last line (a crash while it was being written) is ignored: its
call had not been acknowledged.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import fields
from io import FileIO
from pathlib import Path
from typing import Any

from learnact.records import Call, Prompt, Reply, Tokens
from learnact.results import files
from learnact.results.blocks import text_hash

NAME = "calls.journal"
REPLY = tuple(field.name for field in fields(Reply) if field.name != "tokens")
TOKENS = tuple(field.name for field in fields(Tokens))
REWRITE_BYTES = 64 * 1024 * 1024


_encode_row = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class CallJournal:
    """Acknowledged calls by unit, in memory and on disk."""

    def __init__(self, folder: Path, committed: Callable[[str], bool]) -> None:
        self._path = folder / NAME
        self._committed = committed
        self._calls: dict[str, list[Call]] = {}
        self._lines: list[str] = []
        self._hashes: dict[str, str] = {}
        self._written: dict[str, History] = {}
        self._bytes = 0
        self._file: FileIO | None = None
        self._refused = False
        for call in _read(self._path):
            if not committed(call.unit):
                self._keep(call)
        self.rewrite()

    def record(self, call: Call) -> None:
        """Take a call. One whose ordinal was there already begins another try: what stood behind it is
        dropped."""
        if not self._committed(call.unit):
            self._keep(call)
            self._encode(call)
            self._hand_over()

    def _hand_over(self) -> None:
        """Give the lines to the kernel. Where it does not take them (no space) they wait for `store`, which
        says so."""
        if self._refused:
            return
        content = "".join(self._lines).encode("utf-8", "replace")
        try:
            self._file = self._file or FileIO(self._path, "ab")
            whole = self._file.write(content) == len(content)
        except OSError:
            whole = False
        if whole:
            self._bytes += len(content)
            self._lines = []
        else:
            self._refused = True
            self._lines.insert(0, "\n")  # what was torn stays a line of its own, which is ignored

    def _keep(self, call: Call) -> None:
        calls = self._calls.setdefault(call.unit, [])
        while calls and calls[-1].ordinal >= call.ordinal:
            calls.pop()
        calls.append(call)

    def of(self, unit: str) -> tuple[Call, ...]:
        """Calls of a unit, in order."""
        return tuple(self._calls.get(unit, ()))

    def forget(self, unit: str) -> None:
        """The unit is committed."""
        self._calls.pop(unit, None)
        self._written.pop(unit, None)

    def take(self) -> str:
        """Lines that the kernel has not taken yet, for `store`."""
        lines, self._lines = self._lines, []
        return "".join(lines)

    def store(self, lines: str) -> None:
        """Bring what was recorded to stable storage, these lines included. Not at the same time as
        `rewrite`."""
        if self._file is not None:
            os.fsync(self._file.fileno())
        if lines:
            content = lines.encode("utf-8", "replace")
            files.append(self._path, content)
            self._bytes += len(content)

    def close(self) -> None:
        """Let go of the file; what is recorded later opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def rewrite_when_large(self) -> None:
        """Drop what is committed from a journal that has grown large."""
        if self._bytes > REWRITE_BYTES:
            self.rewrite()

    def rewrite(self) -> None:
        """Write the journal anew with what is still needed; without any, remove it."""
        self.close()
        self._lines, self._hashes, self._written = [], {}, {}
        for calls in self._calls.values():
            for call in calls:
                self._encode(call)
        content = self.take().encode("utf-8", "replace")
        if content:
            files.put(self._path, content)
        else:
            files.remove(self._path)
        self._bytes = len(content)

    def _encode(self, call: Call) -> None:
        prompt, reply = call.prompt, call.reply
        kept = _overlap(self._written.get(call.unit, ()), call)
        self._written[call.unit] = (prompt.history_start, prompt.history)
        row = {
            "unit": call.unit,
            "ordinal": call.ordinal,
            "purpose": call.purpose,
            "system": self._block(prompt.system),
            "fixed": [self._block(text) for text in prompt.fixed],
            "ask": self._block(prompt.request),
            "start": prompt.history_start,
            "kept": kept,
            "new": prompt.history[kept:],
            "tools": self._block(prompt.tools),
            "grammar": self._block(prompt.grammar),
            "reply": [getattr(reply, name) for name in REPLY],
            "tokens": [getattr(reply.tokens, name) for name in TOKENS],
        }
        self._lines.append(_encode_row(row) + "\n")

    def _block(self, text: str) -> str:
        address = self._hashes.get(text)
        if address is None:
            address = self._hashes[text] = text_hash(text)
            self._lines.append(json.dumps({"block": address, "text": text}) + "\n")
        return address


History = tuple[()] | tuple[int, tuple[str, ...]]


def _overlap(before: History, call: Call) -> int:
    """How many entries of a call's history the unit's line before it holds already, at the same places in the
    episode."""
    if not before:
        return 0
    start, entries = before
    again = entries[call.prompt.history_start - start :] if call.prompt.history_start >= start else ()
    return len(again) if call.prompt.history[: len(again)] == again else 0


def unfinished_calls(folder: Path) -> tuple[Call, ...]:
    """The calls that the units of a run have made that were not committed when the run was opened."""
    kept = {(call.unit, call.ordinal): call for call in _read(folder / NAME)}
    return tuple(kept.values())


def _read(path: Path) -> list[Call]:
    try:
        lines = path.read_text(errors="replace").split("\n")
    except FileNotFoundError:
        return []
    texts: dict[str, str] = {}
    history: dict[str, tuple[int, tuple[str, ...]]] = {}
    calls = []
    for line in lines:
        try:
            row = json.loads(line)
            if "block" in row:
                texts[str(row["block"])] = str(row["text"])
                continue
            before = history.get(row["unit"], (0, ()))
            offset = row["start"] - before[0]
            entries = (*before[1][offset : offset + row["kept"]], *row["new"])
            call = _call(row, texts, entries)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            continue  # a damaged line: what followed it in the unit is not replayed, and asked again
        history[call.unit] = (row["start"], entries)
        calls.append(call)
    return calls


def _call(row: dict[str, Any], texts: dict[str, str], history: tuple[str, ...]) -> Call:
    prompt = Prompt(
        system=texts[row["system"]],
        fixed=tuple(texts[address] for address in row["fixed"]),
        request=texts[row["ask"]],
        history=history,
        history_start=row["start"],
        tools=texts[row["tools"]] if "tools" in row else "",
        grammar=texts[row["grammar"]] if "grammar" in row else "",
    )
    if not all(isinstance(entry, str) for entry in history):
        raise TypeError("an entry of the history is no text")
    reply = dict(zip(REPLY, row["reply"], strict=False))  # a journal of an older version has fewer
    reply["vectors"] = tuple(tuple(vector) for vector in reply["vectors"])
    return Call(
        str(row["unit"]),
        int(row["ordinal"]),
        row["purpose"],
        prompt,
        Reply(**reply, tokens=Tokens(*row["tokens"])),
    )
