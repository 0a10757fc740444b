"""Fidelity (docs/method.md, section 6): `preset: paper` sets every switch to its published value, and each
switch changes what is done."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from learnact.domains import registry
from learnact.domains.alfworld.task_types import TASK_TYPES
from learnact.errors import BadInput
from learnact.job import load
from learnact.job.preflight import preflight
from learnact.methods.reflexion import ReflexionOptions
from learnact.records import Episode, EpisodeResult, Library
from learnact.report.preview import agent_prompt, learner_prompt
from learnact.runners.worker import Worker
from learnact.trial import PlannedTest
from learnact.trial import test_episodes as episodes_of
from tests.job.test_job import options as options_of
from tests.methods.following import follow
from tests.methods.test_learning_round import BAD_CODE, Notes, learn, requests, scripted
from tests.scripted import Scripted

PUBLISHED_LEARNING = {
    "uncreated": "empty",
    "incumbent": "replay",
    "learn_from": "failed_calls",
    "stop": "no_failed_call",
    "proposal_temperature": 0.0,
    "check": "exceptions",
    "distinct": False,
    "ties": "earlier",
    "candidates": 4,
    "iterations": 2,
}
PUBLISHED_RULES = {
    "failure": "last_observation",
    "call_observation": "published",
    "invalid_actions": "bare",
    "unreadable": "action",
    "usage_example": "written",
    "learner_example": "same_domain",
    "show_turns": False,
    "show_returns": False,
    "empty_call": "successful",
    "action_format": "call",
}


@pytest.mark.parametrize(
    ("kind", "returns", "score"),
    [
        ("robotic_planning", "none", ("success", "step_correctness", "call_ratio")),
        ("alfworld", "observation", ("success", "call_ratio")),
    ],
)
def test_the_papers_preset_sets_every_switch(kind: str, returns: str, score: tuple[str, ...]) -> None:
    for trial in load({"name": "t", "preset": [kind, "paper"], "methods": "learnact"}).trials():
        settings = {name: getattr(options_of(trial), name) for name in PUBLISHED_LEARNING}
        assert settings == PUBLISHED_LEARNING
        assert options_of(trial).score == score
        assert trial.test == "all"
        assert {name: getattr(trial.rules, name) for name in PUBLISHED_RULES} == PUBLISHED_RULES
        assert (trial.agent_model.context, trial.learner_model.context) == (8192, 8192)
        assert trial.rules.primitive_returns == returns
        options = json.loads(trial.domain.options)
        assert options.get("actions") == ("published" if kind == "alfworld" else None)
        assert options.get("equal_arguments") == (None if kind == "alfworld" else "invalid")


def test_the_papers_preset_gives_alfworld_the_published_primitive_actions(tmp_path: Path) -> None:
    pytest.importorskip("alfworld")
    job = load({"name": "t", "preset": ["alfworld", "paper"], "domains": "alfworld-put", "methods": "act"})
    (trial,) = preflight(job, tmp_path).trials
    names = {primitive.name for primitive in registry.build(trial.domain).primitives}
    assert {"toggle", "use"} < names
    assert "look" not in names
    assert json.loads(trial.domain.options)["in_place"] == "invalid"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"gripper": {"actions": "published"}}, "domain_options.gripper.actions: gripper has no such option"),
        ({"gripper": {"balls": "many"}}, "domain_options.gripper.balls"),
        (
            {"griper": {"balls": 3}},
            "no domain of this job is called griper or griper-...; did you mean 'gripper'",
        ),
        ({"alfworld": {"actions": "published"}}, "no domain of this job is called alfworld"),
    ],
)
def test_options_that_no_domain_takes_are_refused(
    options: dict[str, object], told: str, tmp_path: Path
) -> None:
    job = load({"name": "t", "domains": "gripper", "methods": "act", "domain_options": options})
    with pytest.raises(BadInput) as error:
        preflight(job, tmp_path)
    assert told in str(error.value)


def test_training_tasks_are_the_published_ones() -> None:
    indices = {"gripper": (7, 9, 14), "blockworld": (4, 6, 8), "barman": (8, 7, 13), "tyreworld": (8, 4, 0)}
    assert {name: registry.factory(name).indices for name in indices} == indices  # type: ignore[attr-defined]
    games = {
        "put": ((14, 4, 2), 24),
        "clean": ((21, 2, 22), 31),
        "heat": ((11, 2, 1), 23),
        "cool": ((11, 7, 10), 21),
        "examine": ((13, 5, 14), 18),
        "puttwo": ((7, 9, 14), 17),
    }
    assert {name: (kind.published, kind.published_count) for name, kind in TASK_TYPES.items()} == games
    assert sum(count for _, count in games.values()) == 134


def test_blockworlds_problems_are_sorted_by_file_name(tmp_path: Path) -> None:
    """Index 1 of ten is problem10 (docs/method.md, section 2), so the published indices 4, 6, 8 are the
    problems of these numbers."""
    published_problems(tmp_path)
    found = registry.factory("blockworld")({"source": str(tmp_path)})
    assert [t.name for t in found.tasks("test")][:3] == ["problem1", "problem10", "problem2"]
    assert [t.name for t in found.tasks("train")] == ["problem4", "problem6", "problem8"]


# Each switch changes what is done -------------------------------------------------------------------------

ONE = (
    "learner.candidates=1",
    "learner.iterations=1",
    "domains={name: gripper, train: 1, balls: 2}",
    "learner.check=exceptions",
)


def function(body: str) -> str:
    """A proposal of one function `visit(start, end)`."""
    return f"```python\ndef visit(start, end):\n{body}\n```\nUsage: visit('rooma', 'roomb')"


ROUND_TRIP = function("    move(start, end)\n    move(end, start)")
STUMBLES = function("    pick('ball1', 'nowhere', 'left')\n    move(start, end)\n    move(end, start)")
READS = function("    return move(start, end).split() + move(end, start).split()")


def place(text: str) -> tuple[str, str]:
    """Where the robot is, and the other room."""
    here = re.findall(r"you are in (room[ab])\.", text)[-1]
    return here, "roomb" if here == "rooma" else "rooma"


def visits(text: str) -> str:
    return "visit({!r}, {!r})".format(*place(text))


def solves_after_a_failure(text: str) -> str:
    """One failed call of the learned action, then every ball is carried to its goal."""
    task = text.split("## Your task")[1]
    if "Action:" not in task.removesuffix("Action:"):
        return "visit('nowhere', 'rooma')"
    here, there = place(task)
    now = re.findall(r"Now: (.*)", task)[-1]
    held = re.findall(r"(left|right) holds (ball\d)", now)
    lies = dict(re.findall(r"(ball\d) is in (room[ab])", now))
    goal = dict(re.findall(r"(ball\d) is in (room[ab])", task.split("Observation:")[0]))
    if held:
        hand, ball = held[0]
        return f"drop({ball!r}, {here!r}, {hand!r})" if goal[ball] == here else f"move({here!r}, {there!r})"
    wrong = [ball for ball, room in goal.items() if lies[ball] != room]
    return f"pick({wrong[0]!r}, {here!r}, 'left')" if lies[wrong[0]] == here else f"move({here!r}, {there!r})"


async def improvements(create: str, act: Any, *switches: str) -> int:
    """How often the learner is shown a failed call."""
    chat = scripted(create=lambda text: create, act=act)
    await learn(chat, *ONE, *switches)
    return len(requests(chat, "improve"))


async def test_failure_by_the_last_observation_overlooks_what_failed_before() -> None:
    assert await improvements(STUMBLES, visits) > 0
    assert await improvements(STUMBLES, visits, "rules.failure=last_observation") == 0


async def test_learn_from_failed_tasks_passes_over_failed_calls_of_solved_ones() -> None:
    assert await improvements(ROUND_TRIP, solves_after_a_failure) > 0
    assert await improvements(ROUND_TRIP, solves_after_a_failure, "learner.learn_from=failed_tasks") == 0


async def test_stop_when_all_is_solved_though_calls_failed() -> None:
    assert await improvements(ROUND_TRIP, solves_after_a_failure, "learner.stop=all_solved") == 0
    assert await improvements(STUMBLES, visits, "learner.stop=all_solved") > 0


async def test_primitives_that_return_nothing_leave_learned_code_nothing_to_read() -> None:
    for returns, tries in (("observation", 1), ("none", 4), ("published", 4)):
        chat = scripted(create=lambda text: READS, act=visits)
        await learn(chat, *ONE, f"rules.primitive_returns={returns}")
        asked = requests(chat, "create")
        assert len(asked) == tries
        assert ("AttributeError" in asked[-1]) == (tries > 1)


async def test_an_uncreated_candidate_that_plays_empty_can_win() -> None:
    for uncreated, wins in (("drop", False), ("empty", True)):
        notes = Notes()
        chat = scripted(create=lambda text: BAD_CODE, act=visits)
        await learn(chat, *ONE, f"learner.uncreated={uncreated}", notes=notes)
        assert notes.candidates[0, 0].selected == wins


async def test_an_improvement_that_could_not_be_created_is_dropped_also_where_proposals_play_empty() -> None:
    notes = Notes()
    chat = scripted(
        create=lambda text: ROUND_TRIP, improve=lambda text: "I cannot.", act=solves_after_a_failure
    )
    await learn(chat, *ONE, "learner.uncreated=empty", notes=notes)
    assert notes.candidates[1, 1].uncreated
    assert notes.candidates[1, 1].score is None
    assert notes.candidates[1, 0].selected


async def acting(*switches: str, create: str, act: Any) -> list[str]:
    """The prompts of the agent while it learns."""
    chat = scripted(create=lambda text: create, act=act)
    await learn(chat, *ONE, "learner.iterations=0", *switches)
    return requests(chat, "act")


async def test_a_call_that_failed_in_the_middle_is_told_or_composed_as_published() -> None:
    told = (
        "1 of 3 primitive actions had no effect; the first was pick('ball1', 'nowhere', 'left') -> No effect"
    )
    assert told in (await acting(create=STUMBLES, act=visits))[1]
    shown = (await acting("rules.call_observation=published", create=STUMBLES, act=visits))[1]
    assert "No effect:" not in shown.split("## So far")[1]


async def test_an_invalid_action_says_why_or_only_that_it_is_invalid() -> None:
    def wrong(text: str) -> str:
        return "move('roomx', 'rooma')"

    observed = "Action: move('roomx', 'rooma')\nObservation: {}\n"
    assert observed.format("No effect: there is no roomx.") in (await acting(create=ROUND_TRIP, act=wrong))[1]
    bare = (await acting("rules.invalid_actions=bare", create=ROUND_TRIP, act=wrong))[1]
    assert observed.format("No effect.") in bare


async def test_turns_are_told_to_the_agent_and_the_end_to_the_learner() -> None:
    second = "This is turn 2 of 10 (each reply takes one turn); turns left after it: 8."
    ended = "The attempt ended after 10 turns, all that it had."
    for switches, told in (((), True), (("rules.show_turns=false",), False)):
        chat = scripted(create=lambda text: STUMBLES, act=visits)
        await learn(chat, *ONE, *switches)
        assert (second in requests(chat, "act")[1]) == told
        assert (ended in requests(chat, "improve")[0]) == told


async def test_what_a_call_returns_and_prints_is_shown_to_the_agent() -> None:
    finds = function(
        "    move(start, end)\n    move(end, start)\n    print('looked')\n    return 'in ' + end"
    )
    shown = (await acting(create=finds, act=visits))[1]
    assert re.search(r"Observation: It returned: in room[ab]\nIt printed: looked\nNow:", shown)
    off = (await acting("rules.show_returns=false", create=finds, act=visits))[1]
    assert "It returned" not in off
    assert "It printed" not in off


async def test_the_incumbent_plays_again_or_keeps_its_score() -> None:
    turns = {}
    for incumbent in ("keep", "replay"):
        chat = scripted(create=lambda text: STUMBLES, act=visits)
        await learn(chat, *ONE, f"learner.incumbent={incumbent}")
        turns[incumbent] = len(requests(chat, "act"))
    assert turns == {"keep": 2 * 10, "replay": 3 * 10}


async def test_the_score_is_the_sum_of_the_terms_that_are_named() -> None:
    scores = {}
    for terms in ("success", "success, call_ratio", "success, step_correctness, call_ratio"):
        notes = Notes()
        chat = scripted(create=lambda text: ROUND_TRIP, act=visits)
        await learn(chat, *ONE, f"learner.score=[{terms}]", notes=notes)
        scores[terms] = notes.candidates[0, 0].score
    assert list(scores.values()) == [0.0, 1.0, 2.0]


def published_problems(folder: Path) -> Path:
    """Ten problems in AgentBoard's layout."""
    inside = folder / "blockworld"
    inside.mkdir(parents=True)
    for number, task in enumerate(registry.factory("blockworld")({"test": 10}).tasks("test"), start=1):
        (inside / f"problem{number}.pddl").write_text(task.content)
    return folder


