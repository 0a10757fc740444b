"""Loops, conditions, returns and errors in the code that the simulated model writes.

What is written runs as planned, defects come from inattention, agents and repairs read it again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from learnact.domains.base import Domain
from learnact.library.statements import split
from learnact.methods import learner_replies
from learnact.methods.learnact import improve_answer
from learnact.methods.prompt_sections import section
from learnact.methods.proposals import code_section
from learnact.methods.training import TEMPLATES
from learnact.records import Library
from learnact.simulated import text
from learnact.simulated.function_reading import read_functions
from learnact.simulated.functions import Function
from learnact.simulated.replies import reply_to
from learnact.simulated.rules import read_lines
from tests.simulated.playing import domain, function, play_with_library
from tests.simulated.test_household import Cottage
from tests.simulated.test_learning import RULES, WORLDS, create, say, scene

HOUSE = (Path(__file__).parents[1] / "prompts/domains/alfworld-heat-create.txt").read_text()
SEEDS = range(16)


def proposed(world: Domain, model: str) -> Iterator[tuple[Function, text.ActionCall]]:
    """The functions of some proposals, each with the usage call where it is the one that is called."""
    for seed in SEEDS:
        proposal = learner_replies.proposal(create(world, seed, model))
        usage = next(iter(text.calls(proposal.usage)), text.ActionCall("", ()))
        for found in read_functions(proposal.code):
            yield found, usage if usage.name == found.name else text.ActionCall("", ())


def run(world: Domain, found: Function, usage: text.ActionCall) -> tuple[list[text.ActionCall], str]:
    """The primitive actions of a call on the first training task, and the type of the error that ended it."""
    environment = world.open(world.tasks("train")[0])
    made: list[text.ActionCall] = []

    def primitive(name: str) -> object:
        def act(*arguments: str) -> str:
            made.append(text.ActionCall(name, arguments))
            return environment.call(name, list(arguments), {}).observation

        return act

    names: dict[str, object] = {p.name: primitive(p.name) for p in world.primitives}
    try:
        exec(f"{found.code}\n{usage}", names)  # our own simulated model's code, in a test
    except Exception as error:  # noqa: BLE001 - whatever the code raises is what is asked for
        return made, type(error).__name__
    return made, ""


@pytest.mark.parametrize("world", WORLDS, ids=lambda w: w.name)
def test_all_shapes_are_written_and_read_back_as_they_were(world: Domain) -> None:
    found = [f for f, _ in proposed(world, "sim-strong")]
    assert any(f.loop for f in found)
    assert any(f.checks and f.returns for f in found)
    assert any(check.then == "raise" for f in found for check in f.checks)
    for each in found:
        (again,) = read_functions(each.code)
        assert again == each


@pytest.mark.parametrize("world", WORLDS, ids=lambda w: w.name)
def test_at_full_attention_code_does_what_was_planned(world: Domain) -> None:
    """The first function of a proposal is called with the names that it was written from. What it does is
    what its calls say, up to the first that is not possible at the task's beginning."""
    for found, usage in proposed(world, "sim-perfect"):
        if usage.name:
            made, error = run(world, found, usage)
            assert made == list(found.calls_with(usage.arguments))[: len(made)]
            assert error in ("", "ValueError")


def test_errors_that_nobody_meant_come_from_inattention() -> None:
    """A look at an observation stays where the step before it was overlooked."""
    errors: dict[str, list[str]] = {"sim-perfect": [], "sim-weak": []}
    for model, raised in errors.items():
        for world in WORLDS:
            raised += [run(world, f, usage)[1] for f, usage in proposed(world, model) if usage.name]
    assert not {"UnboundLocalError", "NameError"} & set(errors["sim-perfect"])
    assert {"UnboundLocalError", "NameError"} & set(errors["sim-weak"])


CARRY_EACH = """def carry_each(objs, place, hand, end):
    for obj in objs:
        seen = pick(obj, place, hand)
        if f'{hand} holds {obj}.' not in seen:
            raise ValueError(f'not so: {hand} holds {obj}.')
        move(place, end)
        drop(obj, end, hand)
        seen = move(end, place)
    return seen"""


