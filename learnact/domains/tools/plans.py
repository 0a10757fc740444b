"""Reference plans: the package's own calls, and one answer to each message."""

from __future__ import annotations

from learnact.domains.base import PlannedCall
from learnact.domains.tools.content import Conversation

SAY = "say"
"""The primitive that ends a turn of the user."""
ANSWER = "Done."
"""What a reference plan says to each message; what is said is not judged."""


def reference_plan(conversation: Conversation) -> tuple[PlannedCall, ...]:
    """The calls of a conversation."""
    plan: list[PlannedCall] = []
    for turn in conversation.turns:
        plan += [PlannedCall(call.name, call.arguments) for call in turn.reference]
        plan.append(PlannedCall(SAY, (ANSWER,)))
    return tuple(plan)
