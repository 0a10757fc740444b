"""ReAct (Yao et al., 2023): a turn is an action, a thought ("Think: ...", answered "Ok."; it costs the
turn), or a thought and an action in one reply.
"""

from __future__ import annotations

from learnact.methods.base import Method
from learnact.methods.no_learning import NO_LEARNING
from learnact.methods.turn_agent import TurnAgent


class ReAct(TurnAgent):
    """A turn is an action, a thought, or both. Prompt: `prompts/agent/react.txt`."""

    name = "react"
    thoughts = True


REACT = ReAct()
METHOD = Method("react", REACT, NO_LEARNING, "each turn one call, one thought, or both")