def described(code: str) -> str:
    (action,) = split(code)[1]
    prompt = scene(domain("gripper")) + code_section(Library((action,)))
    asked = TEMPLATES.fill("describe", signature=action.signature, limit=1200)
    return learner_replies.description(say(prompt + asked, "sim-perfect"))


def test_a_description_says_that_steps_are_done_for_each_element() -> None:
    said = described(CARRY_EACH)
    assert said.startswith("Requires: obj is a ball. place is a room.")
    assert (
        "Does: for each obj of objs: pick(obj, place, hand); move(place, end); drop(obj, end, hand)" in said
    )
    (rule,) = read_lines(f"- carry_each(objs, place, hand, end): {said}", 0, learned=True)
    assert rule.parameters == ("obj", "place", "hand", "end")
    assert rule.call(("ball1", "rooma", "left", "roomb")).arguments[0] == "['ball1']"


async def test_an_agent_calls_it_with_several_elements_at_once() -> None:
    options: dict[str, object] = {"test": 6, "seed": 103}
    tasks = domain("gripper", **options).tasks("test")
    library = Library((function(CARRY_EACH, described(CARRY_EACH)),))
    results = await play_with_library("gripper", options, tasks, "sim-perfect", library)
    calls = [t for r in results for t in r.turns if t.learned]
    assert all(t.ok for t in calls)
    assert any(re.search(r"\['ball\d', 'ball\d'", t.call) for t in calls)


FAILURE = """Goal: ball1 is in roomb. ball2 is in roomb.
Observation: Objects:
- object: ball1, ball2, left, right, rooma, roomb.
Facts that never change: rooma is a room. roomb is a room. left is a gripper. right is a gripper. ball1 \
is a ball. ball2 is a ball.
Now: you are in rooma. left is free. right is free. ball1 is in rooma. ball2 is in rooma.
Action: carry_each(['ball1', 'ball2'], 'rooma', 'left', 'roomb')
The call made these primitive actions:
1. pick('ball1', 'rooma', 'left') -> Now: you are in rooma. right is free. left holds ball1. ball2 is \
in rooma.
2. move('rooma', 'roomb') -> Now: you are in roomb. right is free. left holds ball1. ball2 is in rooma.
3. drop('ball1', 'roomb', 'left') -> Now: you are in roomb. left is free. right is free. ball1 is in roomb. \
ball2 is in rooma."""
SECOND_ROUND = """
4. pick('ball2', 'rooma', 'left') -> No effect: pick('ball2', 'rooma', 'left') requires: you are in rooma."""
RAISED = """
The call was stopped by ValueError: not so: left holds ball2. (in carry_each, line 5: raise ValueError)"""


def repaired(code: str, what: str) -> learner_replies.Update:
    call = "carry_each(['ball1', 'ball2'], 'rooma', 'left', 'roomb')"
    asked = improve_answer(call, "carry_each", RULES, updates=True, notes=True)
    shown = code_section(Library(split(code)[1])) + section("What happened", what)
    found = learner_replies.improvement(say(scene(domain("gripper")) + shown + asked, "sim-perfect", 0))
    assert isinstance(found, learner_replies.Update)
    return found


def test_a_repair_of_a_loop_edits_the_round_that_failed() -> None:
    no_way_back = CARRY_EACH.replace("        seen = move(end, place)\n", "").replace("    return seen", "")
    found = repaired(no_way_back, FAILURE + SECOND_ROUND + RAISED)
    assert "you are in rooma" in found.reason
    (function,) = read_functions(found.proposal.code)
    assert function.loop == (("obj", "objs"),)
    assert [step.name for step in function.steps] == ["move", "pick", "move", "drop"]
    assert [check.after for check in function.checks] == [2]
    assert function.assigned == {1}
    assert found.proposal.usage.startswith("carry_each(['ball1', 'ball2'], ")


def test_a_call_that_only_a_look_ended_is_repaired_by_not_looking() -> None:
    wrong = CARRY_EACH.replace("holds {obj}.'", "holds {place}.'")
    found = repaired(wrong, FAILURE.partition("\n2.")[0] + RAISED)
    assert "stopped by ValueError" in found.reason
    assert "raise" not in found.proposal.code
    assert "for obj in objs" in found.proposal.code


