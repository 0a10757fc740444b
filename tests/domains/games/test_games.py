"""Games against seeded opponents: what is told, how games end, and that OpenSpiel's rules are kept."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.domains import registry
from learnact.errors import JobError, TaskError
from learnact.records import DomainSpec, Task, canonical

pytest.importorskip("pyspiel", reason="needs learnact[games]")

NAMES = ("nim", "connect_four", "hex", "leduc_poker", "bargaining", "tiny_hanabi")


def build(name: str, **options):
    return registry.build(DomainSpec(f"games-{name}", canonical(options)))


def opened(name: str, **content):
    return build(name).open(Task(f"games-{name}", "mine", json.dumps(content)))


def play(environment, move: str):
    return environment.call("play", [move], {})


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**31 - 1))
def test_any_game_ends_and_says_how(name, seed):
    """Random legal moves: each is valid, looking changes nothing, and the last one ends the episode."""
    rng, domain = random.Random(seed), build(name, train=1, test=4)
    environment = domain.open(rng.choice(domain.tasks("test")))
    for _ in range(45):
        shown, moves = (environment.call(action, [], {}).observation for action in ("state", "legal_moves"))
        assert environment.call("state", [], {}).observation == shown
        step = play(environment, rng.choice(moves.split(", ")))
        assert step.valid
        if step.success or step.over:
            break
    assert step.success or step.over
    assert step.success == (step.progress == 1)
    after = play(environment, "0")
    assert (after.valid, after.success) == (False, step.success)
    assert "The game is over." in after.observation


def test_the_last_stone_loses():
    piles = {"game": "nim(pile_sizes=2;1)", "opening": [1], "opponent": "random"}  # pile 2 is taken
    environment = opened("nim", **piles, seat=1)
    assert environment.first_observation == "Pile 1 has 2 stones. Pile 2 has 0 stones."
    assert environment.call("legal_moves", [], {}).observation == "1 from 1, 2 from 1"
    lost = play(environment, "2 from 1")
    assert (lost.success, lost.over, lost.progress) == (False, True, 0.0)
    assert lost.observation == "You lost."
    won = play(opened("nim", **piles, seat=1), "1 from 1")
    assert (won.success, won.observation) == (True, "The opponent plays '1 from 1'. You won.")


def test_a_move_that_is_not_legal_changes_nothing():
    environment = opened("connect_four", game="connect_four", seat=0, opponent="search", strength=5)
    before = environment.call("state", [], {}).observation
    step = play(environment, "9")
    assert step.observation == ("Nothing happens. '9' is no legal move. Legal are: 0, 1, 2, 3, 4, 5, 6.")
    assert environment.call("state", [], {}).observation == before
    assert environment.call("play", [3], {}).observation.startswith(
        "Nothing happens. move of play must be str"
    )
    assert play(environment, "  3 ").valid


def test_four_in_a_row_wins_and_a_full_board_is_a_draw():
    game = {"game": "connect_four", "opening": [0, 1, 0, 1, 0, 1], "seat": 0, "opponent": "random"}
    assert play(opened("connect_four", **game), "0").success
    columns = [
        0,
        1,
        0,
        1,
        1,
        0,
        1,
        0,
        0,
        1,
        0,
        1,
        2,
        3,
        2,
        3,
        3,
        2,
        3,
        2,
        2,
        3,
        2,
        3,
        4,
        5,
        4,
        5,
        5,
        4,
        5,
        4,
        4,
        5,
        4,
        5,
    ]
    drawn = opened(
        "connect_four", game="connect_four", opening=[*columns, 6, 6, 6, 6], seat=0, opponent="random"
    )
    step = play(drawn, "6")
    assert (step.over, step.progress, step.success) == (True, 0.5, False)
    assert step.observation.endswith("The game is a draw.")


def test_each_side_of_hex_is_told_what_to_connect():
    first = opened("hex", game="hex(board_size=3)", seat=0, opponent="random")
    assert first.first_observation.startswith("You are x and connect the top with the bottom.")
    second = opened("hex", game="hex(board_size=3)", opening=[4], seat=1, opponent="random")
    assert second.first_observation.split("\n")[3] == " 2  . x ."


def test_a_player_of_poker_sees_its_own_card_only():
    content = {"game": "leduc_poker", "opening": [0, 5], "opponent": "random", "seed": 1}
    for seat, card in ((0, "jack"), (1, "king")):
        environment = opened("leduc_poker", **content, seat=seat)
        assert f"Your card is a {card}." in environment.first_observation
        assert environment.first_observation.count("card is") == 1


def test_a_bargainer_agrees_to_what_is_worth_enough_and_concedes():
    """Instance 7: values 0, 1, 3 against 1, 3, 2 of one book, one hat, three basketballs."""
    content = {"game": "bargaining", "opening": [7], "seat": 0, "opponent": "search"}
    greedy = opened("bargaining", **content, strength=7)
    refused = play(greedy, "keep 1 book 1 hat 3 basketball")
    assert "The opponent plays 'keep" in refused.observation
    assert not refused.over
    fair = play(opened("bargaining", **content, strength=6), "keep 0 book 0 hat 2 basketball")
    assert (fair.success, fair.progress) == (True, 1.0)
    assert fair.observation == "The opponent plays 'agree'. You agreed, and have things worth 6 of 10."
    cheap = play(opened("bargaining", **content, strength=3), "keep 0 book 1 hat 0 basketball")
    assert (cheap.success, cheap.over, cheap.progress) == (False, True, 0.1)


def test_partners_share_the_result_of_the_table():
    game = "tiny_hanabi(num_actions=2,num_chance=2,payoff=10;0;0;4;0;10;4;0;0;4;10;0;4;0;0;10)"
    environment = opened("tiny_hanabi", game=game, opening=[0, 1], seat=1, opponent="search")
    assert "Player 0 has made the move a0." in environment.first_observation
    assert (
        "With d0 and d1, by player 0's move, then player 1's: a0: 0, 10; a1: 4, 0."
        in environment.first_observation
    )
    assert play(environment, "a1").observation == "You both get 10 of 10."


def test_an_opponent_depends_on_the_moves_and_the_seed_only():
    domain = build("connect_four", level="hard")
    task = domain.tasks("test")[0]
    plan = domain.reference_plan(task)
    told = []
    for look in (False, True):
        environment = domain.open(task)
        if look:
            environment.call("legal_moves", [], {})
        told.append([environment.call(c.name, c.arguments, {}).observation for c in plan])
    assert told[0] == told[1]


def test_levels_have_stronger_opponents():
    strengths = [
        build("nim", level=level).tasks("test")[0].labels for level in ("easy", "published", "hard", "harder")
    ]
    assert [s["opponent"] for s in strengths] == ["random", "search", "search", "search"]
    assert [s["strength"] for s in strengths][1:] == [10, 100, 2000]
    assert build("hex", opponent="random", level="harder").tasks("test")[0].labels["opponent"] == "random"
    with pytest.raises(JobError, match="option opponent"):
        build("nim", opponent="deep blue")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "not a game"),
        ('{"game": "chess"}', "chess: not one of the games nim"),
        ('{"game": "nim(piles=3)"}', r"nim\(piles=3\): "),
        ('{"game": "connect_four", "opening": [9]}', "mine: 9 in its opening is no legal action"),
        ('{"game": "connect_four", "seat": 2}', "not a game: seat"),
    ],
)
def test_a_broken_content_is_refused(content, reason):
    with pytest.raises(TaskError, match=reason):
        build("nim").open(Task("games-nim", "mine", content))
