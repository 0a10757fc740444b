"""One rule for a function, put together from the rules of its steps as they were read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from learnact.simulated import text
from learnact.simulated.functions import Function
from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.prompt import ParsedPrompt
from learnact.simulated.rules import Clause, Rule, clause

LOOKED_FOR = "is a word that is looked for"
"""What a description says of a parameter that no action takes."""


def rules_as_read(prompt: ParsedPrompt, reader: NoisyReader) -> tuple[Rule, ...]:
    """The rules of primitive actions without the sentences that were overlooked."""

    def seen(rule: Rule, number: int, found: Clause) -> bool:
        return reader.sees(f"{rule.name}: {number}: {found.text}", (prompt.end - found.index,))

    kept = []
    for rule in prompt.rules:
        n, a = len(rule.requires), len(rule.adds)
        kept.append(
            replace(
                rule,
                requires=tuple(c for i, c in enumerate(rule.requires) if seen(rule, i, c)),
                adds=tuple(c for i, c in enumerate(rule.adds) if seen(rule, n + i, c)),
                deletes=tuple(c for i, c in enumerate(rule.deletes) if seen(rule, n + a + i, c)),
            )
        )
    return tuple(kept)


def rule_of(function: Function, rules: Iterable[Rule]) -> Rule:
    """One rule for a function: what its first steps require and its last leave behind. Calls of anything
    else say nothing."""
    by_name = {rule.name: rule for rule in rules}
    requires: dict[str, None] = {}
    true: dict[str, None] = {}
    false: dict[str, None] = {}
    taken = {a for step in function.steps for a in step.arguments}
    for parameter in function.names:
        if parameter not in taken:
            requires.setdefault(f"{parameter} {LOOKED_FOR}")
    conditional = {check.after for check in function.checks if check.then == "only"}
    for number, step in enumerate(function.steps):
        rule = by_name.get(step.name)
        if number in conditional or rule is None or len(rule.parameters) != len(step.arguments):
            continue
        for needed in _said(rule.kinds + rule.requires, step):
            if needed not in true:
                requires.setdefault(needed)
        for gone in _said(rule.deletes, step):
            true.pop(gone, None)
            false.setdefault(gone)
        for now in _said(rule.adds, step):
            false.pop(now, None)
            true.setdefault(now)
    untouched = [s for s in true if s not in requires]
    return Rule(
        function.name,
        function.names,
        _clauses(requires, function),
        _clauses(untouched, function),
        _clauses(false, function),
        does=function.steps,
        learned=True,
        lists=frozenset(i for i, p in enumerate(function.parameters) if p in dict(function.loop).values()),
    )


def _said(clauses: Iterable[Clause], step: text.ActionCall) -> list[str]:
    return [c.template.format(*step.arguments) for c in clauses]


def _clauses(sentences: Iterable[str], function: Function) -> tuple[Clause, ...]:
    return tuple(clause(s, function.names) for s in sentences)
