"""Replies that edit a list of rules, write it as a manual, or write workflows."""

from __future__ import annotations

import re

from learnact.simulated.function_replies import NO_WAY, propose
from learnact.simulated.judgement_replies import lesson
from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.prompt import ParsedPrompt

_RULE = re.compile(r"^(\d+)\. (?:\([^()]*\) )?(.*)$", re.MULTILINE)
_MOST = re.compile(r"at most (\d+) may be kept")
_KINDS = re.compile(r"The kind is one of: ([^.]*)\.")
KIND_OF_FAILURE = "corrected error"


def rules(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """A change of the list of rules."""
    return with_rule(prompt, lesson(prompt, reader))


def with_rule(prompt: ParsedPrompt, lesson_text: str) -> str:
    """A lesson as a new rule; agreement (or, where only new rules are asked for, other words for it) where
    the list holds it."""
    rule = lesson_text.removeprefix("Lesson: ")
    kinds = _KINDS.search(prompt.answer)
    for number, known in _rules(prompt):
        if known == rule:
            return f"EDIT {number}: {rule}" if kinds else f"AGREE {number}"
    return f"ADD ({KIND_OF_FAILURE}): {rule}" if kinds else f"ADD: {rule}"


def merged(prompt: ParsedPrompt, reader: NoisyReader) -> str:  # noqa: ARG001 - as all writers
    """The last rules of a list that is too long are left out."""
    most = _MOST.search(prompt.answer)
    surplus = _rules(prompt)[int(most[1]) if most else 1 :]
    return "\n".join(f"REMOVE {number}" for number, _ in surplus) or "REMOVE 1"


def manual(prompt: ParsedPrompt, reader: NoisyReader) -> str:  # noqa: ARG001 - as all writers
    """The rules as they are."""
    return "\n".join(f"- {rule}" for _, rule in _rules(prompt))


def workflows(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """Sequences of calls of the attempt that come up again, with placeholders for names."""
    plan = [entry.call for entry in prompt.task.entries if entry.call]
    written = propose(prompt, reader, plan)
    lines = []
    for function, _ in written[:3]:
        steps = [f"{s.name}({', '.join(f'{{{a}}}' for a in s.arguments)})" for s in function.steps]
        lines.append(f"Workflow: {function.name.replace('_', ' ')}: {'; '.join(steps)}")
    return "\n".join(lines) or NO_WAY


def _rules(prompt: ParsedPrompt) -> list[tuple[str, str]]:
    return _RULE.findall(prompt.body("Rules"))
