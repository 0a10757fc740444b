"""Text adventures: the free cave game, and game files of the user's (a compiled game of TextWorld stands for
them)."""

from __future__ import annotations

import json
import shutil

import pytest

pytest.importorskip("jericho")
pytest.importorskip("adventure")

from learnact.domains.jericho.domain import JERICHO
from learnact.errors import JobError, TaskError


def play(domain, task):
    environment = domain.open(task)
    for call in domain.reference_plan(task):
        step = environment.call(call.name, call.arguments, {})
        assert step.valid, (call, step)
    return environment


def test_the_cave_game_is_won_when_all_things_are_at_the_place():
    domain = JERICHO({"level": "hard", "train": 1, "test": 5})
    for task in domain.tasks("test"):
        environment = play(domain, task)
        assert environment.success and environment.progress == 1
        environment.close()


def test_what_changes_nothing_is_invalid_with_the_games_words():
    domain = JERICHO({"train": 1, "test": 1})
    environment = domain.open(domain.tasks("test")[0])
    step = environment.call("do", ["get sword"], {})
    assert (step.valid, step.observation.startswith("Nothing happens. ")) == (False, True)
    assert environment.call("look", [], {}).valid
    for command in ("save", "quit", "restart", "x" * 500, "", "öffne"):
        assert not environment.call("do", [command], {}).valid
    environment.close()


def test_options_that_do_not_fit_each_other_are_refused():
    with pytest.raises(JobError, match="your own games"):
        JERICHO({"tasks": "goals.jsonl"})
    with pytest.raises(JobError, match="level is of generated tasks"):
        JERICHO({"games": "/tmp", "level": "hard"})


def test_a_folder_without_games_and_a_task_file_with_a_fault_are_refused_with_their_place(tmp_path):
    with pytest.raises(TaskError, match="no game file"):
        JERICHO({"games": str(tmp_path)}).tasks("test")
    (tmp_path / "goals.jsonl").write_text('{"game": "a.z5", "gaol": "x"}\n')
    with pytest.raises(TaskError, match=r"goals\.jsonl:1: gaol"):
        JERICHO({"games": str(tmp_path), "tasks": str(tmp_path / "goals.jsonl")}).tasks("test")
    (tmp_path / "goals.jsonl").write_text('{"game": "a.z5", "labels": ["("]}\n')
    with pytest.raises(TaskError, match="is no pattern"):
        JERICHO({"games": str(tmp_path), "tasks": str(tmp_path / "goals.jsonl")}).tasks("test")


@pytest.fixture
def games(tmp_path):
    """A folder with a game file: a small game that TextWorld compiles; and its walkthrough."""
    pytest.importorskip("textworld")
    from learnact.domains.textworld import making
    from learnact.domains.textworld.tasks import GameSpec

    spec = GameSpec(kind="coin", seed=11, settings={"level": 103}, version="1.7.0")
    made = making.make([spec])[0]
    assert isinstance(made, making.MadeGame)
    shutil.copy(made.folder / "tw-game.z8", tmp_path / "tw-coin.z8")
    plan = [f"{call.name} {call.arguments[0]}" for call in made.plan]
    return tmp_path, plan


@pytest.mark.slow
def test_a_game_file_is_played_to_its_points_and_labels(games):
    folder, plan = games
    lines = [
        {"game": "tw-coin.z8", "goal": "Find the coin.", "points": 1, "plan": plan, "split": "test"},
        {"game": "tw-coin.z8", "goal": "Look.", "labels": ["carrying nothing", "coin"], "split": "train"},
    ]
    (folder / "goals.jsonl").write_text("\n".join(map(json.dumps, lines)))
    domain = JERICHO({"games": str(folder), "tasks": str(folder / "goals.jsonl")})
    environment = play(domain, domain.tasks("test")[0])
    assert environment.success and environment.progress == 1
    environment.close()
    labelled = domain.open(domain.tasks("train")[0])
    assert not labelled.call("do", ["frobnicate"], {}).valid
    assert labelled.call("inventory", [], {}).progress >= 0.5
    labelled.close()


@pytest.mark.slow
def test_another_file_of_the_same_name_is_refused(games):
    folder, _ = games
    shutil.copy(folder / "tw-coin.z8", folder / "tw-other.z8")
    domain = JERICHO({"games": str(folder), "train": 1})
    task = domain.tasks("test")[0]
    (folder / "tw-other.z8").write_bytes(b"another game")
    with pytest.raises(TaskError, match="another file"):
        domain.open(task)
