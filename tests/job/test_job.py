"""A job expands into its grid, and its identity is all that can change results and nothing else."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.errors import JobError
from learnact.job import Job, load
from learnact.job.schema import RulesConfig
from learnact.methods.base import MethodOptions
from learnact.methods.registry import OWN, find_learner
from learnact.records import Budget
from learnact.records.trials import TrialSpec


def job(**settings: Any) -> Job:
    return load({"name": "test", "domains": "gripper", **settings})


def only(**settings: Any) -> TrialSpec:
    settings = {"repeats": {"learn": 1}, **settings}
    (trial,) = job(**settings).trials()
    return trial


def options(trial: TrialSpec) -> Any:
    """The learner's options of a trial."""
    found: MethodOptions = find_learner(trial.learner.name).options_of(trial.learner)
    return found


METHODS = {method.name: method for method in OWN}


def test_what_is_not_given_has_the_papers_value() -> None:
    act, *learned = job().trials()
    assert (act.label, act.agent.name, act.learner.name) == ("act", "act", "none")
    assert [(t.label, t.learn_repeat) for t in learned] == [("learnact", 0), ("learnact", 1), ("learnact", 2)]
    settings = options(learned[0])
    assert (settings.candidates, settings.iterations, settings.create_tries) == (4, 2, 4)
    assert (act.agent_model.temperature, act.agent_model.top_p) == (0.0, 1.0)
    assert learned[0].learn_budget.over(Budget(turns=10), None) == Budget(turns=10)


def test_methods_meet_the_same_number_of_test_episodes_with_the_same_seeds() -> None:
    act, *learned = job(repeats={"learn": 3, "test": 2}).trials()
    assert act.test_repeats == 6
    repeats = [t.first_repeat + r for t in learned for r in range(t.test_repeats)]
    assert repeats == [act.first_repeat + r for r in range(act.test_repeats)]


def test_a_list_is_an_axis_for_the_methods_it_can_change() -> None:
    trials = job(
        learner={"candidates": [1, 4]}, repeats={"learn": 1}, methods=["act", "learnact", "voyager"]
    ).trials()
    assert [t.label for t in trials] == ["act", "learnact, candidates 1", "learnact, candidates 4", "voyager"]


def test_score_terms_are_one_value_and_lists_of_them_an_axis() -> None:
    assert options(only(methods="learnact", learner={"score": ["success", "call_ratio"]})).score == (
        "success",
        "call_ratio",
    )
    axis = job(
        methods="learnact", repeats={"learn": 1}, learner={"score": [["success"], ["progress", "call_ratio"]]}
    )
    assert [t.label for t in axis.trials()] == [
        "learnact, score success",
        "learnact, score progress+call_ratio",
    ]


def test_the_papers_grid() -> None:
    grid = load(
        {
            "name": "grid",
            "preset": ["robotic_planning", "paper"],
            "methods": list(METHODS),
            "models": {"agent": ["gpt-4", "gpt-3.5-turbo"], "learner": "gpt-4"},
        }
    )
    trials = grid.trials()
    learning = sum(m.learner.learns for m in METHODS.values())
    assert len(trials) == 4 * 2 * (learning * 3 + len(METHODS) - learning)
    assert {t.test for t in trials} == {"all"}
    turns = [t for t in trials if t.agent.name not in ("code_as_policies", "code_act")]
    assert all(t.agent_model.stop == ("\n",) and t.learner_model.stop == () for t in turns)
    learnact = next(t for t in trials if t.label == "learnact")
    published = ("empty", "replay", "failed_calls", "no_failed_call")
    s = options(learnact)
    assert (s.uncreated, s.incumbent, s.learn_from, s.stop) == published
    assert (learnact.rules.failure, learnact.rules.primitive_returns) == ("last_observation", "none")
    assert {t.rules.reply for t in turns} == {"first_line"}
    assert s.score == ("success", "step_correctness", "call_ratio")


