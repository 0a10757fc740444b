"""The simulated model is no puppet: what it does follows from what it reads, and from nothing else
(docs/simulated.md)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import learnact.simulated
from learnact.domains.planning.domain import PlanningDomain
from learnact.records import Library
from learnact.simulated.replies import reply_to
from tests.simulated.lamps_prompt import LAMPS, REQUEST
from tests.simulated.playing import domain, function, lamps, play, play_with_library, share
from tests.simulated.server import ask, serving

SOURCE = Path(learnact.simulated.__file__).parent
OURS = ("gripper", "blockworld", "barman", "tyreworld")

# Words of the grammar (docs/controlled-english.md) and of the layout of prompts; everything else may be
# renamed.
_GRAMMAR = (
    "Requires Then Does Note Goal Observation Action Objects Facts that never change Now No effect "
    "requires takes there is are a an no "
    "longer not Instructions Primitive actions Example Your task So far"
)
GRAMMAR = frozenset(re.findall(r"\w+", _GRAMMAR))


class Renamed:
    """Every word but the grammar's becomes another word, and back."""

    def __init__(self) -> None:
        self._new: dict[str, str] = {}
        self._old: dict[str, str] = {}

    def there(self, text: str) -> str:
        return re.sub(r"[A-Za-z][\w-]*", lambda m: self._word(m[0]), text)

    def back(self, text: str) -> str:
        return re.sub(r"[A-Za-z][\w-]*", lambda m: self._old.get(m[0], m[0]), text)

    def _word(self, word: str) -> str:
        if word in GRAMMAR:
            return word
        if word not in self._new:
            self._new[word] = f"zq{len(self._new) * 7919 % 9973}x"
            self._old[self._new[word]] = word
        return self._new[word]


def test_a_domain_written_for_the_test_is_played_unchanged() -> None:
    world = lamps(test=12, seed=3)
    tasks = world.tasks("test")
    assert all(play(world, t, "sim-perfect").success for t in tasks)
    assert share([play(world, t, "sim-strong", seed) for seed, t in enumerate(tasks)]) >= 0.3


@pytest.mark.parametrize("name", OURS)
def test_renaming_all_words_changes_nothing_at_full_attention(name: str) -> None:
    world = domain(name, test=4, seed=101)
    for task in world.tasks("test"):
        words = Renamed()
        plain = play(world, task, "sim-perfect")
        renamed = play(world, task, "sim-perfect", rewrite=words.there, back=words.back)
        assert renamed == plain


def test_renaming_all_words_leaves_success_within_noise() -> None:
    plain, renamed = [], []
    for name in OURS[:2] + OURS[3:]:
        world = domain(name, test=12, seed=102)
        for seed, task in enumerate(world.tasks("test")):
            words = Renamed()
            plain.append(play(world, task, "sim-strong", seed))
            renamed.append(play(world, task, "sim-strong", seed, rewrite=words.there, back=words.back))
    error = (2 * 0.25 / len(plain)) ** 0.5
    assert abs(share(plain) - share(renamed)) <= 2 * error
    assert [p.said for p in plain] != [p.said for p in renamed]


def test_another_goal_gives_another_plan() -> None:
    first = reply_to("sim-perfect", [("user", LAMPS)], 0).text
    there = LAMPS.replace("Goal: lamp1 glows. lamp2 glows.", "Goal: you stand on attic.")
    assert "walk('hall', 'kitchen')" in first
    at_once = LAMPS.replace("Goal: lamp1 glows. lamp2 glows.", "Goal: you carry bulb1.").replace(
        "you stand on hall.", "you stand on kitchen."
    )
    assert "walk('hall', 'kitchen')" in reply_to("sim-perfect", [("user", there)], 0).text
    assert "take('bulb1', 'kitchen')" in reply_to("sim-perfect", [("user", at_once)], 0).text


def test_a_requirement_taken_out_of_the_prompt_brings_the_matching_mistake() -> None:
    world = domain("gripper", test=4, seed=101)
    task = world.tasks("test")[0]
    whole = play(world, task, "sim-perfect")
    blind = play(
        world,
        task,
        "sim-perfect",
        rewrite=lambda p: p.replace(" hand is free. Then: hand holds", " Then: hand holds"),
    )
    assert not any(o.startswith("No effect") for o in whole.seen)
    failed = [o for o in blind.seen if o.startswith("No effect: pick")]
    assert failed
    assert all(" is free." in o for o in failed)


def test_an_action_taken_out_of_the_prompt_is_never_used() -> None:
    world = domain("blockworld", test=3, seed=101)
    for task in world.tasks("test"):
        without = play(
            world, task, "sim-perfect", rewrite=lambda p: re.sub(r"- unstack\(.*\n", "", p), turns=8
        )
        assert not any(call.startswith("unstack") for call in without.said)


