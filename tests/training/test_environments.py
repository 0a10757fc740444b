"""Domains as classes for reinforcement learning: typed documented methods, rewards, learned actions."""

from __future__ import annotations

import asyncio
import inspect
import pickle

import pytest

from learnact.domains import registry
from learnact.errors import BadInput, JobError
from learnact.methods.curated_library import curated
from learnact.records import DomainSpec, LearnedAction, Library
from learnact.training import environment

OPTIONS = {"level": "easy", "balls": 2, "train": 2, "test": 1}


def library() -> Library:
    return curated(registry.build(DomainSpec("gripper")))


def test_actions_are_typed_methods_with_docstrings_and_observations() -> None:
    made = environment("gripper", OPTIONS)
    tools = {n for n, _ in inspect.getmembers(made, inspect.isfunction) if not n.startswith("_")}
    assert tools == {"move", "pick", "drop", "reset", "get_reward"}
    assert str(inspect.signature(made.pick)) == "(self, obj: str, place: str, hand: str) -> str"
    assert "Requires: obj is a ball." in inspect.getdoc(made.pick)
    assert "Args:\n    obj: obj." in inspect.getdoc(made.pick)
    playing = made()
    assert "Goal: ball1 is in roomb." in playing.reset(index=0)
    assert playing.pick("ball9", "rooma", "left").startswith("No effect: there is no ball9")
    assert playing.pick(hand="left", obj="ball1", place="rooma").startswith("Now: you are in rooma.")
    playing.move("rooma", "roomb")
    assert playing.get_reward() == 0
    playing.drop("ball1", "roomb", "left")
    assert playing.get_reward() == 1
    assert playing.move("roomb", "rooma") == "The task is solved; nothing is left to do."
    with pytest.raises(TypeError, match="missing a required argument: 'hand'"):
        playing.pick("ball1", "rooma")
    with playing:
        playing.reset(index=1)
    with pytest.raises(BadInput, match="call reset first"):
        playing.move("rooma", "roomb")


@pytest.mark.parametrize(("reward", "worth"), [("success", 1.0), ("progress", 1.0), ("steps", 0.97)])
def test_learned_actions_run_in_the_sandbox_and_rewards_differ(reward: str, worth: float) -> None:
    playing = environment("gripper", OPTIONS, library=library(), reward=reward)()
    with pytest.raises(BadInput, match="call reset first"):
        playing.get_reward()
    playing.reset(index=0)
    assert "ball1 is in roomb" in playing.carry("ball1", "rooma", "roomb", "left")
    assert playing.get_reward() == pytest.approx(worth)


def test_a_class_is_pickled_and_plays_inside_a_running_loop() -> None:
    made = pickle.loads(pickle.dumps(environment("gripper", OPTIONS, library=library())))

    async def trainer() -> tuple[str, str]:
        one, other = made(), made()
        return one.reset(seed=1), other.reset(seed=1)

    first, second = asyncio.run(trainer())
    assert first == second


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(JobError, match="gripper"):
        environment("griper")
    with pytest.raises(JobError, match="ballz"):
        environment("gripper", {"ballz": 2})
    wrong = Library((LearnedAction("fly", "fly(a)", "def fly(a):\n    soar(a)"),))
    with pytest.raises(BadInput, match="soar"):
        environment("gripper", library=wrong)
    with pytest.raises(BadInput, match="2 train tasks, and no task 5"):
        environment("gripper", OPTIONS)().reset(index=5)
    with pytest.raises(BadInput, match="gripper has no test tasks with these options"):
        environment("gripper", {**OPTIONS, "test": 0}, split="test")().reset()
