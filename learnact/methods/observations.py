"""What the agent observes after a call that made several primitive actions, and whether the call counts as
failed (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from learnact.records import ActionError, PrimitiveStep, Rules

NOTHING_DONE = "No primitive action was made."


def error_text(error: ActionError) -> str:
    """An error in learned code as the agent and the learner are told of it."""
    where = f" in {error.function}" if error.function else ""
    line = f", line {error.line}: {error.source.strip()}" if error.line else ""
    return f"The call was stopped by {error.type}: {error.message}{where and f' ({where.strip()}{line})'}"


def build_observation(
    mode: Literal["last", "all"], steps: Sequence[PrimitiveStep], error: ActionError | None
) -> str:
    """The observation after a call.

    "last" (robotic planning): the last state; where the last primitive failed, the failure and the call's
    last valid state. "all" (ALFWorld): all valid observations of the call, the failure first. An error's
    text always comes first.
    """
    valid = [s.observation for s in steps if s.ok]
    failed = [s.observation for s in steps if not s.ok]
    parts = [error_text(error)] if error else []
    if not steps:
        parts.append(NOTHING_DONE)
    elif mode == "all":
        parts += failed[-1:] + valid
    elif steps[-1].ok:
        parts.append(steps[-1].observation)
    else:
        parts += failed[-1:] + valid[-1:]
    return "\n".join(parts)


def succeeded(rule: Rules, steps: Sequence[PrimitiveStep], error: ActionError | None) -> bool:
    """Whether a call counts as successful: by default no primitive was invalid and nothing was raised.

    With the published switch `last_observation` only the last primitive (or an error, which ends the call)
    decides.
    """
    if error:
        return False
    if rule.failure == "last_observation":
        return not steps or steps[-1].ok
    return all(s.ok for s in steps)
