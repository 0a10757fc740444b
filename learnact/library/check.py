"""Reading a library of learned actions: is it acceptable, and which actions does it hold?

The check is for good messages to whoever wrote the code (line and reason); safety does not rest on it, that is the sandbox's. It parses in the
host's own process, which is
safe because source is bounded first: CPython refuses what is nested too deeply with an exception.
"""

from __future__ import annotations

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from learnact.errors import LibraryError, near_names
from learnact.records import LearnedAction
from learnact.sandbox.modules import ALLOWED_IMPORTS

SOURCE_BYTES = 64 << 10
UNAVAILABLE = {"open", "input", "breakpoint", "help", "exit", "quit", "exec", "eval", "compile", "__import__"}
"""Builtins that learned code has no use for: there is no file, terminal or debugger, and code is written out."""
MODULE_NAMES = {"__name__", "__doc__", "__builtins__", "__annotations__"}


@dataclass(frozen=True)
class LibraryProblem:
    """Why a library is not accepted. `line` counts from 1 in its source; 0 when it is about the whole."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


def parse(source: str) -> ast.Module | LibraryProblem:
    """The syntax tree, or why there is none. Survives whatever text it is given."""
    if len(source.encode("utf-8", "replace")) > SOURCE_BYTES:
        return LibraryProblem(0, f"the code is longer than {SOURCE_BYTES} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            symtable.symtable(source, "<library>", "exec")
    except SyntaxError as error:
        return LibraryProblem(error.lineno or 0, f"it does not parse: {error.msg}")
    except (MemoryError, RecursionError):
        return LibraryProblem(0, "it is nested too deeply to be read")
    except ValueError as error:
        return LibraryProblem(0, f"it does not parse: {error}")
    return tree


def check(
    source: str, primitives: Sequence[str], allowed: Sequence[str] = ALLOWED_IMPORTS
) -> tuple[LibraryProblem, ...]:
    """Why this is no acceptable library, in order of lines; empty when it is.

    It parses, defines only functions and constants, imports only modules `allowed`, gives no primitive's name to anything, and uses only names
    that exist.
    """
    tree = parse(source)
    if isinstance(tree, LibraryProblem):
        return (tree,)
    problems = [
        *_shape(tree),
        *_imports(tree, allowed),
        *_shadows(tree, frozenset(primitives)),
        *_names(tree, source, frozenset(primitives)),
    ]
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.line, p.message)))


def split(source: str) -> tuple[str, tuple[LearnedAction, ...]]:
    """A library's preamble (imports and constants) and its learned actions, one for each top-level `def`; a later one of the same name wins.

    A docstring becomes the description. Raises `LibraryError` for what does not parse. Loose expressions, such as a usage line, are left out.
    """
    tree = parse(source)
    if isinstance(tree, LibraryProblem):
        raise LibraryError(str(tree))
    lines = source.splitlines()
    preamble: list[str] = []
    actions: dict[str, LearnedAction] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            actions.pop(node.name, None)
            actions[node.name] = LearnedAction(
                node.name, signature(node), _text(lines, node), ast.get_docstring(node) or ""
            )
        elif isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign | ast.ClassDef):
            preamble.append(_text(lines, node))
    return "\n".join(preamble), tuple(actions.values())


def signature(node: ast.FunctionDef) -> str:
    """As shown to a model: name, parameters and defaults, without annotations: `carry(ball, start, hand='left')`."""
    arguments = ast.parse(f"def f({ast.unparse(node.args)}): pass").body[0]
    assert isinstance(arguments, ast.FunctionDef)
    for argument in ast.walk(arguments.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return f"{node.name}({ast.unparse(arguments.args)})"


def _text(lines: list[str], node: ast.stmt) -> str:
    """A statement's whole lines, with its decorators and the comment right above it."""
    decorators = getattr(node, "decorator_list", [])
    start = min([node.lineno, *(d.lineno for d in decorators)]) - 1
    while start > 0 and lines[start - 1].startswith("#"):
        start -= 1
    return "\n".join(lines[start : node.end_lineno]).rstrip()


