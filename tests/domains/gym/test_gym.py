"""Any text environment of Gymnasium is played: the documented example as it stands, and what is refused."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml

pytest.importorskip("gymnasium")

from learnact.domains.registry import build
from learnact.errors import JobError, TaskError
from learnact.records import DomainSpec, Task, canonical
from tests.cli.conftest import learnact_process

PAGE = Path(__file__).parents[3] / "docs" / "gymnasium.md"


def documented(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def titled(title: str) -> str:
    found = re.search(rf'```\w+ title="{title}"\n(.*?)```', PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_the_documented_environment_of_a_package_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Gymnasium's own frozen lake, drawn as text: to the goal, and into a hole."""
    (tmp_path / "lake.py").write_text(titled("lake.py"))
    monkeypatch.syspath_prepend(str(tmp_path))
    (options,) = yaml.safe_load(titled("lake.yaml"))["domains"]
    played = domain(**{key: value for key, value in options.items() if key != "name"})
    environment = played.open(played.tasks("test")[0])
    assert environment.first_observation.split() == ["*S*FFF", "FHFH", "FFFH", "HFFG"]
    for name in ("down", "down", "right", "right", "down"):
        step = environment.call(name, [], {})
        assert step.valid and not step.success
    assert "*F*G" in step.observation
    last = environment.call("right", [], {})
    assert (last.success, last.progress) == (True, 1.0)
    drowned = played.open(played.tasks("test")[1])
    drowned.call("right", [], {})
    step = drowned.call("down", [], {})
    assert (step.success, step.over) == (False, True)


@pytest.fixture
def corridor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "corridor.py").write_text(documented("python"))
    (tmp_path / "corridor.yaml").write_text(documented("yaml"))
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


OPTIONS = {
    "env": "corridor:Corridor-v0",
    "goal": "",
    "actions": [{"call": "back()"}, {"call": "forth()"}, {"call": "light()"}],
}


def domain(**options):
    return build(DomainSpec("gym", canonical(options)))


def test_the_documented_example_runs(corridor: Path):
    path = os.pathsep.join([str(corridor), str(PAGE.parents[1])])
    settings = ["--set", "cluster.runner=local", "--results", corridor / "results"]
    ran = learnact_process("run", corridor / "corridor.yaml", *settings, timeout=900, PYTHONPATH=path)
    assert ran.code == 0, ran.err[-3000:]
    assert re.search(r"gym +act ", ran.out) and re.search(r"gym +learnact ", ran.out)


def test_numbered_actions_are_calls(corridor: Path):
    played = domain(**OPTIONS)
    environment = played.open(Task("gym", "t", "5"))
    assert environment.goal == "light the lamp"
    told = environment.call("light", [], {})
    assert (told.valid, told.observation) == (False, "Nothing happens. There is no lamp here.")
    while "stand 0" not in environment.call("forth", [], {}).observation:
        assert 0 <= environment.progress < 1
    last = environment.call("light", [], {})
    assert (last.success, last.progress, last.observation) == (True, 1.0, "The lamp is lit.")
    environment.close()


def test_what_cannot_be_played_is_refused(corridor: Path):
    few = domain(**{**OPTIONS, "actions": OPTIONS["actions"][:2]})
    with pytest.raises(TaskError, match="it has 3 actions, and actions names 2"):
        few.open(Task("gym", "t", "5"))
    with pytest.raises(TaskError, match="env corridor:Corridr-v0: NameNotFound"):
        domain(**{**OPTIONS, "env": "corridor:Corridr-v0"}).open(Task("gym", "t", "5"))
    with pytest.raises(TaskError, match="must be a seed"):
        domain(**OPTIONS).open(Task("gym", "t", "x"))
    with pytest.raises(JobError, match="two are called back"):
        domain(**{**OPTIONS, "actions": [{"call": "back()"}] * 2})
    with pytest.raises(JobError, match="arguments: must be a mapping"):
        domain(**{**OPTIONS, "arguments": "[1]"})


def test_another_option_is_another_version():
    assert domain().version != domain(instruction="Guess.").version
    assert domain().version == domain(test=3).version
