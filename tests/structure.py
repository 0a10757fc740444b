"""Checks of the package's structure that ruff, mypy and import-linter do not make.

    python -m tests.structure [PATH ...] [--update] [--all]

Each violation is printed as `path:line: what; what to do` with the rule's name in brackets. PATH limits what
is printed and counted to files below it. Rules:

    class-name   a class name is defined once in learnact/, private ones included
    method-name  no value is compared with the name of a method, learner or agent outside learnact/methods/
    positional   at most six positional arguments in a call, and parameters of a function
    clock        no test asserts that something is quick (speed belongs to tests/benchmarks)
    columns      at most 110 columns
    layout       at most six loose modules at the top of learnact/, and eight import layers
    unused       no unused code in learnact/ (vulture; what only tests use is unused; [tool.vulture] allows)
    repeated     no two golden prompts are equal byte for byte

`structure_baseline.txt` counts the known violations per rule and file. A violation beyond it fails the check;
`--update` lowers the counts, and `--all` prints the known ones too (they are always printed for a PATH).
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import re
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BASELINE = ROOT / "tests/structure_baseline.txt"
MAX_COLUMNS = 110
MAX_POSITIONAL = 6
MAX_LOOSE_MODULES = 6
MAX_LAYERS = 8
SAFETY_SECONDS = 300


class Violation(NamedTuple):
    """One place that breaks a rule."""

    rule: str
    path: str
    """Relative to the repository's root."""
    line: int
    text: str
    """What is wrong, and what to do."""

    def __str__(self) -> str:
        """As an editor reads it."""
        return f"{self.path}:{self.line}: {self.text} [{self.rule}]"


class Source(NamedTuple):
    """A Python file, parsed."""

    path: str
    tree: ast.Module


class Allowed(NamedTuple):
    """A literal that equals a method's name and means something else."""

    path: str
    """A glob."""
    text: str
    """The literal's line contains it."""
    reason: str


METHOD_NAME_ALLOWED = (
    Allowed("learnact/cli/prompt.py", '"act"', "a request's purpose"),
    Allowed("learnact/report/preview.py", '"act": self.', "a request's purpose"),
    Allowed("learnact/models/negotiation.py", 'effort == "none"', "a level of reasoning effort"),
    Allowed("learnact/runners/tracing.py", '"OTEL_TRACES_EXPORTER") == "none"', "a value of OpenTelemetry's"),
)
VARIADIC = frozenset({"gather", "learnact", "print", "product", "zip"})
"""Functions of any number of arguments of one kind; `learnact` runs a command line in tests."""


# class-name


def class_names(sources: Iterable[Source]) -> Iterator[Violation]:
    """Classes that share their name with another class."""
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append((source.path, node.lineno))
    for name, found in places.items():
        if len(found) < 2:
            continue
        for path, line in found:
            others = ", ".join(f"{p}:{n}" for p, n in found if (p, n) != (path, line))
            yield Violation(
                "class-name", path, line, f"class {name} is also defined in {others}; rename all but one"
            )


# method-name


def method_names() -> frozenset[str]:
    """The names that learnact's own registries of methods, learners and agents hold."""
    from learnact.methods import registry

    agents = {agent.name for agent in registry.INTERNAL_AGENTS}
    return frozenset({*registry.METHODS.own, *registry.learners(), *registry.agents(), *agents})


def method_comparisons(
    source: Source, lines: list[str], names: frozenset[str], allowed: Iterable[Allowed] = METHOD_NAME_ALLOWED
) -> Iterator[Violation]:
    """Comparisons with a method's name, memberships, and sets and dicts keyed by such names.

    A constant of the file, and a variable with a collection of names, counts as the literal.
    """
    top = set(source.tree.body)
    constants = {
        target.id
        for node in ast.walk(source.tree)
        for target, value in _simple_assignments(node)
        if (node in top or not _is_text(value)) and _names_in(value, names)
    }

    def literals(node: ast.expr) -> Iterator[ast.expr]:
        if (isinstance(node, ast.Name) and node.id in constants) or _names_in(node, names):
            yield node

    found: dict[int, str] = {}
    for node in ast.walk(source.tree):
        for literal in _compared(node):
            for hit in literals(literal):
                found.setdefault(hit.lineno, ast.unparse(hit))
    for line, text in sorted(found.items()):
        code = lines[line - 1]
        if not any(fnmatch(source.path, a.path) and a.text in code for a in allowed):
            yield Violation(
                "method-name",
                source.path,
                line,
                f"depends on a method's name: {text[:60]}; ask the method object (learnact/methods/), or say"
                " in METHOD_NAME_ALLOWED why this is no method",
            )


