"""No learning: the agent plays with primitive actions only."""

from __future__ import annotations

from learnact.methods.base import Learner, MethodOptions, WorkBound
from learnact.methods.best_of import BEST_OF
from learnact.methods.training import Learned, Training
from learnact.records import Library


class NoLearning(Learner[MethodOptions]):
    """The learner of methods without one. With a matched budget, best of n takes its place."""

    name = "none"
    learns_from = "nothing"
    keeps = "nothing"
    learns = False
    with_budget = BEST_OF

    async def learn(self, training: Training, options: MethodOptions) -> Learned:  # noqa: ARG002
        """The empty library."""
        return Learned(Library())

    def bound(self, options: MethodOptions, tasks: int) -> WorkBound:  # noqa: ARG002
        """Nothing."""
        return WorkBound()


NO_LEARNING = NoLearning()