def test_published_returns_differ_by_kind_of_domain() -> None:
    trials = load({"name": "a", "preset": ["alfworld", "paper"], "methods": "learnact"}).trials()
    assert {t.rules.primitive_returns for t in trials} == {"observation"}


def test_the_job_wins_over_its_preset_and_overrides_over_both() -> None:
    settings = {"name": "a", "preset": "paper", "domains": "gripper", "learner": {"stop": "no_failed_call"}}
    assert load(settings).learner.given["stop"] == "no_failed_call"
    assert load(settings).learner.given["incumbent"] == "replay"
    overridden = load(settings, ["learner.stop=all_solved", "cluster.workers=3"])
    assert overridden.learner.given["stop"] == "all_solved"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"sampling": False}, {"candidates": 1}),
        ({"learning": False}, {"iterations": 0}),
    ],
)
def test_two_ways_to_say_a_thing_are_one_trial(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = only(methods={"name": "learnact", **one}), only(methods={"name": "learnact", **other})
    assert first.learner == second.learner
    assert first.id == second.id


def test_identity_is_what_can_change_results() -> None:
    base = {"methods": "learnact", "models": {"agent": {"name": "m", "base_url": "http://a/v1"}}}
    same = {
        "name": "other",
        "cluster": {"workers": 4},
        "limits": {"dollars": 3, "requests": 2},
        "methods": "learnact",
        "models": {
            "agent": {
                "name": "m",
                "base_url": ["http://b/v1", "http://c/v1"],
                "api_key_env": "KEY",
                "prices": {"prompt": 1.0},
                "timeout": 3.0,
            }
        },
    }
    assert job(**base).id == job(**same).id
    for change in (
        {"seed": 1},
        {"repeats": {"test": 2}},
        {"learner": {"notes": False}},
        {"rules": {"failure": "last_observation"}},
        {"tasks": {"test": 5}},
        {"test": "all"},
        {"budget": {"test": {"turns": 5}}},
        {"models": {"agent": {"name": "m", "temperature": 0.5}}},
        {"models": {"agent": "n"}},
    ):
        assert job(**{**base, **change}).id != job(**base).id, change


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "seed": st.integers(0, 9) | st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True),
        "domains": st.lists(
            st.sampled_from(
                ["gripper", "barman", {"name": "gripper", "sizes": [4, 5], "budget": {"test": {"turns": 3}}}]
            ),
            min_size=1,
            max_size=2,
        ),
        "methods": st.lists(st.sampled_from([*METHODS]), min_size=1, max_size=4, unique=True),
        "learner": st.fixed_dictionaries(
            {},
            optional={
                "candidates": st.lists(st.integers(1, 5), min_size=1, max_size=2, unique=True),
                "iterations": st.integers(0, 4),
                "proposal_temperature": st.none() | st.floats(0, 2),
                "score": st.lists(st.sampled_from(["success", "call_ratio"]), max_size=2, unique=True),
            },
        ),
        "rules": st.fixed_dictionaries({"failure": st.sampled_from(["any_primitive", "last_observation"])}),
        "preset": st.sampled_from(["paper", ["robotic_planning", "paper"]]),
        "models": st.fixed_dictionaries(
            {
                "agent": st.sampled_from(
                    ["sim-weak", ["a", {"name": "b", "temperature": [0.0, 1.0], "stop": ["\n"]}]]
                )
            }
        ),
        "tasks": st.fixed_dictionaries({"train": st.integers(1, 3)}),
    },
)


@given(SETTINGS)
def test_a_resolved_job_loads_back_as_the_same_job(settings: dict[str, Any]) -> None:
    first = job(**settings)
    again = load(first.resolved())
    assert again.id == first.id
    assert again.trials() == first.trials()
    assert again.resolved() == first.resolved()


def test_trial_ids_are_unique() -> None:
    trials = job(methods=list(METHODS), seed=[0, 1], models={"agent": ["sim-strong", "sim-weak"]}).trials()
    assert len({t.id for t in trials}) == len(trials)


