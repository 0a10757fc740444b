"""Best of n: what a method without learning does with the budget that learning cost another (`match_budget`).

The agent plays the training tasks again and again, sampled, until the budget is spent; the best attempt becomes an example in its prompt. So
learning can be told from mere sampling.
"""

from __future__ import annotations

import itertools

from learnact.methods.failures import attempt
from learnact.methods.selector import terms
from learnact.methods.training import Blocked, Learned, PlayedEpisode, Training
from learnact.records import Library


async def best_of(training: Training) -> Learned:
    """A library that holds nothing but the best attempt as an example (success, then progress, then fewer turns; ties keep the earlier).

    Raises:
        Blocked: an attempt has no result.
    """
    best: PlayedEpisode | None = None
    for number in itertools.count():
        if number > 0 and not training.may_spend:
            break
        before = training.spent.tokens, training.spent.calls
        episodes = await training.play(Library(), replicate=number, sample=True)
        if number and (training.spent.tokens, training.spent.calls) == before:
            raise Blocked(
                "attempts cost nothing that is counted, so no budget can be matched; use unit: calls"
            )
        best = max(episodes if best is None else (best, *episodes), key=_goodness)
        library = Library(usage_example=attempt(best))
        training.keep(number, library, Library(), "attempt", terms([p.result for p in episodes]))
    return Learned(library, (library,))


def _goodness(played: PlayedEpisode) -> tuple[bool, float, int]:
    result = played.result
    return result.success, result.progress, -len(result.turns)
