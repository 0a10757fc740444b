"""What the agent observes after a call that made several primitive actions, and whether the call counts as
failed (docs/methods.md, rules of execution).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from learnact.records import ActionError, Plain, PrimitiveStep, Rules

NOTHING_DONE = "No primitive action was made."
RETURNED_CHARS = 600
"""Characters of a returned value, and of printed text, that the agent is shown."""
Mode = Literal["last", "all"]
"""Which observations of a call are shown (`Profile.call_observation`)."""


def error_text(error: ActionError) -> str:
    """An error in learned code as the agent and the learner are told of it."""
    where = f" in {error.function}" if error.function else ""
    line = f", line {error.line}: {error.source.strip()}" if error.line else ""
    return f"The call was stopped by {error.type}: {error.message}{where and f' ({where.strip()}{line})'}"


def build_observation(
    mode: Mode,
    rules: Rules,
    steps: Sequence[PrimitiveStep],
    error: ActionError | None,
    said: Sequence[str] = (),
) -> str:
    """The observation after a call; `said`: what it returned and printed, as `output_lines` writes it.

    An error's text comes first. Then it is told how many primitive actions had no effect, and the first of
    them, also where the last one worked. "last" (robotic planning): then the last state. "all" (ALFWorld):
    then every observation in order, a failure with its call. With `call_observation: published` as the
    published code composes it.
    """
    parts = [error_text(error)] if error else []
    if not steps:
        parts += [NOTHING_DONE, *said]
    elif rules.call_observation == "published":
        parts += [*_published(mode, steps), *said]
    else:
        parts += [*failures_told(mode, steps), *said, *_observed(mode, steps)]
    return "\n".join(parts)


def failures_told(mode: Mode, steps: Sequence[PrimitiveStep]) -> list[str]:
    """One line on the primitive actions without effect: how many of how many, and the first with its
    reason (in mode "all" the reason stands where it happened); no line where there is none."""
    failed = [s for s in steps if not s.ok]
    if not failed:
        return []
    first = failed[0]
    reason = f" -> {first.observation}" if mode == "last" else "."
    of_many = f"{len(failed)} of {len(steps)} primitive actions had no effect"
    return [f"{of_many}; the first was {first.command}{reason}"]


def _observed(mode: Mode, steps: Sequence[PrimitiveStep]) -> list[str]:
    if mode == "all":
        return [s.observation if s.ok else f"{s.command}: {s.observation}" for s in steps]
    return [s.observation for s in steps if s.ok][-1:]


def _published(mode: Mode, steps: Sequence[PrimitiveStep]) -> list[str]:
    """ "last": the last state; where the last primitive failed, the failure and the call's last valid state.
    "all": all valid observations of the call, the last failure first.
    """
    valid = [s.observation for s in steps if s.ok]
    failed = [s.observation for s in steps if not s.ok]
    if mode == "all":
        return failed[-1:] + valid
    if steps[-1].ok:
        return [steps[-1].observation]
    return failed[-1:] + valid[-1:]


def returned_text(value: Plain) -> str:
    """A returned value as text: a text as it is, anything else as Python writes it; "" for None."""
    return "" if value is None else value if isinstance(value, str) else repr(value)


def output_lines(value: Plain, printed: str, shown: Sequence[str]) -> list[str]:
    """What a call returned and printed, bounded. A returned observation that is among those `shown` is not
    repeated.
    """
    lines = []
    values = value if isinstance(value, list) else [value]
    if value is not None and not all(v in shown for v in values):
        lines.append(f"It returned: {_bounded(returned_text(value))}")
    if printed.strip():
        lines.append(f"It printed: {_bounded(printed.strip())}")
    return lines


def _bounded(text: str) -> str:
    left = len(text) - RETURNED_CHARS
    return text if left <= 0 else f"{text[:RETURNED_CHARS]} ... ({left} more characters)"


def succeeded(rule: Rules, steps: Sequence[PrimitiveStep], error: ActionError | None) -> bool:
    """Whether a call counts as successful: by default it made a primitive, none was invalid, and nothing was
    raised.

    With the published switches a call without a primitive counts as successful (`empty_call`), and only the
    last primitive (or an error, which ends the call) decides (`failure`).
    """
    if error:
        return False
    if not steps:
        return rule.empty_call == "successful"
    if rule.failure == "last_observation":
        return steps[-1].ok
    return all(s.ok for s in steps)
