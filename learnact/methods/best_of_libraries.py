"""Best of n libraries, a control: LearnAct without repair. Libraries are proposed, played and selected, and
the best of all is kept.

`library_samples` proposals, and with a matched budget as many more as it pays for. Against LearnAct at equal
cost it shows what learning from failures brings.
"""

from __future__ import annotations

from learnact.methods.act import ACT
from learnact.methods.base import Learner, Method, Positive, WorkBound
from learnact.methods.learnact import LEARNACT, LearnActRun
from learnact.methods.learnact_options import LearnActOptions
from learnact.methods.training import Learned, Training


class BestOfLibrariesOptions(LearnActOptions):
    """Options of best of n libraries: LearnAct's, with no iterations."""

    library_samples: Positive = 12
    """Best of n libraries: proposals; as many as LearnAct makes with its defaults (4 x 3)."""


class BestOfLibraries(Learner[BestOfLibrariesOptions]):
    """The best of several libraries. Prompts: those of LearnAct."""

    name = "best_of_libraries"
    learns_from = "scores of training episodes"
    keeps = "functions, a usage example"
    options = BestOfLibrariesOptions
    test_only = LEARNACT.test_only
    learning_only = LEARNACT.learning_only
    writes_code = True
    asks_for = frozenset({"create", "usage", "describe"})

    async def learn(self, training: Training, options: BestOfLibrariesOptions) -> Learned:
        """The library with the best score.

        Raises:
            Blocked: a unit that a decision depends on has no result.
        """
        return await LearnActRun(training, _no_repairs(options)).best_of()

    def bound(self, options: BestOfLibrariesOptions, tasks: int) -> WorkBound | None:
        """That of LearnAct with so many candidates and no iteration; a matched budget may add proposals."""
        return LEARNACT.bound(_no_repairs(options), tasks)


def _no_repairs(options: BestOfLibrariesOptions) -> LearnActOptions:
    changes = {"candidates": options.library_samples, "iterations": 0, "learning": False}
    return options.model_copy(update={**changes, "sampling": options.library_samples > 1})


METHOD = Method(
    "best_of_libraries", ACT, BestOfLibraries(), "control: LearnAct without repair, the best of n libraries"
)
