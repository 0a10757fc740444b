"""What can be played, and playing it by hand."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from learnact.domains import registry
from learnact.records import DomainSpec
from tests.cli.conftest import learnact, learnact_process

DATA = Path(os.environ.get("LEARNACT_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "pddl"
KEYS = ["turn", "command", "valid", "observation", "progress", "success", "error", "primitives", "over"]


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    """A gripper problem: one ball from rooma to roomb."""
    path = tmp_path / "one.pddl"
    path.write_text(
        "(define (problem one) (:domain gripper-strips) (:objects rooma roomb left right ball1)\n"
        "(:init (room rooma) (room roomb) (gripper left) (gripper right) (ball ball1) (free left) (free "
        "right)\n"
        "(at ball1 rooma) (at-robby rooma)) (:goal (and (at ball1 roomb))))\n"
    )
    return path


PLAN = "pick('ball1', 'rooma', 'left')\nmove('rooma','roomb')\ndrop('ball1', 'roomb', 'left')\n"


def test_domains_are_listed_and_told() -> None:
    listed = learnact("domains")
    assert listed.code == 0
    assert all(name in listed.out for name in ("gripper", "blockworld", "barman", "tyreworld"))
    told = learnact("domains", "gripper")
    assert "pick(obj, place, hand): Requires:" in told.out
    assert "balls" in told.out
    assert {line["name"] for line in learnact("domains", "--json").lines} >= {"gripper", "barman"}


def test_tasks_show_sizes_and_reference_plans() -> None:
    shown = learnact("tasks", "gripper", "--n", "3", "--seed", "7")
    assert shown.code == 0
    assert "gripper-published-test-7-2" in shown.out
    assert "reference plans:" in shown.out
    assert re.search(r"above the 30 turns of a test episode: \d of 3; an agent without learned", shown.out)
    harder = learnact("tasks", "gripper", "--n", "4", "--level", "harder")
    assert "above the 30 turns of a test episode: 4 of 4" in harder.out
    assert "can follow at most 0 of these plans" in " ".join(harder.out.split())
    lines = learnact("tasks", "gripper", "--n", "4", "--level", "harder", "--json").out.splitlines()
    assert [json.loads(line)["above_turns"] for line in lines] == [True] * 4
    first, second = (learnact("tasks", "gripper", "--n", "2", "--seed", "7", "--json").out for _ in range(2))
    assert first == second
    assert first != learnact("tasks", "gripper", "--n", "2", "--seed", "8", "--json").out


def test_a_printed_reference_plan_can_be_played(tmp_path: Path) -> None:
    printed = learnact("tasks", "blockworld", "--n", "1", "--plans")
    assert printed.code == 0 and printed.out.startswith("# blockworld-published-test-0-0")
    file = tmp_path / "plan.txt"
    file.write_text(printed.out)
    played = learnact("play", "blockworld", "--commands", str(file), "--json").lines
    assert played[-1]["success"] and all(line["valid"] for line in played)
    (line,) = learnact("tasks", "blockworld", "--n", "1", "--plans", "--json").lines
    assert len(line["plan"]) == len(played)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tasks", "griper"), "did you mean 'gripper'"),
        (("tasks", "gripper", "-o", "bals=3"), "bals"),
        (("tasks", "gripper", "--level", "hardr"), "there is no level 'hardr'; did you mean"),
        (("tasks", "gripper", "-o", "balls"), "write --option key=value"),
        (("tasks", "gripper", "--source", "nowhere"), "nowhere"),
        (("play", "gripper", "--task", "99"), "numbered from 0"),
        (
            ("play", "gripper", "--task", "gripper-published-test-0-O"),
            "did you mean 'gripper-published-test-0-",
        ),
        (("play", "gripper", "--problem", "no.pddl"), "no.pddl"),
        (("play", "gripper", "--problem", "x", "--task", "1"), "--problem names the task itself"),
        (("play", "gripper", "--commands", "no.txt"), "--commands no.txt: cannot be read"),
        (("play", "gripper", "--library", "no.py"), "there is no such library file"),
        (("domain",), "did you mean 'domains'"),
        (("domains", "--jsn"), "--json"),
    ],
)
def test_bad_input_ends_with_2_and_the_way_out(arguments: tuple[str, ...], said: str) -> None:
    done = learnact(*arguments)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""


def test_playing_from_a_file_of_commands(problem: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.txt").write_text("# to the other room\n\n" + PLAN)
    done = learnact("play", "gripper", "--problem", problem, "--commands", tmp_path / "plan.txt", "--json")
    assert done.code == 0, done.err
    assert [list(line) for line in done.lines] == [KEYS] * 3
    assert [line["turn"] for line in done.lines] == [1, 2, 3]
    assert [line["command"] for line in done.lines] == PLAN.splitlines()
    assert [(line["valid"], line["progress"], line["success"]) for line in done.lines] == [
        (True, 0.0, False),
        (True, 0.0, False),
        (True, 1.0, True),
    ]
    assert all(line["error"] is None for line in done.lines)


def test_what_is_wrong_with_a_command_is_told_and_the_world_stays(problem: Path) -> None:
    commands = "pick(\nfly('x')\npick('ball9', 'rooma', 'left')\npick('ball1', 'rooma')\nimport os\n" + PLAN
    lines = learnact("play", "gripper", "--problem", problem, "--json", stdin=commands).lines
    assert [line["valid"] for line in lines] == [False] * 5 + [True] * 3
    assert "not a Python call" in lines[0]["error"]
    assert "there is no ball9" in lines[2]["observation"]
    assert "pick takes obj, place, hand" in lines[3]["observation"]
    assert lines[4]["error"]
    assert lines[7]["success"]


def test_learned_actions_are_played_in_the_sandbox(problem: Path, tmp_path: Path) -> None:
    library = tmp_path / "mine.py"
    library.write_text(
        '"""My actions."""\n\n\ndef carry(ball, start, end, hand="left"):\n'
        '    """Bring ball from start to end."""\n'
        "    pick(ball, start, hand)\n    move(start, end)\n    drop(ball, end, hand)\n    move(end, "
        "start)\n\n\n"
        "def broken(ball):\n    pick(ball, 'nowhere', 'left')\n    raise ValueError('no such luck')\n\n\n"
        "def forever():\n    while True:\n        move('rooma', 'rooma')\n"
    )
    commands = "broken('ball1')\nforever()\ncarry('ball1', 'rooma', end='roomb')\n"
    lines = learnact(
        "play", "gripper", "--problem", problem, "--library", library, "--json", stdin=commands
    ).lines
    assert [line["valid"] for line in lines] == [False, False, True]
    assert "ValueError: no such luck" in lines[0]["error"]
    assert "primitive actions in one call" in lines[1]["error"]
    assert lines[2]["success"], "the call ends at the primitive that reaches the goal"
    assert "you are in roomb" in lines[2]["observation"]
    calls = [[step["command"] for step in line["primitives"]] for line in lines]
    assert calls[0] == ["pick('ball1', 'nowhere', 'left')"]
    assert calls[2] == [
        "pick('ball1', 'rooma', 'left')",
        "move('rooma', 'roomb')",
        "drop('ball1', 'roomb', 'left')",
    ]
    shown = learnact("play", "gripper", "--problem", problem, "--library", library, stdin=commands).out
    assert "  pick('ball1', 'nowhere', 'left')   (invalid): " in shown
    assert "  drop('ball1', 'roomb', 'left'): " in shown


def test_a_call_that_only_computes_is_valid_by_hand(tmp_path: Path) -> None:
    library = tmp_path / "mine.py"
    library.write_text("def double(n):\n    return 2 * n\n")
    done = learnact("play", "gripper", "--library", library, "--json", stdin="double(4)\n")
    assert json.loads(done.out)["valid"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.py", "def pick(x):\n    move(x, x)\n", "a.py:1: pick"),
        ("a.py", "def f(:\n", "a.py: "),
        ("a.py", "x = 1\n", "defines no function"),
        ("a.py", "def f(x):\n    jump(x)\n", "a.py:2: "),
        ("a.json", "{", "a.json:1: not JSON"),
        ("a.json", "{}", "not a library as `learnact show --json` prints it: actions"),
    ],
)
def test_a_bad_library_is_refused_with_its_line(name: str, text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    done = learnact("play", "gripper", "--library", tmp_path / name)
    assert done.code == 2
    assert said in done.err


def test_a_person_sees_goal_state_and_progress(problem: Path) -> None:
    done = learnact("play", "gripper", "--problem", problem, stdin=PLAN)
    assert "Goal: ball1 is in roomb." in done.out
    assert "[turn 3, progress 100%, solved]" in done.out


@pytest.mark.parametrize("name", ["gripper", "blockworld", "barman", "tyreworld"])
def test_reference_plans_succeed_by_hand(name: str, tmp_path: Path) -> None:
    domain = registry.build(DomainSpec(name))
    task = domain.tasks("test")[1]
    plan = domain.plan(task.content)  # type: ignore[attr-defined]
    calls = domain.calls(plan)  # type: ignore[attr-defined]
    assert len(calls) == task.reference
    done = learnact("play", name, "--task", "1", "--json", stdin="\n".join(calls))
    assert [line["valid"] for line in done.lines] == [True] * len(calls)
    assert [line["success"] for line in done.lines] == [False] * (len(calls) - 1) + [True]


@pytest.mark.skipif(not (DATA / "gripper").is_dir(), reason=f"no published problems in {DATA}")
def test_published_problems_are_listed_and_played() -> None:
    listed = learnact("tasks", "gripper", "--source", DATA)
    assert listed.code == 0
    assert "gripper: 20 test tasks" in listed.out
    training = learnact("tasks", "gripper", "--source", DATA, "--split", "train", "--json").lines
    assert [line["labels"]["index"] for line in training] == [7, 9, 14]
    told = learnact(
        "play", "gripper", "--source", DATA, "--task", "0", "--json", stdin="move('rooma', 'roomb')"
    )
    assert told.lines[0]["turn"] == 1


def test_help_teaches_and_starts_quickly() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = learnact_process("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.code == 0
    assert "learnact run quickstart" in done.out
    assert "Exit codes: 0 done, 1 some work unfinished, 2 bad input" in done.out
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5, "seconds of CPU"


def test_the_list_of_commands_imports_nothing_heavy() -> None:
    heavy = {"ray", "openai", "duckdb", "pyarrow", "pydantic"}
    code = (
        f"import sys, learnact.cli.app; sys.exit(str({heavy} & set(sys.modules)) if "
        f"{heavy} & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