SOLVED = {
    "gripper": (0, 5, 7, 8, 9, 10, 11),
    "blockworld": (0, 1, 2, 3, 4, 5, 6, 8, 9, 10),
    "barman": (0, 1, 3, 4, 6, 8, 11),
    "tyreworld": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
}
"""Of 12 development tasks (domain seed 101) those with reference plans of at most 20 steps, but for
blockworld 7 and barman 7."""


@pytest.mark.parametrize("name", OURS)
def test_at_full_attention_the_stated_tasks_are_solved(name: str) -> None:
    tasks = domain(name, test=12, seed=101).tasks("test")
    for number in SOLVED[name]:
        assert tasks[number].reference <= 20
        assert play(domain(name, test=12, seed=101), tasks[number], "sim-perfect").success, number


USELESS = Library(
    (
        function(
            "def wander(start, end):\n    move(start, end)\n    move(end, start)",
            "Requires: start is a room. end is a room. you are in start. Then: you are in start. Does: "
            "move(start, end); move(end, start).",
        ),
    )
)
CARRY = (
    "def carry(obj, start, end, hand):\n    pick(obj, start, hand)\n    move(start, end)\n    drop(obj, "
    "end, hand)",
    "Requires: obj is a ball. start is a room. end is a room. hand is a gripper. obj is in start. you "
    "are in start. hand is free. "
    "Then: obj is in end. you are in end. obj is no longer in start. you are no longer in start. "
    "Does: pick(obj, start, hand); move(start, end); drop(obj, end, hand).",
)


async def test_a_useless_library_gives_no_gain() -> None:
    options: dict[str, object] = {"test": 10, "seed": 103}
    tasks = domain("gripper", **options).tasks("test")
    act = await play_with_library("gripper", options, tasks, "sim-strong", Library())
    useless = await play_with_library("gripper", options, tasks, "sim-strong", USELESS)
    gain = sum(r.success for r in useless) - sum(r.success for r in act)
    assert gain <= 2 * (2 * 0.25 * len(tasks)) ** 0.5


async def test_a_function_without_description_is_as_good_as_none() -> None:
    options: dict[str, object] = {"test": 6, "seed": 103}
    tasks = domain("gripper", **options).tasks("test")
    hidden = Library((function(CARRY[0], ""),))
    results = await play_with_library("gripper", options, tasks, "sim-perfect", hidden)
    act = await play_with_library("gripper", options, tasks, "sim-perfect", Library())
    assert [[t.call for t in r.turns] for r in results] == [[t.call for t in r.turns] for r in act]


async def test_a_good_function_saves_turns() -> None:
    options: dict[str, object] = {"test": 6, "seed": 103}
    tasks = domain("gripper", **options).tasks("test")
    act = await play_with_library("gripper", options, tasks, "sim-strong", Library())
    good = await play_with_library("gripper", options, tasks, "sim-strong", Library((function(*CARRY),)))
    assert sum(r.learned_calls for r in good) >= 10
    assert sum(len(r.turns) for r in good) < sum(len(r.turns) for r in act)


def test_replies_do_not_depend_on_earlier_traffic() -> None:
    world = domain("gripper", test=2, seed=101)
    prompts = []
    for task in world.tasks("test"):
        play(world, task, "sim-strong", 5, rewrite=lambda p: prompts.append(p) or p, turns=6)
    asked = [p + REQUEST for p in prompts] + [LAMPS]
    with serving() as one, serving() as other:
        forward = [ask(one, p) for p in asked]
        backward = [ask(other, p) for p in reversed(asked)]
    assert forward == backward[::-1]
    assert [reply_to("sim-strong", [("user", p)], 1).text for p in asked] == forward


def _words_in_code(path: Path) -> Iterator[str]:
    """Words of identifiers and of strings that are no docstrings; of imports only what they name."""
    tree = ast.parse(path.read_text())
    documents = {
        id(node.body[i].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for i in range(len(node.body))
        if isinstance(node.body[i], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.arg):
            yield node.name if not isinstance(node, ast.arg) else node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield from re.findall(r"[A-Za-z][\w-]*", node.value)


ENGLISH = {
    "object",
    "open",
    "on",
    "in",
    "have",
    "next",
    "used",
    "free",
    "at",
    "drop",
    "move",
    "clean",
    "empty",
    "clear",
    "close",
    "shake",
    "leave",
    "level",
}
"""Words of the domains that any program in English may hold."""


def test_the_reader_holds_no_name_of_a_domain_predicate_action_or_method() -> None:
    names = set(OURS) | {"reflexion", "voyager", "react", "act", "code_as_policies"}
    for name in OURS:
        world = domain(name)
        assert isinstance(world, PlanningDomain)
        names |= (
            set(world.rules.predicates)
            | {p.name for p in world.primitives}
            | {s.name for s in world.rules.schemas}
        )
        names |= {kind for schema in world.rules.schemas for kind in schema.types}
    for path in sorted(SOURCE.glob("*.py")):
        found = (names - ENGLISH) & set(_words_in_code(path))
        assert not found, f"{path.name}: {found}"
