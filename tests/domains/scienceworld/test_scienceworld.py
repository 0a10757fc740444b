"""ScienceWorld through our own calls: what is refused, what fails, what one episode keeps from another."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import pytest

pytest.importorskip("scienceworld")

from learnact.domains import registry
from learnact.domains.scienceworld import domain as family
from learnact.domains.scienceworld.package import java_program
from learnact.domains.scienceworld.surface import calls_of, command_of, read_labels
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
        assert command_of(*calls_of(command)[0]) == command
    for said in ("drop egg in inventory", "put down egg in inventory"):
        assert calls_of(said) == [("put_down", ("egg in inventory",))]
    first, second = ["cup", "studio in cup on table"]
    assert calls_of("pour cup in studio in cup on table") == [
        ("pour", ("cup in studio", "cup on table")),
        ("pour", (first, second)),
    ]
    with pytest.raises(ValueError, match="dance"):
        calls_of("dance")


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
def test_faults_need_labels_and_labels_the_published_surface():
    make = registry.factory("scienceworld-boil")
    with pytest.raises(JobError, match="give labels too"):
        make({"surface": "agentboard", "faults": True})
    with pytest.raises(JobError, match="surface: agentboard"):
        make({"labels": "x"})


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
def test_of_things_that_read_alike_the_first_is_meant():
    task = "mendelian-genetics-known-plant"
    environment = house(task, shuffled(KINDS[task], "test", 0)[0])
    environment.text("go to hallway")
    environment.text("go to greenhouse")
    assert environment.text("pick up seed jar").valid
    moved = environment.call("move", ["pea seed in seed jar", "flower pot 1"], {})
    assert moved.valid and moved.observation.startswith("You move the")
    vague = environment.call("open", ["door"], {})
    assert not vague.valid and "That may mean" in vague.observation
    environment.close()


@needs_java
@pytest.mark.slow
def test_a_wrong_focus_ends_the_episode_as_failed():
    environment = house()
    step = environment.call("focus_on", ["chair"], {})
    assert (step.over, step.success) == (True, False)
    assert not environment.call("look_around", [], {}).valid
    environment.close()


WALK = ("look around", "wait", "open cupboard", "go to hallway", "look around", "open door", "wait1",
        "go to kitchen", "pick up thermometer", "use thermometer in inventory on sink", "activate sink",
        "focus on agent", "go to outside", "look around", "wait", "inventory", "task")  # fmt: skip
OUTSIDE_OF_EPISODES = {
    "util.UniqueIdentifier$.count",  # OwnState
    "main.scala.scienceworld.runtime.SimplifierProcessor$.simplifications",  # OwnState
    "util.UniqueTypeID$.lut",  # numbers of classes of things, which no observation shows
    "util.UniqueTypeID$.nextID",
    "scienceworld.goldagent.PathFinder$.precomputedExhaustivePaths",  # ways through the house, for gold paths
    "scienceworld.input.InputParser$.stopWords",  # arrays that nobody writes to
    "scienceworld.objects.misc.Picture$.artist",
    "scienceworld.objects.misc.Picture$.pictureTypes",
    "scienceworld.objects.misc.Picture$.subjects",
}
"""What the simulator keeps in fields of classes that could change; random numbers are in Scala's library."""


@needs_java
@pytest.mark.slow
def test_the_simulator_keeps_nothing_outside_of_episodes_but_what_is_known():
    from learnact.domains.scienceworld.java import machine
    from learnact.domains.scienceworld.package import jar

    language = machine().jvm.java.lang
    loader = language.ClassLoader.getSystemClassLoader()
    static, final = 0x8, 0x10  # java.lang.reflect.Modifier
    found = set()
    for entry in zipfile.ZipFile(jar()).namelist():
        name = entry.removesuffix(".class").replace("/", ".")
        if not entry.endswith(".class") or name.startswith(("scala.", "py4j.", "examples.")):
            continue
        for field in language.Class.forName(name, False, loader).getDeclaredFields():
            kind, modifiers = field.getType().getName(), field.getModifiers()
            shared = modifiers & static or name.endswith("$")
            changes = not modifiers & final or kind.startswith(
                ("scala.collection.mutable", "scala.util", "[")
            )
            if shared and changes and field.getName() != "MODULE$":
                found.add(f"{name}.{field.getName()}")
    assert found == OUTSIDE_OF_EPISODES


def kinds_in_threes():
    names = list(KINDS)
    return [names[start :: len(names) // 3] for start in range(len(names) // 3)]


@needs_java
@pytest.mark.slow
@pytest.mark.parametrize("tasks", kinds_in_threes(), ids=lambda tasks: tasks[0])
def test_episodes_in_turns_are_answered_as_alone_by_the_simulators_own_step(tasks):
    """Our way to do a command, three episodes in turns, beside the package's `step`, one after the other."""
    from learnact.domains.scienceworld.engine import SimulatedHouse

    def opened(task: str) -> SimulatedHouse:
        simple = simplified(KINDS[task], AGENTBOARD) if len(task) % 2 else ""
        number = KINDS[task].dev
        return SimulatedHouse(Variation(task=task, number=number, simplifications=simple, version="1.2.3"))

    in_turns = {task: opened(task) for task in tasks}
    answered = {task: [] for task in tasks}
    for command in WALK:
        for task, house in in_turns.items():
            answered[task].append((command, house.do(command)))
    for house in in_turns.values():
        house.close()
    for task in tasks:
        alone = opened(task)
        for command, answer in answered[task]:
            if answer.possible:
                alone._state.enter()
                assert answer.text == str(alone._simulator.step(command)).strip(), (task, command)
                assert answer.score == float(alone._simulator.getScore()) or command == "task"
        alone.close()


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


UNPLANNED = ("grow-fruit", "mendelian-genetics-known-plant")
"""Kinds whose first test task the simulator's path, played through our interface, does not solve."""


@needs_java
@pytest.mark.slow
@pytest.mark.parametrize("task", KINDS)
def test_every_kind_opens_and_its_first_test_task_is_solved_by_its_plan(task):
    made = registry.factory(f"scienceworld-{task}")({"train": 1, "test": 1})
    first = made.tasks("test")[0]
    plan = made.reference_plan(first)
    assert first.reference == (None if task in UNPLANNED else len(plan or ()))
    environment = made.open(first)
    assert environment.goal
    for call in plan or ():
        assert environment.call(call.name, call.arguments, {}).valid
    assert environment.success == (environment.progress == 1) == (task not in UNPLANNED)
    environment.close()
