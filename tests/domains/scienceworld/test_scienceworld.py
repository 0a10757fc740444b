"""ScienceWorld through our own calls: what is refused, what fails, what one episode keeps from another."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytest.importorskip("scienceworld")

from learnact.domains import registry
from learnact.domains.scienceworld import domain as family
from learnact.domains.scienceworld.package import java_program
from learnact.domains.scienceworld.surface import call_of, command_of, read_labels
from learnact.domains.scienceworld.tasks import AGENTBOARD, KINDS, Variation, shuffled, simplified, unpack
from learnact.errors import JobError, TaskError

needs_java = pytest.mark.skipif(java_program() is None, reason="needs Java")


def test_there_are_thirty_kinds_each_registered_under_its_authors_number():
    assert len(KINDS) == 30 == len(registry.SCIENCEWORLD)
    for task in KINDS:
        assert registry.factory(f"scienceworld-{task}").name == f"scienceworld-{task}"


def test_training_and_test_variations_are_the_simulators_and_never_meet():
    for kind in KINDS.values():
        train, test = set(shuffled(kind, "train", 0)), set(shuffled(kind, "test", 0))
        assert train and test and not train & test
        assert train | test | set(kind.variations("dev")) == set(range(kind.count))
    assert shuffled(KINDS["boil"], "test", 1) != shuffled(KINDS["boil"], "test", 2)


def test_an_electrical_kind_keeps_its_electrical_actions():
    assert "noElectricalAction" not in simplified(KINDS["power-component"], AGENTBOARD)
    assert "noElectricalAction" in simplified(KINDS["boil"], AGENTBOARD)


def test_commands_and_calls_are_each_others_inverse():
    for command in ("go to kitchen", "pour cup into pot", "move egg in inventory to red box", "wait1",
                    "use thermometer in inventory on substance in metal pot", "look around"):  # fmt: skip
        assert command_of(*call_of(command)) == command
    with pytest.raises(ValueError, match="dance"):
        call_of("dance")


def test_a_task_of_another_version_or_without_such_a_variation_is_refused():
    with pytest.raises(TaskError, match=r"pip install 'scienceworld==1\.1\.3'"):
        unpack(Variation(task="boil", number=0, version="1.1.3").pack(), "a task", "1.2.3")
    with pytest.raises(TaskError, match="no variation 99 of boil"):
        unpack(Variation(task="boil", number=99, version="1.2.3").pack(), "a task", "1.2.3")


def test_labels_are_read_with_the_line_of_a_fault(tmp_path):
    file = tmp_path / "test.jsonl"
    label = {"goal": "Boil it.", "subgoals": ["focus on the (water|tin)"],
             "additional_info": {"env_name": "boil", "var": 3}}  # fmt: skip
    file.write_text(json.dumps(label) + "\n")
    assert read_labels(str(file), "boil") == [(3, "Boil it.", ("focus on the (water|tin)",))]
    with pytest.raises(TaskError, match="no label is of melt"):
        read_labels(str(file), "melt")
    file.write_text(json.dumps({**label, "subgoals": ["("]}) + "\n")
    with pytest.raises(TaskError, match=r"test\.jsonl:1"):
        read_labels(str(file), "boil")


@needs_java
def test_the_published_surface_needs_the_version_that_it_was_published_with():
    installed = family.importlib.metadata.version("scienceworld")
    make = registry.factory("scienceworld-boil")
    if installed == family.PUBLISHED_VERSION:
        assert make({"surface": "agentboard"}).options.surface == "agentboard"
    else:
        with pytest.raises(JobError, match=r"pip install 'scienceworld==1\.2\.2'"):
            make({"surface": "agentboard"})


def house(task: str = "find-living-thing", number: int = 151):
    from learnact.domains.scienceworld.environment import ScienceWorldEnvironment

    variation = Variation(task=task, number=number, simplifications=",".join(AGENTBOARD), version="1.2.3")
    return ScienceWorldEnvironment(variation, family.all_primitives())


@needs_java
@pytest.mark.slow
def test_what_is_ambiguous_unknown_or_impossible_is_refused_and_takes_no_time():
    environment = house()
    before = environment.call("look_around", [], {}).observation
    ambiguous = environment.call("open", ["door"], {})
    assert not ambiguous.valid and "That may mean: open door between kitchen and" in ambiguous.observation
    unknown = environment.call("go", ["moon"], {})
    assert not unknown.valid and "nothing of that name" in unknown.observation
    fixed = environment.call("pick_up", ["agent"], {})
    assert (fixed.valid, fixed.observation) == (False, "Nothing happens. The agent is not moveable.")
    assert environment.call("look_around", [], {}).observation == before
    assert environment.text("go to outside").valid and not environment.text("reset task").valid
    environment.close()


@needs_java
@pytest.mark.slow
def test_a_wrong_focus_ends_the_episode_as_failed():
    environment = house()
    step = environment.call("focus_on", ["chair"], {})
    assert (step.over, step.success) == (True, False)
    assert not environment.call("look_around", [], {}).valid
    environment.close()


@needs_java
@pytest.mark.slow
def test_two_episodes_of_one_process_do_not_disturb_each_other():
    def told(environment, commands):
        return [environment.text(command).observation for command in commands]

    walk = ["look around", "go to outside", "look around", "wait", "look around"]
    alone = house("find-animal", 230)
    expected = told(alone, walk)
    alone.close()
    first, second = house("find-animal", 230), house("boil", 3)
    mixed = []
    for command in walk:
        mixed += told(first, [command])
        told(second, [command])
    assert mixed == expected
    first.close()
    second.close()


@needs_java
@pytest.mark.slow
def test_asking_first_whether_a_command_is_possible_does_not_change_the_walk():
    """The same possible commands with and without our question before each: text and score are equal."""
    from learnact.domains.scienceworld.engine import SimulatedHouse

    variation = Variation(task="find-living-thing", number=151, simplifications=",".join(AGENTBOARD),
                          version="1.2.3")  # fmt: skip
    asked, plain = SimulatedHouse(variation), SimulatedHouse(variation)
    for command in ("go to outside", "look around", "focus on baby beaver", "pick up baby beaver", "wait",
                    "go to kitchen", "look around"):  # fmt: skip
        answer = asked.do(command)
        said = str(plain._simulator.call("step", command, takes="java.lang.String"))
        assert answer.possible and answer.text == said.strip()
        assert answer.score == float(plain._simulator.call("getScore"))
    asked.close()
    plain.close()


@needs_java
@pytest.mark.slow
def test_a_java_without_the_flag_is_noticed_before_a_result_depends_on_it():
    program = (
        "import learnact.domains.scienceworld.java as java\n"
        "java.OPTIONS = java.OPTIONS[:3]\n"
        "try: java.machine()\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600)
    assert "EnvironmentFailure" in done.stdout and "OpenJDK 17" in done.stdout


@needs_java
@pytest.mark.slow
@pytest.mark.parametrize("task", KINDS)
def test_every_kind_opens_and_its_first_test_task_is_solved_by_its_plan(task):
    made = registry.factory(f"scienceworld-{task}")({"train": 1, "test": 1})
    first = made.tasks("test")[0]
    plan = made.reference_plan(first)
    if plan is None:
        pytest.skip("the simulator's own path does not solve this variation")
    environment = made.open(first)
    for call in plan:
        assert environment.call(call.name, call.arguments, {}).valid
    assert environment.success and environment.progress == 1
    environment.close()
