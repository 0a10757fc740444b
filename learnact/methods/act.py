"""Act: each turn the model writes one call of a primitive or learned action. No thoughts."""

from __future__ import annotations

from learnact.methods.base import Method
from learnact.methods.no_learning import NO_LEARNING
from learnact.methods.turn_agent import TurnAgent


class Act(TurnAgent):
    """A turn is one action. Prompt: `prompts/agent/act.txt`."""

    name = "act"
    thoughts = False


ACT = Act()
METHOD = Method("act", ACT, NO_LEARNING, "each turn one call")
