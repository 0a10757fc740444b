"""Functions made of calls: read from code, written as code, and put together into one rule from the rules
of their steps."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from learnact.simulated import text
from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.prompt import ParsedPrompt
from learnact.simulated.rules import Clause, Rule, clause


@dataclass(frozen=True)
class Function:
    """A function as a straight line of calls. Arguments of a step are parameters of the function, or
    names."""

    name: str
    parameters: tuple[str, ...]
    steps: tuple[text.ActionCall, ...]
    keywords: Mapping[str, tuple[tuple[str, ...], frozenset[str]]] = field(
        default_factory=dict, compare=False
    )
    """For actions some of whose parameters must be given by keyword: all their parameters, and those."""

    @property
    def signature(self) -> str:
        """Name and parameters."""
        return f"{self.name}({', '.join(self.parameters)})"

    @property
    def code(self) -> str:
        """The whole `def`."""
        lines = [f"    {step.name}({', '.join(self._arguments(step))})" for step in self.steps]
        return "\n".join([f"def {self.signature}:", *lines])

    def calls_with(self, arguments: Sequence[str]) -> tuple[text.ActionCall, ...]:
        """The calls that it makes when called with these arguments."""
        value = dict(zip(self.parameters, arguments, strict=False))
        return tuple(
            text.ActionCall(step.name, tuple(value.get(a, a) for a in step.arguments)) for step in self.steps
        )

    def _arguments(self, step: text.ActionCall) -> list[str]:
        plain = [a if a in self.parameters else repr(a) for a in step.arguments]
        names, by_keyword = self.keywords.get(step.name, ((), frozenset()))
        keyed = [f"{p}={a}" if p in by_keyword else a for p, a in zip(names, plain, strict=False)]
        return keyed + plain[len(keyed) :]


def read_functions(code: str) -> list[Function]:
    """The functions of a module, each as the calls in it from top to bottom; text that does not parse
    holds none."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [_function(node) for node in tree.body if isinstance(node, ast.FunctionDef)]


def code_in(body: str) -> str:
    """The code of a section: its fenced blocks, or all of it."""
    blocks = body.split("```")[1::2]
    if not blocks:
        return body
    return "\n".join(block.partition("\n")[2] for block in blocks)


def _function(node: ast.FunctionDef) -> Function:
    parameters = tuple(a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs))
    found = [
        child for child in ast.walk(node) if isinstance(child, ast.Call) and isinstance(child.func, ast.Name)
    ]
    found.sort(key=lambda c: (c.lineno, c.col_offset))
    steps = tuple(
        text.ActionCall(
            call.func.id,
            tuple(_plain(a) for a in (*call.args, *(k.value for k in call.keywords))),
        )
        for call in found
        if isinstance(call.func, ast.Name)
    )
    return Function(node.name, parameters, steps)


def _plain(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return node.id if isinstance(node, ast.Name) else ast.unparse(node)


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
    for step in function.steps:
        rule = by_name.get(step.name)
        if rule is None or len(rule.parameters) != len(step.arguments):
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
        function.parameters,
        _clauses(requires, function),
        _clauses(untouched, function),
        _clauses(false, function),
        does=function.steps,
        learned=True,
    )


def _said(clauses: Iterable[Clause], step: text.ActionCall) -> list[str]:
    return [c.template.format(*step.arguments) for c in clauses]


def _clauses(sentences: Iterable[str], function: Function) -> tuple[Clause, ...]:
    return tuple(clause(s, function.parameters) for s in sentences)


def lift(
    name: str, steps: Sequence[text.ActionCall], words: Mapping[str, Sequence[str]]
) -> tuple[Function, tuple[str, ...]]:
    """A function from calls with names in them: every name becomes a parameter, called as the first action
    that takes it calls it.

    `words` are the parameters' names of each action. Gives the function and the names that its parameters
    stood for.
    """
    named: dict[str, str] = {}
    for step in steps:
        for place, value in enumerate(step.arguments):
            if value not in named:
                known = words.get(step.name, ())
                base = known[place] if place < len(known) else "item"
                named[value] = _free(base, named.values())
    lifted = tuple(text.ActionCall(s.name, tuple(named[a] for a in s.arguments)) for s in steps)
    return Function(name, tuple(named.values()), lifted), tuple(named)


def _free(base: str, taken: Iterable[str]) -> str:
    used = set(taken)
    if base not in used:
        return base
    stem = base.rstrip("0123456789")
    return next(f"{stem}{i}" for i in range(2, 1000) if f"{stem}{i}" not in used)
