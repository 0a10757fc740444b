"""Episodes as experience: rounds of attempts at the training tasks, and the attempts that are most like a
task as examples in its prompt. Shared by the learners that keep episodes.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from learnact.domains.base import Domain
from learnact.methods.base import LibraryChooser
from learnact.methods.retrieval import most_similar
from learnact.methods.selector import terms
from learnact.methods.training import Blocked, PlayedEpisode, Training
from learnact.records import EXAMPLES_APART, DomainSpec, Library, Origin, Task


async def rounds(training: Training, at_least: int) -> AsyncIterator[int]:
    """Numbers of rounds: `at_least` so many, and with a matched budget until that is spent.

    Raises:
        Blocked: a round cost nothing in the unit that is matched, so the budget would never be spent.
    """
    for number in itertools.count():
        if number >= at_least and not training.may_spend:
            return
        before = training.spent.tokens, training.spent.calls
        yield number
        if number >= at_least and (training.spent.tokens, training.spent.calls) == before:
            raise Blocked(
                "attempts cost nothing that is counted, so no budget can be matched; use unit: calls"
            )


Grown: TypeAlias = tuple[Library, str]
"""A library after an episode, and why it is as it was before ("" where it is not)."""


async def one_after_another(
    training: Training, origin: Origin, learn_from: Callable[[int, Library, PlayedEpisode], Awaitable[Grown]]
) -> Library:
    """Play the training tasks in order, each with the library so far, and learn from each episode; with a
    matched budget again until that is spent. Each episode is a row of the table `candidates`.

    Raises:
        Blocked: an episode has no result.
    """
    library = Library()
    async for number in rounds(training, 1):
        for place, task in enumerate(training.tasks):
            played = await training.play_task(task, library, replicate=number)
            index, parent = number * len(training.tasks) + place, library
            library, problem = await learn_from(index, library, played)
            training.keep(index, library, parent, origin, terms([played]), problem=problem)
    return library


def shortest_successes(played: Sequence[PlayedEpisode]) -> list[PlayedEpisode]:
    """Of each task's solved episodes the one with the fewest turns (the first of equals), in order of
    tasks.
    """
    found: dict[str, PlayedEpisode] = {}
    for one in played:
        task = one.episode.task.hash
        if one.result.success and (
            task not in found or len(one.result.turns) < len(found[task].result.turns)
        ):
            found[task] = one
    return list(found.values())


def examples_text(texts: Sequence[str]) -> str:
    """Several examples as a library keeps them."""
    return EXAMPLES_APART.join(dict.fromkeys(texts))


def most_like_the_task(training: Training, library: Library, top: int) -> LibraryChooser:
    """Chooses the library with the `top` of its examples that are most like a task's goal and first
    observation.
    """

    async def choose(domain: Domain, task: Task, spec: DomainSpec) -> Library:
        examples = library.examples
        if len(examples) <= top:
            return library
        goal, first_observation = await training.opening(domain, task, spec)
        found = await most_similar(training, f"{goal} {first_observation}", examples, top)
        return replace(library, usage_example=examples_text([examples[i] for i in found]))

    return choose
