"""No two modules of the package repeat six lines of logic: what methods share is written once."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import learnact

ROOT = Path(learnact.__path__[0])
LINES = 6


def logic(source: str) -> list[str]:
    """The lines of a module as Python writes them, without imports, texts, comments and declared methods."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [s for s in body if not _silent(s)] or [ast.Pass()]  # type: ignore[attr-defined]
    return [line.strip() for line in ast.unparse(tree).splitlines() if line.strip()]


def _silent(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        return all(_silent(inner) for inner in statement.body)
    text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return text or isinstance(statement, ast.Import | ast.ImportFrom)


def repeated(sources: dict[str, str]) -> dict[str, set[str]]:
    """Runs of six lines that stand in more than one module, with the modules."""
    places: dict[str, set[str]] = defaultdict(set)
    for name, source in sources.items():
        lines = logic(source)
        for start in range(len(lines) - LINES + 1):
            places["\n".join(lines[start : start + LINES])].add(name)
    return {run: found for run, found in places.items() if len(found) > 1}


def test_no_pair_of_modules_repeats_six_lines_of_logic() -> None:
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in ROOT.rglob("*.py")}
    assert len(sources) > 100
    assert repeated(sources) == {}


def test_what_is_repeated_is_found_whatever_its_comments() -> None:
    code = "def f(x):\n    a = x + 1\n    b = a * 2\n    c = b - 3\n    d = c / 4\n    return d\n"
    other = "import os\n\n\ndef f(x):\n    'Says what.'\n    a = x + 1  # first\n\n"
    other += "    b = a * 2\n    c = (b - 3)\n    d = c / 4\n    return d\n"
    assert list(repeated({"one": code, "two": other}).values()) == [{"one", "two"}]
    assert repeated({"one": code, "two": other.replace("a * 2", "a * 3")}) == {}
