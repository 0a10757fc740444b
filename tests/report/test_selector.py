"""Selectors over the same trials: paired differences, a second computation, and no difference where there is
none."""

import math

import numpy as np
import pytest
from scipy import stats

from learnact.report import selector
from learnact.report.data import RowKey, Score, TrialRow
from learnact.report.selector import AS_RUN, BEST, TrialCandidates, selector_results
from learnact.statistics.intervals import NOTHING, Interval, mean_of
from learnact.statistics.significance import sign_flips

KEY = RowKey("gripper", "learnact", "m", "m")


def candidate(name, terms, test):
    success = Interval(test, math.nan, math.nan, 8, 8)
    score = Score(
        key=KEY,
        simulated=False,
        success=success,
        success_of_method=NOTHING,
        progress=NOTHING,
        trials=1,
        unfinished=0,
        worst=test,
        best=test,
        unreadable=0.0,
        all_turns=8,
        turns=NOTHING,
        primitive_steps=NOTHING,
    )
    return selector.TestedCandidate(name, float(sum(terms)), *map(float, terms), rate=score)


def trial(number, candidates, chosen):
    row = TrialRow(
        trial=f"t{number}", runs=("r",), method="learnact", domain="gripper", agent_model="m",
        learner_model="m", test_repeats=1, test_episodes=None, status="done", library=chosen,
        learner="learnact", agent="", settings={}, rules={}, domain_options="{}", test_domains=(),
        tests="", matched_to="",
    )  # fmt: skip
    return TrialCandidates(row, candidates)


def trials(random, number, informative=False):
    """Trials of six candidates, of which the highest score is chosen; scores are noise, or tell the truth."""
    made = []
    for n in range(number):
        tests = random.integers(0, 9, 6) / 8
        terms = random.random((6, 3))
        if informative:
            terms[:, 0] += 3 * tests
        candidates = [candidate(f"{n}-{c}", terms[c], tests[c]) for c in range(6)]
        made.append(trial(n, candidates, max(candidates, key=lambda c: c.score).library))
    return made


def test_all_selectors_are_told_of_the_same_trials():
    found = trials(np.random.default_rng(1), 9, informative=True)
    untested = trial(99, found[0].candidates, "a library that nobody tested")
    results = {one.name: one for one in selector_results([*found, untested])}
    assert {len(one.tests) for one in results.values()} == {9}
    own, step = results[AS_RUN], results["step terms only"]
    for name in (AS_RUN, "step terms only"):
        by = (lambda c: c.score) if name == AS_RUN else (lambda c: c.step_correctness + c.call_ratio)
        for place, one in enumerate(found):
            values = [by(c) for c in one.candidates]
            assert results[name].tests[place] == one.tests[int(np.argmax(values))]
            expected = stats.kendalltau(values, one.tests).statistic  # another statistic of the same order
            assert (results[name].correlations[place] > 0) == (expected > 0) or abs(expected) < 0.2
    assert all(value == 0 for value in results[BEST].regrets)
    gained = [a - b for a, b in zip(step.tests, own.tests, strict=True)]
    lost = [a - b for a, b in zip(step.regrets, own.regrets, strict=True)]
    assert gained == pytest.approx([-value for value in lost])  # the best candidate's luck drops out
    paired = mean_of(gained, -1.0, 1.0)
    interval = stats.ttest_1samp(gained, 0).confidence_interval(0.95)
    assert (paired.low, paired.high) == pytest.approx((interval.low, interval.high))


def test_two_selectors_without_a_difference_are_found_to_differ_in_five_of_a_hundred():
    random, p_values, covered = np.random.default_rng(2), [], 0
    for _ in range(150):
        results = {one.name: one for one in selector_results(trials(random, 12))}
        own, other = results[AS_RUN], results["success only"]
        gained = [a - b for a, b in zip(other.tests, own.tests, strict=True)]
        p_values.append(sign_flips(gained).p_value)
        found = mean_of(gained, -1.0, 1.0)
        covered += found.low <= 0 <= found.high
    assert np.mean(np.array(p_values) < 0.05) <= 0.09
    assert covered / 150 >= 0.91
