"""Generated games: all six types, solvable, not solved, apart, the same anywhere, and loadable by
anybody's ALFWorld."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from learnact.domains.alfworld import generation
from learnact.domains.alfworld.content import unpack
from learnact.domains.alfworld.domain import AlfworldDomain, AlfworldOptions
from learnact.domains.alfworld.generation import generated
from learnact.domains.alfworld.task_types import TASK_TYPES, read_goal
from tests.domains.alfworld.conftest import ELSEWHERE, needs_extra

pytestmark = needs_extra
SEED = 3


def a_domain(kind: str, **options: object) -> AlfworldDomain:
    return AlfworldDomain(
        TASK_TYPES[kind],
        AlfworldOptions.model_validate({"level": "easy", "seed": SEED, "train": 1, "test": 1} | options),
    )


def walkthrough(path: Path, surface: str = "published") -> list[str]:
    commands = json.loads(path.read_text())["walkthrough"]
    put = r"put \1 in/on \2"
    return [re.sub(r"^move (.*) to (.*)$", put, c) if surface == "published" else c for c in commands]


def win(domain: AlfworldDomain, kind: str, path: Path) -> None:
    """Play a game's walkthrough through our environment, as calls."""
    environment = domain.open(domain.read(str(path)))
    language = domain._language
    assert environment.progress == 0 and not environment.success
    for command in walkthrough(path, language.surface):
        assert not environment.success
        step = environment.text(language.as_text(command))
        assert step.valid, step
    assert environment.success and environment.progress == 1
    environment.close()


@pytest.mark.parametrize("kind", TASK_TYPES)
def test_every_type_is_won_by_its_walkthrough(cache, kind):
    domain = a_domain(kind)
    for path in generated(TASK_TYPES[kind], "valid_unseen", SEED, 1):
        win(domain, kind, path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", TASK_TYPES)
def test_20_of_every_type_are_won_by_their_walkthroughs(cache, kind):
    domain = a_domain(kind)
    for path in generated(TASK_TYPES[kind], "valid_unseen", 4, 20):
        win(domain, kind, path)


@pytest.mark.parametrize("kind", TASK_TYPES)
def test_training_and_test_are_in_different_rooms(cache, kind):
    domain = a_domain(kind)
    rooms = [
        {t.name.split("/")[0].rsplit("-", 1)[1] for t in domain.tasks(split)} for split in ("train", "test")
    ]  # type: ignore[arg-type]
    assert rooms[0] and rooms[1] and not rooms[0] & rooms[1]


def test_the_sentence_says_the_goal(cache):
    for kind in TASK_TYPES.values():
        for task in a_domain(kind.name).tasks("test"):
            content = unpack(task.content, task.name)
            goal = read_goal(content.problem, task.name)
            assert content.goal in {s.format(obj=goal.obj, recep=goal.recep) for s in kind.sentences}
            assert task.reference and task.domain == f"alfworld-{kind.name}"


def test_the_same_seed_gives_the_same_games_whatever_the_hash_seed(cache, tmp_path):
    ours = [t.hash for t in a_domain("put", level="published").tasks("test")]
    program = (
        "from learnact.domains.alfworld.domain import *; from learnact.domains.alfworld.task_types "
        "import TASK_TYPES\n"
        f"o = AlfworldOptions(level='published', seed={SEED}, train=1, test=1)\n"
        "print(*[t.hash for t in AlfworldDomain(TASK_TYPES['put'], o).tasks('test')])"
    )
    env = {**os.environ, "LEARNACT_CACHE": str(tmp_path), "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True, timeout=6000
    )
    assert done.stdout.split() == ours


def test_the_stock_engine_loads_the_file_and_wins_by_its_walkthrough(cache):
    import textworld
    from alfworld.agents.environment.alfred_tw_env import AlfredDemangler, AlfredInfos
    from textworld.envs import PddlEnv

    (path,) = generated(TASK_TYPES["examine"], "valid_unseen", SEED, 1)
    trajectory = json.loads((path.parent / "traj_data.json").read_text())
    assert trajectory["task_type"] == "look_at_obj_in_light" and path.parents[2].name == "valid_unseen"
    argv = sys.argv
    try:
        environment = AlfredInfos(
            AlfredDemangler(PddlEnv(textworld.EnvInfos(won=True, admissible_commands=True)))
        )
        environment.load(str(path))
        state = environment.reset()
    finally:
        sys.argv = argv
    assert unpack(a_domain("examine").tasks("test")[0].content, "x").goal in state.feedback
    for command in walkthrough(path, "new"):
        state, _, done = environment.step(command)
    assert state.won and done


def test_a_worker_never_imports_the_engine(cache):
    program = (
        "import sys; from learnact.domains import registry; from learnact.records import DomainSpec\n"
        f'd = registry.build(DomainSpec(\'alfworld-put\', \'{{"seed": {SEED}, "train": 1, "test": 1}}\'))\n'
        "assert len(d.tasks('test')) == 1 and d.version\n"
        "print(sorted({'textworld', 'fast_downward', 'alfworld', 'jericho'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=600
    )
    assert done.stdout.strip() == "[]"


def test_a_game_is_made_when_it_is_asked_for_by_a_process_of_its_own(cache, monkeypatch):
    monkeypatch.setattr(generation, "_make_in_processes", ELSEWHERE)
    tasks = a_domain("examine", seed=11, test=500).tasks("test")
    assert len(tasks) == 500 and not generation.folder(11).exists()
    assert tasks[1].name != tasks[0].name
    assert len(list((generation.folder(11) / "index").iterdir())) == 2


def test_an_agent_that_writes_commands_reads_commands(cache):
    from learnact.methods.prompt_sections import context_sections, example_as_turns
    from learnact.records import Library, Rules

    domain = a_domain("heat", perturb=["move-to", "with-using"])
    as_turns = functools.partial(example_as_turns, thoughts=False)
    as_text = context_sections(domain, Library(), Rules(action_format="text"), 100, as_turns)
    assert (
        "\n- move to recep: Requires: " in as_text and "\nAction: heat cup 2 using microwave 1\n" in as_text
    )
    as_calls = context_sections(domain, Library(), Rules(), 100, as_turns)
    assert (
        "\n- move_to(recep): Requires: " in as_calls
        and "\nAction: heat('cup 2', using='microwave 1')\n" in as_calls
    )
    for text in (as_text, as_calls):
        assert "goto" not in text and "go to" not in text and " with recep" not in text
