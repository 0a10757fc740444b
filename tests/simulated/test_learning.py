"""What the simulated model writes for learners: functions, descriptions, examples, improvements, lessons,
verdicts, programs."""

from __future__ import annotations

from pathlib import Path

import pytest

import learnact.methods
from learnact.domains.base import Domain
from learnact.library.check import check
from learnact.library.statements import split
from learnact.methods import learner_replies, prompt_sections
from learnact.methods.learnact import improve_answer
from learnact.methods.prompt_sections import primitives_section, section, task_section
from learnact.methods.proposals import code_section
from learnact.methods.training import TEMPLATES, function_rules
from learnact.records import LearnedAction, Library, Rules
from learnact.simulated.function_reading import read_functions
from learnact.simulated.function_rules import rule_of
from learnact.simulated.functions import Function
from learnact.simulated.replies import REPLY_KINDS, reply_to
from learnact.simulated.rules import read_lines
from learnact.simulated.text import ActionCall
from tests.simulated.playing import domain, lamps

RULES = function_rules(domain("gripper"), Rules(), 100)
CARRY = (
    "def carry(obj, place, hand, end):\n"
    "    pick(obj, place, hand)\n    move(place, end)\n    drop(obj, end, hand)"
)


def scene(world: Domain) -> str:
    return section("Instructions", world.instruction) + primitives_section(world)


def task(world: Domain, number: int = 0) -> str:
    environment = world.open(world.tasks("train")[number])
    return task_section(environment.goal, environment.first_observation)


def say(prompt: str, model: str = "sim-strong", seed: int = 0) -> str:
    said = reply_to(model, [("system", "You write functions."), ("user", prompt)], seed)
    assert said.kind, prompt[-300:]
    return said.text


def create(world: Domain, seed: int, model: str = "sim-strong") -> str:
    return say(scene(world) + task(world) + TEMPLATES.fill("create", rules=RULES, variation=""), model, seed)


WORLDS = [domain("gripper"), domain("blockworld"), domain("barman"), domain("tyreworld"), lamps()]


@pytest.mark.parametrize("world", WORLDS, ids=lambda w: w.name)
def test_proposed_functions_are_acceptable_and_differ_by_seed(world: Domain) -> None:
    found = [learner_replies.proposal(create(world, seed)) for seed in range(6)]
    usable = [p for p in found if p.code]
    assert len(usable) >= 4
    for proposal in usable:
        assert not check(proposal.code, [p.name for p in world.primitives])
        _, actions = split(proposal.code)
        assert 1 <= len(actions) <= 4
        assert proposal.usage.split("(")[0] in {a.name for a in actions}
        assert all(len(f.steps) >= 2 or f.loop for f in read_functions(proposal.code))
    assert len({p.code for p in usable}) >= 3


def test_at_full_attention_functions_are_pieces_of_a_plan() -> None:
    world = domain("gripper")
    for seed in range(5):
        proposal = learner_replies.proposal(create(world, seed, "sim-perfect"))
        called = {step.name for f in read_functions(proposal.code) for step in f.steps}
        assert called <= {"pick", "move", "drop"}
        for function in read_functions(proposal.code):
            assert set(function.names) == {a for s in function.steps for a in s.arguments}


def test_inattention_brings_defects_and_nothing_else_does() -> None:
    """The same plan written with and without inattention: only then are steps missing or names taken from
    other lines."""
    world = domain("gripper")
    sound = {
        f.steps
        for s in range(12)
        for f in read_functions(learner_replies.proposal(create(world, s, "sim-perfect")).code)
    }
    flawed = {
        f.steps
        for s in range(12)
        for f in read_functions(learner_replies.proposal(create(world, s, "sim-weak")).code)
    }

    def impossible(steps: tuple[ActionCall, ...]) -> bool:
        """A ball picked up twice, or dropped in a place that is not where one is, shows a missing or
        blurred line."""
        at = {}
        for step in steps:
            if step.name == "move" and at.get("you", step.arguments[0]) != step.arguments[0]:
                return True
            if step.name in ("pick", "drop") and at.get("you", step.arguments[1]) != step.arguments[1]:
                return True
            at["you"] = step.arguments[-1] if step.name == "move" else step.arguments[1]
        return False

    assert not any(map(impossible, sound))
    assert any(map(impossible, flawed))


