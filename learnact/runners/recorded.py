"""Units done again from their recorded calls: no model is asked, and what differs from the record is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from learnact.errors import HarnessFailure
from learnact.records import (
    Call,
    Episode,
    EpisodeResult,
    Exchange,
    ModelSpec,
    Outcome,
    Prompt,
    Reply,
    Request,
    Turn,
    Unit,
)
from learnact.runners.worker import Worker

SHOWN_CHARS = 300


@dataclass(frozen=True)
class RecordDifference:
    """Where a unit that is done again leaves its record.

    `unit`: the key in the record, "" for a unit that the record does not have. `turn`: of an episode, from 0;
    None where none is meant. `what`: in words; `recorded` and `now`: the two texts, from where they differ.
    """

    unit: str
    turn: int | None
    what: str
    recorded: str = ""
    now: str = ""


class RecordedCalls:
    """Answers each unit with the replies that it was given, in order, and only to the same prompts.

    Implements `protocols.Chat`. `calls`: by the key under which a unit is done now. What differs is in
    `differences`, by that key.
    """

    def __init__(self) -> None:
        self.calls: dict[str, Sequence[Call]] = {}
        self.asked: dict[str, int] = {}
        self.differences: dict[str, RecordDifference] = {}

    async def complete(
        self,
        model: ModelSpec,  # noqa: ARG002 - as the protocol says
        prompt: Prompt,
        seed: int,  # noqa: ARG002 - as the protocol says
        affinity: str,
    ) -> Exchange:
        """The reply to the next call of the unit `affinity`. Raises `HarnessFailure` where it differs."""
        number = self.asked.get(affinity, 0)
        self.asked[affinity] = number + 1
        recorded = self.calls.get(affinity, ())
        if number >= len(recorded):
            raise self._differs(
                affinity, number, "the model is asked once more", "", text_of(prompt)[-SHOWN_CHARS:]
            )
        call = recorded[number]
        dropped = call.prompt.history_start - prompt.history_start
        shown = replace(prompt, history=prompt.history[max(dropped, 0) :])
        before, after = text_of(call.prompt), text_of(shown)
        if before != after:
            raise self._differs(affinity, number, "the prompt differs", *different_texts(before, after))
        return Exchange(call.prompt, call.reply)

    async def embed(
        self,
        model: ModelSpec,  # noqa: ARG002 - as the protocol says
        texts: tuple[str, ...],  # noqa: ARG002 - as the protocol says
    ) -> Reply:
        """Embeddings are requests, which are found whole; none is asked for."""
        raise HarnessFailure("an embedding that is not recorded is asked for", False)

    def _differs(self, key: str, turn: int, what: str, recorded: str, now: str) -> HarnessFailure:
        self.differences[key] = RecordDifference(key, turn, what, recorded, now)
        return HarnessFailure(what, False)


class ReplayRunner:
    """Does units again beside their record. Implements `protocols.Runner`.

    `find` gives the recorded outcome of a unit (None: there is none). An outcome is the recorded one, so
    that what follows goes on along the record; what differs is told to `report`, with the unit. Once
    something was told no further unit is begun.
    """

    def __init__(
        self,
        find: Callable[[Unit], Outcome | None],
        report: Callable[[Unit, RecordDifference | None], None],
        stopped: Callable[[], bool],
        in_flight: int = 8,
    ) -> None:
        self._find = find
        self._report = report
        self._stopped = stopped
        self._chat = RecordedCalls()
        self._worker = Worker(self._chat)
        self._slots = asyncio.Semaphore(in_flight)
        self._tasks: dict[str, asyncio.Task[Outcome]] = {}

    async def __aenter__(self) -> ReplayRunner:
        await self._worker.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._worker.__aexit__(*error)

    async def run(self, units: Iterable[Unit]) -> AsyncIterator[Outcome]:
        """As `Runner.run`, in the order of the units."""
        tasks = [self._once(unit) for unit in units]
        for task in tasks:
            yield await asyncio.shield(task)

    def _once(self, unit: Unit) -> asyncio.Task[Outcome]:
        """The same unit is done once, however often it is asked for (candidates may be equal)."""
        found = self._tasks.get(unit.key)
        if found is None:
            found = self._tasks[unit.key] = asyncio.create_task(self._one(unit))
        return found

    async def _one(self, unit: Unit) -> Outcome:
        recorded = self._find(unit)
        if recorded is None or recorded.result is None:
            return Outcome(unit, None)
        outcome = Outcome(unit, recorded.result)
        if isinstance(unit, Request):
            self._report(unit, None)
            return outcome
        async with self._slots:
            if not self._stopped():
                self._report(unit, await self._difference(unit, recorded))
        return outcome

    async def _difference(self, episode: Episode, recorded: Outcome) -> RecordDifference | None:
        """What differs in an episode that is played again; None for nothing."""
        self._chat.calls[episode.key] = recorded.calls
        outcome = await self._worker.execute(episode)
        asked = self._chat.asked.pop(episode.key, 0)
        del self._chat.calls[episode.key]
        found = self._chat.differences.pop(episode.key, None)
        if found is not None:
            return replace(found, unit=recorded.key)
        if not isinstance(outcome.result, EpisodeResult) or not isinstance(recorded.result, EpisodeResult):
            why = outcome.attempts[-1].error if outcome.attempts else "it has no result"
            return RecordDifference(recorded.key, None, f"the episode could not be played: {why}")
        differs = different_result(recorded.result, outcome.result)
        if differs is not None:
            return replace(differs, unit=recorded.key)
        if asked < len(recorded.calls):
            return RecordDifference(recorded.key, asked, "the model is asked less often")
        return None


def different_result(recorded: EpisodeResult, now: EpisodeResult) -> RecordDifference | None:
    """The first difference of two results, times left out."""
    for name in ("goal", "first_observation"):
        if (one := getattr(recorded, name)) != (other := getattr(now, name)):
            return RecordDifference("", None, f"the {name.replace('_', ' ')} differs", one, other)
    for index, (one, other) in enumerate(zip(recorded.turns, now.turns, strict=False)):
        if one != other:
            name, before, after = _different_field(one, other)
            return RecordDifference("", index, f"the turn's {name} differs", before, after)
    if len(recorded.turns) != len(now.turns):
        counts = f"{len(recorded.turns)} turns", f"{len(now.turns)} turns"
        return RecordDifference(
            "", min(len(recorded.turns), len(now.turns)), "the number of turns differs", *counts
        )
    if (recorded.success, recorded.progress) != (now.success, now.progress):
        values = f"success {recorded.success}", f"success {now.success}"
        return RecordDifference("", None, "the result differs", *values)
    if recorded.measures != now.measures:
        return RecordDifference("", None, "the measures differ", str(recorded.measures), str(now.measures))
    return None


def _different_field(one: Turn, other: Turn) -> tuple[str, str, str]:
    for name in Turn.__dataclass_fields__:
        before, after = getattr(one, name), getattr(other, name)
        if before != after:
            return name, *different_texts(str(before), str(after))
    return "content", "", ""


def text_of(prompt: Prompt) -> str:
    """All that a model is sent, as one text; also a system message that stands in front of the user's."""
    offered = [part for part in (prompt.tools, prompt.grammar) if part]
    return "\n\n".join([*(message.content for message in prompt.messages()), *offered])


def different_texts(one: str, other: str) -> tuple[str, str]:
    """Two texts from the line in which they differ, shortened."""
    at = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    start = one.rfind("\n", 0, at) + 1
    start = max(start, at - SHOWN_CHARS // 2)
    return one[start : start + SHOWN_CHARS], other[start : start + SHOWN_CHARS]
