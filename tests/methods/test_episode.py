"""One episode of gripper, turn by turn, with a scripted model: what is sent, what is done, what is
recorded.
"""

import pytest

from learnact.domains import registry
from learnact.errors import ProviderFailure
from learnact.methods.prompt_sections import TEMPLATES
from learnact.records import (
    AgentSpec,
    Budget,
    DomainSpec,
    Episode,
    EpisodeResult,
    Exchange,
    LearnedAction,
    Library,
    Rules,
    Task,
)
from learnact.runners.worker import UnitLimits, Worker
from tests.scripted import MODEL, Scripted

GRIPPER = DomainSpec("gripper")
PROBLEM = """(define (problem two-balls) (:domain gripper-strips)
(:objects rooma roomb ball1 ball2 left right)
(:init (room rooma) (room roomb) (ball ball1) (ball ball2) (gripper left) (gripper right)
  (at-robby rooma) (free left) (free right) (at ball1 rooma) (at ball2 rooma))
(:goal (and (at ball1 roomb) (at ball2 roomb))))"""
CARRY = LearnedAction(
    "carry",
    "carry(ball, start, end, hand='left')",
    "def carry(ball, start, end, hand='left'):\n    pick(ball, start, hand)\n    move(start, end)\n    "
    "drop(ball, end, hand)",
    "Requires: ball is in start. Then: ball is in end.",
    ("Use it when you are in start.",),
)
BROKEN = LearnedAction(
    "broken",
    "broken(ball)",
    "def broken(ball):\n    pick(ball, 'rooma', 'left')\n    return {}['x']",
    "Picks.",
)
LIBRARY = Library((CARRY, BROKEN), usage_example="Goal: g\nAction: carry('b', 'c', 'd')\nObservation: done")


@pytest.fixture
def task(tmp_path) -> Task:
    path = tmp_path / "two.pddl"
    path.write_text(PROBLEM)
    return registry.build(GRIPPER).read(str(path))


def episode(task, agent="act", library=Library(), program="", **changes) -> Episode:
    fields = dict(
        trial="t",
        method="m",
        phase="test",
        domain=GRIPPER,
        task=task,
        agent=AgentSpec(agent, program=program),
        library=library, model=MODEL, budget=Budget(turns=8, history=4), rules=Rules(), seed=7,
        prompts=TEMPLATES.hash, versions="v",
    )  # fmt: skip
    return Episode(**{**fields, **changes})


async def play(unit, chat, limits=UnitLimits()):
    async with Worker(chat, limits) as worker:
        return await worker.execute(unit)


async def test_act_plays_primitives_until_the_goal_is_reached(task):
    chat = Scripted(
        [
            "pick('ball1', 'rooma', 'left')",
            "Action: pick(ball2, rooma, hand=right)",
            "```\nmove('rooma', 'roomb')\n```",
            "drop('ball1', 'roomb', 'left')",
            "drop('ball2', 'roomb', 'right')",
        ]
    )
    outcome = await play(episode(task), chat)
    result = outcome.result
    assert isinstance(result, EpisodeResult)
    assert result.success
    assert [t.call for t in result.turns][1] == "pick('ball2', 'rooma', 'right')"
    assert [t.progress for t in result.turns] == [0, 0, 0, 0.5, 1]
    assert result.grounding == 1
    assert len(outcome.calls) == 5
    assert result.tokens.prompt == sum(len(text.split()) for text in chat.texts)


async def test_the_prompt_shows_the_last_entries_of_the_history_and_always_the_task(task):
    chat = Scripted(["pick('ball1', 'rooma', 'left')"] + ["look('around')"] * 7)
    await play(episode(task), chat)
    last = chat.texts[-1]
    assert "Goal: ball1 is in roomb. ball2 is in roomb." in last
    assert "## Your task" in last
    assert "pick('ball1', 'rooma', 'left')\nObs" not in last.split("## So far")[1]
    assert last.split("## So far")[1].count("Action: look") == 2
    assert last.endswith("\nAction:")
    assert chat.prompts[-1].history_start == 10


async def test_an_unreadable_reply_costs_a_turn_and_never_reaches_the_environment(task):
    result = (await play(episode(task), Scripted(["I am not sure."] * 8))).result
    assert [t.kind for t in result.turns] == ["unreadable"] * 8
    assert result.primitive_steps == 0
    assert result.turns[0].observation.startswith(
        "That could not be read as an action: the reply holds no call. "
    )
    assert {t.cause for t in result.turns} == {"no_call"}


async def test_an_unknown_action_is_told_and_counts_against_grounding(task):
    result = (await play(episode(task), Scripted(["fly('roomb')"] * 8))).result
    assert not any(t.ok for t in result.turns)
    assert "fly" in result.turns[0].observation
    assert result.grounding == 0


async def test_react_thinks_at_the_cost_of_a_turn(task):
    chat = Scripted(["Think: both balls must go.", "pick('ball1', 'rooma', 'left')"] * 4)
    result = (await play(episode(task, "react"), chat)).result
    assert [t.kind for t in result.turns[:2]] == ["thought", "action"]
    assert result.turns[0].observation == "Ok."
    assert "Think: both balls must go.\nObservation: Ok.\nAction: " not in chat.texts[1]
    assert "Think: both balls must go.\nObservation: Ok.\n" in chat.texts[1]