def test_a_description_says_what_the_steps_together_require_and_do() -> None:
    world = domain("gripper")
    action = split(CARRY)[1][0]
    prompt = (
        scene(world)
        + code_section(Library((action,)))
        + TEMPLATES.fill("describe", signature=action.signature, limit=1200)
    )
    said = learner_replies.description(say(prompt, "sim-perfect"))
    assert said == (
        "Requires: obj is a ball. place is a room. hand is a gripper. obj is in place. you are in place. "
        "hand is free. end is a room. "
        "Then: you are in end. obj is in end. obj is no longer in place. you are no longer in place. "
        "hand no longer holds obj. "
        "Does: pick(obj, place, hand); move(place, end); drop(obj, end, hand). Example: carry(obj, "
        "place, hand, end)"
    )


def test_an_agent_reads_a_description_as_it_was_meant() -> None:
    world = domain("barman")
    source = (
        "def fill(hand, glass, drink, other, tap):\n"
        "    grasp(hand, glass)\n    fill_shot(glass, drink, hand, other, tap)"
    )
    action = split(source)[1][0]
    prompt = (
        scene(world)
        + code_section(Library((action,)))
        + TEMPLATES.fill("describe", signature=action.signature, limit=1200)
    )
    said = learner_replies.description(say(prompt, "sim-perfect"))
    (read,) = read_lines(f"- {action.signature}: {said}", 0, learned=True)
    meant = rule_of(
        Function("fill", action.signature[5:-1].split(", "), read.does),  # type: ignore[arg-type]
        read_lines(prompt_sections.primitives_section(world).partition("\n")[2], 0, learned=False),
    )
    for part in ("requires", "adds", "deletes"):
        assert {c.text for c in getattr(read, part)} == {c.text for c in getattr(meant, part)}


@pytest.mark.parametrize("world", WORLDS[:4], ids=lambda w: w.name)
def test_a_usage_example_calls_a_function(world: Domain) -> None:
    actions: tuple[LearnedAction, ...] = ()
    seed = 0
    shown = ""
    while not shown:
        actions = split(learner_replies.proposal(create(world, seed, "sim-perfect")).code)[1]
        example = prompt_sections.opening(world.example.goal, world.example.first_observation)
        prompt = (
            scene(world)
            + code_section(Library(actions))
            + section("Example task", example)
            + TEMPLATES.fill("usage")
        )
        shown = learner_replies.trajectory(say(prompt, "sim-perfect"))
        seed += 1
        assert seed < 8
    called = [
        line.split("(")[0].removeprefix("Action: ")
        for line in shown.splitlines()
        if line.startswith("Action")
    ]
    assert set(called) & {a.name for a in actions}
    assert len(called) <= 5


FAILURE = """Goal: ball1 is in roomb.
Observation: Objects:
- object: ball1, ball2, left, right, rooma, roomb.
Facts that never change: rooma is a room. roomb is a room. left is a gripper. right is a gripper. ball1 \
is a ball. ball2 is a ball.
Now: you are in roomb. left is free. right is free. ball1 is in rooma. ball2 is in roomb.
Action: carry('ball1', 'rooma', 'left', 'roomb')
The call made these primitive actions:
1. pick('ball1', 'rooma', 'left') -> No effect: pick('ball1', 'rooma', 'left') requires: you are in rooma.
2. move('rooma', 'roomb') -> No effect: move('rooma', 'roomb') requires: you are in rooma.
3. drop('ball1', 'roomb', 'left') -> No effect: drop('ball1', 'roomb', 'left') requires: left holds ball1."""


