"""Playing a task: what is valid, what is told, progress and success."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import NAMES, build

TWO_BALLS = """(define (problem p) (:domain gripper-strips) (:objects rooma roomb ball1 ball2 left right)
  (:init (room rooma) (room roomb) (ball ball1) (ball ball2) (gripper left) (gripper right)
         (free left) (free right)
         (at-robby rooma) (at ball1 rooma) (at ball2 roomb))
  (:goal (and (at ball1 roomb) (at ball2 rooma))))"""


@pytest.fixture
def room():
    domain = build("gripper")
    return domain.open(domain.task(TWO_BALLS, "two", {}))


def test_a_task_is_told_in_plain_sentences(room):
    assert room.goal == "ball1 is in roomb. ball2 is in rooma."
    assert room.first_observation == (
        "Objects:\n- object: ball1, ball2, left, right, rooma, roomb.\n"
        "Facts that never change: rooma is a room. roomb is a room. left is a gripper. right is a gripper. "
        "ball1 is a ball. ball2 is a ball.\n"
        "Now: you are in rooma. left is free. right is free. ball1 is in rooma. ball2 is in roomb."
    )


def test_an_action_does_what_it_says(room):
    step = room.call("pick", ["ball1"], {"hand": "left", "place": "rooma"})
    assert step.command == "pick('ball1', 'rooma', 'left')"
    assert step.valid
    assert step.observation == "Now: you are in rooma. right is free. left holds ball1. ball2 is in roomb."


@pytest.mark.parametrize(
    ("name", "arguments", "keywords", "told"),
    [
        (
            "pick",
            ["ball2", "roomb", "left"],
            {},
            "No effect: pick('ball2', 'roomb', 'left') requires: you are in roomb.",
        ),
        (
            "pick",
            ["ball2", "left", "left"],
            {},
            "No effect: pick('ball2', 'left', 'left') requires: left is a room. ball2 is in left. you "
            "are in left.",
        ),
        ("pick", ["ball9", "roomb", "left"], {}, "No effect: there is no ball9."),
        ("pick", ["Ball1", "rooma", "left"], {}, "No effect: there is no Ball1."),
        ("pick", [1, None, ["left"]], {}, "No effect: there is no 1."),
        ("pick", ["ball1"], {}, "No effect: pick takes obj, place, hand."),
        ("pick", ["ball1"], {"place": "rooma", "with": "left"}, "No effect: pick takes obj, place, hand."),
        ("pick", ["ball1", "rooma"], {"obj": "ball1"}, "No effect: pick takes obj, place, hand."),
        ("fly", ["rooma"], {}, "No effect: there is no action fly."),
        ("call", [], {}, "No effect: there is no action call."),
        ("pick", ["x" * 500, "rooma", "left"], {}, "No effect: there is no " + "x" * 77 + "...."),
    ],
)
def test_what_is_not_possible_has_no_effect_and_says_why(room, name, arguments, keywords, told):
    step = room.call(name, arguments, keywords)
    assert not step.valid
    assert step.observation == told
    assert room.call("move", ["rooma", "rooma"], {}).observation == room.first_observation.splitlines()[-1]


def test_a_wrong_kind_is_named_in_typed_domains():
    domain = build("tyreworld", hubs=1)
    environment = domain.open(domain.tasks("train")[0])
    step = environment.call("loosen", ["jack", "boot"], {})
    assert "requires: jack is a nut. boot is a hub." in step.observation
    assert [p.signature for p in domain.primitives if p.name == "loosen"] == ["loosen(nut: nut, hub: hub)"]


def test_text_commands_are_declined(room):
    step = room.text("pick up ball1")
    assert not step.valid
    assert "calls, not text" in step.observation


def test_progress_is_a_running_maximum_and_success_stays():
    domain = build("gripper")
    task = domain.task(TWO_BALLS, "two", {})
    environment = domain.open(task)
    seen = []
    for name, *arguments in [
        ("pick", "ball1", "rooma", "left"),
        ("move", "rooma", "roomb"),
        ("drop", "ball1", "roomb", "left"),
        ("pick", "ball1", "roomb", "left"),
        ("pick", "ball2", "roomb", "right"),
        ("move", "roomb", "rooma"),
        ("drop", "ball2", "rooma", "right"),
        ("move", "rooma", "roomb"),
        ("drop", "ball1", "roomb", "left"),
        ("pick", "ball1", "roomb", "left"),
    ]:
        step = environment.call(name, arguments, {})
        assert step.valid, step.observation
        seen.append((step.progress, step.success))
    assert [p for p, _ in seen] == [0, 0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 1]
    assert [s for _, s in seen] == [False] * 8 + [True] * 2
    assert domain.open(task).progress == 0, "another environment of the same task starts afresh"


plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.lists(st.text(max_size=3), max_size=2)
)


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=40)
def test_no_call_is_an_exception(name, data):
    domain = build(name)
    task = domain.tasks("train")[0]
    environment = domain.open(task)
    objects = sorted(domain.ground(task.content).problem.objects)
    value = st.sampled_from(objects) | plain
    called = data.draw(st.sampled_from([p.name for p in domain.primitives]) | st.text(max_size=6))
    arguments = data.draw(st.lists(value, max_size=7))
    keywords = data.draw(st.dictionaries(st.sampled_from(["hand", "hub", "block", "x"]), value, max_size=2))
    before = environment.progress
    step = environment.call(called, arguments, keywords)
    assert step.valid == step.observation.startswith("Now: ")
    assert step.valid or step.observation.startswith("No effect: ")
    assert step.progress >= before
    assert "\n" not in step.observation
