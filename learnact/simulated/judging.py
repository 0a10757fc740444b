"""Looking back at an attempt: a lesson from its failures, or a verdict on whether the goal was reached."""

from __future__ import annotations

import re
from collections import Counter

from learnact.simulated import text
from learnact.simulated.attention import Attention
from learnact.simulated.reading import current
from learnact.simulated.rules import Rule
from learnact.simulated.scene import Scene

_FAILED = re.compile(r"No effect: ([A-Za-z_]\w*\([^()\n]*\)) requires: ([^:\n]*)")
GENERAL = "Lesson: Go through the sentences of the goal one after another, and keep what is reached."


def lesson(scene: Scene, attention: Attention) -> str:
    """What would have avoided the failure: the requirement that was missed most, or the action for a goal
    that was not reached."""
    missed = _missed(scene)
    if missed:
        most = max(missed.values())
        worst = [key for key, count in missed.items() if count == most]
        name, sentence = worst[attention.draw("which failure", len(worst))]
        return f"Lesson: Before {name}, make sure that {sentence}."
    return _for_goal(scene, attention) or GENERAL


def verdict(scene: Scene, attention: Attention) -> str:
    """Whether every sentence of the goal that was read is so at the end."""
    now = current(scene)
    held = {t.text for t in now if attention.sees(f"fact: {t.text}", (scene.end - t.index,))}
    wanted = [g.text for g in scene.task.goal if attention.sees(f"goal: {g.text}", (scene.end - g.index,))]
    missing = [sentence for sentence in wanted if sentence not in held]
    if not missing:
        return "Verdict: yes\nCritique: nothing is left to do."
    failed = _FAILED.findall(scene.body("What happened"))
    because = f" {text.calls(failed[0][0])[0].name} was not possible." if failed else ""
    return f"Verdict: no\nCritique: it is not so that {missing[0]}.{because}"


def _missed(scene: Scene) -> Counter[tuple[str, str]]:
    """Requirements that were not met when a call failed, as they stand in the rules, with how often."""
    rules = {rule.name: rule for rule in scene.rules}
    found: Counter[tuple[str, str]] = Counter()
    for said, needed in _FAILED.findall(scene.body("What happened")):
        call = text.calls(said)[0]
        rule = rules.get(call.name)
        if rule is None or len(rule.parameters) != len(call.arguments):
            continue
        missing = {text.plain_article(s) for s in text.split(needed)}
        for clause in rule.requires:
            if clause.template.format(*call.arguments) in missing:
                found[_signature(rule), clause.text] += 1
    return found


def _for_goal(scene: Scene, attention: Attention) -> str:
    """A lesson on an action that brings about a goal that was not reached."""
    now = {t.text for t in current(scene)}
    fits = [
        (rule, added)
        for goal in scene.task.goal
        if goal.text not in now
        for rule in scene.rules
        for added in rule.adds
        if added.match(tuple(goal.text.split())) is not None
    ]
    if not fits:
        return ""
    rule, added = fits[attention.draw("which goal", len(fits))]
    needed = [c.text for c in rule.requires if c.parameters]
    requires = f" It requires that {needed[attention.draw('which', len(needed))]}." if needed else ""
    return f"Lesson: To bring it about that {added.text}, use {_signature(rule)}.{requires}"


def _signature(rule: Rule) -> str:
    return f"{rule.name}({', '.join(rule.parameters)})"