def _simple_assignments(node: ast.AST) -> Iterator[tuple[ast.Name, ast.expr]]:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    for target in targets:
        if isinstance(target, ast.Name) and node.value is not None:  # type: ignore[attr-defined]
            yield target, node.value  # type: ignore[attr-defined]


def _is_text(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.IfExp(body=one, orelse=other):
            return _is_text(one) and _is_text(other)
    return False


def _names_in(node: ast.expr, names: frozenset[str]) -> bool:
    """Whether an expression is a name's literal, or a collection (or a choice of them) with one in it."""
    match node:
        case ast.Constant(value=str(text)):
            return text in names
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            return any(_names_in(item, names) for item in items)
        case ast.Call(func=ast.Name(id="frozenset" | "set" | "tuple" | "list"), args=[only]):
            return _names_in(only, names)
        case ast.IfExp(body=one, orelse=other):
            return _names_in(one, names) or _names_in(other, names)
    return False


def _compared(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions that a node compares with, or keys by."""
    match node:
        case ast.Compare(left=left, comparators=rest):
            yield from (left, *rest)
        case ast.MatchValue(value=value):
            yield value
        case ast.Set(elts=items):
            yield from items
        case ast.Dict(keys=keys):
            yield from (key for key in keys if key is not None)
        case ast.Subscript(slice=ast.Constant() as key, ctx=ast.Load()):
            yield key
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            for keyword in keywords:
                if keyword.arg is not None:
                    yield ast.copy_location(ast.Constant(keyword.arg), keyword.value)
        case ast.Call(func=ast.Attribute(attr="get" | "startswith" | "endswith"), args=[first, *_]):
            yield first


# positional


def positional(source: Source) -> Iterator[Violation]:
    """Calls and functions with too many positional arguments; `self` does not count, `*args` is one."""
    methods = {
        function
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
        for function in node.body
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and not any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)
    }
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and len(node.args) > MAX_POSITIONAL and _called(node) not in VARIADIC:
            yield Violation(
                "positional",
                source.path,
                node.lineno,
                f"{ast.unparse(node.func)[:40]}(...) has {len(node.args)} positional arguments (most:"
                f" {MAX_POSITIONAL}); pass them by keyword",
            )
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            taken = len(node.args.posonlyargs) + len(node.args.args) - (node in methods)
            if taken > MAX_POSITIONAL:
                name = "a lambda" if isinstance(node, ast.Lambda) else f"{node.name}()"
                yield Violation(
                    "positional",
                    source.path,
                    node.lineno,
                    f"{name} takes {taken} positional parameters (most: {MAX_POSITIONAL}); make some"
                    " keyword-only (after `*`), or group them in a dataclass",
                )


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


# clock

_CLOCKS = frozenset({"monotonic", "perf_counter", "time", "monotonic_ns", "perf_counter_ns", "time_ns"})

_WAITS = frozenset(
    {"run", "communicate", "wait", "wait_for", "timeout", "join", "check_output", "check_call"}
)


def clock(source: Source) -> Iterator[Violation]:
    """Assertions that a clock has not gone far, and time-outs of single tests: a busy machine breaks them."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Assert | ast.expr):
            continue
        what = ""
        if isinstance(node, ast.Assert):
            small = [side for part in ast.walk(node.test) for side in _smaller_sides(part)]
            if any(_reads_clock(side) for side in small):
                what = "asserts a wall-clock time; count steps, or measure it in tests/benchmarks"
        elif isinstance(node, ast.Attribute) and ast.unparse(node).endswith("mark.timeout"):
            what = "sets a time-out of its own; the one in pyproject.toml is the safety net for all tests"
        elif isinstance(node, ast.Call):
            deadlines = [
                k.value for k in node.keywords if k.arg == "deadline" and _called(node) == "settings"
            ]
            if any(ast.unparse(value) != "None" for value in deadlines):
                what = "sets a deadline; tests/conftest.py sets none for all property tests"
            if _called(node) in _WAITS and any(map(_is_short, _waiting_times(node))):
                what = f"waits less than {SAFETY_SECONDS} s; a busy machine may need longer"
        if what:
            yield Violation("clock", source.path, node.lineno, what)


def _waiting_times(call: ast.Call) -> Iterator[ast.expr]:
    if ast.unparse(call.func).endswith("mark.timeout"):
        return
    yield from (keyword.value for keyword in call.keywords if keyword.arg == "timeout")
    if _called(call) in ("wait", "timeout", "join"):
        yield from call.args[:1]
    elif _called(call) == "wait_for":
        yield from call.args[1:2]


def _is_short(value: ast.expr) -> bool:
    return (
        isinstance(value, ast.Constant)
        and isinstance(value.value, int | float)
        and value.value < SAFETY_SECONDS
    )


def _smaller_sides(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left=left, ops=operators, comparators=rest):
            for one, operator, other in zip((left, *rest), operators, rest, strict=False):
                if isinstance(operator, ast.Lt | ast.LtE):
                    yield one
                elif isinstance(operator, ast.Gt | ast.GtE):
                    yield other


def _reads_clock(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Call) and _called(part) in _CLOCKS for part in ast.walk(node))


# columns

_PROMPT_LINE = re.compile(r"Requires: .* Then: ")
"""An action's line in a prompt is one line by its form, also where a document or test quotes it."""
COLUMNS_ALLOWED = {
    "learnact/domains/*.yaml": "prompt text: domains' descriptions and worked examples",
    "tests/simulated/lamps/*.yaml": "prompt text",
    "results/README.md": "generated from the declared tables",
}
"""Files whose lines may be long, with the reason."""
_LINK = re.compile(r"<?https?://\S+|\[[^\]]*\]\([^)]*\)")


def columns(path: str, lines: Iterable[str]) -> Iterator[Violation]:
    """Lines that are too long; Markdown tables, lines with one link and lines of prompts are exempt."""
    if any(fnmatch(path, pattern) for pattern in COLUMNS_ALLOWED):
        return
    markdown = path.endswith(".md")
    for number, line in enumerate(lines, 1):
        if len(line) <= MAX_COLUMNS or (markdown and line.lstrip().startswith("|")):
            continue
        if _PROMPT_LINE.search(line):
            continue
        links = _LINK.findall(line)
        if len(links) == 1 and len(line) - len(links[0]) <= MAX_COLUMNS:
            continue
        yield Violation(
            "columns", path, number, f"{len(line)} columns (most: {MAX_COLUMNS}); break or shorten the line"
        )


def has_columns_checked(path: str) -> bool:
    """Whether a file of the repository is text that people write and read.

    The sentences of domains are part of prompts: a line break would change them.
    """
    name = path.rsplit("/", 1)[-1]
    if path.endswith(".yaml") and path.startswith(("learnact/domains/", "examples/", "tests/simulated/")):
        return False
    return name in ("Makefile", "run") or path.endswith((".py", ".md", ".yaml", ".yml", ".toml", ".sql"))


# layout


def layout(root: Path) -> Iterator[Violation]:
    """Too many loose modules, or too many layers of imports."""
    loose = sorted(p.name for p in (root / "learnact").glob("*.py") if p.name != "__init__.py")
    if len(loose) > MAX_LOOSE_MODULES:
        yield Violation(
            "layout",
            "learnact/__init__.py",
            1,
            f"{len(loose)} loose modules (most: {MAX_LOOSE_MODULES}): {', '.join(loose)};"
            " move some into a package",
        )
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    for contract in settings["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers" and len(contract["layers"]) > MAX_LAYERS:
            yield Violation(
                "layout",
                "pyproject.toml",
                1,
                f"{len(contract['layers'])} import layers (most: {MAX_LAYERS}); join some",
            )


# unused


_FIELD = r"(unit|result|outcome|turn|call|candidate|attempt|library|prompt)(\.[a-z_]+)+"
"""How the tables of results name a record's field."""


def unused(root: Path, sources: Iterable[Source]) -> Iterator[Violation]:
    """Code that nothing in the package uses, and allowed names that are used or gone."""
    from vulture.core import Vulture

    settings = tomllib.loads((root / "pyproject.toml").read_text())
    allowed: list[str] = settings["tool"]["vulture"]["ignore_names"]
    named = {*_entry_points(settings), *(name for source in sources for name in _named_in_strings(source))}
    checker = Vulture(ignore_decorators=settings["tool"]["vulture"]["ignore_decorators"])
    checker.scavenge([str(root / "learnact")])
    needed: set[str] = set()
    for item in checker.get_unused_code(min_confidence=60):
        matching = {pattern for pattern in allowed if fnmatch(item.name, pattern)}
        needed |= matching
        if not matching and item.name not in named:
            yield Violation(
                "unused",
                Path(item.filename).resolve().relative_to(root).as_posix(),
                item.first_lineno,
                f"{item.message}; delete it, or say in pyproject.toml [tool.vulture] what uses it",
            )
    for pattern in allowed:
        if pattern not in needed:
            yield Violation(
                "unused",
                "pyproject.toml",
                1,
                f"[tool.vulture] allows {pattern!r}, which is used or gone; delete it",
            )


def _entry_points(settings: dict[str, Any]) -> Iterator[str]:
    project = settings["project"]
    for group in (project.get("scripts", {}), *project.get("entry-points", {}).values()):
        for target in group.values():
            yield target.rsplit(":", 1)[-1]


def _named_in_strings(source: Source) -> Iterator[str]:
    """Functions that a table names as "module:function", and fields that one names as "unit.field"."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Constant(value=str(text)) if re.fullmatch(r"[a-z_][\w.]*:[A-Za-z_]\w*", text):
                yield text.rsplit(":", 1)[-1]
            case ast.Constant(value=str(text)) if re.fullmatch(_FIELD, text):
                yield from text.split(".")[1:]


# repeated


def repeated_files(root: Path, below: str = "tests/prompts") -> Iterator[Violation]:
    """Files that repeat an earlier file of the folder."""
    first: dict[str, str] = {}
    for file in sorted((root / below).rglob("*.txt")):
        path = file.relative_to(root).as_posix()
        known = first.setdefault(hashlib.sha256(file.read_bytes()).hexdigest(), path)
        if known != path:
            yield Violation("repeated", path, 1, f"equals {known}; keep one, and let the tests name it")


# all of them


def tracked(root: Path) -> list[str]:
    """The files of the repository that are not ignored; without git, those of its known folders."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        folders = ("learnact", "tests", "docs", "examples", "jobs")
        found = [*root.glob("*"), *(path for folder in folders for path in (root / folder).rglob("*"))]
        listed = [path.relative_to(root).as_posix() for path in found]
    return [path for path in sorted(set(listed)) if (root / path).is_file()]


def violations(root: Path = ROOT) -> list[Violation]:
    """All violations, sorted by place."""
    found: list[Violation] = []
    names = method_names()
    package: list[Source] = []
    for path in tracked(root):
        if not has_columns_checked(path):
            continue
        text = (root / path).read_text(encoding="utf-8")
        lines = text.split("\n")
        found.extend(columns(path, lines))
        if not path.endswith(".py"):
            continue
        source = Source(path, ast.parse(text, path))
        found.extend(positional(source))
        if path.startswith("tests/") and not path.startswith("tests/benchmarks/"):
            found.extend(clock(source))
        if path.startswith("learnact/"):
            package.append(source)
            if not path.startswith("learnact/methods/"):
                found.extend(method_comparisons(source, lines, names))
    found.extend(class_names(package))
    found.extend(layout(root))
    found.extend(unused(root, package))
    found.extend(repeated_files(root))
    return sorted(found, key=lambda v: (v.path, v.line, v.rule))


# baseline

Counts = Counter[tuple[str, str]]
"""Number of violations by (rule, path)."""


def read_baseline(text: str) -> Counts:
    """The counts of a baseline file: lines `rule path count`."""
    rows = (line.split() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return Counter({(rule, path): int(count) for rule, path, count in rows})


def write_baseline(counts: Counts) -> str:
    """The text of a baseline file."""
    head = "# Known violations: rule, file, count. May only shrink: python -m tests.structure --update\n"
    return head + "".join(f"{rule} {path} {n}\n" for (rule, path), n in sorted(counts.items()) if n > 0)


def beyond(counts: Counts, baseline: Counts) -> Counts:
    """The counts that the baseline does not cover.

    A file that the baseline does not name for a rule (it may have moved) may have what others have lost.
    """
    spare: Counter[str] = Counter()
    for (rule, path), known in baseline.items():
        spare[rule] += max(0, known - counts[rule, path])
    more: Counts = Counter()
    for (rule, path), count in sorted(counts.items()):
        extra = max(0, count - baseline[rule, path])
        if (rule, path) not in baseline:
            covered = min(extra, spare[rule])
            spare[rule] -= covered
            extra -= covered
        if extra:
            more[rule, path] = extra
    return more


def shortened(counts: Counts, baseline: Counts) -> Counts:
    """The baseline as far as it is still needed; files that moved keep what the rule's total allows."""
    more = beyond(counts, baseline)
    return Counter({key: count - more[key] for key, count in counts.items() if count > more[key]})


def main(arguments: list[str]) -> int:
    """Print violations; 1 when there are some that the baseline does not know."""
    parser = argparse.ArgumentParser(prog="python -m tests.structure", description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="*", metavar="PATH", help="print and count files below these only")
    parser.add_argument("--update", action="store_true", help="shorten the baseline as far as possible")
    parser.add_argument("--all", action="store_true", help="print known violations too")
    options = parser.parse_args(arguments)

    found = violations()
    counts: Counts = Counter((v.rule, v.path) for v in found)
    baseline = read_baseline(BASELINE.read_text()) if BASELINE.exists() else Counter()
    more = beyond(counts, baseline)

    prefixes = [_relative(path) for path in options.paths]
    chosen = [v for v in found if not prefixes or any(_is_below(v.path, prefix) for prefix in prefixes)]
    shown = chosen if options.all or prefixes else [v for v in chosen if (v.rule, v.path) in more]
    for violation in shown:
        print(violation)
    new = sum(more[key] for key in {(v.rule, v.path) for v in chosen})
    if options.update:
        kept = shortened(counts, baseline)
        if kept:
            BASELINE.write_text(write_baseline(kept))
        else:
            BASELINE.unlink(missing_ok=True)
        print(f"structure: baseline of {sum(baseline.values())} shortened to {sum(kept.values())}")
    by_rule = Counter(v.rule for v in chosen)
    summary = ", ".join(f"{rule} {n}" for rule, n in sorted(by_rule.items())) or "none"
    print(f"structure: {new} new violations; all: {summary}")
    gone = sum(baseline.values()) - sum(shortened(counts, baseline).values())
    if gone and not options.update:
        print(f"structure: the baseline can be shortened by {gone}: python -m tests.structure --update")
    return 1 if new else 0


def _relative(path: str) -> str:
    full = Path(path).resolve()
    return full.relative_to(ROOT).as_posix() if full.is_relative_to(ROOT) else path


def _is_below(path: str, prefix: str) -> bool:
    return prefix in ("", ".") or path == prefix or path.startswith(prefix.rstrip("/") + "/")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
