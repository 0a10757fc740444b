"""Racing: who can no longer win is stopped, the winner and its score are those of the full design."""

import dataclasses
import functools
import itertools
import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.errors import JobError
from learnact.job import load
from learnact.job.preflight import preflight
from learnact.methods.racing import Race, RaceRules, random_order
from learnact.methods.selector import best, scored
from learnact.methods.training import PlayedEpisode
from learnact.records import Candidate, Rules
from tests import racing_simulation
from tests.methods.test_learning_round import FUNCTIONS, learn, names, scripted
from tests.results import material
from tests.scripted import Notes

RACING = ("learner.racing=true", "learner.score=[progress]", "learner.iterations=0", "learner.candidates=2")


@functools.cache
def played(task, progress, acts=True):
    """A training episode with this progress; its learned action made a primitive action, or none."""
    unit = material.episode(task, phase="learn")
    turn = material.turn(3, random.Random(0))
    turn = turn if acts else dataclasses.replace(turn, steps=())
    result = dataclasses.replace(material.result(unit, 1), progress=progress, success=False, turns=(turn,))
    return PlayedEpisode(unit, result)


def race(table, error, block, order_seed, acts=()):
    """A race over a table of progress, one row a candidate; rows named in `acts` never act."""
    tasks = len(table[0])
    runners = tuple(map(str, range(len(table))))
    one = Race(RaceRules(("progress",), error, block), random_order(tasks, order_seed), {}, runners)
    for numbers in one.blocks():
        for name in one.running:
            row = int(name)
            one.take(name, numbers, [played(task, table[row][task], row not in acts) for task in numbers])
        one.decide()
    return one


TABLES = st.integers(4, 16).flatmap(
    lambda tasks: st.lists(
        st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=tasks, max_size=tasks), min_size=1, max_size=4
    )
)


@settings(max_examples=40)
@given(TABLES, st.integers(1, 5), st.integers(0, 99))
def test_those_who_are_left_have_played_all_and_one_always_is(table, block, order):
    done = race(table, 0.3, block, order)
    assert done.running
    for name in done.runners:
        episodes = done.episodes(name)
        assert [e.result.progress for e in episodes] == [
            table[int(name)][task] for task in sorted(done.played[name])
        ]
        assert (len(episodes) == len(table[0])) == (name not in done.stopped)


def test_the_winner_of_the_full_design_is_lost_no_more_often_than_the_rate():
    """Over random orders of designs of equal candidates, where every stop of the first winner is an error."""
    rate, lost, number = 0.3, 0, 120
    rules = Rules()
    for trial in range(number):
        noise = random.Random(trial)
        table = [[float(noise.random() < 0.5) for _ in range(24)] for _ in range(3)]
        rows = [
            scored(
                Candidate("t", 0, i, "", "", "create"),
                [played(t, p) for t, p in enumerate(row)],
                ["progress"],
                rules,
            )
            for i, row in enumerate(table)
        ]
        lost += str(best(rows, "earlier")) in race(table, rate, 2, trial).stopped
    assert lost <= rate * number


def test_a_candidate_whose_actions_were_not_seen_to_act_stops_nobody():
    table = [[1.0] * 30, [0.0] * 30]
    assert race(table, 0.1, 3, 1).stopped.keys() == {"1"}
    assert not race(table, 0.1, 3, 1, acts=(0,)).stopped


def model():
    """The first proposal is a function that works; the second is one that the agent cannot use."""
    proposals = itertools.count()

    def create(text):
        functions = FUNCTIONS.format(**names(text))
        return functions if next(proposals) == 0 else functions.replace("fetch", "carry")

    def act(text):
        if "carry(" in text:
            return "move('rooma', 'nowhere')"
        task = text.split("## Your task")[1]
        goals = dict(re.findall(r"(ball\d+) is in (room[ab])", task.split("Now:")[0]))
        places = dict(re.findall(r"(ball\d+) is in (room[ab])", task.split("Now:", 1)[1]))
        here = re.findall(r"you are in (room[ab])", task)[-1]
        there = {"rooma": "roomb", "roomb": "rooma"}[here]
        wrong = [b for b, place in places.items() if place == here and goals.get(b) == there]
        return f"fetch('{wrong[0]}', '{here}', '{there}', 'left')" if wrong else f"move('{here}', '{there}')"

    return scripted(create=create, act=act)


async def test_a_loser_is_stopped_and_the_winner_is_scored_as_without_racing():
    notes, full = Notes(), Notes()
    tasks = "domains.train=24"
    learned = await learn(model(), *RACING, tasks, notes=notes)
    without = await learn(model(), *RACING, tasks, "learner.racing=false", notes=full)
    assert learned.library == without.library
    winner, loser = notes.candidates[0, 0], notes.candidates[0, 1]
    assert winner == dataclasses.replace(full.candidates[0, 0], trial=winner.trial)
    assert (winner.played_tasks, winner.planned_tasks, winner.selected) == (24, 24, True)
    assert loser.played_tasks is not None
    assert loser.played_tasks % 4 == 0
    assert 4 <= loser.played_tasks < 24
    assert loser.score is None
    assert loser.excluded == (
        f"stopped after {loser.played_tasks} of 24 training tasks: candidate 0.0 is better (racing)"
    )
    assert full.candidates[0, 1].score is not None


def test_a_score_that_is_no_mean_over_tasks_is_refused_before_a_run(tmp_path):
    job = {"name": "t", "domains": "gripper", "methods": "learnact", "learner": {"racing": True}}
    with pytest.raises(JobError, match=r"step_correctness, call_ratio is none.*score: \[progress\]"):
        preflight(load(job), tmp_path)
    preflight(load({**job, "learner": {"racing": True, "score": [["success", "turns"]]}}), tmp_path)


@settings(max_examples=30, deadline=None)
@given(TABLES.filter(lambda table: len(table) > 1), st.integers(1, 4))
def test_the_simulation_decides_as_the_race(table, block):
    """`python -m tests.racing_simulation` speaks of what is used: a round, in the order of play."""
    tasks = len(table[0])
    raced = race(table, 0.4, block, 5)
    order = list(raced.order)
    scores = np.array([[[row[task] for task in order] for row in table]])
    stopped = racing_simulation.stops(scores, 0.4, block)[0]
    for number, after in enumerate(stopped):
        why = raced.stopped.get(str(number), "")
        assert (after < tasks) == bool(why)
        assert not why or f"stopped after {after} of {tasks}" in why