def improve(
    *choices: str, what: str = FAILURE, seed: int = 0
) -> learner_replies.Update | learner_replies.Note | None:
    world = domain("gripper")
    call = "carry('ball1', 'rooma', 'left', 'roomb')"
    request = improve_answer(call, "carry", RULES, updates="update" in choices, notes="note" in choices)
    code = code_section(Library(split(CARRY)[1]))
    return learner_replies.improvement(
        say(scene(world) + code + section("What happened", what) + request, "sim-perfect", seed)
    )


def test_an_update_edits_one_step_and_works_by_the_rules() -> None:
    found = improve("update", "note")
    assert isinstance(found, learner_replies.Update)
    assert "you are in rooma" in found.reason
    (function,) = read_functions(found.proposal.code)
    assert function.name == "carry"
    assert function.steps[0].name == "move"
    assert [s.name for s in function.steps[1:]] == ["pick", "move", "drop"]
    assert found.proposal.usage.startswith("carry(")


def test_a_note_says_when_to_use_it_in_the_function_s_own_parameters() -> None:
    found = improve("note")
    assert isinstance(found, learner_replies.Note)
    assert found.text == "use it only when you are in place."


def test_what_no_edit_helps_becomes_a_note() -> None:
    impossible = FAILURE.replace("ball1 is in rooma. ", "")
    impossible = impossible.replace("requires: you are in rooma.\n2.", "requires: ball1 is in rooma.\n2.")
    assert isinstance(improve("update", "note", what=impossible), learner_replies.Note)


def test_a_note_is_one_more_requirement_for_the_agent() -> None:
    line = (
        "- carry(obj, place): Requires: obj is in place. Then: obj is gone.\n"
        "  Note: use it only when you are in place."
    )
    (rule,) = read_lines(line, 0, learned=True)
    assert [c.text for c in rule.requires] == ["obj is in place", "you are in place"]


def test_a_lesson_restates_the_requirement_that_was_missed() -> None:
    world = domain("gripper")
    prompt = scene(world) + section("What happened", FAILURE) + TEMPLATES.fill("reflect", again="")
    lesson = learner_replies.lesson(say(prompt))
    assert lesson.startswith("Before ")
    assert lesson.endswith(
        (
            "make sure that you are in place.",
            "make sure that you are in start.",
            "make sure that hand holds obj.",
        )
    )
    assert "ball1" not in lesson


@pytest.mark.parametrize(("last", "reached"), [("ball1 is in roomb.", True), ("ball1 is in rooma.", False)])
def test_a_verdict_follows_the_last_state(last: str, reached: bool) -> None:
    world = domain("gripper")
    what = (
        FAILURE.partition("Action:")[0]
        + f"The call made these primitive actions:\n1. move('rooma', 'roomb') -> Now: {last}"
    )
    said = say(scene(world) + section("What happened", what) + TEMPLATES.fill("verify"), "sim-perfect")
    assert learner_replies.verdict(said)[0] is reached


def test_a_program_of_a_perfect_reader_solves_its_task() -> None:
    for name in ("gripper", "tyreworld"):
        world = domain(name)
        given = world.tasks("train")[0]
        environment = world.open(given)
        program = say(
            scene(world) + task(world) + prompt_sections.TEMPLATES.fill("code_as_policies", rules=RULES),
            "sim-perfect",
        )
        for call in program.splitlines()[1:-1]:
            name_, inside = call.rstrip(")").split("(")
            assert environment.call(name_, [a.strip("' ") for a in inside.split(",")], {}).valid
        assert environment.success


def test_every_kind_of_our_prompts_is_understood() -> None:
    asked = [
        path.read_text().lower()
        for path in (Path(learnact.methods.__path__[0]) / "prompts").glob("*/*.txt")
        if path.read_text().startswith("## Your answer") and not path.stem.endswith("_tools")
    ]
    assert len(asked) >= 10
    assert all(sum(words in text for _, words, _ in REPLY_KINDS) == 1 for text in asked)
