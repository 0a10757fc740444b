"""Libraries that grow and are taken in part: nothing is torn, nothing that is called is missing."""

from learnact.library.check import check
from learnact.library.merge import merge, part_of
from learnact.records import LearnedAction, Library

TWO = """import re
COLD = {
    "a": 1,
}
HOT = {
    "a": 1,
}


def f(x):
    pick(x)
    return COLD, HOT, re.sub("a", "b", x)
"""


def test_constants_that_share_lines_are_kept_whole():
    library = merge(Library(), TWO)
    assert check(library.source, ["pick"]) == ()
    assert merge(library, TWO) == library


def test_an_update_replaces_by_name_and_keeps_the_order():
    library = merge(
        merge(Library(), "def f():\n    pick()\n\ndef g():\n    pick()"),
        "def f():\n    move()\n\ndef h():\n    f()",
    )
    assert [a.name for a in library.actions] == ["f", "g", "h"]
    assert "move()" in library.action("f").source


def skill(name, body, description="d"):
    return LearnedAction(name, f"{name}()", f"def {name}():\n    {body}", description)


def test_a_part_of_a_library_loads_what_its_actions_call_but_does_not_offer_it():
    whole = Library(
        (
            skill("low", "pick()"),
            skill("middle", "low()"),
            skill("high", "middle()"),
            skill("other", "pick()"),
        ),
        usage_example="Goal: g\nAction: other()\nObservation: o",
    )
    part = part_of(whole, ["high"])
    assert [a.name for a in part.actions] == ["high"]
    assert check(part.source, ["pick"]) == ()
    assert "def other" not in part.source
    assert part.usage_example == ""
    assert part_of(whole, ["high", "other"]).usage_example
