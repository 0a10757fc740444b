"""Calls of units that are not committed yet, kept so that an interrupted unit is replayed.

Not a table: a file of JSON lines in the run's folder. A call is in the kernel's hands when `record` returns,
so the death of this process loses none; `store` makes calls outlive the machine. A unit's calls leave the
file when the unit is committed. An incomplete last line (a crash while it was being written) is ignored: its
call had not been acknowledged.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from learnact.records import Call, Prompt, Reply, Tokens
from learnact.results.blocks import text_hash
from learnact.results.location import Location
from learnact.results.storage import storage_of

NAME = "calls.journal"
REPLY = tuple(field.name for field in fields(Reply) if field.name != "tokens")
TOKENS = tuple(field.name for field in fields(Tokens))

_encode_row = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True)
class JournalLines:
    """What is to be written: at the journal's end, or `anew` in the place of all of it."""

    text: str
    anew: bool = False


class CallJournal:
    """Acknowledged calls by unit, in memory and on file."""

    def __init__(self, folder: Location, committed: Callable[[str], bool]) -> None:
        self._log = storage_of(folder).log(NAME)
        self._committed = committed
        self._calls: dict[str, list[Call]] = {}
        self._lines: list[str] = []
        self._hashes: dict[str, str] = {}
        self._written: dict[str, History] = {}
        self._waiting = self._replacing = False
        for call in _calls_of(self._log.read()):
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
        """Give the lines to the kernel. Where it does not take them (no space, an object store) they wait for
        `store`."""
        if self._waiting or self._replacing:
            return
        if self._log.hand_over("".join(self._lines).encode("utf-8", "replace")):
            self._lines = []
        else:
            self._waiting = True
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

    def take(self) -> JournalLines:
        """What is to be written now: new lines, or what is still needed of a journal that has grown large."""
        if anew := self._log.large:
            self._replacing = True
            self._encode_all()
        lines, self._lines = self._lines, []
        return JournalLines("".join(lines), anew)

    def store(self, lines: JournalLines) -> None:
        """Bring what was recorded to stable storage, these lines included."""
        content = lines.text.encode("utf-8", "replace")
        if lines.anew:
            self._log.replace(content)
            self._replacing = False
        else:
            self._log.append(content)

    def close(self) -> None:
        """Let go of the file; what is recorded later opens it again."""
        self._log.close()

    def rewrite(self) -> None:
        """Write the journal anew with what is still needed; without any, nothing stays."""
        self._encode_all()
        lines, self._lines = self._lines, []
        self.store(JournalLines("".join(lines), anew=True))

    def _encode_all(self) -> None:
        self._lines, self._hashes, self._written = [], {}, {}
        for calls in self._calls.values():
            for call in calls:
                self._encode(call)

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


def unfinished_calls(folder: Location) -> tuple[Call, ...]:
    """The calls that the units of a run have made that were not committed when the run was opened."""
    kept = {(call.unit, call.ordinal): call for call in _calls_of(storage_of(folder).log(NAME).read())}
    return tuple(kept.values())


def _calls_of(journal: str) -> list[Call]:
    texts: dict[str, str] = {}
    history: dict[str, tuple[int, tuple[str, ...]]] = {}
    calls = []
    for line in journal.split("\n"):
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
