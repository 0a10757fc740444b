"""What a call gives back: values, errors as data with their place, printed output, bounds, and the end at
success."""

from __future__ import annotations

import pytest

from learnact.records import ActionError, Plain
from learnact.sandbox.bounds import Bounds, CallResult, PrimitiveResult
from learnact.sandbox.confinement import LINUX
from learnact.sandbox.sandbox import Sandbox

pytestmark = pytest.mark.skipif(not LINUX, reason="confined sessions need Linux")

LIBRARY = """
import math
LIMIT = 3

def carry(ball, start, end, hand='left'):
    print('carrying', ball)
    pick(ball, start, hand)
    move(start, end)
    return drop(ball, end, hand=hand)

def half(ball):
    pick(ball, 'rooma', 'left')
    return 1 / 0

def forever(ball):
    pick(ball, 'rooma', 'left')
    while True:
        pass

def again_and_again():
    while True:
        try:
            move('rooma', 'roomb')
        except BaseException:
            pass

def past_the_goal():
    try:
        move('rooma', 'goal')
    finally:
        move('goal', 'rooma')
"""
DEFAULT = Bounds()
PRIMITIVES = ["pick", "move", "drop"]


class World:
    """Takes down what was done; success at a move to the goal."""

    def __init__(self) -> None:
        self.done: list[tuple[str, list[Plain], dict[str, Plain]]] = []

    async def do(self, name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> PrimitiveResult:
        self.done.append((name, arguments, keywords))
        return PrimitiveResult(f"{name} done", end=arguments[1:] == ["goal"])


async def one(code: str, world: World, bounds: Bounds = DEFAULT, source: str = LIBRARY) -> CallResult:
    async with Sandbox(bounds) as sandbox, sandbox.session(source, PRIMITIVES, seed=7) as session:
        return await session.call(code, world.do)


async def test_primitives_travel_out_and_observations_come_back() -> None:
    world = World()
    result = await one("carry('ball1', 'rooma', end='roomb')", world)
    assert world.done == [
        ("pick", ["ball1", "rooma", "left"], {}),
        ("move", ["rooma", "roomb"], {}),
        ("drop", ["ball1", "roomb"], {"hand": "left"}),
    ]
    assert (result.value, result.error, result.printed) == ("drop done", None, "carrying ball1\n")
    assert (result.primitives, result.ended) == (3, False)


async def test_an_exception_is_data_with_its_place() -> None:
    result = await one("half('ball1')", World())
    assert result.error == ActionError("ZeroDivisionError", "division by zero", "half", 13, "return 1 / 0")
    assert result.primitives == 1


async def test_cpu_is_bounded_and_the_last_primitive_named() -> None:
    result = await one("forever('ball1')", World(), Bounds(cpu_seconds=0.3))
    assert result.error is not None
    assert (result.error.type, result.error.function, result.error.line) == ("TimeLimit", "forever", 16)
    assert 0.3 <= result.cpu_seconds < 1.0


async def test_primitives_are_bounded_even_when_learned_code_swallows_the_news() -> None:
    world = World()
    result = await one("again_and_again()", world, Bounds(primitives=5, cpu_seconds=1))
    assert result.error is not None
    assert result.error.type == "PrimitiveLimit"
    assert len(world.done) == result.primitives == 5


async def test_nothing_reaches_the_environment_after_success() -> None:
    world = World()
    result = await one("past_the_goal()", world)
    assert result.ended
    assert (result.value, result.error) == (None, None)
    assert [name for name, _, _ in world.done] == ["move"]


async def test_each_call_has_a_new_namespace_and_the_same_process() -> None:
    source = "seen = []\ndef see(x):\n    seen.append(x)\n    return seen\n"
    async with Sandbox() as sandbox, sandbox.session(source, [], seed=1) as session:
        first = await session.call("see(1)", World().do)
        pid = session.pid
        second = await session.call("see(2)", World().do)
        assert (first.value, second.value) == ([1], [2])
        assert session.pid == pid is not None


async def test_a_program_of_statements_runs_whole() -> None:
    world = World()
    result = await one("for room in ['a', 'b']:\n    move('hall', room)\nboom", world)
    assert len(world.done) == 2
    assert result.error == ActionError("NameError", "name 'boom' is not defined", "", 3, "boom")


async def test_output_and_primitives_before_an_error_are_kept() -> None:
    world = World()
    source = (
        "def f():\n    print('one')\n    pick(1)\n    print('two')\n"
        "    pick(2)\n    print('three')\n    return {}['x']\n"
    )
    result = await one("f()", world, source=source)
    assert result.printed == "one\ntwo\nthree\n"
    assert [arguments for _, arguments, _ in world.done] == [[1], [2]]
    assert result.error == ActionError("KeyError", "'x'", "f", 7, "return {}['x']")


async def test_the_place_of_an_error_is_in_the_innermost_learned_function() -> None:
    source = (
        "import re\n\ndef outer(x):\n"
        "    return [inner(y) for y in x]\n\ndef inner(y):\n"
        "    return re.compile(y)\n"
    )
    result = await one("outer(['('])", World(), source=source)
    assert result.error is not None
    assert (result.error.function, result.error.line, result.error.source) == (
        "inner",
        7,
        "return re.compile(y)",
    )


async def test_wrong_arguments_name_the_function() -> None:
    result = await one("carry('ball1')", World())
    assert result.error == ActionError(
        "TypeError", "carry() missing 2 required positional arguments: 'start' and 'end'"
    )


async def test_a_library_that_does_not_parse_is_an_error_at_its_line() -> None:
    result = await one("f()", World(), source="x = 1\ndef f(:\n    pass\n")
    assert result.error == ActionError("SyntaxError", "invalid syntax", "", 2, "def f(:")


async def test_addresses_do_not_differ_from_process_to_process() -> None:
    source = "def f():\n    print(f)\n    raise ValueError(object())\n"
    first, second = await one("f()", World(), source=source), await one("f()", World(), source=source)
    assert first.printed == second.printed == "<function f at 0x0>\n"
    assert first.error == second.error


async def test_a_primitive_of_an_earlier_call_is_dead() -> None:
    source = (
        "import math\ndef keep():\n    math.kept = pick\n"
        "def late():\n    pick(1)\n"
        "    return __import__.__globals__['sys'].kept(2)\n"
    )
    source = source.replace("math.kept", "__import__.__globals__['sys'].kept")
    world = World()
    async with Sandbox() as sandbox, sandbox.session(source, PRIMITIVES, seed=1) as session:
        await session.call("keep()", world.do)
        result = await session.call("late()", world.do)
    assert result.error is not None
    assert "is over" in result.error.message
    assert len(world.done) == 1


async def test_what_a_call_changes_in_modules_is_undone() -> None:
    source = (
        "import math\ndef spoil():\n    math.pi = 3\n"
        "    __builtins__['len'] = None\ndef fine():\n"
        "    return math.pi > 3, len('ab')\n"
    )
    async with Sandbox() as sandbox, sandbox.session(source, [], seed=1) as session:
        await session.call("spoil()", World().do)
        assert (await session.call("fine()", World().do)).value == [True, 2]


async def test_long_answers_arrive_whole_and_one_that_is_not_read_holds_nobody_up() -> None:
    async def long(name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> PrimitiveResult:
        return PrimitiveResult("x" * 900_000)

    deaf = (
        'f = b\'["do","pick",[],{},null,""]\'\n'
        "__import__.__globals__['os'].write(3, len(f).to_bytes(4, 'big') + f)\n"
        "while True: pass"
    )
    async with Sandbox(Bounds(message_bytes=1 << 20, cpu_seconds=0.3)) as sandbox:
        async with sandbox.session(LIBRARY, PRIMITIVES, seed=1) as session:
            assert (await session.call("len(pick(1))", long)).value == 900_000
            result = await session.call(deaf, long)
    assert result.error is not None
    assert result.error.type == "TimeLimit"


@pytest.mark.parametrize(
    ("bounds", "code", "kind"),
    [
        (Bounds(recursion=50), "(f := lambda n: n and f(n - 1))(60)", "RecursionError"),
        (Bounds(source_bytes=100), "1", "SourceLimit"),
        (Bounds(depth=2), "[[[1]]]", "Forbidden"),
        (Bounds(items=5), "[1, 2, 3, 4, 5, 6]", "Forbidden"),
        (Bounds(value_characters=100), "'x' * 101", "Forbidden"),
        (Bounds(memory_bytes=64 << 20), "len(bytearray(64 << 20))", "MemoryLimit"),
        (Bounds(message_bytes=2000), "'x' * 3000", "Forbidden"),
        (Bounds(primitives=2), "[pick(i) for i in range(3)]", "PrimitiveLimit"),
    ],
)
async def test_each_bound_can_be_set(bounds: Bounds, code: str, kind: str) -> None:
    result = await one(code, World(), bounds)
    assert result.error is not None
    assert result.error.type == kind


async def test_output_beyond_its_bound_is_dropped() -> None:
    result = await one("print('x' * 500)", World(), Bounds(output_bytes=100))
    assert result.printed == "x" * 100