@pytest.mark.parametrize(("test", "tasks"), [("rest", 7), ("all", 10)])
def test_all_tasks_are_tested_or_those_that_were_not_learned_from(
    test: str, tasks: int, tmp_path: Path
) -> None:
    domain = {"name": "blockworld", "source": str(published_problems(tmp_path / "tasks"))}
    job = load({"name": "t", "domains": domain, "methods": "act", "repeats": {"learn": 1}, "test": test})
    assert preflight(job, tmp_path).test_episodes == tasks


async def test_another_table_of_sentences_is_what_the_agent_reads(tmp_path: Path) -> None:
    table = resources.files("learnact.domains.planning") / "data" / "gripper.yaml"
    file = tmp_path / "gripper.yaml"
    file.write_text(
        table.read_text().replace("you are [no longer] in {0}.", "the robot stands [no longer] inside {0}.")
    )
    shown = {}
    for text in ("clear", str(file)):
        job = load({"name": "t", "domains": {"name": "gripper", "text": text}, "methods": "act"})
        trial = job.trials()[0]
        task = registry.build(trial.domain).tasks("test")[0]
        shown[text] = (await agent_prompt(trial, task, Library())).messages()[-1].content
    assert "you are in roomb." in shown["clear"]
    assert "the robot stands inside roomb." in shown[str(file)]
    assert "you are in room" not in shown[str(file)]


