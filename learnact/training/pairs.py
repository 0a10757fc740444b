"""Preferred against rejected replies, from three sources that runs hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from learnact.training.records import TrainingMessage, TrainingRecord

PairSource = Literal["same_prompt", "repaired", "episodes"]


@dataclass(frozen=True)
class PreferencePair:
    """Two continuations of the same prompt. `source` says where they come from; `margin` is the difference of
    rewards in 0 .. 1.
    """

    prompt: tuple[TrainingMessage, ...]
    chosen: tuple[TrainingMessage, ...]
    rejected: tuple[TrainingMessage, ...]
    source: PairSource
    domain: str
    task: str
    margin: float
    episodes: tuple[str, str]


def pairs_of(records: Sequence[TrainingRecord], sources: Sequence[PairSource]) -> Iterator[PreferencePair]:
    """The pairs of the named sources, in order of the records; no pair twice.

    same_prompt: two repeats met exactly the same prompt and replied otherwise; the one whose episode has the
    higher reward is chosen. repaired: a reply that was a mistake, which changed nothing, and the next one,
    which was carried out. episodes: two attempts at one task that begin with the same prompt, one won and one
    lost.
    """
    made = {"same_prompt": _same_prompt, "repaired": _repaired, "episodes": _episodes}
    seen: set[tuple[object, ...]] = set()
    for source in sources:
        for pair in made[source](records):
            content = (pair.prompt, pair.chosen, pair.rejected)
            if content not in seen:
                seen.add(content)
                yield pair


def _same_prompt(records: Sequence[TrainingRecord]) -> Iterator[PreferencePair]:
    met: dict[tuple[TrainingMessage, ...], list[tuple[TrainingRecord, str]]] = defaultdict(list)
    for record in records:
        for turn in record.turns:
            met[turn.prompt].append((record, turn.reply))
    for prompt, replies in met.items():
        best, good = max(replies, key=lambda one: one[0].reward)
        worst, bad = min(replies, key=lambda one: one[0].reward)
        if best.reward > worst.reward and good != bad:
            yield _pair(prompt, (_reply(good),), (_reply(bad),), "same_prompt", best, worst)


def _repaired(records: Sequence[TrainingRecord]) -> Iterator[PreferencePair]:
    for record in records:
        for turn, after in zip(record.turns, record.turns[1:], strict=False):
            if not turn.good and after.good and turn.reply != after.reply:
                yield _pair(
                    turn.prompt, (_reply(after.reply),), (_reply(turn.reply),), "repaired", record, record
                )


def _episodes(records: Sequence[TrainingRecord]) -> Iterator[PreferencePair]:
    attempts: dict[tuple[TrainingMessage, ...], list[TrainingRecord]] = defaultdict(list)
    for record in records:
        if record.turns:
            attempts[record.turns[0].prompt].append(record)
    for prompt, tries in attempts.items():
        won = [record for record in tries if record.success]
        lost = [record for record in tries if not record.success]
        for good, bad in zip(won, lost, strict=False):
            first = len(prompt)
            yield _pair(prompt, good.messages[first:], bad.messages[first:], "episodes", good, bad)


def _reply(text: str) -> TrainingMessage:
    return TrainingMessage("assistant", text, 1)


def _pair(
    prompt: tuple[TrainingMessage, ...],
    chosen: tuple[TrainingMessage, ...],
    rejected: tuple[TrainingMessage, ...],
    source: PairSource,
    *of: TrainingRecord,
) -> PreferencePair:
    good, bad = of
    return PreferencePair(
        prompt=prompt,
        chosen=chosen,
        rejected=rejected,
        source=source,
        domain=good.domain,
        task=good.task,
        margin=good.reward - bad.reward,
        episodes=(good.episode, bad.episode),
    )
