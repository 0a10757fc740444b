"""BabyAI's grids: what is seen, what fails a mission, AgentBoard's surface with and without its faults."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("minigrid")

from learnact.domains.babyai.plans import GENERATOR, GeneratorProcess
from learnact.domains.base import TextActions
from learnact.domains.registry import build
from learnact.errors import JobError, TaskError
from learnact.records import DomainSpec, Task, canonical

ORDER = {"does": "then", "parts": [
    {"does": "open", "target": {"kind": "door", "colour": "red", "at": [[4, 2]]}},
    {"does": "open", "target": {"kind": "door", "colour": "blue", "at": [[2, 4]]}, "strict": False},
]}  # fmt: skip
ROOM = ["WeWeWeWeWe", "We......We", "We......Dr", "We......We", "WeWeDbWeWe"]
WALLED = ["WeWeWeWeWe", "WeAgWeKrWe", "We..WeWeWe", "We......We", "WeWeWeWeWe"]


def content(rows, mission, position=(2, 2), direction=0, goal="a mission", **more) -> str:
    given = {"level": "test", "rows": rows, "mission": mission, "position": position, "direction": direction}
    return canonical({**given, "goal": goal, **more})


def go_to(x: int, y: int, kind: str = "ball", colour: str = "green"):
    return {"does": "go_to", "target": {"kind": kind, "colour": colour, "at": [[x, y]]}}


def opened(text: str, name: str = "babyai-seq", **options):
    return build(DomainSpec(name, canonical(options))).open(Task(name, "t", text))


def test_an_ordered_mission_that_is_done_in_another_order_fails_for_good():
    order = json.loads(json.dumps(ORDER))
    strict = {**order, "parts": [{**order["parts"][0], "strict": True}, order["parts"][1]]}
    environment = opened(content(ROOM, strict))
    environment.call("turn_right", [], {})
    environment.call("move_forward", [], {})
    step = environment.call("toggle", [], {})
    assert (step.success, step.over) == (False, True)
    assert step.observation.endswith("The mission has failed: its parts were done in another order, or with "
                                     "another thing, than it says.")  # fmt: skip
    environment.call("turn_left", [], {})
    after = environment.call("move_forward", [], {})
    assert (
        not after.valid and not after.success and after.observation.startswith("Nothing happens. The mission")
    )


def test_in_its_order_it_succeeds_and_progress_tells_what_leads_there():
    environment = opened(content(ROOM, ORDER))
    assert environment.progress == pytest.approx(1 / 3)  # both doors are seen
    plan = ["move_forward", "toggle", "turn_right", "turn_right", "move_forward", "turn_left", "move_forward"]
    seen = [environment.call(name, [], {}).progress for name in plan]
    assert seen == sorted(seen) and seen[1] == pytest.approx(2 / 3)
    assert environment.call("toggle", [], {}).success


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("drop", "You carry nothing."),
        ("toggle", "A green ball cannot be opened."),
        ("move_forward", "A green ball is in front of you."),
    ],
)
def test_what_is_not_possible_says_why(name, reason):
    rows = ["WeWeWeWeWe", "We......We", "We....AgWe", "We......We", "WeWeWeWeWe"]
    environment = opened(content(rows, go_to(3, 2)))
    step = environment.call(name, [], {})
    assert (step.valid, step.observation) == (False, f"Nothing happens. {reason}")


def test_what_stands_behind_a_wall_is_not_seen():
    environment = opened(content(WALLED, go_to(1, 1), position=(1, 3), direction=0))
    assert "red key" not in environment.first_observation
    assert environment.first_observation == (
        "You see a green ball (2 left). Free ahead: 2, then a wall. Free left: 1, then a green ball. "
        "Free right: 0, then a wall. You carry nothing."
    )


def test_a_task_that_is_no_grid_is_refused():
    with pytest.raises(TaskError, match="t: not the content of a BabyAI task: rows"):
        opened('{"level": "x"}')
    with pytest.raises(TaskError, match="'Zz' is no cell"):
        opened(content([*ROOM[:4], "WeWeZzWeWe"], go_to(2, 2)))
    with pytest.raises(TaskError, match="names a thing where there is none"):
        opened(content(ROOM, go_to(1, 1)))


# AgentBoard's surface

TWO = ["WeWeWeWeWeWeWe", "WeAgWe..AgWeWe", "WeWeWe......We", "We..........We", "WeWeWeWeWeWeWe"]


def board(faults: bool, **more):
    text = content(TWO, go_to(4, 1), position=(3, 3), direction=3, goal="go to it after you look", **more)
    return opened(text, "babyai-goto", surface="agentboard", faults=faults)


def test_the_published_faults_are_off_by_default():
    ours, published = board(False), board(True)
    assert ours.first_observation == published.first_observation
    assert (
        "There is a green ball 1 2 steps in front of you and 1 steps to your right. "
        in ours.first_observation
    )
    assert (ours.goal, published.goal) == ("go to it after you look", "go to it and look")
    assert ours.text("pick up red ball 9").observation == published.text("?").observation
    assert "pickup green ball 1" in ours.text("check valid actions").observation
    assert published.text("I check it").valid and not ours.text("I check it").valid
    assert (
        published.text("pick up green ball 1").observation
        == "The action is not recognized. Please check valid actions."
    )
    done = ours.text("go to green ball 1")
    assert done.success and done.observation.endswith("\n The task is completed.")


def test_labels_are_the_progress_and_decide_with_the_published_faults():
    ways = [["There is a green ball **", "never seen", "nor this"]]
    ours, published = board(False, labels=ways), board(True, labels=ways)
    first = ours.text("go to green ball 1")
    assert first.success and first.progress == 1
    told = published.text("go to green ball 1")
    assert (told.success, told.progress) == (False, pytest.approx(1 / 3))


def test_actions_are_text_too_and_the_source_is_agentboards():
    domain = build(DomainSpec("babyai-seq", canonical({"source": "agentboard", "surface": "agentboard"})))
    assert isinstance(domain, TextActions)
    assert ("go to OBJ", "You go next to a thing or a door that you see and look at it.") in domain.text_forms
    played = domain.open(domain.example_task)
    assert played.first_observation == domain.text_example.first_observation
    for _, command, observation in domain.text_example.steps:
        assert played.text(command).observation == observation
    assert played.success
    tasks = domain.tasks("test")
    assert [task.name for task in tasks][:2] == ["GoToSeqS5R2-v0-1234", "GoToSeqS5R2-v0-1235"]
    assert len(tasks) == 12
    goals = [domain.open(task).goal for task in tasks]
    assert "open the blue door after you open the red door" in goals


def test_a_label_file_is_read_and_another_refused(tmp_path: Path):
    file = tmp_path / "labels.jsonl"
    line = {"subgoals": ["There is a red **"], "additional_info": {"subtask": "BabyAI-GoToSeqS5R2-v0"}}
    file.write_text("\n".join(json.dumps(line) for _ in range(4)))
    options = {"source": "agentboard", "surface": "agentboard", "labels": str(file)}
    domain = build(DomainSpec("babyai-seq", canonical(options)))
    assert '"labels":[["There is a red **"]]' in domain.tasks("test")[0].content
    assert "labels" not in domain.tasks("test")[5].content
    file.write_text('{"goal": "x"}')
    with pytest.raises(TaskError, match=r"labels.jsonl:1: not a line of AgentBoard's"):
        build(DomainSpec("babyai-seq", canonical({**options, "seed": 1}))).tasks("test")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"faults": True}, "give surface: agentboard with them"),
        ({"labels": "x"}, "labels belong to source: agentboard"),
        ({"source": "agentboard", "level": "hard"}, "level is of generated tasks"),
        ({"surfce": "steps"}, "there is no option surfce; did you mean 'surface'"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(JobError, match=message):
        build(DomainSpec("babyai-goto", canonical(options)))


def test_labels_with_several_ways_need_no_key_without_a_number(tmp_path: Path):
    file = tmp_path / "labels.jsonl"
    line = {"subgoals_1": ["a red **"], "subgoals_2": ["a blue **"],
            "additional_info": {"subtask": "BabyAI-GoToSeqS5R2-v0"}}  # fmt: skip
    file.write_text(json.dumps(line))
    options = {"source": "agentboard", "surface": "agentboard", "labels": str(file)}
    domain = build(DomainSpec("babyai-seq", canonical(options)))
    assert '"labels":[["a red **"],["a blue **"]]' in domain.tasks("test")[0].content


# Drawing and solving

ENDLESS = (
    "from learnact.domains.babyai import generator\n"
    "generator.CPU_SECONDS = 1\n"
    "generator.draw = lambda **given: [None for _ in iter(int, 1)]\n"
    "generator.main()\n"
)


@pytest.mark.slow
def test_a_generator_that_never_ends_is_ended_and_the_next_request_gets_another(monkeypatch):
    process = GeneratorProcess()
    started = process._started

    def endless() -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        return subprocess.Popen([sys.executable, "-c", ENDLESS], text=True, **pipes)

    monkeypatch.setattr(process, "_started", endless)
    assert process.ask({"draw": {"made": "GoToLocal", "given": {}, "seed": 1}}) is None
    monkeypatch.setattr(process, "_started", started)
    reply = process.ask({"draw": {"made": "GoToLocal", "given": {}, "seed": 1}})
    assert reply is not None and reply["plan"]
    process.stop()


@pytest.mark.slow
def test_a_task_in_which_the_bot_searches_for_ever_has_no_plan():
    reply = GENERATOR.ask({"draw": {"made": "UnlockToUnlock", "given": {}, "seed": 1234}})
    assert reply is not None and reply["plan"] is None and '"rows"' in reply["content"]


def test_a_task_carries_its_grid_its_mission_and_the_pose():
    task = build(DomainSpec("babyai-open", canonical({"level": "easy", "test": 1}))).tasks("test")[0]
    kept = json.loads(task.content)
    assert {"rows", "mission", "position", "direction", "goal"} <= set(kept)
    moved = opened(canonical({**kept, "direction": (kept["direction"] + 1) % 4}), "babyai-open")
    assert moved.first_observation != opened(task.content, "babyai-open").first_observation


def test_progress_of_a_thing_put_next_to_another_is_seen_carried_beside_done():
    rows = ["WeWeWeWeWeWe", "We........We", "We......BrWe", "WeAg......We", "WeWeWeWeWeWe"]
    mission = {"does": "put_next", "target": {"kind": "ball", "colour": "green", "at": [[1, 3]]},
               "beside": {"kind": "box", "colour": "red", "at": [[4, 2]]}}  # fmt: skip
    environment = opened(content(rows, mission, position=(3, 1), direction=3))
    plan = ["turn_left", "turn_left", "move_forward", "move_forward", "turn_right", "move_forward", "pick_up",
            "turn_right", "turn_right", "move_forward", "turn_left", "move_forward", "turn_right",
            "turn_right", "move_forward", "turn_left", "drop"]  # fmt: skip
    seen = [environment.progress]
    seen += [environment.call(name, [], {}).progress for name in plan]
    assert seen == sorted(seen) and {0.25, 0.5, 0.75} <= set(seen)
    assert environment.success and seen[-1] == 1
