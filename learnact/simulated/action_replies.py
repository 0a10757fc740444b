"""Replies of an agent: one call, or a thought where thoughts are allowed."""

from __future__ import annotations

from learnact.simulated import text
from learnact.simulated.belief import last_observation
from learnact.simulated.decision import Decision, decide
from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.prompt import ParsedPrompt

NOTHING = "I see no action that I could take."
_MOST_SAID = 3


def call(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """One call; one in eight is in a code block or after a label, as chat models write them."""
    decision = decide(prompt, reader)
    if decision.step is None:
        return NOTHING
    written = decision.call
    manner = reader.draw("manner", 16)
    if manner == 0:
        return f"```python\n{written}\n```"
    if manner == 1:
        return f"Action: {written}"
    return written


def thought_or_call(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """A thought at the beginning and after a failure, a call otherwise."""
    seen = last_observation(prompt)
    thinking = seen is None or seen.failed
    if thinking and not (prompt.history and prompt.history[-1].thought):
        written = _thought(prompt, reader)
        if written:
            return f"Think: {written}"
    decision = decide(prompt, reader)
    return f"Action: {decision.call}" if decision.step else NOTHING


def _thought(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """What is still to be done, and what the next call requires, as far as it was read."""
    decision = decide(prompt, reader)
    grounded = decision.belief.grounded
    left = [g.text for g in prompt.task.goal if grounded.bit(g.text) in decision.belief.open_goals]
    parts = [f"Still to be done: {'. '.join(left[:_MOST_SAID])}."] if left else []
    parts += _requirements(decision)
    return " ".join(parts)


def _requirements(decision: Decision) -> list[str]:
    if decision.step is None:
        return []
    grounded = decision.belief.grounded
    rule = next((r for r in grounded.rules if r.name == decision.step.call.name), None)
    if rule is None:
        return []
    filled = (c for c in rule.requires if c.parameters)
    names = [text.elements(a)[0] for a in decision.step.call.arguments]
    seen = [c.text for c in filled if decision.step.requires & grounded.bit(c.template.format(*names))]
    if not seen:
        return []
    return [f"{rule.name}({', '.join(rule.parameters)}) requires that {'. '.join(seen[:_MOST_SAID])}."]
