"""Play in a world whose sentences the reader cannot read: calls tried by their form alone.

It knows no world: it reads which actions there are and what the worked example called, takes words of the
goal and of what was observed for names, and does not repeat a call that changed nothing. It plans nothing, so
it solves what can be hit upon; that says nothing about the world or about a language model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from learnact.simulated import text
from learnact.simulated.function_replies import NO_WAY
from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.prompt import HistoryEntry, ParsedPrompt
from learnact.simulated.rules import ACTION_LINE, Rule

TRIES = 24
"""Calls that are thought of before one that was tried already is taken."""
FUNCTIONS = 3
_NUMBER_KINDS = ("int", "float")
_WORDS = re.compile(r"[A-Za-z][\w'-]*(?: \d+)?")
_LABEL = re.compile(r"^(?:Goal|Observation|Action|Think): ?", re.MULTILINE)
_QUOTED = re.compile(r"'([^'\n]{1,60})'|\"([^\"\n]{1,60})\"")
_SMALL = re.compile(
    r"an?|and|are|as|at|be|by|can|for|from|go|has|have|in|is|its?|no|nor|not|now|of|on|or|see|so|that|the|"
    r"then|there|this|to|what|when|which|will|with|your?"
)
"""Words that name nothing."""


def is_unfamiliar(prompt: ParsedPrompt) -> bool:
    """Whether the reader finds actions, but nothing that it can read in the task at hand."""
    task = prompt.task
    return bool(prompt.rules) and task.first.now is None and not task.kinds and not task.facts


def call(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """One call that has not failed before."""
    shapes, choices = _Arguments(prompt, reader), _choices(prompt)
    useless = _useless(prompt.history)
    written = ""
    for number in range(TRIES):
        rule = choices[reader.draw(f"action {number}", len(choices))]
        written = f"{rule.name}({', '.join(shapes.of(rule, number))})"
        if written not in useless:
            break
    return written


def thought_or_call(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """The goal as a thought at the beginning, a call otherwise."""
    if not prompt.history and prompt.task.goal:
        return f"Think: The goal is: {prompt.task.goal[0].text}."
    return f"Action: {call(prompt, reader)}"


def functions(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """Functions of two or three calls that the worked example made one after the other; where none is shown,
    of calls as they would be tried."""
    known = {rule.name for rule in prompt.rules}
    transcripts = (*prompt.examples, prompt.task)
    made = [e.call for t in transcripts for e in t.entries if e.call and e.call.name in known]
    made = made or _imagined(prompt, reader)
    found: dict[str, tuple[str, str]] = {}
    for number in range(2 * FUNCTIONS):
        length = 2 + reader.draw(f"length {number}", 2)
        if len(made) >= length and len(found) < FUNCTIONS:
            start = reader.draw(f"start {number}", len(made) - length + 1)
            name, code, usage = _function(made[start : start + length])
            found.setdefault(name, (code, usage))
    if not found:
        return NO_WAY
    code = "\n\n\n".join(code for code, _ in found.values())
    return f"```python\n{code}\n```\nUsage: {next(iter(found.values()))[1]}"


def _imagined(prompt: ParsedPrompt, reader: NoisyReader) -> list[text.ActionCall]:
    shapes, choices = _Arguments(prompt, reader), _choices(prompt)
    rules = [choices[reader.draw(f"imagined {number}", len(choices))] for number in range(2 * FUNCTIONS)]
    return [
        call
        for n, rule in enumerate(rules)
        for call in text.calls(f"{rule.name}({', '.join(shapes.of(rule, n))})")
    ]


def _function(calls: Sequence[text.ActionCall]) -> tuple[str, str, str]:
    """A function that makes these calls: its name, its code, and a call of it."""
    values = list(dict.fromkeys(value for each in calls for value in each.arguments))
    names = {value: f"x{number}" for number, value in enumerate(values, 1)}
    name = "_then_".join(each.name for each in calls)
    lines = [f"{each.name}({', '.join(names[value] for value in each.arguments)})" for each in calls]
    lines[-1] = f"return {lines[-1]}"
    code = f"def {name}({', '.join(names.values())}):\n    " + "\n    ".join(lines)
    return name, code, f"{name}({', '.join(map(_literal, values))})"


def _choices(prompt: ParsedPrompt) -> list[Rule]:
    """The actions, those oftener that the worked example called, and each learned one."""
    example = [e.call.name for t in prompt.examples for e in t.entries if e.call]
    return [
        rule for rule in (*prompt.rules, *prompt.learned) for _ in range(1 + min(example.count(rule.name), 4))
    ]


def _useless(history: Sequence[HistoryEntry]) -> set[str]:
    """Calls after which the same was observed as before them."""
    useless, before = set(), ""
    for entry in history:
        seen = entry.seen.raw.strip()
        if entry.call is not None and seen == before:
            useless.add(entry.written.strip())
        elif entry.call is not None:
            useless.clear()
            before = seen
    return useless


class _Arguments:
    """What may be written for the parameters of an action."""

    def __init__(self, prompt: ParsedPrompt, reader: NoisyReader) -> None:
        self._reader = reader
        self._kinds = _kinds(prompt)
        last = prompt.history[-1].seen.raw if prompt.history else ""
        first = _LABEL.sub("", prompt.body("Your task"))
        example = [a for t in prompt.examples for e in t.entries if e.call for a in e.call.arguments]
        goal = [name for sentence in prompt.task.goal for name in _names(sentence.text)]
        self._sources = [s for s in (goal, _names(last or first), _names(first), example) if s] or [["it"]]

    def of(self, rule: Rule, number: int) -> list[str]:
        """One value for each parameter."""
        kinds = self._kinds.get(rule.name, ())
        return [
            self._value(kinds[place] if place < len(kinds) else "", f"{number} {rule.name} {place}")
            for place in range(len(rule.parameters))
        ]

    def _value(self, kind: str, what: str) -> str:
        if kind in _NUMBER_KINDS:
            return str(self._reader.draw(f"number {what}", 7))
        if kind == "bool":
            return str(self._reader.draw(f"yes {what}", 2) == 1)
        source = self._sources[self._reader.draw(f"source {what}", len(self._sources))]
        drawn = source[self._reader.draw(f"value {what}", len(source))]
        value = repr(drawn) if kind in ("str", "list[str]") else _literal(drawn)
        return f"[{value}]" if kind.startswith("list") else value


def _kinds(prompt: ParsedPrompt) -> dict[str, tuple[str, ...]]:
    """The kinds of each action's parameters, "" where none is given."""
    found = {}
    for heading in ("Primitive actions", "Learned actions"):
        for line in prompt.body(heading).splitlines():
            match = ACTION_LINE.match(line.strip())
            if match:
                parts = [part.partition(":")[2].strip() for part in match[2].split(",") if part.strip()]
                found[match[1]] = tuple(parts)
    return found


def _names(said: str) -> list[str]:
    """What may be a name in a text: what stands in quotation marks, words, and pairs of words."""
    quoted = [a or b for a, b in _QUOTED.findall(said)]
    words = [word for word in _WORDS.findall(said) if not _SMALL.fullmatch(word.lower())]
    pairs = [f"{a} {b}" for a, b in pairwise(words) if f"{a} {b}" in said]
    return list(dict.fromkeys([*quoted, *words, *pairs]))


def _literal(value: str) -> str:
    if value.startswith("[") or re.fullmatch(r"-?\d+(?:\.\d+)?|True|False|None", value):
        return value
    return repr(value)
