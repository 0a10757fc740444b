"""Libraries made from other libraries: new code merged into one, and the part of one that offers some actions
only."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from learnact.errors import LibraryError
from learnact.library.calls import find_calls
from learnact.library.check import LibraryProblem, check, reading_code
from learnact.library.statements import Statement, arrange, read_statements
from learnact.records import ActionError, LearnedAction, Library
from learnact.sandbox.source_lines import source_lines

GAP = "\n\n\n"
"""Between the parts of a module, as `Library.source` joins them."""


def merge(base: Library, code: str) -> Library:
    """`base` with the functions of `code`: same names are replaced (their descriptions and notes cleared),
    new ones are added. Raises `LibraryError` for code that cannot be read."""
    parts = arrange(read_statements(code), [action.name for action in base.actions])
    new = {action.name: replace(action, description="", notes=()) for action in parts.actions}
    rebound = {name for statement in read_statements(code) for name in statement.binds}
    actions = [
        _replaced(action, new.pop(action.name), rebound) if action.name in new else action
        for action in base.actions
    ]
    actions += new.values()
    preamble = _joined((*read_statements(base.preamble), *parts.preamble))
    if parts.unattached and actions:
        actions[-1] = _followed_by(actions[-1], [statement.text for statement in parts.unattached])
    else:
        preamble += [statement.text for statement in parts.unattached]
    return Library(tuple(_ordered(actions)), "\n".join(preamble), lessons=base.lessons)


def _joined(statements: Iterable[Statement]) -> list[str]:
    """Texts of statements. One that is repeated is kept once, in its first place unless its names changed
    meanwhile."""
    texts: dict[str, None] = {}
    bound_by: dict[str, str] = {}
    for statement in statements:
        if any(bound_by.get(name, statement.text) != statement.text for name in statement.binds):
            texts.pop(statement.text, None)
        texts.setdefault(statement.text)
        bound_by |= dict.fromkeys(statement.binds, statement.text)
    return list(texts)


def _replaced(old: LearnedAction, new: LearnedAction, rebound: Collection[str]) -> LearnedAction:
    """`new` in the place of `old`, with the statements that follow `old` unless the new code binds their
    names."""
    following = [s.text for s in read_statements(old.source)[1:] if not s.binds & set(rebound)]
    return _followed_by(new, following)


def _followed_by(action: LearnedAction, texts: Sequence[str]) -> LearnedAction:
    return replace(action, source="\n\n".join((action.source, *texts)))


def _ordered(actions: Sequence[LearnedAction]) -> list[LearnedAction]:
    """Actions in the same order, but one whose loading reads another (as a decorator or a default) comes
    after it."""
    by_name = {action.name: action for action in actions}
    ordered: dict[str, LearnedAction] = {}
    visiting: set[str] = set()

    def place(action: LearnedAction) -> None:
        if action.name in ordered or action.name in visiting:
            return
        visiting.add(action.name)
        for name in _read_by_loading(action, by_name):
            place(by_name[name])
        ordered[action.name] = action

    with reading_code():
        for action in actions:
            place(action)
    return list(ordered.values())


def _loads(actions: Sequence[LearnedAction]) -> bool:
    """Whether each action that loading another reads is defined before it."""
    missing = {action.name for action in actions}
    for action in actions:
        missing.discard(action.name)
        if _read_by_loading(action, missing):
            return False
    return True


def _read_by_loading(action: LearnedAction, names: Collection[str]) -> list[str]:
    """Those of `names` that loading an action reads, without its own."""
    statements = read_statements(action.source)
    return sorted({name for s in statements for name in s.reads if name in names and name != action.name})


def part_of(library: Library, names: Sequence[str]) -> Library:
    """A library that offers only some actions. Functions that these need are loaded but not offered; the
    usage example is kept if it shows no other action. Raises `LibraryError` for a library that cannot be
    read."""
    offered = [action for action in library.actions if action.name in names]
    hidden = _needed(library, offered)
    shown = {call.name for _, call in find_calls(library.usage_example)}
    kept = not shown & {action.name for action in library.actions if action.name not in names}
    if _loads((*hidden, *offered)):
        preamble = [action.source for action in hidden]
    else:
        preamble, offered = _in_order(library, [action.name for action in hidden], names)
    return Library(
        tuple(offered),
        GAP.join(part for part in (library.preamble, *preamble) if part),
        library.usage_example if kept else "",
        library.lessons,
    )


def _needed(library: Library, offered: Sequence[LearnedAction]) -> list[LearnedAction]:
    """The actions that the offered ones use, and what these use in turn, in the order of discovery."""
    found = {action.name for action in offered}
    hidden: list[LearnedAction] = []
    waiting = [action.source for action in offered]
    with reading_code():
        while waiting:
            tree = ast.parse(waiting.pop())
            used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            for action in library.actions:
                if action.name in used - found:
                    found.add(action.name)
                    hidden.append(action)
                    waiting.append(action.source)
    return hidden


def _in_order(
    library: Library, hidden: Collection[str], names: Collection[str]
) -> tuple[list[str], list[LearnedAction]]:
    """Texts for the preamble, and the offered actions, with every function in its place: a hidden one that
    stands behind an offered one becomes part of that one's source."""
    preamble: list[str] = []
    offered: list[LearnedAction] = []
    for action in library.actions:
        if action.name in names:
            offered.append(action)
        elif action.name in hidden and offered:
            offered[-1] = _followed_by(offered[-1], [action.source])
        elif action.name in hidden:
            preamble.append(action.source)
    return preamble, offered


def lines_in_code(library: Library, code: str) -> Mapping[int, int]:
    """By line of `library.source`, the line of `code` that it was taken from. `library` was merged with
    `code`."""
    found: dict[int, int] = {}
    module = "\n" + "\n".join(source_lines(library.source)) + "\n"
    for statement in read_statements(code):
        at = module.rfind(f"\n{statement.text}\n")
        if at >= 0:
            first = module.count("\n", 0, at) + 1
            found |= {first + n: statement.line + n for n in range(statement.text.count("\n") + 1)}
    return found


def check_merged(library: Library, code: str, primitives: Sequence[str]) -> tuple[LibraryProblem, ...]:
    """What is wrong with a library that was merged with `code`. Lines are those of `code`. It raises
    nothing."""
    try:
        lines = lines_in_code(library, code)
    except LibraryError as error:
        return (LibraryProblem(0, str(error)),)
    return tuple(
        replace(problem, line=lines.get(problem.line, 0)) for problem in check(library.source, primitives)
    )


def error_in_code(error: ActionError, library: Library, code: str) -> ActionError:
    """An error of a call to a library that was merged with `code`, with its line in `code` where it has one
    there.

    It raises nothing.
    """
    text = dict(enumerate(source_lines(library.source), 1)).get(error.line, "")
    with suppress(LibraryError):
        line = lines_in_code(library, code).get(error.line)
        if line and error.source and text.strip().startswith(error.source):
            return replace(error, line=line)
    return error