def _shape(tree: ast.Module) -> Iterator[LibraryProblem]:
    seen: dict[str, int] = {}
    for node in tree.body:
        match node:
            case ast.FunctionDef():
                if node.name in seen:
                    yield LibraryProblem(
                        node.lineno, f"{node.name} is defined twice, first in line {seen[node.name]}"
                    )
                seen[node.name] = node.lineno
            case ast.Import() | ast.ImportFrom():
                pass
            case ast.Assign(value=value) | ast.AnnAssign(value=value):
                if value is not None and any(
                    isinstance(n, ast.Call | ast.Await | ast.Yield) for n in ast.walk(value)
                ):
                    yield LibraryProblem(
                        node.lineno, "a constant must be a plain value, not the result of a call"
                    )
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.AsyncFunctionDef():
                yield LibraryProblem(node.lineno, f"{node.name} must be a plain def, not async")
            case ast.ClassDef():
                yield LibraryProblem(
                    node.lineno,
                    f"only functions and constants may stand here; move class {node.name} into a function",
                )
            case ast.Expr(value=ast.Call()):
                yield LibraryProblem(
                    node.lineno, "only functions and constants may stand here; leave the call out"
                )
            case _:
                yield LibraryProblem(
                    node.lineno, f"only functions and constants may stand here, no {_kind(node)} statement"
                )
    if not seen:
        yield LibraryProblem(0, "it defines no function")


def _kind(node: ast.stmt) -> str:
    return {"Expr": "loose expression", "AugAssign": "augmented assignment"}.get(
        type(node).__name__, type(node).__name__.lower()
    )


def _imports(tree: ast.Module, allowed: Sequence[str]) -> Iterator[LibraryProblem]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "."] if not node.level else ["."]
            if any(alias.name == "*" for alias in node.names):
                yield LibraryProblem(node.lineno, f"import the names you need from {names[0]}, not *")
        else:
            continue
        for name in names:
            if name.partition(".")[0] not in (*allowed, "__future__"):
                yield LibraryProblem(
                    node.lineno, f"{name} cannot be imported; allowed are {', '.join(allowed)}"
                )


def _shadows(tree: ast.Module, primitives: frozenset[str]) -> Iterator[LibraryProblem]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                bound = [name]
            case ast.arg(arg=name):
                bound = [name]
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                bound = [name]
            case ast.Import() | ast.ImportFrom():
                bound = [alias.asname or alias.name for alias in node.names]
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
                bound = [name]
            case _:
                continue
        line = getattr(node, "lineno", 0)
        for name in bound:
            if name in primitives:
                yield LibraryProblem(line, f"{name} is a primitive action; give this another name")


def _names(tree: ast.Module, source: str, primitives: frozenset[str]) -> Iterator[LibraryProblem]:
    """Names that are looked up in the module and exist nowhere, and builtins that learned code does not have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = symtable.symtable(source, "<library>", "exec")
    own = {
        s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()
    }
    wanted: set[str] = set()
    tables = [table]
    while tables:
        here = tables.pop()
        tables.extend(here.get_children())
        for symbol in here.get_symbols():
            if symbol.is_referenced() and (symbol.is_global() or here is table):
                wanted.add(symbol.get_name())
            if symbol.is_declared_global() and symbol.is_assigned():
                own.add(symbol.get_name())
    lines: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            lines[node.id] = min(node.lineno, lines.get(node.id, node.lineno))
    known = own | primitives | MODULE_NAMES
    for name in sorted(wanted - known):
        if name in UNAVAILABLE:
            yield LibraryProblem(lines.get(name, 0), f"{name} is not available to learned actions")
        elif not hasattr(builtins, name):
            near = near_names(name, known - MODULE_NAMES)
            hint = (
                f"did you mean {' or '.join(near)}?"
                if near
                else f"the primitive actions are {', '.join(sorted(primitives))}"
            )
            yield LibraryProblem(lines.get(name, 0), f"{name} does not exist; {hint}")
