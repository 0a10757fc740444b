"""The top-level statements of a library's module, and the library's actions with the statements around them.

A library is loaded as its preamble followed by its functions. Imports and constants therefore move into the
preamble where their place in the module makes no difference. A statement that must follow a function (a table
of functions, a constant that is assigned again) stays behind that function, as part of its source."""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from learnact.errors import LibraryError
from learnact.library.check import LibraryProblem, global_reads, read_code, reading_code
from learnact.records import LearnedAction
from learnact.sandbox.source_lines import source_lines

MAX_FUNCTIONS = 200
"""Functions of one module: each costs a request for its description."""
MUTATORS = {
    "add",
    "append",
    "clear",
    "discard",
    "extend",
    "insert",
    "pop",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
}
"""Methods that change a list, dictionary or set in place."""


@dataclass(frozen=True)
class Statement:
    """A top-level statement that is part of a library, or several simple ones that share a line.

    `text`: whole lines; `comment`: the comment lines right above; `line`: of the first line of `text`, from
    1. `binds`: names that it assigns, imports or defines. `reads`: names that running it reads: for a
    function those of decorators, defaults and annotations."""

    text: str
    comment: str
    line: int
    function: ast.FunctionDef | None
    binds: frozenset[str]
    reads: frozenset[str]

    @property
    def commented(self) -> str:
        """The text with the comment above it."""
        return f"{self.comment}\n{self.text}" if self.comment else self.text


@dataclass(frozen=True)
class Arrangement:
    """The parts of a module: `preamble`; `unattached`, statements that need a function of another module and
    stand before all functions; and the actions."""

    preamble: tuple[Statement, ...]
    unattached: tuple[Statement, ...]
    actions: tuple[LearnedAction, ...]


@functools.lru_cache(maxsize=16)
def read_statements(source: str) -> tuple[Statement, ...]:
    """The statements of a module that belong to a library, in order.

    Loose expressions (such as a usage line), `if __name__ == ...` and other statements are left out.

    Raises:
        LibraryError: the source does not parse, or a statement that is left out changes something that the
        others
            use. It names the line.
    """
    with reading_code():
        code = read_code(source)
        if isinstance(code, LibraryProblem):
            raise LibraryError(str(code))
        tree, table = code
        _refuse_lost_effects(tree, {name for child in table.get_children() for name in global_reads(child)})
        defined = sum(isinstance(node, ast.FunctionDef) for node in tree.body)
        if defined > MAX_FUNCTIONS:
            raise LibraryError(f"it defines {defined} functions; write at most {MAX_FUNCTIONS}")
        return tuple(_statements(tree, source_lines(source)))


def split(source: str) -> tuple[str, tuple[LearnedAction, ...]]:
    """A library's preamble and its learned actions, one for each top-level `def`; a later one of the same
    name wins.

    A docstring becomes the description. Raises `LibraryError` as `read_statements` does.
    """
    parts = arrange(read_statements(source))
    first = (*parts.preamble, *parts.unattached)
    return "\n".join(statement.commented for statement in first), parts.actions


def arrange(statements: Sequence[Statement], functions: Collection[str] = ()) -> Arrangement:
    """Sort statements into a preamble and actions. `functions`: names that are defined before this module."""
    blocked = {s.function.name for s in statements if s.function} | set(functions)
    read_before: set[str] = set()
    preamble: list[Statement] = []
    unattached: list[Statement] = []
    groups: dict[str, list[Statement]] = {}
    bound_by: dict[str, str] = {}
    last = ""
    for statement in statements:
        repeated = all(bound_by.get(name) == statement.text for name in statement.binds)
        bound_by |= dict.fromkeys(statement.binds, statement.text)
        if statement.function is not None:
            last = statement.function.name
            if last in groups and last in read_before:
                raise LibraryError(
                    f"line {statement.line}: {last} is defined again after its first definition was used; "
                    "give one of them another name"
                )
            following = groups.pop(last, [])[1:]
            (groups[list(groups)[-1]] if groups else unattached).extend(following)
            groups[last] = [statement]
            read_before |= statement.reads
        elif repeated or not (statement.reads & blocked or statement.binds & (read_before | blocked)):
            preamble.append(statement)
        else:
            (groups[last] if last else unattached).append(statement)
            blocked |= statement.binds
            read_before |= statement.reads
    with reading_code():
        return Arrangement(
            tuple(preamble), tuple(unattached), tuple(_action(group) for group in groups.values())
        )


def _action(group: Sequence[Statement]) -> LearnedAction:
    function = group[0].function
    assert function is not None
    source = "\n\n".join(statement.commented for statement in group)
    return LearnedAction(function.name, signature(function), source, ast.get_docstring(function) or "")


def signature(node: ast.FunctionDef) -> str:
    """As shown to a model: name, parameters and defaults, without annotations: `carry(ball, start,
    hand='left')`.

    Defaults that cannot be written (nested too deeply, numbers of thousands of digits) are shown as `...`.
    """
    kept = node.args
    shown = ast.arguments(
        posonlyargs=[ast.arg(a.arg) for a in kept.posonlyargs],
        args=[ast.arg(a.arg) for a in kept.args],
        vararg=ast.arg(kept.vararg.arg) if kept.vararg else None,
        kwonlyargs=[ast.arg(a.arg) for a in kept.kwonlyargs],
        kw_defaults=[default and _writable(default) for default in kept.kw_defaults],
        kwarg=ast.arg(kept.kwarg.arg) if kept.kwarg else None,
        defaults=[_writable(default) for default in kept.defaults],
    )
    return f"{node.name}({ast.unparse(shown)})"


