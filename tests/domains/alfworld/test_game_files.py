"""Reading published games: what is kept of a file, what is refused, and in which order games come. Needs
no engine."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from learnact.domains.alfworld.content import unpack
from learnact.domains.alfworld.game_files import published_tasks, read_game, read_labels, split_folder
from learnact.domains.alfworld.houses import goal_text
from learnact.domains.alfworld.task_types import TASK_TYPES, TaskGoal, read_goal
from learnact.errors import TaskError

GRAMMAR = 'grammar :: """ { "task": [ { "rhs": "Your task is to: put a hot mug in desk." } ] } """;'


def a_game(**changes: object) -> dict[str, object]:
    goal = goal_text(TASK_TYPES["heat"], "Mug", "Desk")
    problem = f"(define (problem p) (:domain alfred) (:objects) (:init) (:goal {goal}))"
    return {"pddl_domain": "", "grammar": GRAMMAR, "pddl_problem": problem, "solvable": True} | changes


def write(folder: Path, name: str, game: dict[str, object]) -> Path:
    path = folder / name / "game.tw-pddl"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(game))
    return path


@pytest.mark.parametrize("kind", TASK_TYPES.values(), ids=lambda k: k.name)
def test_the_goal_of_every_type_is_read_from_its_pddl(kind):
    lamp = kind.name == "examine"
    text = f"(define (:goal {goal_text(kind, 'Book', 'DeskLamp' if lamp else 'Desk')}))"
    assert read_goal(text, "here") == TaskGoal(kind.name, "book", "desklamp" if lamp else "desk")


def test_goals_of_other_types_are_refused():
    with pytest.raises(TaskError, match=r"here: the goal is none of ALFWorld's six types"):
        read_goal("(:goal (forall (?o - object) (objectType ?o MugType)))", "here")


def test_problem_and_sentence_are_kept_and_the_files_own_grammar_is_not(tmp_path):
    hostile = GRAMMAR + " {__import__('os').system('touch /tmp/owned')}"
    path = write(tmp_path, "pick_heat_then_place_in_recep-Mug-None-Desk-1/trial_T1", a_game(grammar=hostile))
    task = read_game(path, {})
    content = unpack(task.content, "x")
    assert (task.domain, content.goal) == ("alfworld-heat", "put a hot mug in desk.")
    assert task.name == "pick_heat_then_place_in_recep-Mug-None-Desk-1/trial_T1"
    assert "import" not in content.model_dump_json()


def test_a_walkthrough_gives_the_reference(tmp_path):
    path = write(
        tmp_path, "pick_heat_then_place_in_recep-Mug-None-Desk-1/t", a_game(walkthrough=["a", "b", "c"])
    )
    assert read_game(path, {}).reference == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pddl_problem": None}, "it has no `pddl_problem`"),
        ({"grammar": "nothing"}, "no sentence `Your task is to"),
        ({"solvable": False}, "not solvable"),
        ({"pddl_problem": "(define (:goal (and)))"}, "none of ALFWorld's six types"),
    ],
)
def test_a_bad_file_is_named(tmp_path, changes, message):
    path = write(tmp_path, "x/y", a_game(**changes))
    with pytest.raises(TaskError, match=f"{re.escape(str(path))}.*{message}"):
        read_game(path, {})


def test_what_is_no_game_file_is_named(tmp_path):
    (tmp_path / "x.json").write_text("[1]")
    (tmp_path / "y.json").write_text("{")
    for name, message in (("x.json", "a JSON object"), ("y.json", "not JSON"), ("z.json", "cannot be read")):
        with pytest.raises(TaskError, match=f"{name}: .*{message}"):
            read_game(tmp_path / name, {})


def test_solvable_games_of_the_type_come_sorted_by_path(tmp_path):
    split = tmp_path / "json_2.1.1" / "valid_unseen"
    folder = "pick_heat_then_place_in_recep-Mug-None-Desk"
    for name in ("12/t2", "12/t1", "9/t1"):
        write(split, f"{folder}-{name}", a_game())
    write(split, f"{folder}-10/t1", a_game(solvable=False))
    write(split, f"{folder.replace('Mug', 'MugSliced')}-10/t1", a_game())
    write(split, "pick_and_place_simple-Mug-None-Desk-1/t1", a_game())
    assert (
        split_folder(tmp_path, "valid_unseen")
        == split_folder(tmp_path / "json_2.1.1", "valid_unseen")
        == split_folder(split, "valid_unseen")
    )
    found = published_tasks(split_folder(tmp_path, "valid_unseen"), TASK_TYPES["heat"], {}, None)
    assert [t.name.split("-Desk-")[1] for t in found] == ["12/t1", "12/t2", "9/t1"]


def test_a_folder_without_the_split_says_what_is_expected(tmp_path):
    with pytest.raises(TaskError, match="alfworld-download"):
        split_folder(tmp_path, "valid_seen")


def test_agentboards_labels_go_with_their_game(tmp_path):
    name = "pick_heat_then_place_in_recep-Mug-None-Desk-1/trial_T1"
    labels = tmp_path / "labels.jsonl"
    labels.write_text(
        json.dumps({"subgoals": ["You pick up the mug"], "additional_info": {"description": name}}) + "\n"
    )
    task = read_game(write(tmp_path, name, a_game()), read_labels(str(labels)))
    assert unpack(task.content, "x").labels == ("You pick up the mug",)
    assert task.labels["progress"] == "agentboard"


def test_a_bad_label_line_is_named(tmp_path):
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"subgoals": ["("], "additional_info": {"description": "x"}}\n')
    with pytest.raises(TaskError, match=r"labels\.jsonl:1: "):
        read_labels(str(labels))
