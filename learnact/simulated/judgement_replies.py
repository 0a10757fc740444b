"""Replies that judge an attempt: a lesson from its failures, or whether the goal was reached."""

from __future__ import annotations

import re
from collections import Counter

from learnact.simulated import text
from learnact.simulated.belief import last_state
from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.prompt import ParsedPrompt
from learnact.simulated.rules import Rule

_FAILED = re.compile(r"No effect: ([A-Za-z_]\w*\([^()\n]*\)) requires: ([^:\n]*)")
GENERAL = "Lesson: Go through the sentences of the goal one after another, and keep what is reached."


def lesson(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """What would have avoided the failure: the requirement that was missed most, or the action for a goal
    that was not reached."""
    missed = _missed(prompt)
    if missed:
        most = max(missed.values())
        worst = [key for key, count in missed.items() if count == most]
        name, sentence = worst[reader.draw("which failure", len(worst))]
        return f"Lesson: Before {name}, make sure that {sentence}."
    return _for_goal(prompt, reader) or GENERAL


def verdict(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """Whether every sentence of the goal that was read is so at the end."""
    now = last_state(prompt)
    held = {t.text for t in now if reader.sees(f"fact: {t.text}", (prompt.end - t.index,))}
    wanted = [g.text for g in prompt.task.goal if reader.sees(f"goal: {g.text}", (prompt.end - g.index,))]
    missing = [sentence for sentence in wanted if sentence not in held]
    if not missing:
        return "Verdict: yes\nCritique: nothing is left to do."
    failed = _FAILED.findall(prompt.body("What happened"))
    because = f" {text.calls(failed[0][0])[0].name} was not possible." if failed else ""
    return f"Verdict: no\nCritique: it is not so that {missing[0]}.{because}"


def _missed(prompt: ParsedPrompt) -> Counter[tuple[str, str]]:
    """Requirements that were not met when a call failed, as they stand in the rules, with how often."""
    rules = {rule.name: rule for rule in prompt.rules}
    found: Counter[tuple[str, str]] = Counter()
    for written, needed in _FAILED.findall(prompt.body("What happened")):
        call = text.calls(written)[0]
        rule = rules.get(call.name)
        if rule is None or len(rule.parameters) != len(call.arguments):
            continue
        missing = {text.plain_article(s) for s in text.split(needed)}
        for clause in rule.requires:
            if clause.template.format(*call.arguments) in missing:
                found[_signature(rule), clause.text] += 1
    return found


def _for_goal(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """A lesson on an action that brings about a goal that was not reached."""
    now = {t.text for t in last_state(prompt)}
    fits = [
        (rule, added)
        for goal in prompt.task.goal
        if goal.text not in now
        for rule in prompt.rules
        for added in rule.adds
        if added.match(tuple(goal.text.split())) is not None
    ]
    if not fits:
        return ""
    rule, added = fits[reader.draw("which goal", len(fits))]
    needed = [c.text for c in rule.requires if c.parameters]
    requires = f" It requires that {needed[reader.draw('which', len(needed))]}." if needed else ""
    return f"Lesson: To bring it about that {added.text}, use {_signature(rule)}.{requires}"


def _signature(rule: Rule) -> str:
    return f"{rule.name}({', '.join(rule.parameters)})"
