"""`learnact compare`: what it says of two methods, and what it refuses."""

import asyncio
import dataclasses
import json
import re

import pytest

from learnact.records import Budget, Library, canonical
from learnact.results.store import RunStore
from tests.cli.conftest import learnact
from tests.results import material

TASKS, LIBRARIES = 12, 5


async def write(folder, name, methods, *, budget=None, prompts="p", model=None, shift=0, domain="gripper"):
    """A run in which `methods` (name to share of tasks solved) play; those that learn have five libraries."""
    store = RunStore.open(folder, name.ljust(24, "0"), name, {"name": name}, {}, {"learnact": "0.1"})
    commits = []
    for method, solved in methods.items():
        learns = method != "act"
        for repeat in range(LIBRARIES):
            trial = f"{name}-{method}-{repeat if learns else 0}"
            options = {
                "test_domains": [{"name": domain, "options": "{}"}],
                "learner": method if learns else "none",
            }
            row = {
                "method": method,
                "domain": domain,
                "agent_model": (model or material.MODEL).name,
                "learner_model": "teacher" if learns else "",
                "learn_repeat": repeat,
                "test_repeats": 1,
                "status": "done",
                "options": canonical(options),
            }
            store.trial(trial, row)
            for task in range(shift, shift + TASKS):
                unit = material.episode(
                    100 * repeat + task,
                    trial,
                    method,
                    task=task,
                    library=material.LIBRARY if learns else Library(),
                    phase="test",
                    domain=domain,
                )
                unit = dataclasses.replace(
                    unit,
                    budget=budget or Budget(),
                    prompts=prompts,
                    model=model or material.MODEL,
                    learner_model="teacher" if learns else "",
                )
                commits.append(store.commit(material.outcome(unit, 3, (task + repeat) % 10 < 10 * solved)))
    await asyncio.gather(*commits)
    await store.close()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    other = dataclasses.replace(material.MODEL, name="other", label="other")
    for name, methods, more in (
        ("fewer", {"act": 0.4, "learnact": 0.6}, {"budget": Budget(turns=10)}),
        ("worded", {"act": 0.4, "learnact": 0.8}, {"prompts": "other prompts"}),
        ("elsewhere", {"learnact": 0.8}, {"shift": 50}),
        ("others", {"act": 0.1}, {"model": other}),
        ("main", {"act": 0.4, "learnact": 0.8, "reflexion": 0.8}, {}),
    ):
        asyncio.run(write(folder, name, methods, **more))
    return folder


def compared(results, *arguments):
    done = learnact("compare", *arguments, "--results", results, "--run", "main", "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_a_difference_is_told_with_its_certainty_and_the_mark_of_simulation(results):
    success, design, measures = compared(results, "learnact", "act")
    (row,) = success["rows"]
    assert row["difference"]["mean"] == pytest.approx(row["first success"] - row["second success"])
    assert row["difference"]["low"] > 0.2
    assert row["of the method"]["libraries"] == LIBRARIES
    assert row["of the method"]["trusted"]
    assert row["paired by"] == "seed"
    assert row["pairs"] == TASKS * LIBRARIES
    assert row["p"] < 0.05
    assert (row["p by libraries"], row["least p by libraries"]) == (0.0625, 0.0625)
    assert row["won"] + row["lost"] + row["tied"] == TASKS
    assert row["McNemar p"] is None  # five pairs a task are not independent
    assert success["simulated"]
    assert any("learnact solves more tasks than act" in note for note in success["notes"])
    assert 0 < design["rows"][0]["smallest"] < row["difference"]["mean"]
    assert {r["measure"] for r in measures["rows"]} == {"progress", "turns", "tokens", "dollars"}


def test_a_method_minus_itself_is_nothing(results):
    (row,) = compared(results, "learnact", "learnact")[0]["rows"]
    for interval in (row["difference"], row["of the method"]):
        assert (interval["mean"], interval["low"], interval["high"]) == (0.0, 0.0, 0.0)
    assert row["tied"] == TASKS


def test_several_comparisons_are_corrected(results):
    rows = compared(results, "act", "learnact", "reflexion")[0]["rows"]
    assert [row["second"] for row in rows] == ["learnact", "reflexion"]
    assert all(row["Holm p"] >= row["p of the method"] for row in rows)
    by_domain = compared(results, "learnact", "act", "--by", "domain")[0]["rows"]
    assert [row["domain"] for row in by_domain] == ["gripper"]


@pytest.mark.parametrize(
    ("sides", "reason"),
    [
        (("main:learnact", "fewer:learnact"), r"budgets: budget\.turns: 30 against 10.*--allow budgets"),
        (("main:learnact", "worded:learnact"), "prompts: .*--allow prompts"),
        (("main:learnact", "elsewhere:learnact"), "tasks: no task in common"),
        (("main:act", "others:act"), "methods are compared with the same models"),
        (("learnact", "nobody"), "'nobody' is no method or model"),
        (("learnact",), "name two or more"),
        (("main:act", "elsewhere:act"), "no finished test episode here; there are: learnact"),
    ],
)
def test_what_is_not_comparable_is_refused_with_the_reason(results, sides, reason):
    refused = learnact("compare", *sides, "--results", results, "--run", "main")
    assert refused.code == 2
    assert re.search(reason, refused.err, re.DOTALL), refused.err


def test_what_differs_can_be_allowed_and_is_told(results):
    success = compared(results, "main:learnact", "fewer:learnact", "--allow", "budgets")[0]
    assert any("Not comparable, but allowed: budgets: budget.turns" in note for note in success["notes"])
    wrong = learnact("compare", "act", "act", "--allow", "luck", "--results", results)
    assert wrong.code == 2
    assert "budgets, prompts, versions" in wrong.err


def test_models_and_runs_are_compared_too(results):
    models = compared(results, "main:sim-strong", "others:other")[0]["rows"]
    assert [(row["first"], row["second"]) for row in models] == [("main:sim-strong, act", "others:other")]
    runs = compared(results, "main", "worded", "--allow", "prompts")[0]["rows"]
    assert {row["first"] for row in runs} == {"main, act", "main, learnact"}
