"""Repair only, a control: LearnAct with one library that is repaired, and never chosen among several.

One proposal, then one repair in each round, until no call fails, `repair_rounds` rounds are played, or, with
a matched budget, until that is spent. Against LearnAct at equal cost it shows what sampling and selection
bring (SkillsBench and LearnAct's table 7 ask the same).
"""

from __future__ import annotations

from learnact.methods.act import ACT
from learnact.methods.base import Learner, Method, Positive, WorkBound
from learnact.methods.learnact import LEARNACT
from learnact.methods.learnact_options import LearnActOptions
from learnact.methods.training import Learned, Training


class RepairOnlyOptions(LearnActOptions):
    """Options of repair only: LearnAct's, with one candidate."""

    repair_rounds: Positive = 8
    """Repair only: repairs at most; as many as LearnAct makes with its defaults (2 x 4)."""


class RepairOnly(Learner[RepairOnlyOptions]):
    """One library, repaired. Prompts: those of LearnAct."""

    name = "repair_only"
    learns_from = "failed calls of training episodes"
    keeps = "functions with notes, a usage example"
    options = RepairOnlyOptions
    test_only = LEARNACT.test_only
    learning_only = LEARNACT.learning_only
    writes_code = True
    asks_for = LEARNACT.asks_for

    async def learn(self, training: Training, options: RepairOnlyOptions) -> Learned:
        """The repaired library.

        Raises:
            Blocked: a unit that a decision depends on has no result.
        """
        return await LEARNACT.learn(training, _one_candidate(options))

    def bound(self, options: RepairOnlyOptions, tasks: int) -> WorkBound | None:
        """That of LearnAct with one candidate; a matched budget may add rounds."""
        return LEARNACT.bound(_one_candidate(options), tasks)


def _one_candidate(options: RepairOnlyOptions) -> LearnActOptions:
    changes = {"candidates": 1, "sampling": False, "iterations": options.repair_rounds, "learning": True}
    return options.model_copy(update=changes)


METHOD = Method("repair_only", ACT, RepairOnly(), "control: LearnAct with one library, only repaired")
