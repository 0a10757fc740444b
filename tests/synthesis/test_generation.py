"""One example: which calls are made, what each is told, and what it comes to, with replies that a test
writes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from learnact.records import ModelSpec, Reply, Request
from learnact.records.synthesis import ReplyCheck, SynthesizedExample
from learnact.synthesis.generation import ExamplePlan, generate
from learnact.synthesis.patterns import PatternMatcher
from learnact.synthesis.verification import Verifier
from tests.synthesis.made import SCRIPT, TURNS, script, turns
from tests.synthesis.test_verification import BAD_SCRIPTS, BAD_TURNS, BAD_WHOLES

PERSON = "A cooper who lost his glasses."


@dataclass
class Dialogue:
    """Canned replies, the requests that they answer, and what was found in them."""

    replies: list[str | None]
    requests: list[Request] = field(default_factory=list)
    checks: list[ReplyCheck] = field(default_factory=list)

    async def __call__(self, request: Request) -> Reply | None:
        self.requests.append(request)
        text = self.replies.pop(0)
        return None if text is None else Reply(text)

    def reply_check(self, check: ReplyCheck) -> None:
        self.checks.append(check)

    @property
    def asked(self) -> list[str]:
        return [request.prompt.messages()[-1].content for request in self.requests]


@pytest.fixture
async def verifier() -> AsyncIterator[Verifier]:
    async with PatternMatcher(cpu_seconds=0.5) as matcher:
        yield Verifier(matcher)


async def made(
    verifier: Verifier, replies: Sequence[str | None]
) -> tuple[SynthesizedExample | None, Dialogue]:
    dialogue = Dialogue(list(replies))
    plan = ExamplePlan("trial", 3, PERSON, 2, ModelSpec("m"), seed=5)
    found = await generate(plan, dialogue, verifier, dialogue)
    assert dialogue.replies == [], "no more calls than needed, and no fewer"
    return found, dialogue


async def test_two_good_replies_make_an_example(verifier: Verifier) -> None:
    found, dialogue = await made(verifier, [script(), turns()])
    assert found is not None
    assert (found.status, found.calls, found.refinements, found.example) == ("verified", 2, 3, 3)
    assert [request.purpose for request in dialogue.requests] == ["script", "trajectory"]
    asked_script, asked_play = dialogue.asked
    assert PERSON in asked_script
    assert "number 2 of this person's worlds" in asked_script
    assert json.dumps(SCRIPT["Available Actions"]) in asked_play
    assert "What was wrong" not in asked_script + asked_play
    assert [check.accepted for check in dialogue.checks] == [True, True]
    assert [check.request for check in dialogue.checks] == [request.key for request in dialogue.requests]


async def test_a_script_is_asked_for_again_and_told_what_was_wrong(verifier: Verifier) -> None:
    bad = [BAD_SCRIPTS["json"], BAD_SCRIPTS["groups"], BAD_SCRIPTS["values"]]
    found, dialogue = await made(verifier, [*bad, script(), turns()])
    assert found is not None
    assert found.status == "verified"
    assert [check.rule for check in dialogue.checks] == ["json", "groups", "values", "", ""]
    for check, asked in zip(dialogue.checks[:3], dialogue.asked[1:4], strict=True):
        assert check.problem in asked
    assert "What was wrong" not in dialogue.asked[4]
    assert len({request.seed for request in dialogue.requests}) == 5, "each try draws anew"
    assert len({request.key for request in dialogue.requests}) == 5


async def test_a_script_that_stays_bad_is_refused_after_four_calls(verifier: Verifier) -> None:
    found, dialogue = await made(verifier, [BAD_SCRIPTS["keys"]] * 4)
    assert found is not None
    assert (found.status, found.reason, found.script, found.turns) == ("refused", "script: keys", None, ())
    assert found.calls == 4


async def test_a_trajectory_goes_on_from_its_verified_beginning(verifier: Verifier) -> None:
    cut = json.dumps(TURNS[:4])[:-30]
    rest = json.dumps(TURNS[6:])
    found, dialogue = await made(verifier, [script(), cut, json.dumps(TURNS[3:6]), rest])
    assert found is not None
    assert found.status == "verified", found.reason
    assert [turn.turn for turn in found.turns] == list(range(1, 16))
    assert [check.verified for check in dialogue.checks] == [0, 3, 6, 15]
    assert [check.rule for check in dialogue.checks] == ["", "json", "goal_reached", ""]
    first, second, third = dialogue.asked[1:]
    assert "Turns so far" not in first
    assert "from turn 4 (the Player's)" in second
    assert "from turn 7 (the DM's)" in third
    assert third.count('"turn": ') == 6 + third.split("## Script")[0].count('"turn": ')


async def test_too_few_repairs_throw_all_away(verifier: Verifier) -> None:
    found, dialogue = await made(verifier, [script(), BAD_WHOLES["refinements"], turns()])
    assert found is not None
    assert found.status == "verified"
    assert [check.verified for check in dialogue.checks] == [0, 0, 15]
    assert "Turns so far" not in dialogue.asked[2]
    assert "at least 2 are wanted" in dialogue.asked[2]


async def test_a_trajectory_that_stays_bad_is_refused_with_what_was_right(verifier: Verifier) -> None:
    again = json.dumps([{**TURNS[6], "parameter_error": False}])
    found, _ = await made(verifier, [script(), BAD_TURNS["unmarked_form"], again, again, again])
    assert found is not None
    assert (found.status, found.reason) == ("refused", "trajectory: unmarked_form")
    assert (len(found.turns), found.calls) == (6, 5)


@pytest.mark.parametrize(
    "replies", [[None], [BAD_SCRIPTS["json"], None], [script(), None], [script(), "x", None]]
)
async def test_without_a_reply_nothing_is_decided(verifier: Verifier, replies: list[str | None]) -> None:
    found, _ = await made(verifier, replies)
    assert found is None
