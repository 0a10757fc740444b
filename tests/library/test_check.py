"""Is a library acceptable, and if not, why: line and reason. And what a library holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.errors import LibraryError
from learnact.library.check import LibraryProblem, check
from learnact.library.statements import split
from tests.sandbox.hostile.sources import NESTED

PRIMITIVES = ["pick", "move", "drop"]

GOOD = '''"""Carrying things."""
import math
from collections import deque

LIMIT = 3
ROOMS: list = ["rooma", "roomb"]


# Takes one ball over.
def carry(ball, start, end, hand="left"):
    """Carry a ball from start to end.

    Requires a free hand.
    """
    pick(ball, start, hand)
    move(start, end)
    return drop(ball, end, hand)


def carry_all(balls: list[str], start: str, end: str, *, limit=LIMIT) -> int:
    done = 0
    for ball in balls[:limit]:
        carry(ball, start, end)
        done += 1
        move(end, start)
    return math.floor(done)
'''


def test_a_good_library_is_accepted() -> None:
    assert check(GOOD, PRIMITIVES) == ()


def test_it_is_split_into_preamble_and_actions() -> None:
    preamble, actions = split(GOOD)
    assert (
        preamble == 'import math\nfrom collections import deque\nLIMIT = 3\nROOMS: list = ["rooma", "roomb"]'
    )
    assert [a.signature for a in actions] == [
        "carry(ball, start, end, hand='left')",
        "carry_all(balls, start, end, *, limit=LIMIT)",
    ]
    assert actions[0].description == "Carry a ball from start to end.\n\nRequires a free hand."
    assert actions[0].source.startswith("# Takes one ball over.\ndef carry(")
    assert actions[1].source.endswith("return math.floor(done)")


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("def f(:\n    pass", 1, "does not parse"),
        ("def f():\n  pass\n return 1", 3, "does not parse: unindent"),
        ("def f():\n    return '\0'", 0, "does not parse"),
        ("X = 1\n", 0, "defines no function"),
        ("def f():\n    pass\nf()\n", 3, "leave the call out"),
        ("def f():\n    pass\nfor x in []:\n    pass\n", 3, "no for statement"),
        ("def f():\n    pass\nclass A:\n    pass\n", 3, "move class A into a function"),
        ("async def f():\n    pass\n", 1, "plain def"),
        ("def f():\n    pass\nX = list(range(3))\n", 3, "plain value"),
        ("def f():\n    pass\ndef f():\n    pass\n", 3, "defined twice, first in line 1"),
        ("import os\ndef f():\n    pass\n", 1, "os cannot be imported; allowed are re, math"),
        ("def f():\n    import subprocess as re\n", 2, "subprocess cannot be imported"),
        ("def f():\n    from . import x\n", 2, "cannot be imported"),
        ("from math import *\ndef f():\n    pass\n", 1, "import the names you need"),
        ("def pick(x):\n    pass\n", 1, "pick is a primitive action"),
        ("def f(move):\n    pass\n", 1, "move is a primitive action"),
        ("def f():\n    drop = 3\n", 2, "drop is a primitive action"),
        ("def f():\n    for pick in []: pass\n", 2, "pick is a primitive action"),
        ("from math import pi as pick\ndef f(): pass\n", 1, "pick is a primitive action"),
        ("def f(x):\n    match x:\n        case [pick]: pass\n", 3, "pick is a primitive action"),
        ("def f():\n    pik('b')\n", 2, "pik does not exist; did you mean pick?"),
        ("def f():\n    teleport()\n", 2, "the primitive actions are drop, move, pick"),
        ("def f():\n    return [g(x) for x in ()]\n", 2, "g does not exist"),
        ("def f():\n    open('x')\n", 2, "open is not available"),
        ("def f(a=Y):\n    pass\n", 1, "Y does not exist"),
    ],
)
def test_a_bad_library_is_refused_with_line_and_reason(source: str, line: int, words: str) -> None:
    problems = check(source, PRIMITIVES)
    assert any(p.line == line and words in p.message for p in problems), problems


def test_names_of_every_kind_exist() -> None:
    source = """
def f(a, *b, c=1, **d):
    global COUNT
    COUNT = len(b)
    def inner():
        nonlocal a
        a = [y for x in b if (y := x)]
        return a
    class Local:
        z = 1
        def m(self): return Local.z
    try:
        inner()
    except (ValueError, KeyError) as e:
        print(e)
    with open_thing() as g: g
    lambda q: q + COUNT
    return {k: v for k, v in d.items()}, Local, __name__
def open_thing(): return f
"""
    assert check(source, PRIMITIVES) == ()


def test_all_problems_come_at_once_in_order() -> None:
    problems = check("import os\ndef f(pick):\n    gone()\n", PRIMITIVES)
    assert [p.line for p in problems] == [1, 2, 3]
    assert str(problems[0]).startswith("line 1: os cannot be imported")


@pytest.mark.parametrize("name", NESTED)
def test_nesting_without_end_is_refused_not_crashed_on(name: str) -> None:
    assert check(f"def f():\n    return {NESTED[name]}\n", PRIMITIVES)


def test_too_long_is_refused() -> None:
    assert check("#" * 70000, PRIMITIVES) == (LibraryProblem(0, "the code is longer than 65536 bytes"),)


def test_splitting_what_does_not_parse_says_where() -> None:
    with pytest.raises(LibraryError, match="line 2: it does not parse"):
        split("x = 1\ndef f(:\n")


@given(
    st.text(max_size=300)
    | st.lists(
        st.sampled_from(
            [
                "def f():",
                "\n",
                "    ",
                "(",
                ")",
                "[",
                "x",
                "=",
                "import os",
                "'",
                "\\",
                "match x:",
                "case",
                ":",
                "lambda",
                "{",
                "}",
                "f'{",
                "}'",
                "@",
                "*",
            ]
        ),
        max_size=60,
    ).map("".join)
)
@settings(max_examples=300, derandomize=True)
def test_whatever_text_is_checked_nothing_breaks(source: str) -> None:
    problems = check(source, PRIMITIVES)
    if not problems:
        preamble, actions = split(source)
        assert actions and check("\n\n".join([preamble, *(a.source for a in actions)]), PRIMITIVES) == ()