SEARCH = (
    "- goto_until_seen(kind, receps): Requires: kind is a word that is looked for. "
    "recep is a place of the house. "
    "Then: you are at recep. you are no longer at any other place. "
    "Does: for each recep of receps: goto(recep); open(recep). Example: goto_until_seen(kind, receps)"
)


def test_a_search_over_places_is_written_with_its_conditions() -> None:
    user = HOUSE.partition("[user]\n")[2]
    found = [
        f
        for seed in SEEDS
        for f in read_functions(reply_to("sim-perfect", [("user", user)], seed).text.split("```")[1][7:])
        if f.loop
    ]
    assert found
    for each in found:
        assert [check.then for check in each.checks] == ["only", "return"]
        house = Cottage()
        names: dict[str, object] = {
            "goto": lambda place, house=house: house.call("goto", place),
            "open": lambda place, house=house: house.call("open", place),
        }
        exec(
            f"{each.code}\nfound = {each.name}('mug', ['cabinet 1', 'desk 1', 'shelf 1', 'fridge 1'])", names
        )
        assert names["found"] == "shelf 1"
        assert "cabinet 1" not in house.closed
        assert "fridge 1" in house.closed


def test_an_agent_looks_for_what_it_has_not_seen_with_a_search() -> None:
    world = HOUSE.partition("[user]\n")[2].partition("## Example of a function")[0]
    task = "## Your task\n" + HOUSE.partition("## Your task\n")[2].partition("## Your answer")[0]
    asked = "## Your answer\nWrite the next action: one call of one of the actions above.\nAction:"
    said = reply_to("sim-perfect", [("user", f"{world}## Learned actions\n{SEARCH}\n\n{task}{asked}")], 0)
    assert said.text.startswith("goto_until_seen('")
    assert len(text.elements(text.calls(said.text)[0].arguments[1])) > 1
    assert said.unread == ()


FOREIGN = (
    "def search(kind, receps):\n    for r in receps:\n        seen = goto(r)\n"
    "        if kind in seen:\n            return r\n    return None",
    "def f(*xs, hand='left', **more):\n    for i, x in enumerate(xs):\n        pick(x, 'rooma', hand)",
    "def f(objs, hands):\n    for o, h in zip(objs, hands, strict=True):\n        pick(o, 'rooma', h)\n"
    "    for o in objs:\n        drop(o, 'rooma', 'left')\n    raise KeyError",
    "def f(x):\n    while True:\n        if 'a' not in seen < 3:\n            raise\n"
    "        [pick(y, y, y) for y in x]",
    "def f():\n    if f'{1:>{2}} {g()!r}' not in seen:\n        return lambda: move(*[1], **{})",
    "def f(a, b):\n    move(a, b)\n    move(b)\n    move('rooma')\n    pick(obj=a, place=b, hand=a)",
)


@pytest.mark.parametrize("code", FOREIGN)
def test_code_that_it_did_not_write_ends_no_reply(code: str) -> None:
    """All that a learner is asked about a library, in a planning domain and in a house."""
    name = code.partition("(")[0].removeprefix("def ")
    library = section("Code", f"```python\n{code}\n```")
    house = HOUSE.partition("[user]\n")[2].partition("## Example of a function")[0]
    opening = HOUSE.partition("## Your task\n")[2].partition("## Your answer")[0]
    gripper = scene(domain("gripper"))
    stopped = "The call made no primitive action.\nThe call was stopped by NameError: x"
    began = FAILURE.partition("Action:")[0]
    happened = f"{began}Action: {name}(['ball1'], 'left')\n{stopped}{SECOND_ROUND}"
    refused = f"{opening.strip()}\nAction: {name}('mug', ['fridge 1'])\n{stopped}\n1. goto('a') -> "
    for world, task, what in (
        (gripper, began, happened),
        (house, opening, f"{refused}Nothing happens. You are not at fridge 1."),
    ):
        asked = improve_answer(f"{name}('a')", name, RULES, updates=True, notes=True)
        for request in (
            TEMPLATES.fill("describe", signature=f"{name}(x)", limit=1200),
            section("Example task", task) + TEMPLATES.fill("usage"),
            section("What happened", what) + asked,
        ):
            for model in ("sim-perfect", "sim-weak"):
                assert reply_to(model, [("user", world + library + request)], 1).kind
