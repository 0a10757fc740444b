"""Best of n: what a method without a learner does with the budget that learning cost another
(`match_budget`).

The agent plays the training tasks again and again, sampled, until the budget is spent. The best attempt
becomes an example in its prompt. So learning can be told from mere sampling.
"""

from __future__ import annotations

from learnact.methods.base import Learner, MethodOptions, Temperature, WorkBound
from learnact.methods.experience import rounds
from learnact.methods.failures import attempt
from learnact.methods.selector import terms
from learnact.methods.training import Learned, PlayedEpisode, Sampling, Training
from learnact.records import Library


class BestOfOptions(MethodOptions):
    """Options of best of n."""

    proposal_temperature: Temperature = 0.7
    """Temperature of the sampled attempts; null sends none."""


class BestOf(Learner[BestOfOptions]):
    """Keeps the best sampled attempt at the training tasks as an example."""

    name = "best_of"
    learns_from = "scores of training episodes"
    keeps = "an episode"
    options = BestOfOptions

    async def learn(self, training: Training, options: BestOfOptions) -> Learned:
        """A library with the best attempt: success, then progress, then fewer turns; ties keep the earlier.

        Raises:
            Blocked: an attempt has no result, or attempts cost nothing in the unit that is matched.
        """
        sampling = Sampling(options.proposal_temperature)
        best: PlayedEpisode | None = None
        library = Library()
        async for number in rounds(training, 1):
            episodes = await training.play(Library(), replicate=number, sampling=sampling)
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
