"""The engine against an independent reading of STRIPS, and the search for plans."""

import random

import pytest

from learnact.domains.planning.engine import Grounding
from learnact.domains.planning.plans import Player, Stuck, find_plan, search

from .conftest import NAMES, build


def by_the_book(grounding: Grounding, facts: set[tuple[str, ...]]) -> dict:
    """Possible calls and what they lead to, straight from the schemas over sets of atoms: slow, and unlike
    the engine."""
    out = {}
    for schema in grounding.rules.schemas:
        choices = [[()]]
        bound = [()]
        for kind in schema.types:
            bound = [
                (*b, name)
                for b in bound
                for name, kinds in grounding.kinds.items()
                if kind == "object" or kind in kinds
            ]
        del choices
        for arguments in bound:
            value = dict(zip(schema.parameters, arguments, strict=True))
            fill = [
                {(p, *[value.get(t, t) for t in terms]) for p, *terms in atoms}
                for atoms in (schema.requires, schema.adds, schema.deletes)
            ]
            if fill[0] <= facts:
                out[schema.name, arguments] = (facts - fill[2]) | fill[1]
    return out


@pytest.mark.parametrize("name", NAMES)
def test_random_walks_agree_with_the_book(name):
    small = {
        "gripper": {"balls": 4},
        "blockworld": {"blocks": 5},
        "barman": {"shots": 3, "cocktails": 2, "drinks": 1},
    }
    domain = build(name, test=2, train=1, **small.get(name, {"hubs": 2}))
    rng = random.Random(7)
    for task in domain.tasks("test"):
        grounding = domain.ground(task.content)
        state, facts = grounding.start, set(grounding.problem.init)
        for _ in range(25):
            book = by_the_book(grounding, facts)
            possible = {action.call: action for action in grounding.applicable(state)}
            assert possible.keys() == book.keys()
            call = rng.choice(sorted(possible))
            state, facts = possible[call].after(state), book[call]
            assert {grounding.atoms[i] for i in grounding.true(state)} == facts
            share = len(facts & set(grounding.problem.goal)) / len(grounding.problem.goal)
            assert grounding.progress(state) == pytest.approx(share)
            assert grounding.solved(state) == (share == 1)


def test_what_an_action_adds_wins_over_what_it_deletes():
    domain = build("gripper", balls=4)
    grounding = domain.ground(domain.tasks("train")[0].content)
    stay = grounding.actions["move", ("rooma", "rooma")]
    here = grounding.state((("at-robby", "rooma"),))
    assert stay.possible(here)
    assert stay.after(here) == here


def test_the_search_solves_what_no_planner_was_written_for():
    domain = build("blockworld", blocks=4, test=5)
    for task in domain.tasks("test"):
        grounding = domain.ground(task.content)
        calls = search(grounding)
        assert calls is not None
        player = Player(grounding)
        for name, arguments in calls:
            player.do(name, *arguments)
        assert player.solved
        assert find_plan(grounding, None).found == "searched"


def test_a_planner_that_is_stuck_is_replaced_by_the_search():
    domain = build("gripper", balls=4)
    grounding = domain.ground(domain.tasks("train")[0].content)

    def confused(player: Player) -> None:
        player.do("drop", "ball1", "rooma", "left")

    with pytest.raises(Stuck):
        confused(Player(grounding))
    assert find_plan(grounding, confused).found == "searched"


def test_no_plan_is_found_where_there_is_none():
    domain = build("blockworld")
    text = """(define (problem p) (:domain b) (:objects b1 b2) (:init (arm-empty) (on-table b1) (on-table b2)
              (clear b1) (clear b2))
              (:goal (and (on b1 b2) (on b2 b1))))"""
    assert domain.plan(text) is None
    task = domain.task(text, "impossible", {})
    assert task.reference is None
    assert task.labels["reference"] == "none"
