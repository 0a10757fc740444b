"""What a call gives back: values, errors as data with their place, printed output, bounds, and the end at success."""

from __future__ import annotations

import pytest

from learnact.actions.sandbox import Bounds, CallResult, PrimitiveAnswer, Sandbox
from learnact.records import ActionError, Plain

pytestmark = pytest.mark.timeout(60)

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

    async def do(self, name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> PrimitiveAnswer:
        self.done.append((name, arguments, keywords))
        return PrimitiveAnswer(f"{name} done", end=arguments[1:] == ["goal"])


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
