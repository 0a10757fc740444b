"""One episode as pages show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from learnact.errors import ResultsError
from learnact.records import ACT, EpisodeResult, history_entries
from learnact.results.reader import Connection, dictionaries
from learnact.results.rows import result_from, turn_from

END = "\U0010ffff"
"""Behind every text that begins with what is before it."""


@dataclass(frozen=True)
class EpisodeView:
    """An episode's row in `episodes` and its result with its turns."""

    row: Mapping[str, Any]
    result: EpisodeResult

    @property
    def first_failure(self) -> int | None:
        """The first turn that went wrong (from 0): not valid, or without a readable action."""
        wrong = (turn.index for turn in self.result.turns if not turn.ok and turn.kind != "thought")
        return next(wrong, None)


@dataclass(frozen=True)
class SentPrompt:
    """Both messages of a call, and the address of the request."""

    system: str
    user: str
    request: str
    purpose: str = ACT


def episode_view(connection: Connection, key: str) -> EpisodeView:
    """An episode by key or the beginning of it. Raises `ResultsError` if there is none, or several.

    Keys are looked for as a range, and rows by trial and key: so only the parts of a file are read in which
    they can be.
    """
    found = dictionaries(
        connection,
        """SELECT DISTINCT trial, key FROM stored.episodes WHERE key >= ? AND key < ?
        ORDER BY key = ? DESC, key LIMIT 2""",
        [key, key + END, key],
    )
    if not found or not key:
        raise ResultsError(f"there is no episode {key!r}; the list of episodes has their keys")
    if len({row["key"] for row in found}) > 1 and found[0]["key"] != key:
        raise ResultsError(f"{key!r} begins the keys of several episodes: {found[0]['key']}, ...")
    place = [found[0]["trial"], found[0]["key"]]
    row = dictionaries(
        connection, "SELECT * FROM stored.episodes WHERE trial = ? AND key = ? LIMIT 1", place
    )[0]
    turns = dictionaries(
        connection,
        "SELECT * FROM stored.turns WHERE trial = ? AND episode = ? AND run = ? ORDER BY turn",
        [*place, row["run"]],
    )
    return EpisodeView(row, result_from(row, tuple(turn_from(turn) for turn in turns)))


def sent_prompts(connection: Connection, view: EpisodeView) -> dict[int, SentPrompt]:
    """The messages of an episode's calls exactly as sent, by ordinal.

    It is what view `prompts` gives, from the rows of one episode alone.
    """
    calls = dictionaries(
        connection,
        """SELECT ordinal, purpose, system, fixed, history, history_start, history_count, ask, request
        FROM stored.calls WHERE trial = ? AND unit = ? ORDER BY ordinal""",
        [view.row["trial"], view.row["key"]],
    )
    named: set[str] = set()
    for call in calls:
        named |= {call["system"], call["ask"], *(call["fixed"] or ()), *(call["history"] or ())}
    blocks = dictionaries(
        connection,
        "SELECT DISTINCT hash, text FROM stored.blocks WHERE hash IN (SELECT unnest(?::TEXT[]))",
        [sorted(named)],
    )
    texts = {row["hash"]: row["text"] for row in blocks}
    entries = history_entries(view.result.turns)
    return {call["ordinal"]: _sent(call, texts, entries) for call in calls}


def prompts_of_turns(view: EpisodeView, sent: Mapping[int, SentPrompt]) -> dict[int, SentPrompt]:
    """The agent's own prompts by turn. A second player's are left out; turns that a fork has taken over have
    none.
    """
    own = [prompt for _, prompt in sorted(sent.items()) if prompt.purpose == ACT]
    taken_over = len(view.result.turns) - len(own)
    return {taken_over + number: prompt for number, prompt in enumerate(own)}


def _sent(call: Mapping[str, Any], texts: Mapping[str, str], entries: Sequence[str]) -> SentPrompt:
    start, count = call["history_start"] or 0, call["history_count"] or 0
    kept = call["history"]
    history = entries[start : start + count] if kept is None else [texts[name] for name in kept]
    user = "".join([*(texts[name] for name in call["fixed"] or ()), *history, texts[call["ask"]]])
    return SentPrompt(texts[call["system"]], user, call["request"], call["purpose"])
