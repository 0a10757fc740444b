"""Best of n: what a method without a learner does with the budget that learning cost another
(`match_budget`).

The agent plays the training tasks again and again, sampled, until the budget is spent. The best attempt
becomes an example in its prompt. So learning can be told from mere sampling.
"""

from __future__ import annotations

import itertools

from learnact.methods.base import Learner, MethodOptions, Temperature, WorkBound
from learnact.methods.failures import attempt
from learnact.methods.selector import terms
from learnact.methods.training import Blocked, Learned, PlayedEpisode, Sampling, Training
from learnact.records import Library


class BestOfOptions(MethodOptions):
    """Options of best of n."""

    proposal_temperature: Temperature = 0.7
    """Temperature of the sampled attempts; null sends none."""


class BestOf(Learner[BestOfOptions]):
    """Keeps the best sampled attempt at the training tasks as an example."""

    name = "best_of"
    options = BestOfOptions

    async def learn(self, training: Training, options: BestOfOptions) -> Learned:
        """A library with the best attempt: success, then progress, then fewer turns; ties keep the earlier.

        Raises:
            Blocked: an attempt has no result, or attempts cost nothing in the unit that is matched.
        """
        sampling = Sampling(options.proposal_temperature)
        best: PlayedEpisode | None = None
        for number in itertools.count():
            if number > 0 and not training.may_spend:
                break
            before = training.spent.tokens, training.spent.calls
            episodes = await training.play(Library(), replicate=number, sampling=sampling)
            if number and (training.spent.tokens, training.spent.calls) == before:
                raise Blocked(
                    "attempts cost nothing that is counted, so no budget can be matched; use unit: calls"
                )
            best = max(episodes if best is None else (best, *episodes), key=_quality)
            library = Library(usage_example=attempt(best))
            training.keep(number, library, Library(), "attempt", terms(episodes))
        return Learned(library, (library,))

    def bound(self, options: BestOfOptions, tasks: int) -> WorkBound:  # noqa: ARG002
        """One round; the matched budget bounds the others."""
        return WorkBound(episodes=tasks)


def _quality(played: PlayedEpisode) -> tuple[bool, float, int]:
    result = played.result
    return result.success, result.progress, -len(result.turns)


BEST_OF = BestOf()