@pytest.mark.parametrize(("form", "kind"), [("call", "unreadable"), ("text", "action")])
async def test_actions_are_calls_or_the_engines_own_text(form: str, kind: str) -> None:
    pytest.importorskip("alfworld")
    settings = {"domains": {"name": "alfworld-put", "train": 1, "test": 1}, "methods": "act"}
    trial = load(
        {"name": "t", **settings, "rules": {"action_format": form}, "budget": {"test": {"turns": 1}}}
    ).trials()[0]
    domain = registry.build(trial.domain)
    stakes = PlannedTest(trial.domain, domain, domain.tasks("test")[0], Library(), "test")
    episode: Episode = next(episodes_of(trial, [stakes]))
    async with Worker(Scripted(["go to cabinet 99"])) as worker:
        result = (await worker.execute(episode)).result
    assert isinstance(result, EpisodeResult)
    assert [turn.kind for turn in result.turns] == [kind]


async def test_turns_that_could_not_be_read_stand_apart_or_count_as_actions() -> None:
    def act(text: str) -> str:
        return "" if "## So far" in text and text.count("Action:") % 2 else visits(text)

    scores = {}
    for unreadable in ("apart", "action"):
        notes = Notes()
        chat = scripted(create=lambda text: ROUND_TRIP, act=act)
        await learn(chat, *ONE, "learner.score=[call_ratio]", f"rules.unreadable={unreadable}", notes=notes)
        scores[unreadable] = notes.candidates[0, 0].score
    assert scores["apart"] == 1.0
    assert 0 < scores["action"] < 1.0


