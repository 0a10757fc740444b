"""Verification by replay for LearnAct (`verify: replay`), after ASI (Wang et al., 2025): functions are kept
only if calls that solved something still do with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from learnact.errors import LibraryError
from learnact.library.calls import find_calls
from learnact.library.merge import part_of
from learnact.methods.training import PlayedEpisode, Training, together
from learnact.records import Library


async def broken_by(training: Training, library: Library, episodes: Sequence[PlayedEpisode]) -> str:
    """What a library breaks: of the solved training episodes the first whose calls, made again in its task
    with this library, do not reach the goal any more; "" where all do.

    Asks no model. Raises `Blocked` where a replay has no result.
    """
    solved = [one for one in episodes if one.result.success and any(t.learned for t in one.result.turns)]
    replays = await together(*(_replayed(training, library, one) for one in solved))
    for one, again in zip(solved, replays, strict=True):
        if not again.result.success:
            turns = again.result.turns
            stopped = f"; it stops at {turns[-1].call}: {turns[-1].observation}" if turns else ""
            return f"Replayed, the calls that solved {one.episode.task.name} do not any more{stopped}"
    return ""


async def _replayed(training: Training, library: Library, played: PlayedEpisode) -> PlayedEpisode:
    calls = [turn.call for turn in played.result.turns if turn.ok and turn.call]
    return await training.play_calls(calls, library, played.episode.task)


def shown_to_work(library: Library) -> Library:
    """The library with the functions only that its played usage example calls: each was carried out there.
    Empty where there is no example.
    """
    called = {call.name for _, call in find_calls(library.usage_example)}
    names = [action.name for action in library.offered if action.name in called]
    if len(names) == len(library.offered):
        return library
    try:
        return replace(part_of(library, names), usage_example=library.usage_example if names else "")
    except LibraryError:
        return Library()
