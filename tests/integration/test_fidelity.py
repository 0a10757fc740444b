"""Fidelity (METHOD.md, section 6): `preset: paper` sets every switch to its published value, and each switch changes what is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from learnact.domains import registry
from learnact.domains.alfworld.kinds import KINDS
from learnact.errors import BadInput
from learnact.preflight import preflight
from learnact.spec import load

PUBLISHED_LEARNING = {
    "uncreated": "empty",
    "incumbent": "replay",
    "learn_from": "failed_tasks",
    "stop": "all_solved",
    "candidates": 4,
    "iterations": 2,
}


@pytest.mark.parametrize(
    ("kind", "returns", "score"),
    [
        ("robotic_planning", "none", ("success", "step_correctness", "call_ratio")),
        ("alfworld", "observation", ("success", "call_ratio")),
    ],
)
def test_the_papers_preset_sets_every_switch(kind: str, returns: str, score: tuple[str, ...]) -> None:
    for trial in load({"name": "t", "preset": [kind, "paper"], "methods": "learnact"}).trials():
        settings = {name: getattr(trial.settings, name) for name in PUBLISHED_LEARNING}
        assert settings == PUBLISHED_LEARNING
        assert trial.settings.score == score
        assert (trial.test, trial.rules.failure, trial.rules.action_format) == (
            "all",
            "last_observation",
            "call",
        )
        assert trial.rules.primitive_returns == returns
        options = json.loads(trial.domain.options)
        assert options.get("actions") == ("published" if kind == "alfworld" else None)


def test_the_papers_preset_gives_alfworld_the_published_primitive_actions(tmp_path: Path) -> None:
    pytest.importorskip("alfworld")
    job = load({"name": "t", "preset": ["alfworld", "paper"], "domains": "alfworld-put", "methods": "act"})
    (trial,) = preflight(job, tmp_path).trials
    names = {primitive.name for primitive in registry.build(trial.domain).primitives}
    assert "toggle" in names
    assert not names & {"look", "use"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"gripper": {"actions": "published"}}, "domain_options.gripper.actions: gripper has no such option"),
        ({"gripper": {"balls": "many"}}, "domain_options.gripper.balls"),
        (
            {"griper": {"balls": 3}},
            "no domain of this job is called griper or griper-...; did you mean 'gripper'",
        ),
        ({"alfworld": {"actions": "published"}}, "no domain of this job is called alfworld"),
    ],
)
def test_options_that_no_domain_takes_are_refused(
    options: dict[str, object], told: str, tmp_path: Path
) -> None:
    job = load({"name": "t", "domains": "gripper", "methods": "act", "domain_options": options})
    with pytest.raises(BadInput) as error:
        preflight(job, tmp_path)
    assert told in str(error.value)


def test_training_tasks_are_the_published_ones() -> None:
    indices = {"gripper": (7, 9, 14), "blockworld": (4, 6, 8), "barman": (8, 7, 13), "tyreworld": (8, 4, 0)}
    assert {name: registry.factory(name).indices for name in indices} == indices  # type: ignore[attr-defined]
    games = {
        "put": ((14, 4, 2), 24),
        "clean": ((21, 2, 22), 31),
        "heat": ((11, 2, 1), 23),
        "cool": ((11, 7, 10), 21),
        "examine": ((13, 5, 14), 18),
        "puttwo": ((7, 9, 14), 17),
    }
    assert {name: (kind.published, kind.published_count) for name, kind in KINDS.items()} == games
    assert sum(count for _, count in games.values()) == 134


def test_blockworlds_problems_are_sorted_by_file_name(tmp_path: Path) -> None:
    """Index 1 of ten is problem10 (METHOD.md, section 2), so the published 4, 6, 8 happen to be the problems of these numbers."""
    domain = registry.factory("blockworld")({"test": 10})
    folder = tmp_path / "blockworld"
    folder.mkdir()
    for number, task in enumerate(domain.tasks("test"), start=1):
        (folder / f"problem{number}.pddl").write_text(task.content)
    found = registry.factory("blockworld")({"source": str(tmp_path)})
    assert [t.name for t in found.tasks("test")][:3] == ["problem1", "problem10", "problem2"]
    assert [t.name for t in found.tasks("train")] == ["problem4", "problem6", "problem8"]
