"""TextWorld's games beside the stock engine, and what is special about them."""

from __future__ import annotations

import json
import random

import pytest

pytest.importorskip("textworld")

from learnact.domains.textworld import domain, making
from learnact.domains.textworld.plans import call_of
from learnact.domains.textworld.tasks import GameSpec, settings_of, unpack
from learnact.errors import TaskError
from tests.domains.families.walking import some_arguments, words_of

EASY = {
    "coin": domain.COIN({"level": "easy", "train": 1, "test": 1}),
    "cooking": domain.COOKING({"level": "published", "train": 1, "test": 1}),
    "treasure": domain.TREASURE({"level": "published", "train": 1, "test": 1}),
}


def test_commands_of_the_grammar_are_calls():
    said = ["go east", "take red potato from counter", "insert egg into fridge", "slice egg with knife",
            "cook egg with stove", "prepare meal", "unlock safe with type G key", "take coin"]  # fmt: skip
    assert [call_of(command).written for command in said] == [
        "go('east')", "take('red potato')", "put('egg', 'fridge')", "cut('egg', 'slice', 'knife')",
        "cook('egg', 'stove')", "prepare_meal()", "unlock('safe', 'type G key')", "take('coin')",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="xyzzy"):
        call_of("xyzzy")


def test_a_game_of_another_version_is_refused_with_the_line_that_installs_it():
    spec = GameSpec(kind="coin", seed=1, settings={"level": 103}, version="1.6.2")
    with pytest.raises(TaskError, match=r"pip install 'textworld==1\.6\.2'"):
        unpack(spec.pack(), "a task", "1.7.0")
    with pytest.raises(TaskError, match="not the content"):
        unpack("{}", "a task", "1.7.0")


def test_training_food_is_never_the_food_of_a_test_recipe():
    for number in range(6):
        train, test = (settings_of("cooking", "published", split, number) for split in ("train", "test"))
        assert (train["split"], test["split"]) == ("train", "test")


@pytest.mark.slow
@pytest.mark.parametrize("kind", EASY)
def test_text_facts_score_and_end_are_the_stock_engines(kind):
    """Our game and the stock wrapper, given the same commands: a walk that follows the plan and strays."""
    import textworld

    from learnact.domains.textworld.engine import TextGame
    from learnact.domains.textworld.environment import TextWorldEnvironment

    task = EASY[kind].tasks("test")[0]
    made = making.make([unpack(task.content, task.name, "1.7.0")])[0]
    assert isinstance(made, making.MadeGame)
    game = TextGame(made.folder)
    ours = TextWorldEnvironment(game, EASY[kind].primitives)
    asked = textworld.EnvInfos(facts=True, won=True, lost=True, score=True, max_score=True)
    stock = textworld.start(str(made.folder / "tw-game.z8"), asked)
    stock.reset()
    sent: list[str] = []
    do = game.do

    def noted(command, action):
        sent.append(command)
        return do(command, action)

    game.do = noted
    rng, known, rest, steps = random.Random(3), words_of(ours.first_observation), list(made.plan), 0
    while rest and not (ours.success or game.lost):
        if rng.random() < 0.6:
            planned = rest.pop(0)
            step = ours.call(planned.name, planned.arguments, {})
        else:
            primitive = rng.choice(EASY[kind].primitives)
            safe = primitive.name not in ("eat", "drink", "cook", "cut", "put", "drop", "go")
            step = ours.call(primitive.name, some_arguments(primitive, known, rng), {}) if safe else None
        for command in sent:
            state, score, _ = stock.step(command)
            assert score == game.score
            assert (state["won"], state["lost"]) == (game.won, game.lost)
            facts = {(f.name, *(a.name for a in f.arguments)) for f in state["_facts"]}
            assert facts == game.view.facts
            steps += 1
        sent.clear()
        known += words_of(step.observation) if step else []
    assert ours.success and steps >= 3
    ours.close()


@pytest.mark.slow
def test_the_same_spec_makes_the_same_world_in_another_process(tmp_path, monkeypatch):
    spec = GameSpec(kind="coin", seed=5, settings={"level": 103}, version="1.7.0")
    plans, worlds = [], []
    for folder in ("a", "b"):
        monkeypatch.setenv("LEARNACT_CACHE", str(tmp_path / folder))
        made = making.make([spec])[0]
        assert isinstance(made, making.MadeGame)
        plans.append(made.plan)
        game = json.loads((made.folder / "tw-game.json").read_text())
        worlds.append((game["world"], game["quests"], game["objective"]))
    assert plans[0] == plans[1] and worlds[0] == worlds[1]
