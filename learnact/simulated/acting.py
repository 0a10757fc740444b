"""Answers of an agent: one call, or a thought where thoughts are allowed."""

from __future__ import annotations

from learnact.simulated.attention import Attention
from learnact.simulated.policy import Choice, choose
from learnact.simulated.reading import last_seen
from learnact.simulated.scene import Scene

NOTHING = "I see no action that I could take."
_MOST_SAID = 3


def call(scene: Scene, attention: Attention) -> str:
    """One call; now and then with words around it, as chat models do."""
    choice = choose(scene, attention)
    if choice.step is None:
        return NOTHING
    said = str(choice.step.call)
    manner = attention.draw("manner", 16)
    if manner == 0:
        return f"```python\n{said}\n```"
    if manner == 1:
        return f"Action: {said}"
    return said


def thought_or_call(scene: Scene, attention: Attention) -> str:
    """A thought at the beginning and after a failure, a call otherwise."""
    seen = last_seen(scene)
    thinking = seen is None or seen.failed
    if thinking and not (scene.history and scene.history[-1].thought):
        said = _thought(scene, attention)
        if said:
            return f"Think: {said}"
    choice = choose(scene, attention)
    return f"Action: {choice.step.call}" if choice.step else NOTHING


def _thought(scene: Scene, attention: Attention) -> str:
    """What is still to be done, and what the next call requires, as far as it was read."""
    choice = choose(scene, attention)
    world = choice.reading.world
    left = [g.text for g in scene.task.goal if world.bit(g.text) in choice.reading.open_goals]
    parts = [f"Still to be done: {'. '.join(left[:_MOST_SAID])}."] if left else []
    parts += _requirements(choice)
    return " ".join(parts)


def _requirements(choice: Choice) -> list[str]:
    if choice.step is None:
        return []
    world = choice.reading.world
    rule = next((r for r in world.rules if r.name == choice.step.call.name), None)
    if rule is None:
        return []
    filled = (c for c in rule.requires if c.parameters)
    seen = [
        c.text
        for c in filled
        if choice.step.requires & world.bit(c.template.format(*choice.step.call.arguments))
    ]
    if not seen:
        return []
    return [f"{rule.name}({', '.join(rule.parameters)}) requires that {'. '.join(seen[:_MOST_SAID])}."]
