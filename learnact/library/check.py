"""Check of a library of learned actions: is its code acceptable, and if not, in which line and why?

The check gives good messages to the author of the code. Safety does not rest on it, but on the sandbox. The
host's own process parses the code; this is safe, because the length of the source is bounded first, and
CPython refuses deep nesting with an exception."""

from __future__ import annotations

import ast
import builtins
import functools
import itertools
import symtable
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from learnact.errors import LibraryError, near_names
from learnact.sandbox.modules import ALLOWED_IMPORTS

SOURCE_BYTES = 64 << 10
MAX_BRACES = 2000
"""CPython 3.11 takes a time for an f-string that grows with the square of the number of its fields."""
UNAVAILABLE = {"open", "input", "breakpoint", "help", "exit", "quit", "exec", "eval", "compile", "__import__"}
"""Builtins that learned code cannot use: it has no file, terminal or debugger, and it must be written out."""
SHOWN_CHARS = 60
"""Characters of a name that a message shows; longer names are compared with no other."""
NEAR_NAMES = 200
"""Names that a misspelt one is compared with: a bound on time."""
MOST_PROBLEMS = 20
"""Problems of one library that are told."""
MODULE_NAMES = {"__name__", "__doc__", "__builtins__", "__annotations__"}


@dataclass(frozen=True)
class LibraryProblem:
    """Why a library is not accepted. `line` counts from 1 in its source; 0 when it concerns the whole."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


READING_ERRORS = (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError, SystemError)
"""What CPython's parser, `symtable` and `ast` raise for odd source."""


@contextmanager
def reading_code() -> Iterator[None]:
    """Turn every exception of reading code into a `LibraryError` with the reason."""
    try:
        yield
    except LibraryError:
        raise
    except READING_ERRORS as error:
        raise LibraryError(str(_problem(error))) from None


def _problem(error: BaseException) -> LibraryProblem:
    match error:
        case SyntaxError():
            return LibraryProblem(error.lineno or 0, f"it does not parse: {error.msg}")
        case MemoryError() | RecursionError() | SystemError():
            return LibraryProblem(0, "it is nested too deeply to be read")
        case _:
            return LibraryProblem(0, f"it does not parse: {error}")


@functools.lru_cache(maxsize=8)
def read_code(source: str) -> tuple[ast.Module, symtable.SymbolTable] | LibraryProblem:
    """The syntax tree and symbol table, or why there are none. It raises nothing, whatever the text."""
    if len(source) > SOURCE_BYTES or len(source.encode("utf-8", "replace")) > SOURCE_BYTES:
        return LibraryProblem(0, f"the code is longer than {SOURCE_BYTES} bytes")
    if source.count("{") > MAX_BRACES:
        return LibraryProblem(0, f"the code holds more than {MAX_BRACES} braces")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source), symtable.symtable(source, "<library>", "exec")
    except READING_ERRORS as error:
        return _problem(error)


def check(
    source: str, primitives: Sequence[str], allowed: Sequence[str] = ALLOWED_IMPORTS
) -> tuple[LibraryProblem, ...]:
    """Why this is not an acceptable library, in order of lines; empty when it is one.

    An acceptable library parses, defines only functions and constants, imports only modules of `allowed`,
    gives the name of a primitive to nothing else, and uses only names that exist. It raises nothing, whatever
    the text."""
    code = read_code(source)
    if isinstance(code, LibraryProblem):
        return (code,)
    tree, table = code
    try:
        names = frozenset(primitives)
        found = (_shape(tree), _imports(tree, allowed), _shadows(tree, names), _names(tree, table, names))
        problems = [problem for each in found for problem in itertools.islice(each, MOST_PROBLEMS)]
    except READING_ERRORS as error:
        return (_problem(error),)
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.line, p.message))[:MOST_PROBLEMS])


def _shape(tree: ast.Module) -> Iterator[LibraryProblem]:
    seen: dict[str, int] = {}
    for node in tree.body:
        match node:
            case ast.FunctionDef():
                if node.name in seen:
                    yield LibraryProblem(
                        node.lineno, f"{_shown(node.name)} is defined twice, first in line {seen[node.name]}"
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
                yield LibraryProblem(node.lineno, f"{_shown(node.name)} must be a plain def, not async")
            case ast.ClassDef():
                yield LibraryProblem(
                    node.lineno,
                    f"only functions and constants may stand here; move class {_shown(node.name)} "
                    f"into a function",
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
                yield LibraryProblem(node.lineno, f"import the names you need from {_shown(names[0])}, not *")
        else:
            continue
        for name in names:
            if name.partition(".")[0] not in (*allowed, "__future__"):
                yield LibraryProblem(
                    node.lineno, f"{_shown(name)} cannot be imported; allowed are {', '.join(allowed)}"
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


def global_reads(table: symtable.SymbolTable) -> Iterator[str]:
    """Names that a scope, or one inside it, looks up in the module."""
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module"):
            yield symbol.get_name()
    for child in table.get_children():
        yield from global_reads(child)


def _names(
    tree: ast.Module, table: symtable.SymbolTable, primitives: frozenset[str]
) -> Iterator[LibraryProblem]:
    """Names that are looked up in the module and exist nowhere, and builtins that learned code does not
    have."""
    own = {
        s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()
    }
    tables = [table]
    while tables:
        scope = tables.pop()
        tables.extend(scope.get_children())
        own |= {s.get_name() for s in scope.get_symbols() if s.is_declared_global() and s.is_assigned()}
    wanted = set(global_reads(table))
    lines: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            lines[node.id] = min(node.lineno, lines.get(node.id, node.lineno))
    known = own | primitives
    near = sorted(known, key=lambda name: (name not in primitives, len(name)))[:NEAR_NAMES]
    for name in sorted(wanted - known - MODULE_NAMES):
        line = lines.get(name, 0)
        if name in UNAVAILABLE:
            yield LibraryProblem(line, f"{name} is not available to learned actions")
        elif not hasattr(builtins, name):
            yield LibraryProblem(line, f"{_shown(name)} does not exist; {_hint(name, near, primitives)}")


def _hint(name: str, near: Sequence[str], primitives: frozenset[str]) -> str:
    if len(name) <= SHOWN_CHARS and (close := near_names(name, near)):
        return f"did you mean {' or '.join(map(_shown, close))}?"
    return f"the primitive actions are {', '.join(sorted(primitives))}"


def _shown(name: str) -> str:
    return name if len(name) <= SHOWN_CHARS else f"{name[:SHOWN_CHARS]}..."
