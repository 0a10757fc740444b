"""The stock engine, played as its own packages play it, as the referee of ours."""

from __future__ import annotations

import contextlib
import random
import sys
from typing import Any

import textworld
from alfworld.agents.environment.alfred_tw_env import AlfredDemangler, AlfredInfos
from textworld.envs import PddlEnv

from learnact.domains.alfworld import package
from learnact.domains.alfworld.engine import Game, grammar_of
from learnact.domains.alfworld.translation import translate

ENVIRONMENT: list[Any] = []


def loaded(problem: str, surface: str) -> Any:
    """The stock environment with a problem loaded; one instance for all, since it never frees what it
    holds."""
    if not ENVIRONMENT:
        infos = textworld.EnvInfos(won=True, admissible_commands=True, facts=True)
        ENVIRONMENT.append(AlfredInfos(AlfredDemangler(PddlEnv(infos), shuffle=False)))
    data = {"pddl_domain": package.domain_text(), "grammar": grammar_of(surface), "pddl_problem": problem}
    with _argv():
        ENVIRONMENT[0].load(data)
    return ENVIRONMENT[0]


def reset(environment: Any) -> Any:
    with _argv():
        return environment.reset()


@contextlib.contextmanager
def _argv() -> Any:
    before = sys.argv
    try:
        yield
    finally:
        sys.argv = before


def compare(problem: str, surface: str, steps: int, seed: int) -> int:
    """Play both side by side for a number of random steps; how many different sentences were compared."""
    state = reset(loaded(problem, surface))
    game, rng, said = Game(surface, translate(problem)), random.Random(seed), set()
    try:
        assert game.look() in state.feedback
        for step in range(steps):
            commands = state.admissible_commands
            assert sorted(game.commands()) == commands
            assert set(game.facts) == set(state["_facts"])
            assert game.won == state.won
            if step % 10 == 9:
                assert game.do("take nothing 1 from nowhere 1") is None
            near = [c for c in commands if not c.startswith("go to ")]
            command = rng.choice(near if rng.random() < 0.7 else commands)
            state, _, _ = ENVIRONMENT[0].step(command)
            assert game.do(command) == state.feedback, command
            said.add(state.feedback)
    finally:
        game.close()
    return len(said)