async def test_the_usage_example_is_played_or_written_by_the_model() -> None:
    written = "Action: visit('roomb', 'rooma')\nObservation: Now: you have won."
    for kind, shown in (("played", False), ("written", True)):
        chat = scripted(create=lambda text: ROUND_TRIP, act=visits, usage=lambda text: written)
        await learn(chat, *ONE, f"rules.usage_example={kind}")
        examples = requests(chat, "act")[0].split("## Example\n")[1:]
        assert ("you have won" in "".join(examples)) == shown
        # The learned example stands last, or (published) first.
        assert ["visit(" in example for example in examples] == ([True, False] if shown else [False, True])
        assert ('"Observation:"' in requests(chat, "usage")[0]) == shown


async def test_the_learner_is_shown_another_world_or_its_own() -> None:
    for example, own in (("other_world", False), ("same_domain", True)):
        chat = scripted(create=lambda text: ROUND_TRIP, act=visits)
        await learn(chat, *ONE, f"rules.learner_example={example}")
        shown = requests(chat, "create")[0]
        assert ("def carry(obj, start, end, hand):" in shown) == own
        assert ("def store(item, drawer):" in shown) != own
        assert ("## Example\nGoal: ball1 is in rooma." in shown) == own


async def test_no_effect_in_the_usage_line_goes_back_or_exceptions_only() -> None:
    for check, tries in (("no_effect", 2), ("exceptions", 1)):
        chat = scripted(create=lambda text: STUMBLES, act=visits)
        await learn(chat, *ONE, "learner.iterations=0", f"learner.check={check}")
        assert len(requests(chat, "create")) == tries


