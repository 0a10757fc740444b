"""Each structure check fails on a bad example, and leaves a good one alone."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tests import structure

NAMES = frozenset({"none", "act", "learnact", "voyager"})
PYPROJECT = """
[project]
scripts = {tool = "learnact.cli:main"}
[tool.vulture]
ignore_decorators = ["@field_validator"]
ignore_names = ["model_config"]
[[tool.importlinter.contracts]]
type = "layers"
layers = ["a", "b"]
"""


def source(text: str, path: str = "learnact/some.py") -> structure.Source:
    return structure.Source(path, ast.parse(text))


def names_found(text: str) -> int:
    found = structure.method_comparisons(source(text), text.split("\n"), NAMES, structure.METHOD_NAME_ALLOWED)
    return len(list(found))


def package(folder: Path, **modules: str) -> list[structure.Source]:
    """A package in a folder, as the checks of files see one."""
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "learnact").mkdir()
    for name, text in modules.items():
        (folder / "learnact" / f"{name}.py").write_text(text)
    return [source(text, f"learnact/{name}.py") for name, text in modules.items()]


def test_a_class_name_is_defined_once_in_the_package() -> None:
    one, other = source("class _Row: ...", "learnact/a.py"), source("\nclass _Row: ...", "learnact/b.py")
    assert [(v.path, v.line) for v in structure.class_names([one, other])] == [
        ("learnact/a.py", 1),
        ("learnact/b.py", 2),
    ]
    assert not list(structure.class_names([one, source("class Column: ...", "learnact/b.py")]))


@pytest.mark.parametrize(
    "text",
    [
        'x = learner == "voyager"',
        'x = "none" != learner',
        'x = learner in ("", "none")',
        'x = learner not in {"act"}',
        'NAME = "act"\nx = [g for g in found if g.method == NAME]',
        'CODE = frozenset({"program", "act"})',
        'def f(x):\n    without = ("none",) if x else ("none", "act")\n    return x in without',
        'USES = {"voyager": 3}',
        "USES = dict(voyager=3)",
        'x = uses["learnact"]',
        'x = uses.get("voyager", 0)',
        'x = method.startswith("learnact")',
        'match learner:\n    case "act":\n        pass',
    ],
)
def test_a_method_is_not_known_by_its_name_outside_methods(text: str) -> None:
    assert names_found(text) == 1


@pytest.mark.parametrize(
    "text",
    [
        'x = "learnact"',
        'x = find("act")',
        'from importlib.metadata import version\nx = version("learnact")',
        "x = learner == other",
        'x = learner == ""',
        'def f(alf):\n    returns = "observation" if alf else "none"\n    return returns == x',
    ],
)
def test_a_methods_name_that_nothing_is_compared_with_is_no_violation(text: str) -> None:
    assert names_found(text) == 0


def test_the_names_come_from_the_registries() -> None:
    assert {
        "learnact",
        "act",
        "react",
        "code_as_policies",
        "voyager",
        "reflexion",
    } <= structure.method_names()


def test_an_allowed_literal_holds_in_its_file_alone() -> None:
    text = 'x = effort == "none"'
    allowed = (structure.Allowed("learnact/models/*.py", 'effort == "none"', "a level of effort"),)
    for path, count in ("learnact/models/a.py", 0), ("learnact/report/a.py", 1):
        found = structure.method_comparisons(source(text, path), [text], NAMES, allowed)
        assert len(list(found)) == count


def test_every_allowed_literal_is_still_there() -> None:
    for allowed in structure.METHOD_NAME_ALLOWED:
        texts = [p.read_text() for p in structure.ROOT.glob(allowed.path)]
        assert any(allowed.text in text for text in texts), f"delete {allowed}"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("f(1, 2, 3, 4, 5, 6)", 0),
        ("f(1, 2, 3, 4, 5, 6, 7)", 1),
        ("f(1, 2, 3, 4, 5, 6, g=7)", 0),
        ("f(1, 2, 3, 4, 5, 6, *rest)", 1),
        ("f(*rest)", 0),
        ("itertools.product(1, 2, 3, 4, 5, 6, 7)", 0),
        ("def f(a, b, c, d, e, f, g): ...", 1),
        ("def f(a, b, c, d, e, f, *, g): ...", 0),
        ("async def f(a, b, c, /, d, e, f, g): ...", 1),
        ("class C:\n    def f(self, a, b, c, d, e, f): ...", 0),
        ("class C:\n    def f(self, a, b, c, d, e, f, g): ...", 1),
        ("class C:\n    @staticmethod\n    def f(a, b, c, d, e, f, g): ...", 1),
        ("x = lambda a, b, c, d, e, f, g: 0", 1),
    ],
)
def test_at_most_six_arguments_are_positional(text: str, count: int) -> None:
    assert len(list(structure.positional(source(text)))) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("assert time.monotonic() - start < 5", 1),
        ("assert 3 > perf_counter() - start and done", 1),
        ("assert 0 < time.time() - start <= 3", 1),
        ("assert time.time() >= moment", 0),
        ("assert waited < 3", 0),
        ("pytestmark = pytest.mark.timeout(60)", 1),
        ("quick = settings(deadline=200)", 1),
        ("slow = settings(deadline=None)", 0),
        ("subprocess.run(command, timeout=60)", 1),
        ("subprocess.run(command, timeout=600)", 0),
        ("Model(timeout=3.0)", 0),
        ("asyncio.timeout(1)", 1),
        ("asyncio.wait_for(reply(), 5)", 1),
        ("thread.join()", 0),
        ("', '.join(words)", 0),
    ],
)
def test_no_test_asserts_that_something_is_quick(text: str, count: int) -> None:
    assert len(list(structure.clock(source(text, "tests/test_some.py")))) == count


@pytest.mark.parametrize(
    ("path", "line", "count"),
    [
        ("a.py", "x" * 110, 0),
        ("a.py", "x" * 111, 1),
        ("a.py", "# " + "é" * 108, 0),
        ("a.md", "| " + "x" * 120 + " |", 0),
        ("a.py", "| " + "x" * 120 + " |", 1),
        ("a.md", "See [the paper](https://example.org/" + "x" * 100 + ").", 0),
        ("a.py", "# https://example.org/" + "x" * 100, 0),
        ("a.md", "- go(place): Requires: place is near. Then: you are at place." + " More." * 20, 0),
        ("learnact/domains/planning/data/a.yaml", "x" * 111, 0),
        ("jobs/a.yaml", "x" * 111, 1),
        ("a.md", "word " * 25 + "https://example.org/", 1),
        ("a.md", "[a](b) and [c](" + "x" * 100 + ")", 1),
    ],
)
def test_lines_have_at_most_110_columns(path: str, line: str, count: int) -> None:
    assert len(list(structure.columns(path, [line]))) == count


def test_the_top_of_the_package_and_its_layers_are_few(tmp_path: Path) -> None:
    package(tmp_path, **{f"m{n}": "" for n in range(6)}, __init__="")
    assert not list(structure.layout(tmp_path))
    (tmp_path / "learnact/m6.py").touch()
    many = str([f"l{n}" for n in range(9)])
    (tmp_path / "pyproject.toml").write_text(PYPROJECT.replace('["a", "b"]', many))
    assert [v.path for v in structure.layout(tmp_path)] == ["learnact/__init__.py", "pyproject.toml"]


def test_unused_code_is_found_and_what_is_called_by_name_is_not(tmp_path: Path) -> None:
    sources = package(
        tmp_path,
        cli='def main():\n    return TABLE\nTABLE = {"x": "some:called_by_table"}\n',
        some="def called_by_table(): ...\ndef left_over(): ...\nclass _C:\n    model_config = 1\n_C()\n",
        record="class _R:\n    seconds: int\nprint(_R(), 'result.seconds')\n",
    )
    assert [(v.path, v.line) for v in structure.unused(tmp_path, sources)] == [("learnact/some.py", 2)]


def test_an_allowed_name_that_is_not_needed_is_a_violation(tmp_path: Path) -> None:
    sources = package(tmp_path, cli="def main(): ...\n")
    assert [v.path for v in structure.unused(tmp_path, sources)] == ["pyproject.toml"]


def test_golden_prompts_are_kept_once(tmp_path: Path) -> None:
    for name, text in {"a.txt": "one", "b.txt": "two", "c.txt": "one"}.items():
        (tmp_path / name).write_text(text)
    assert [v.path for v in structure.repeated_files(tmp_path, ".")] == ["c.txt"]


def test_a_baseline_covers_what_it_counts_and_shrinks() -> None:
    baseline = structure.read_baseline("# head\ncolumns a.py 3\ncolumns b.py 1\nunused a.py 1\n")
    assert baseline == Counter({("columns", "a.py"): 3, ("columns", "b.py"): 1, ("unused", "a.py"): 1})
    more = Counter({("columns", "a.py"): 4})
    assert structure.beyond(more, baseline) == Counter({("columns", "a.py"): 1})
    less = Counter({("columns", "a.py"): 2})
    assert not structure.beyond(less, baseline)
    assert structure.read_baseline(structure.write_baseline(structure.shortened(less, baseline))) == less


def test_a_baseline_follows_a_file_that_moves() -> None:
    baseline = Counter({("columns", "a.py"): 3, ("columns", "b.py"): 1})
    assert not structure.beyond(Counter({("columns", "c.py"): 3, ("columns", "b.py"): 1}), baseline)
    assert structure.beyond(Counter({("columns", "c.py"): 4, ("columns", "b.py"): 1}), baseline)
    assert structure.beyond(Counter({("columns", "a.py"): 2, ("columns", "b.py"): 2}), baseline)


def test_the_command_tells_the_place_and_fails_on_something_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [structure.Violation("columns", "learnact/a.py", 7, "120 columns; break the line")]
    monkeypatch.setattr(structure, "violations", lambda: found)
    monkeypatch.setattr(structure, "BASELINE", tmp_path / "baseline.txt")
    assert structure.main([]) == 1
    assert "learnact/a.py:7: 120 columns; break the line [columns]" in capsys.readouterr().out
    (tmp_path / "baseline.txt").write_text("columns learnact/a.py 1\n")
    assert structure.main([]) == 0
    found.clear()
    assert structure.main(["--update"]) == 0
    assert not (tmp_path / "baseline.txt").exists()


def test_make_check_runs_every_check() -> None:
    makefile = (structure.ROOT / "Makefile").read_text()
    check = re.search(r"^check: (.*)$", makefile, re.MULTILINE)
    assert check is not None
    assert set(check.group(1).split()) >= {"lint", "types", "imports", "structure"}
    assert re.search(r"^structure: .*\n\t.*-m tests\.structure$", makefile, re.MULTILINE)
