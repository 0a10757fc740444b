"""What is said in one interface means one thing, comes back as it was, and is refused in every other form."""

from __future__ import annotations

import ast
from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.domains.alfworld.language import EngineCommand, Language, NotUnderstood

P = ("with-using", "move-to", "from-take", "no-space")
COMBINATIONS = list(chain.from_iterable(combinations(P, n) for n in range(5)))
LANGUAGES = [Language(surface, c) for surface in ("published", "new") for c in COMBINATIONS]

names = st.builds(
    "{} {}".format,
    st.sampled_from(
        ["mug", "cd", "desklamp", "countertop", "sinkbasin", "take", "to", "from", "using", "with"]
    ),
    st.integers(1, 30),
)
verbs = st.sampled_from(
    [
        "go to {0}",
        "take {0} from {1}",
        "open {0}",
        "close {0}",
        "use {0}",
        "clean {0} with {1}",
        "heat {0} with {1}",
        "cool {0} with {1}",
        "examine {0}",
        "look",
        "inventory",
    ]
)


def heard(language: Language, call: str) -> EngineCommand | NotUnderstood:
    node: Any = ast.parse(call, mode="eval").body
    return language.from_call(
        node.func.id, [a.value for a in node.args], {k.arg: k.value.value for k in node.keywords}
    )


@given(st.sampled_from(LANGUAGES), verbs, names, names)
def test_a_command_comes_back_from_text_and_from_call(language, verb, a, b):
    engine = verb.format(a, b)
    said = language.from_text(language.as_text(engine))
    called = heard(language, language.as_call(engine))
    assert isinstance(said, EngineCommand) and said.engine == engine
    assert isinstance(called, EngineCommand) and called.engine == engine


@given(st.sampled_from(LANGUAGES), verbs, names, names)
def test_the_original_form_is_refused_where_it_differs(language, verb, a, b):
    engine, plain = verb.format(a, b), Language(language.surface)
    if language.as_text(engine) != engine:
        assert isinstance(language.from_text(engine), NotUnderstood)
    call = plain.as_call(engine)
    if language.as_call(engine) != call and a.split()[0] != b.split()[0] and not call.startswith("take"):
        assert isinstance(heard(language, call), NotUnderstood)


@pytest.mark.parametrize("perturb", COMBINATIONS, ids="+".join)
def test_put_in_both_surfaces(perturb):
    for surface, engine in (("published", "put mug 1 in/on desk 2"), ("new", "move mug 1 to desk 2")):
        language = Language(surface, perturb)  # type: ignore[arg-type]
        assert language.from_text(language.as_text(engine)).engine == engine  # type: ignore[union-attr]
        assert heard(language, language.as_call(engine)).engine == engine  # type: ignore[union-attr]


def test_the_four_forms():
    all_four = Language("published", P)
    assert all_four.as_text("heat mug 1 with microwave 1") == "heat mug1 using microwave1"
    assert all_four.as_call("heat mug 1 with microwave 1") == "heat('mug1', using='microwave1')"
    assert all_four.as_text("go to fridge 1") == "move to fridge1"
    assert all_four.as_call("go to fridge 1") == "move_to('fridge1')"
    assert all_four.as_text("take mug 1 from desk 2") == "from desk2 take mug1"
    assert all_four.as_call("take mug 1 from desk 2") == "take('desk2', 'mug1')"
    assert (
        all_four.show("On the desk 2, you see a mug 1, and a cd 3.")
        == "On the desk2, you see a mug1, and a cd3."
    )
    assert {p.name for p in all_four.primitives} >= {"move_to", "take"} and "goto" not in {
        p.name for p in all_four.primitives
    }
    heat = next(p for p in all_four.primitives if p.name == "heat")
    assert heat.keyword_only == ("using",)


@pytest.mark.parametrize("perturb", COMBINATIONS, ids="+".join)
@pytest.mark.parametrize("surface", ["published", "new"])
def test_rewording_changes_no_command(surface, perturb):
    plain, reworded = Language(surface, perturb), Language(surface, (*perturb, "reworded"))
    assert reworded.primitives == plain.primitives
    assert reworded.forms == plain.forms
    seen = "On the desk 2, you see a mug 1."
    assert reworded.show(seen) == plain.show(seen)
    code = "def f(a, b):\n    goto(a)\n    heat(b, a)"
    assert reworded.code(code) == plain.code(code)


@pytest.mark.parametrize(
    ("name", "arguments", "keywords", "why"),
    [
        ("goto", [], {}, "goto takes recep."),
        ("goto", ["desk 1", "desk 2"], {}, "goto takes recep."),
        ("take", ["mug 1"], {"obj": "mug 1"}, "take takes obj, recep."),
        ("take", ["mug 1", 3], {}, "take takes names such as 'mug 1', not 3."),
        ("take", ["mug1", "desk 1"], {}, "There is nothing called mug1."),
        ("fly", [], {}, "There is no action fly."),
        ("slice", ["apple 1", "knife 1"], {}, "There is no action slice."),
    ],
)
def test_what_is_wrong_with_a_call_is_said(name, arguments, keywords, why):
    assert Language().from_call(name, arguments, keywords) == NotUnderstood(why)


def test_under_with_using_the_tool_must_be_named():
    language = Language("published", ["with-using"])
    refused = language.from_call("heat", ["mug 1", "microwave 1"], {})
    assert refused == NotUnderstood("heat takes obj, using (by name: using=...).")
    assert isinstance(language.from_call("heat", ["mug 1"], {"using": "microwave 1"}), EngineCommand)


def test_learned_code_is_said_in_the_interface_too():
    code = "def f(o, a, b):\n    goto(a)\n    take(o, a)\n    goto(b)\n    return heat(o, b)\n"
    assert Language("published", P).code(code) == (
        "def f(o, a, b):\n    move_to(a)\n    take(a, o)\n    move_to(b)\n    return heat(o, using=b)\n"
    )


def test_the_published_actions_have_use_and_toggle_and_no_look():
    language = Language("published", (), "published")
    names = [p.name for p in language.primitives]
    assert {"use", "toggle"} < set(names) and "look" not in names
    assert language.as_call("use desklamp 1") == "use('desklamp 1')"
    assert isinstance(language.from_call("toggle", ["desklamp 1"], {}), EngineCommand)
    assert isinstance(language.from_text("look"), NotUnderstood)
    assert language.from_text("use desklamp 1").engine == "use desklamp 1"  # type: ignore[union-attr]