def test_transfer_learns_here_and_tests_there() -> None:
    settings: dict[str, Any] = {
        "name": "transfer",
        "methods": "learnact",
        "repeats": {"learn": 1},
        "learn_on": [{"name": "gripper", "sizes": [4]}, "barman"],
        "test_on": [
            {"name": "gripper", "sizes": [8]},
            {"name": "gripper", "sizes": [12]},
            {"name": "barman", "shots": 9},
        ],
    }
    gripper, barman = load(settings).trials()
    assert [d.options for d in gripper.test_domains] == ['{"sizes":[8]}', '{"sizes":[12]}']
    assert [d.name for d in barman.test_domains] == ["barman"]
    everywhere = load({**settings, "library": {"from": "learn", "match": ["repeat", "learner"]}}).trials()
    assert [len(t.test_domains) for t in everywhere] == [3, 3]


def test_a_given_library_takes_the_place_of_learning(tmp_path: Any) -> None:
    library = tmp_path / "mine.py"
    library.write_text("def carry(ball): ...\n")
    act, given_one = load(
        {"name": "given", "domains": "gripper", "methods": ["act", "learnact"], "library": str(library)}
    ).trials()
    assert (act.library, given_one.learner.name, given_one.library) == ("", "none", str(library))
    library.write_text("def carry(ball, room): ...\n")
    changed = load(
        {"name": "given", "domains": "gripper", "methods": ["learnact"], "library": str(library)}
    ).trials()
    assert changed[0].id != given_one.id


def test_match_budget_concerns_the_others() -> None:
    trials = job(match_budget={"to": "learnact"}, repeats={"learn": 1}).trials()
    assert [t.match_budget and t.match_budget.to for t in trials] == ["learnact", None]


def test_a_method_of_ones_own() -> None:
    trial = only(methods={"name": "mine", "agent": "react", "learner": "learnact", "candidates": 2})
    found = (trial.method, trial.agent.name, trial.learner.name, options(trial).candidates)
    assert found == ("mine", "react", "learnact", 2)
    with pytest.raises(
        JobError, match=r"methods\.0\.learner: mine: there is no learner 'lernact'; did you mean 'learnact'"
    ):
        job(methods={"name": "mine", "agent": "act", "learner": "lernact"})


def test_the_embedded_model_is_known_by_its_name_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert only(methods="act").agent_model.simulated
    served = only(
        methods="act", models={"agent": {"name": "sim-strong", "base_url": "http://127.0.0.1:1/v1"}}
    )
    assert not served.agent_model.simulated
    assert only(methods="act", models={"agent": "gpt-4"}).agent_model.base_urls == (
        "https://api.openai.com/v1",
    )


def test_the_file_and_the_rules_name_the_same_things() -> None:
    rules = only(methods="act").rules
    fields = {f.name: getattr(rules, f.name) for f in dataclasses.fields(rules) if f.name != "bounds"}
    assert {f: (value,) for f, value in fields.items()} == {
        f: getattr(RulesConfig(), f) for f in RulesConfig.model_fields
    }


def test_a_program_is_not_cut_by_a_stop_string_or_a_bound_for_one_call() -> None:
    spec = only(methods="code_as_policies", preset="paper")
    assert spec.agent_model.stop == ()
    assert spec.agent_model.max_tokens == spec.learner_model.max_tokens
    assert only(methods="act", preset="paper").agent_model.stop == ("\n",)


def test_options_of_a_family_of_domains_stand_in_where_a_domain_sets_none() -> None:
    settings = {
        "name": "a",
        "domains": ["alfworld-put", {"name": "alfworld-heat", "actions": "ours"}, "gripper"],
        "methods": "act",
        "domain_options": {"alfworld": {"actions": "published"}, "alfworld-put": {"seed": 3}},
    }
    put, heat, gripper = load(settings).trials()
    assert put.domain.options == '{"actions":"published","seed":3}'
    assert heat.domain.options == '{"actions":"ours"}'
    assert gripper.domain.options == "{}"
    assert load(load(settings).resolved()).id == load(settings).id
