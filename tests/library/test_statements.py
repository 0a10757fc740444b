"""A library is loaded as the module that was written: nothing is cut, torn, or moved where its place
matters."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.errors import LibraryError
from learnact.library import check as checking
from learnact.library import statements
from learnact.library.check import LibraryProblem, check
from learnact.library.merge import check_merged, error_in_code, lines_in_code, merge, part_of
from learnact.library.statements import split
from learnact.records import ActionError, LearnedAction, Library

PRIMITIVES = ["pick", "move", "drop"]
CARRY = '''def carry(ball, start, end):
    """Carry one ball."""
    pick(ball, start)
    move(start, end)
    drop(ball, end)
'''
NO_LINE_ENDS = ["\f", "\v", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
"""Where `str.splitlines` ends a line and Python does not."""


def loaded(source: str) -> dict[str, object]:
    """The names of a module after it was executed. Only for source of these tests."""
    names: dict[str, object] = dict.fromkeys(PRIMITIVES, print)
    exec(compile(source, "<library>", "exec"), names)
    return names


@pytest.mark.parametrize("mark", NO_LINE_ENDS)
def test_characters_that_end_no_line_in_python_cut_no_function(mark: str) -> None:
    for source in (
        f"# one{mark}two\n{CARRY}",
        CARRY.replace("Carry one", f"Carry{mark}one"),
        f"SEPARATOR = 'a{mark}b'\n\n{CARRY}",
        f"{CARRY}\n# {mark}\n{CARRY.replace('carry', 'take')}",
    ):
        for library in (Library(split(source)[1], split(source)[0]), merge(Library(), source)):
            assert check(library.source, PRIMITIVES) == ()
            assert all(action.source.endswith("drop(ball, end)") for action in library.actions)
            assert "carry" in loaded(library.source)


def test_a_form_feed_on_a_line_of_its_own_or_before_a_function() -> None:
    for source in (f"LIMIT = 3\n\f\n{CARRY}", f"LIMIT = 3\n\f{CARRY}"):
        assert split(source)[1][0].source.endswith("drop(ball, end)")
        assert "carry" in loaded(merge(Library(), source).source)


@pytest.mark.parametrize(
    ("constants", "names"),
    [
        ("ROOMS = [\n    'rooma',\n]; HANDS = ['left']", {"ROOMS": ["rooma"], "HANDS": ["left"]}),
        ("A = 1; B = 2", {"A": 1, "B": 2}),
        ("import math; A = [\n1]; B = 2; C = '''\n# x'''", {"A": [1], "B": 2, "C": "\n# x"}),
        ("TEXT = '''\n# no comment'''", {"TEXT": "\n# no comment"}),
        ("A = 1; print(A); B = 'ü'; carry(A); C = 3", {"A": 1, "B": "ü", "C": 3}),
        ("A = \\\n  1", {"A": 1}),
    ],
)
def test_statements_that_share_a_line_are_kept_whole(constants: str, names: dict[str, object]) -> None:
    library = merge(Library(), f"{constants}\n{CARRY}")
    found = loaded(library.source)
    assert {name: found[name] for name in names} == names
    assert "carry" in found
    assert merge(library, f"{constants}\n{CARRY}") == library


ORDERED = {
    "a table of functions": ("def f():\n    return T['f']\nT = {'f': f}", "f"),
    "a default that is assigned again": ("X = 1\ndef f(a=X):\n    return a\nX = 2\ndef g(a=X):\n"
"    return a", "f"),
    "a decorator of the module": (
        "def twice(g):\n    return lambda: g() * 2\n@twice\ndef f():\n    return 4", "f"
    ),
    "a default that is a function": ("def g():\n    return 1\ndef f(a=g):\n    return a()", "f"),
}  # fmt: skip


@pytest.mark.parametrize("name", ORDERED)
def test_statements_stay_where_their_place_matters(name: str) -> None:
    source, function = ORDERED[name]
    library = merge(Library(), source)
    here, there = loaded(library.source), loaded(source)
    for each in {function, "g"} & set(there):
        one, other = here[each](), there[each]()  # type: ignore[operator]
        assert getattr(one, "__name__", one) == getattr(other, "__name__", other)
    assert merge(library, source).source == library.source


def test_a_function_that_is_used_before_it_is_defined_again_is_refused() -> None:
    with pytest.raises(LibraryError, match="line 4: f is defined again after"):
        merge(Library(), "def f():\n    return 1\nkeep = f\ndef f():\n    return keep")


def test_what_follows_a_function_that_is_defined_again_is_kept() -> None:
    source = "def g():\n    return 1\ndef f():\n    return 1\nT = [g]\ndef f():\n    return T[0]()\n"
    assert loaded(merge(Library(), source).source)["f"]() == 1  # type: ignore[operator]


def test_constants_move_up_where_their_place_does_not_matter_so_that_ids_stay() -> None:
    preamble, actions = split("def f():\n    return X\nX = 1\nimport re\ndef g():\n    return re, X\n")
    assert preamble == "X = 1\nimport re"
    assert [action.source for action in actions] == [
        "def f():\n    return X",
        "def g():\n    return re, X",
    ]


def test_an_update_keeps_what_follows_a_function_and_its_order() -> None:
    base = merge(Library(), "def f():\n    return 1\nTABLE = {'f': f}\ndef g():\n    return TABLE['f']()\n")
    assert loaded(base.source)["g"]() == 1  # type: ignore[operator]
    library = merge(base, "def f():\n    return 2\n")
    assert [action.name for action in library.actions] == ["f", "g"]
    assert loaded(library.source)["g"]() == 2  # type: ignore[operator]
    library = merge(base, "def h(k):\n    return k\nTABLE = {'f': h}\n")
    assert "h" in loaded(library.source)
    library = merge(base, "def twice(k):\n    return lambda: k() * 2\n@twice\ndef f():\n    return 5\n")
    assert loaded(library.source)["g"]() == 10  # type: ignore[operator]
    library = merge(base, "ALL = [f, g]\ndef h():\n    return [each() for each in ALL]\n")
    assert loaded(library.source)["h"]() == [1, 1]  # type: ignore[operator]


def test_a_constant_that_an_update_sets_back_has_the_last_value() -> None:
    library = Library()
    for value in (3, 5, 3):
        library = merge(library, f"LIMIT = {value}\ndef f():\n    return LIMIT\n")
    assert loaded(library.source)["f"]() == 3  # type: ignore[operator]


def test_a_part_of_a_library_loads_whatever_the_order() -> None:
    library = merge(
        Library(),
        "def twice(k):\n    return lambda: k() * 2\n@twice\n"
        "def f():\n    return 5\nT = [f]\ndef g():\n"
        "    return T[0]()\n",
    )
    for names in (["f"], ["g"], ["twice", "g"], ["f", "g"]):
        part = part_of(library, names)
        assert sorted(action.name for action in part.actions) == sorted(names)
        assert set(names) <= set(loaded(part.source))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("SEEN = []\nSEEN.append(1)\ndef f():\n    return SEEN\n", "line 2: .*sets SEEN"),
        ("LIMITS = {}\nfor r in ['a']:\n    LIMITS[r] = 1\ndef f():\n"
"    return LIMITS\n", "line 2: .*sets LIMITS"),
        ("N = 1\nN += 1\ndef f():\n    return N\n", "line 2: .*sets N"),
        ("try:\n    LIMIT = 1\nexcept Exception:\n    LIMIT = 2\n"
"def f():\n    return LIMIT\n", "line 1: .*sets LIMIT"),
        ("async def f():\n    pass\n", "line 1: f must be a plain def"),
    ],
)  # fmt: skip
def test_a_statement_is_not_left_out_in_silence_when_the_library_uses_its_effect(
    source: str, words: str
) -> None:
    with pytest.raises(LibraryError, match=words):
        merge(Library(), source)


@pytest.mark.parametrize(
    "loose",
    [
        "carry('b', 'rooma', 'roomb')",
        "Usage: carry('b', 'rooma', 'roomb')",
        "for ball in ['b']:\n    carry(ball, 'rooma', 'roomb')",
        "if __name__ == '__main__':\n    carry('b', 'rooma', 'roomb')",
        "print(ROOMS)",
        "'text'",
    ],
)
def test_loose_statements_are_left_out(loose: str) -> None:
    library = merge(Library(), f"ROOMS = ['rooma']\n{CARRY}\n{loose}\n")
    assert library == merge(Library(), f"ROOMS = ['rooma']\n{CARRY}")


def test_too_many_functions_or_braces_are_refused() -> None:
    with pytest.raises(LibraryError, match="it defines 201 functions; write at most 200"):
        split("def f(): pass\n" * 201)
    with pytest.raises(LibraryError, match="more than 2000 braces"):
        split("def f():\n    return f'" + "{a}" * 2001 + "'")


def test_a_decorator_that_is_defined_too_late_is_loaded_as_written() -> None:
    library = merge(Library(), "@g\ndef f():\n    return 1\n@f\ndef g():\n    return 2\n")
    with pytest.raises(NameError):
        loaded(library.source)


def test_defaults_that_cannot_be_written_are_shown_as_dots() -> None:
    source = f"def far(a, n={'+'.join(['1'] * 400)}, *, m=0x{'f' * 5000}, k=3):\n    return n\n"
    action = split(source)[1][0]
    assert action.signature == "far(a, n=..., *, m=..., k=3)"
    assert loaded(merge(Library(), source).source)["far"](1) == 400  # type: ignore[operator]


def test_lines_told_are_those_of_the_code() -> None:
    base = merge(Library(), "import math\ndef old():\n    return math.pi\n")
    code = "# new\n\ndef carry(x):\n    y = 1\n    pik(x)\n    return y\nLIMIT = 3\n"
    library = merge(base, code)
    assert [(p.line, p.message[:3]) for p in check_merged(library, code, PRIMITIVES)] == [(5, "pik")]
    lines = lines_in_code(library, code)
    for number, text in enumerate(library.source.split("\n"), 1):
        if number in lines:
            assert code.split("\n")[lines[number] - 1] == text


def test_an_error_of_a_call_has_its_line_in_the_code() -> None:
    code = "X = [\n1\n]\n# new\n\ndef carry(x):\n    return 1 / x\nLIMIT = 3\n"
    library = merge(merge(Library(), "def old():\n    return 1\n"), code)
    line = library.source.split("\n").index("    return 1 / x") + 1
    error = ActionError("ZeroDivisionError", "division by zero", "carry", line, "return 1 / x")
    assert error_in_code(error, library, code).line == 7
    elsewhere = ActionError("NameError", "gone", "", line, "carry(0)")
    assert error_in_code(elsewhere, library, code) == elsewhere


def test_code_that_reuses_a_name_of_an_import_twice_keeps_its_preamble() -> None:
    source = "import re\ndef f(flags=re.I):\n    return re\nimport re\ndef g():\n    return re\n"
    library = merge(Library(), source)
    assert library.preamble == "import re"
    assert library.actions[0].source == "def f(flags=re.I):\n    return re"


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("deep"), ValueError("odd"), SystemError("x")]
)
@pytest.mark.parametrize(
    "place", ["ast.parse", "symtable.symtable", "ast.walk", "ast.get_docstring", "ast.unparse"]
)
def test_exceptions_of_reading_code_end_as_problems(
    monkeypatch: pytest.MonkeyPatch, error: Exception, place: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    checking.read_code.cache_clear()
    statements.read_statements.cache_clear()

    library = Library((LearnedAction("carry", "carry()", CARRY),), "X = 1")
    module, _, function = place.partition(".")
    monkeypatch.setattr(getattr(checking, module), function, fail)
    assert all(isinstance(problem, LibraryProblem) for problem in check(CARRY, PRIMITIVES))
    assert error_in_code(ActionError("E", "m", "carry", 3, "x"), library, CARRY).message == "m"
    check_merged(library, CARRY, PRIMITIVES)
    for use in (
        lambda: split(CARRY),
        lambda: merge(library, CARRY),
        lambda: part_of(library, ["carry"]),
    ):
        with contextlib.suppress(LibraryError):
            use()
    checking.read_code.cache_clear()


PIECES = [
    "def f():", "def g(a=X, *b, c=f, **d):", "@f", "\n", "\n    ", "    return 1", "(", ")", "[", "]", "X",
    " = ", "; ", "import re", "from math import pi", "'", '"""', "\\", "#", "lambda: ", "{", "}", "f'{", "*",
    ":", "class A:", "async ", "for X in f:", "if __name__ == 'x':", "X.append(1)", "pass", "X: int", "del X",
    "\f", "\v", "\x85", "\u2028", "\r", "\r\n", "\ufeff", "\u00a0", "\u200b", "\ud800", "\x00", "\t",
    "0x" + "f" * 5000, "1" * 5000, "+1" * 400, "(" * 150, "-" * 3000,
]  # fmt: skip
SOURCES = st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@given(SOURCES, SOURCES)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_whatever_is_read_ends_in_a_library_or_a_reason(first: str, second: str) -> None:
    for source in (first, f"{CARRY}{second}", f"{first}\n{CARRY}"):
        check(source, PRIMITIVES)
        try:
            library = merge(merge(merge(Library(), source), second), CARRY)
        except LibraryError:
            continue
        part_of(library, ["carry"])
        check_merged(library, CARRY, PRIMITIVES)
        assert "carry" in library.source
        assert library.action("carry").source.startswith(CARRY.rstrip())  # type: ignore[union-attr]