def _writable(default: ast.expr) -> ast.expr:
    try:
        ast.unparse(default)
    except (RecursionError, MemoryError, ValueError):
        return ast.Constant(...)
    return default


def _statements(tree: ast.Module, lines: Sequence[str]) -> Iterator[Statement]:
    postponed = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and node.names[0].name == "annotations"
        for node in tree.body
    )
    end = 0
    for group in _sharing_lines(tree.body):
        start, stop = _start(group[0]), group[-1].end_lineno or 0
        first = start
        while first - 1 > end and lines[first - 2].startswith("#"):
            first -= 1
        end = stop
        kept = [node for node in group if _is_kept(node)]
        if kept == group:
            text = "\n".join(lines[start - 1 : stop]).rstrip()
            comment = "\n".join(lines[first - 1 : start - 1])
            yield _statement(kept, text, comment, start, postponed)
        else:
            for node in kept:
                yield _statement([node], _segment(lines, node), "", node.lineno, postponed)


def _statement(nodes: Sequence[ast.stmt], text: str, comment: str, line: int, postponed: bool) -> Statement:
    function = nodes[0] if isinstance(nodes[0], ast.FunctionDef) else None
    binds = frozenset(name for node in nodes for name in _binds(node))
    reads = frozenset(name for node in nodes for name in _reads(node, postponed))
    return Statement(text, comment, line, function, binds, reads)


def _sharing_lines(body: Sequence[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """Statements in groups that share a line (`A = 1; B = 2`)."""
    group: list[ast.stmt] = []
    for node in body:
        if group and _start(node) > (group[-1].end_lineno or 0):
            yield group
            group = []
        group.append(node)
    if group:
        yield group


def _start(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _segment(lines: Sequence[str], node: ast.stmt) -> str:
    """The exact text of a statement. Columns of a syntax tree count bytes of UTF-8."""
    part = [line.encode("utf-8", "replace") for line in lines[node.lineno - 1 : node.end_lineno]]
    part[-1] = part[-1][: node.end_col_offset]
    part[0] = part[0][node.col_offset :]
    return b"\n".join(part).decode("utf-8", "replace")


def _is_kept(node: ast.stmt) -> bool:
    if isinstance(node, ast.AnnAssign) and node.value is None:
        # "Usage: carry('ball1')" parses as an annotation, which a module would evaluate.
        return not any(isinstance(part, ast.Call) for part in ast.walk(node.annotation))
    return isinstance(
        node, ast.FunctionDef | ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign | ast.ClassDef
    )


def _binds(node: ast.AST) -> Iterator[str]:
    """Names that a statement binds, also inside blocks; not those inside functions and classes."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in names)
        case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return
        case ast.expr():
            for part in ast.walk(node):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store | ast.Del):
                    yield part.id
        case _:
            for part in ast.iter_child_nodes(node):
                yield from _binds(part)


def _reads(node: ast.stmt, postponed: bool) -> Iterator[str]:
    """Names that are read when a statement runs: not those in the body of a function."""
    if isinstance(node, ast.FunctionDef):
        arguments = node.args
        parts: list[ast.expr | None] = [*node.decorator_list, *arguments.defaults, *arguments.kw_defaults]
        if not postponed:
            listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            parts += [a.annotation for a in (*listed, arguments.vararg, arguments.kwarg) if a]
            parts.append(node.returns)
        for part in parts:
            if part is not None:
                yield from _loads(part)
    else:
        yield from _loads(node)


def _loads(node: ast.AST) -> Iterator[str]:
    return (
        part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    )


def _refuse_lost_effects(tree: ast.Module, read_by_functions: Collection[str]) -> None:
    """Raise `LibraryError` for a statement that would be left out although the library uses its effect."""
    kept = [node for node in tree.body if _is_kept(node)]
    used = set(read_by_functions).union(*(_reads(node, postponed=True) for node in kept))
    values = {name for node in kept if isinstance(node, ast.Assign | ast.AnnAssign) for name in _binds(node)}
    for node in tree.body:
        if _is_kept(node) or _is_main_guard(node):
            continue
        if isinstance(node, ast.AsyncFunctionDef):
            raise LibraryError(f"line {node.lineno}: {node.name} must be a plain def, not async")
        changed = set(_binds(node)) | (values & set(_mutated(node)))
        if names := sorted(changed & used):
            raise LibraryError(
                f"line {node.lineno}: only functions and constants may stand outside of functions; "
                f"this statement "
                f"sets {', '.join(names)}, write the value out"
            )


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and any(name == "__name__" for name in _loads(node.test))


def _mutated(node: ast.stmt) -> Iterator[str]:
    """Names whose values a statement changes in place: by items, attributes or methods."""
    for part in ast.walk(node):
        target: ast.AST = part
        if isinstance(part, ast.Call):
            if not isinstance(part.func, ast.Attribute) or part.func.attr not in MUTATORS:
                continue
            target = part.func
        elif not (
            isinstance(part, ast.Subscript | ast.Attribute) and isinstance(part.ctx, ast.Store | ast.Del)
        ):
            continue
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        if isinstance(target, ast.Name):
            yield target.id
