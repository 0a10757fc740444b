"""docs/adding-a-method.md: the page holds the example's files, and the example runs from a package of its
own.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import learnact
from learnact.errors import JobError
from learnact.job import json_schema, load
from learnact.methods.registry import METHODS
from learnact.report.estimate import estimate
from learnact.results.reader import connect
from tests.cli.conftest import learnact as command

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "insights"
JOB: dict[str, Any] = {
    "name": "t",
    "domains": {"name": "gripper", "train": 2, "test": 2, "balls": [2, 3]},
    "methods": [
        "insights",
        {"name": "insights", "label": "one rule", "insights_rules": 1, "insights_rounds": 1},
    ],
    "models": {"agent": "sim-weak", "learner": "sim-strong"},
    "budget": {"learn": {"turns": 5}},
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
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.syspath_prepend(str(folder))
    install(
        folder,
        "learnact_insights",
        tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"],
    )
    forget()
    yield folder
    forget()
    sys.modules.pop("learnact_insights", None)


def forget() -> None:
    METHODS.forget()


@pytest.mark.parametrize(
    ("language", "file"), [("toml", "pyproject.toml"), ("python", "learnact_insights.py")]
)
def test_the_page_holds_the_example_as_it_is(language: str, file: str) -> None:
    page = (ROOT / "docs" / "adding-a-method.md").read_text()
    assert re.findall(rf"```{language}\n(.*?)```", page, re.S) == [(EXAMPLE / file).read_text()]


def test_a_method_of_another_package_runs_with_its_own_options(packages: Path, tmp_path: Path) -> None:
    ran = learnact.run(JOB, results=tmp_path / "results", address="local")
    assert ran.done
    with connect(tmp_path / "results") as db:
        rules = """SELECT t.method, max(len(l.lessons)) FROM episodes e JOIN trials t USING (run, trial)
            JOIN libraries l ON l.run = e.run AND l.trial = e.trial AND l.library = e.library
            WHERE e.phase = 'test' GROUP BY ALL ORDER BY ALL"""
        found = dict(db.execute(rules).fetchall())
        assert found["one rule"] == 1
        assert 1 <= found["insights"] <= 4
        played = "SELECT method, count(*) FROM episodes WHERE phase = 'learn' GROUP BY ALL ORDER BY ALL"
        assert db.execute(played).fetchall() == [("insights", 4), ("one rule", 2)]
        purposes = "SELECT DISTINCT purpose FROM requests"
        assert db.execute(purposes).fetchall() == [("rule",)]
    again = learnact.run(JOB, results=tmp_path / "results", address="local")
    assert again.executed == 0


def test_its_options_are_axes_and_settings_for_all_like_ours(packages: Path) -> None:
    trials = load({**JOB, "methods": {"name": "insights", "insights_rules": [1, 2]}}).trials()
    assert [t.label for t in trials] == ["insights, insights rules 1", "insights, insights rules 2"]
    (trial,) = load({**JOB, "methods": "insights", "learner": {"insights_rounds": 3}}).trials()
    assert json.loads(trial.learner.options) == {
        "insights_rounds": 3,
        "insights_rules": 4,
        "insights_examples": 1,
    }


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        (
            {"name": "insights", "insights_rulez": 3},
            r"methods\.0\.insights_rulez: unknown key; did you mean 'insights_rules'",
        ),
        (
            {"name": "insights", "insights_rules": 0},
            r"methods\.0\.insights_rules: .*greater than or equal to 1",
        ),
        ({"name": "insights", "candidates": 2}, r"learns with insights, so 'candidates' changes nothing"),
        ("insight", "no method 'insight'; did you mean 'insights'"),
    ],
)
def test_what_is_wrong_with_its_options_is_told_like_ours(packages: Path, methods: Any, message: str) -> None:
    with pytest.raises(JobError, match=message):
        load({**JOB, "methods": [methods]})


def test_its_options_are_in_the_schema_and_its_work_is_bounded(packages: Path) -> None:
    schema = json_schema()["$defs"]
    assert "Rules kept at most." in json.dumps(schema["MethodConfig"]["properties"]["insights_rules"])
    assert "insights_rounds" in schema["LearnerConfig"]["properties"]
    (bound,) = estimate(load({**JOB, "methods": "insights"}).trials())
    assert (bound.bounded, bound.learning.episodes, bound.requests.calls) == (True, 4, 4)


def test_the_command_line_tells_of_it(packages: Path) -> None:
    listed = map(json.loads, command("methods", "--json").out.splitlines())
    assert next(m for m in listed if m["name"] == "insights")["learner"] == "insights"
    shown = command("methods", "insights")
    assert shown.code == 0, shown.err
    assert "insights_rules" in shown.out
    assert "Rules kept at most." in shown.out


def test_a_learner_without_a_bound_is_unknown_to_the_plan(packages: Path) -> None:
    (packages / "unbounded.py").write_text(
        "from learnact.methods.base import Learner, Method\nfrom learnact.methods.act import ACT\n"
        "class Endless(Learner):\n    name = 'endless'\n    async def learn(self, training, options): ...\n"
        "METHOD = Method('endless', ACT, Endless())\n"
    )
    install(packages, "unbounded", {"learnact.methods": {"endless": "unbounded:METHOD"}})
    forget()
    (bound,) = estimate(load({**JOB, "methods": "endless"}).trials())
    assert not bound.bounded
    assert bound.dollars is None
    (packages / "job.yaml").write_text(json.dumps({**JOB, "methods": "endless"}))
    assert "unknown" in command("plan", packages / "job.yaml").out


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
        JobError, match=r"methods\.0\.name: number: .* is no learnact\.methods\.base\.Method but 3"
    ):
        load({**JOB, "methods": "number"})
    assert load({**JOB, "methods": "act"}).trials()[0].agent.name == "act"