BOTH = "Think: both balls must go.\nAction: pick('ball1', 'rooma', 'left')\nObservation: Ok."


async def test_a_thought_and_an_action_in_one_reply_are_one_turn(task):
    chat = Scripted([BOTH] * 8)
    first, *_ = (await play(episode(task, "react"), chat)).result.turns
    assert (first.kind, first.ok, first.thought) == ("action", True, "both balls must go.")
    assert first.ignored == ("observation",)
    shown = chat.texts[1].split("## So far")[1]
    assert "Think: both balls must go.\nAction: pick('ball1', 'rooma', 'left')\nObservation: " in shown
    assert "Ok." not in shown


async def test_a_thought_uses_up_the_turn_where_only_the_first_line_is_read(task):
    rules = Rules(reply="first_line")
    first, *_ = (await play(episode(task, "react", rules=rules), Scripted([BOTH] * 8))).result.turns
    assert (first.kind, first.said, first.thought) == ("thought", "both balls must go.", "")
    assert (first.observation, first.ignored, first.steps) == ("Ok.", ("lines",), ())


async def test_a_learned_action_makes_its_primitive_steps_in_one_turn(task):
    chat = Scripted(
        [
            "carry('ball1', 'rooma', 'roomb')",
            "move('roomb', 'rooma')",
            "carry('ball2', 'rooma', 'roomb', hand='right')",
        ]
    )
    result = (await play(episode(task, library=LIBRARY), chat)).result
    assert result.success
    assert [len(t.steps) for t in result.turns] == [3, 1, 3]
    assert [t.learned for t in result.turns] == [True, False, True]
    assert result.learned_calls_ok == 2
    assert result.turns[0].observation.startswith("Now: you are in roomb.")
    prompt = chat.texts[0]
    assert "- carry(ball, start, end, hand='left'): Requires: ball is in start." in prompt
    assert "  Note: Use it when you are in start." in prompt
    assert prompt.index("Action: carry('b', 'c', 'd')") < prompt.index("## Your task")


async def test_an_error_in_learned_code_is_data_and_what_it_did_stays_done(task):
    chat = Scripted(
        ["broken('ball1')", "move('rooma', 'roomb')", "drop('ball1', 'roomb', 'left')"]
        + ["broken('ball2')"] * 5
    )
    result = (await play(episode(task, library=LIBRARY), chat)).result
    first = result.turns[0]
    assert not first.ok
    assert (first.error.type, first.error.function) == ("KeyError", "broken")
    assert first.error.source.strip() == "return {}['x']"
    assert "KeyError" in first.observation
    assert result.turns[2].progress == 0.5


async def test_success_latches_at_the_primitive_that_reaches_it(task):
    through = (
        "carry('ball1', 'rooma', 'roomb')\nmove('roomb', 'rooma')\ncarry('ball2', "
        "'rooma', 'roomb')\ncarry('ball1', 'roomb', 'rooma')"
    )
    result = (await play(episode(task, "program", LIBRARY, through, model=None), Scripted([]))).result
    assert result.success
    assert result.primitive_steps == 7


async def test_code_as_policies_runs_one_program_and_keeps_what_it_did(task):
    code = (
        "```python\ndef go(b):\n    pick(b, 'rooma', 'left')\n    move('rooma', 'roomb')\n"
        "    drop(b, 'roomb', 'left')\ngo('ball1')\nraise ValueError('stop')\n```"
    )
    result = (await play(episode(task, "code_as_policies"), Scripted([code]))).result
    assert not result.success
    assert result.progress == 0.5
    assert result.turns[0].error.type == "ValueError"
    assert len(result.turns) == 1


class Flaky(Scripted):
    """Fails at chosen calls, as an endpoint does."""

    def __init__(self, answer, fail_at):
        super().__init__(answer)
        self.fail_at = set(fail_at)
        self.asked = 0

    async def complete(self, model, prompt, seed, affinity) -> Exchange:
        self.asked += 1
        if self.asked in self.fail_at:
            raise ProviderFailure("the endpoint is down")
        return await super().complete(model, prompt, seed, affinity)


async def test_a_providers_failure_is_tried_again_without_asking_twice_and_is_not_scored(task):
    moves = ["pick('ball1', 'rooma', 'left')", "pick('ball2', 'rooma', 'right')", "move('rooma', 'roomb')"]
    chat = Flaky([*moves, "drop('ball1', 'roomb', 'left')", "drop('ball2', 'roomb', 'right')"], fail_at={3})
    outcome = await play(episode(task), chat)
    assert outcome.result.success
    assert [(a.boundary, a.error) for a in outcome.attempts] == [("provider", "the endpoint is down")]
    assert chat.asked == 6


async def test_when_every_try_fails_there_is_no_result(task):
    outcome = await play(episode(task), Flaky([], fail_at=range(100)), UnitLimits(tries=2))
    assert outcome.result is None
    assert len(outcome.attempts) == 2