async def test_equal_proposals_are_asked_for_again_and_not_played_twice() -> None:
    for distinct, asked, equal in ((True, 3, "0.0"), (False, 2, "")):
        notes = Notes()
        chat = scripted(create=lambda text: ROUND_TRIP, act=visits)
        settings = (*ONE[1:], "learner.candidates=2", "learner.iterations=0")
        await learn(chat, *settings, f"learner.distinct={distinct}", notes=notes)
        assert len(requests(chat, "create")) == asked
        assert notes.candidates[0, 1].equal_to == equal


async def test_the_reflector_is_shown_the_lessons_so_far_or_not() -> None:
    shown = {}
    for switch in (True, False):
        followed = await follow(
            "act+reflexion",
            [("act", "move('rooma', 'roomb')"), ("reflect", "Lesson: go."), ("reflect", "Lesson: stay.")]
            + [("act", "move('roomb', 'rooma')")] * 2,
            "budget.learn.turns=1",
            "budget.test.turns=1",
            f"learner.reflect_on_lessons={switch}",
        )
        second = [said for said in followed.said if said.purpose == "reflect"][1]
        shown[switch] = "## Lessons\n- go." in second.prompt.messages()[-1].content
    assert shown == {True: True, False: False}


async def test_proposals_are_sampled_at_a_temperature_of_their_own() -> None:
    sent = {}
    for temperature in (0.7, 0.0):
        chat = scripted(create=lambda text: ROUND_TRIP, act=visits)
        await learn(chat, *ONE, f"learner.proposal_temperature={temperature}")
        asked = zip(chat.models, chat.texts, strict=True)
        sent[temperature] = next(m.temperature for m, text in asked if "general Python functions" in text)
    assert sent == {0.7: 0.7, 0.0: 0.0}


# The table of docs/methods.md, line by line ----------------------------------------------------------------

TABLE = Path(__file__).parents[2] / "docs" / "methods.md"


