"""Texts that many rows share, kept once under the hash of their content; prompts as references to them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from learnact.records import DIGEST_CHARS, Prompt

CACHED_TEXTS = 20_000


def text_hash(text: str) -> str:
    """Address of a block: 24 hex digits of SHA-256 over its UTF-8, as `sha256(text)[:24]` in SQL."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:DIGEST_CHARS]


@dataclass(frozen=True)
class PromptRow:
    """Source of a prompt's columns: addresses of texts. `history` is None where the entries follow from the
    turns.
    """

    system: str
    fixed: list[str]
    history_start: int
    history_count: int
    history: list[str] | None
    ask: str
    tools: str | None = None
    grammar: str | None = None


class Blocks:
    """Which texts of a run are on file, and those that wait to be written."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = set(known)
        self._cache: dict[str, str] = {}
        self._heads: dict[tuple[str, tuple[str, ...]], Any] = {}
        self.waiting: dict[str, str] = {}

    def add(self, text: str) -> str:
        """Address of a text, which is kept if it is new."""
        address = self._cache.get(text)
        if address is None:
            address = text_hash(text)
            if len(self._cache) >= CACHED_TEXTS:
                self._cache.clear()
                self._heads.clear()
            self._cache[text] = address
            if address not in self._known:
                self._known.add(address)
                self.waiting[address] = text
        return address

    def take(self) -> dict[str, str]:
        """The texts to be written with the next part."""
        waiting, self.waiting = self.waiting, {}
        return waiting

    def prompt(self, prompt: Prompt, entries: tuple[str, ...] = ()) -> PromptRow:
        """A prompt by reference; `entries` is the history of its episode, if it has one."""
        start, count = prompt.history_start, len(prompt.history)
        derived = entries[start : start + count] == prompt.history
        return PromptRow(
            self.add(prompt.system),
            [self.add(text) for text in prompt.fixed],
            start,
            count,
            None if derived else [self.add(text) for text in prompt.history],
            ask=self.add(prompt.request),
            tools=self.add(prompt.tools) if prompt.tools else None,
            grammar=self.add(prompt.grammar) if prompt.grammar else None,
        )

    def request_hash(self, prompt: Prompt) -> str:
        """Address of what was sent: SHA-256 over system message, an empty line, user message, as the view
        `prompts` rebuilds them; tools and grammar follow, each after an empty line, where there are some.
        """
        place = (prompt.system, prompt.fixed)
        head = self._heads.get(place)
        if head is None:
            head = hashlib.sha256(f"{prompt.system}\n\n{''.join(prompt.fixed)}".encode("utf-8", "replace"))
            self._heads[place] = head
        state = head.copy()
        rest = "".join(f"\n\n{text}" for text in (prompt.tools, prompt.grammar) if text)
        state.update(("".join(prompt.history) + prompt.request + rest).encode("utf-8", "replace"))
        return str(state.hexdigest())[:DIGEST_CHARS]


def prompt_addresses(row: Mapping[str, Any]) -> Iterator[str]:
    """The texts that a prompt is rebuilt from."""
    yield from (row["system"], row["ask"], *row["fixed"], *(row["history"] or ()))
    yield from (row[name] for name in ("tools", "grammar") if row[name])


def prompt_from(row: Mapping[str, Any], text: Callable[[str], str], entries: tuple[str, ...] = ()) -> Prompt:
    """The prompt of a row, from its blocks and, where its history is none of its own, from the entries of its
    episode.
    """
    start, count, own = row["history_start"], row["history_count"], row["history"]
    history = entries[start : start + count] if own is None else tuple(text(address) for address in own)
    return Prompt(
        text(row["system"]),
        tuple(text(address) for address in row["fixed"]),
        text(row["ask"]),
        history,
        start,
        *(text(row[name]) if row[name] else "" for name in ("tools", "grammar")),
    )
