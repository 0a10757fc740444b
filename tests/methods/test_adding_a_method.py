"""docs/adding-a-method.md: the page holds the example's files, and the example runs from a package of its own."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import learnact
from learnact.errors import JobError
from learnact.job import load
from learnact.methods.learners import LEARNERS
from learnact.methods.methods import REGISTERED
from learnact.results.reader import connect

ROOT = Path(__file__).parents[2]
ADVICE = ROOT / "examples" / "advice"
JOB = {
    "name": "t",
    "domains": {"name": "gripper", "train": 1, "test": 1, "balls": 2},
    "methods": ["advice", {"name": "advice", "label": "more advice", "reflexion_iterations": 3}],
    "repeats": {"learn": 1},
}


def install(folder: Path, name: str, groups: Mapping[str, Mapping[str, str]]) -> None:
    """What an installer leaves of a package: its metadata, beside its code."""
    metadata = folder / f"{name}-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    lines = [
        line
        for group, points in groups.items()
        for line in (f"[{group}]", *(f"{k} = {v}" for k, v in points.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join([*lines, ""]))


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages; the example is one."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(ADVICE))
    monkeypatch.syspath_prepend(str(folder))
    install(
        folder,
        "learnact_advice",
        tomllib.loads((ADVICE / "pyproject.toml").read_text())["project"]["entry-points"],
    )
    forget()
    yield folder
    forget()
    sys.modules.pop("learnact_advice", None)


def forget() -> None:
    LEARNERS.forget()
    REGISTERED.forget()


@pytest.mark.parametrize(("language", "file"), [("toml", "pyproject.toml"), ("python", "learnact_advice.py")])
def test_the_page_holds_the_example_as_it_is(language: str, file: str) -> None:
    page = (ROOT / "docs" / "adding-a-method.md").read_text()
    assert re.findall(rf"```{language}\n(.*?)```", page, re.S) == [(ADVICE / file).read_text()]


def test_a_method_of_another_package_is_found_by_name_and_runs(packages: Path, tmp_path: Path) -> None:
    ran = learnact.run(JOB, results=tmp_path / "results", address="local")
    assert ran.done
    with connect(tmp_path / "results") as db:
        query = "SELECT t.method, len(l.lessons) FROM trials t JOIN libraries l USING (run, trial, library) ORDER BY 1"
        assert db.execute(query).fetchall() == [("advice", 2), ("more advice", 3)]
    again = learnact.run(JOB, results=tmp_path / "results", address="local")
    assert again.executed == 0


def test_an_unknown_method_is_told_what_there_is(packages: Path) -> None:
    with pytest.raises(JobError, match="no method 'advise'; did you mean 'advice'"):
        load({**JOB, "methods": "advise"})


def test_what_cannot_be_used_is_refused_with_the_packages_reason_and_breaks_nobody(packages: Path) -> None:
    (packages / "broken_methods.py").write_text("NOT_ONE = 3\n")
    points = {
        "wreck": "no_such_module_anywhere:METHOD",
        "number": "broken_methods:NOT_ONE",
        "act": "broken_methods:NOT_ONE",
    }
    install(packages, "broken", {"learnact.methods": points})
    forget()
    with pytest.raises(
        JobError, match="'wreck' cannot be loaded from no_such_module_anywhere:METHOD: ModuleNotFoundError"
    ):
        load({**JOB, "methods": "wreck"})
    with pytest.raises(
        JobError, match=r"methods\.0\.name: number: .* is no learnact\.methods\.methods\.Method but 3"
    ):
        load({**JOB, "methods": "number"})
    assert load({**JOB, "methods": "act"}).trials()[0].agent.name == "act"