def switches() -> dict[str, tuple[str, str]]:
    """The table "Switches": default and published value of each key, as written."""
    part = TABLE.read_text().split("## Switches\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in part.splitlines() if line.startswith("| `")]
    return {key.strip(): (default.strip(), published.strip()) for key, default, published, *_ in rows}


def value_of(written: str) -> Any:
    return yaml.safe_load(written.strip("`"))


def set_by(values: Any, key: str = "") -> dict[str, Any]:
    """The keys of a preset with dots, and their values."""
    if not isinstance(values, dict):
        return {key: values}
    return {
        k: v for name, inner in values.items() for k, v in set_by(inner, f"{key}.{name}".strip(".")).items()
    }


def test_the_preset_is_the_table_of_switches_line_by_line() -> None:
    preset = yaml.safe_load((resources.files("learnact.job") / "presets" / "paper.yaml").read_text())
    found = set_by(preset)
    table = {key.strip("`"): cells for key, cells in switches().items()}
    models = {key for key in found if key.startswith("models.")}
    equal = {key for key in found if key.endswith(".equal_arguments")}
    assert equal == {
        f"domain_options.{d}.equal_arguments" for d in ("gripper", "blockworld", "barman", "tyreworld")
    }
    plain = set(found) - models - equal - {"repeats.test"}
    assert plain == {key for key in table if not key.startswith("models.") and "equal_arguments" not in key}
    for key in plain:
        assert found[key] == value_of(table[key][1]), key
    assert {found[key] for key in equal} == {"invalid"}
    assert {key: found[key] for key in models} == {
        "models.agent_defaults.temperature": 0.0,
        "models.agent_defaults.top_p": 1.0,
        "models.agent_defaults.stop": ["\n"],
        "models.agent_defaults.context": 8192,
        "models.learner_defaults.temperature": 0.0,
        "models.learner_defaults.top_p": 1.0,
        "models.learner_defaults.context": 8192,
    }


def test_the_table_of_switches_has_the_defaults() -> None:
    (trial, *_) = load({"name": "t", "domains": "gripper", "methods": "learnact"}).trials()
    options = {**ReflexionOptions().model_dump(), **options_of(trial).model_dump()}
    for key, (default, _) in switches().items():
        owner, _, name = key.strip("`").partition(".")
        if owner == "rules":
            assert getattr(trial.rules, name) == value_of(default), key
        elif owner == "learner":
            assert options[name] == value_of(default), key
    assert trial.test == value_of(switches()["`test`"][0])
    repeats = load({"name": "t", "domains": "gripper", "methods": "learnact"}).repeats.learn
    assert repeats == value_of(switches()["`repeats.learn`"][0])


async def test_no_reason_is_promised_where_none_is_given() -> None:
    pytest.importorskip("alfworld")
    promised = {}
    for invalid in ("reason", "bare"):
        settings = {"domains": {"name": "alfworld-put", "train": 1, "test": 1}, "methods": "learnact"}
        trial = load({"name": "t", **settings, "rules": {"invalid_actions": invalid}}).trials()[0]
        task = registry.build(trial.domain).tasks("test")[0]
        acting = (await agent_prompt(trial, task, Library())).messages()[-1].content
        creating = await learner_prompt(trial, "create")
        assert creating is not None
        texts = (acting, creating.messages()[-1].content)
        promised[invalid] = [("says why" in text, '"Nothing happens."' in text) for text in texts]
    assert promised == {"reason": [(True, True)] * 2, "bare": [(False, True)] * 2}


def test_a_table_without_a_worked_function_is_refused_where_one_is_to_be_shown(tmp_path: Path) -> None:
    table = (resources.files("learnact.domains.planning") / "data" / "gripper.yaml").read_text()
    file = tmp_path / "gripper.yaml"
    file.write_text(re.sub(r"^function:\n(?:  .*\n)+", "", table, flags=re.MULTILINE))
    settings = {
        "name": "t",
        "domains": {"name": "gripper", "text": str(file)},
        "methods": ["act", "learnact"],
    }
    assert preflight(load(settings), tmp_path).trials
    job = load({**settings, "rules": {"learner_example": "same_domain"}})
    with pytest.raises(BadInput, match="learner_example: same_domain needs a worked function of gripper"):
        preflight(job, tmp_path)
