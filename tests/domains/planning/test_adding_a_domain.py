"""docs/adding-a-domain.md: the page holds the example's files, and the example is played from a package of
its own."""

import dataclasses
import re
import sys
import tomllib
from pathlib import Path

import pytest

from learnact.domains import registry
from learnact.domains.disjoint import check_disjoint
from learnact.domains.planning.names import python_name
from learnact.errors import BadInput, MissingExtra
from learnact.records import DomainSpec, canonical

from . import referee

ROOT = Path(__file__).parents[3]
FERRY = ROOT / "examples" / "ferry"
PAGE = ROOT / "docs" / "adding-a-domain.md"


def install(folder: Path, name: str, points: dict[str, str]) -> None:
    """What an installer leaves of a package: its metadata, beside its code."""
    metadata = folder / f"{name}-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")
    lines = [f"{key} = {value}" for key, value in points.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[learnact.domains]", *lines, ""]))


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder of installed packages; the ferry is one."""
    monkeypatch.syspath_prepend(str(FERRY))
    monkeypatch.syspath_prepend(str(tmp_path))
    project = tomllib.loads((FERRY / "pyproject.toml").read_text())["project"]
    install(tmp_path, "learnact_ferry", project["entry-points"]["learnact.domains"])
    registry.forget()
    yield tmp_path
    registry.forget()
    for module in ("learnact_ferry", "broken_domains", "half_installed", "sunken"):
        sys.modules.pop(module, None)


@pytest.mark.parametrize(
    ("language", "file"),
    [
        ("pddl", "learnact_ferry/ferry.pddl"),
        ("yaml", "learnact_ferry/ferry.yaml"),
        ("python", "learnact_ferry/__init__.py"),
        ("toml", "pyproject.toml"),
    ],
)
def test_the_page_holds_the_example_as_it_is(language, file):
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.S)
    assert blocks == [(FERRY / file).read_text()]


def test_the_line_of_the_prompt_on_the_page_is_what_a_model_reads(packages):
    domain = registry.build(DomainSpec("ferry"))
    board = next(p for p in domain.primitives if p.name == "board")
    assert f"    - {board.signature}: {board.description}\n" in PAGE.read_text()


def test_a_domain_of_another_package_is_found_and_played(packages):
    assert "ferry" in registry.names()
    assert registry.options_model("ferry").model_fields["cars"].description == "Least and most cars."
    domain = registry.build(DomainSpec("ferry", canonical({"cars": [2, 5], "test": 12, "seed": 4})))
    tasks = domain.tasks("test")
    assert check_disjoint(domain.tasks("train"), tasks, domain.example_task).ok
    for task in tasks:
        environment = domain.open(task)
        plan = domain.plan(task.content)
        for action, arguments in plan.calls:
            step = environment.call(python_name(action), arguments, {})
            assert step.valid
        assert step.success
        assert referee.accepts(referee.read(domain.family.file(".pddl"), task.content), plan.calls)
    assert {task.labels["goals"] for task in tasks} == {2, 3, 4, 5}


def test_without_a_planner_the_search_gives_the_reference(packages):
    family = registry.factory("ferry")
    domain = dataclasses.replace(family, plan=None)({"cars": 2, "test": 4})
    assert {task.labels["reference"] for task in domain.tasks("test")} == {"searched"}


def test_the_example_tells_its_world(packages):
    example = registry.build(DomainSpec("ferry")).example
    assert example.goal == "car1 is parked at south."
    assert example.first_observation == (
        "Objects:\n- car: car1.\n- shore: north, south.\n"
        "Facts that never change: a ship can go from north to south. a ship can go from south to north.\n"
        "Now: the ferry is at south. the deck is empty. car1 is parked at north."
    )


def test_what_cannot_be_imported_is_listed_with_the_reason_and_breaks_nobody(packages):
    (packages / "half_installed.py").write_text(
        "from learnact.errors import MissingExtra\nraise MissingExtra('play needs more: pip install "
        "learnact[sea]')\n"
    )
    (packages / "broken_domains.py").write_text("import no_such_module_anywhere\n")
    (packages / "sunken.py").write_text("def FAMILY(options):\n    raise ZeroDivisionError('a leak')\n")
    install(packages, "half", {"submarine": "half_installed:FAMILY", "galleon": "sunken:FAMILY"})
    install(packages, "broken", {"wreck": "broken_domains:FAMILY", "raft": "learnact_ferry:NOTHING"})
    registry.forget()
    listed = {line.name: line.problem for line in registry.listed()}
    assert listed["submarine"] == "play needs more: pip install learnact[sea]"
    assert "no_such_module_anywhere" in listed["wreck"]
    assert "NOTHING" in listed["raft"]
    assert listed["galleon"] == "domain galleon cannot be built: ZeroDivisionError: a leak"
    assert listed["ferry"] == ""
    assert listed["gripper"] == ""
    with pytest.raises(MissingExtra, match="pip install"):
        registry.build(DomainSpec("submarine"))
    with pytest.raises(BadInput, match="the domain 'wreck' cannot be loaded from broken_domains:FAMILY"):
        registry.build(DomainSpec("wreck"))


def test_ours_wins_over_a_package_that_takes_its_name(packages):
    install(packages, "impostor", {"gripper": "learnact_ferry:FAMILY"})
    registry.forget()
    assert registry.build(DomainSpec("gripper")).name == "gripper"
