"""Libraries made from other libraries: new code merged into one, and the part of one that offers some actions only."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from learnact.library.calls import find_calls
from learnact.library.check import split
from learnact.records import Library


def merge(base: Library, code: str) -> Library:
    """`base` with the functions of `code`: same names are replaced (their descriptions and notes cleared), new ones are added."""
    preamble, actions = split(code)
    new = {a.name: replace(a, description="", notes=()) for a in actions}
    kept = [new.pop(a.name, a) for a in base.actions]
    statements = dict.fromkeys((*_statements(base.preamble), *_statements(preamble)))
    return Library(tuple(kept) + tuple(new.values()), "\n".join(statements))


def _statements(preamble: str) -> list[str]:
    """The texts of a preamble's statements: what is said twice is kept once, and no statement is torn apart."""
    lines = preamble.splitlines()
    return ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in ast.parse(preamble).body]


def part_of(library: Library, names: Sequence[str]) -> Library:
    """A library that offers only some actions. What these call of the others is loaded but not offered; the usage example is kept if it
    shows no other."""
    offered = [a for a in library.actions if a.name in names]
    needed, waiting = set(names), [a.source for a in offered]
    hidden = []
    while waiting:
        used = {node.id for node in ast.walk(ast.parse(waiting.pop())) if isinstance(node, ast.Name)}
        for action in library.actions:
            if action.name in used - needed:
                needed.add(action.name)
                hidden.append(action.source)
                waiting.append(action.source)
    shown = {call.name for _, call in find_calls(library.usage_example)}
    kept = not shown & {a.name for a in library.actions if a.name not in names}
    preamble = "\n\n\n".join(part for part in (library.preamble, *hidden) if part)
    return Library(tuple(offered), preamble, library.usage_example if kept else "", library.lessons)
