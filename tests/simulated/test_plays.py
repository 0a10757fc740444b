"""The simulated model as an author: right at full attention, wrong in the matching way where a rule of the
prompt is missing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from learnact.records import ModelSpec, Prompt
from learnact.records.synthesis import SynthesisScript
from learnact.simulated.replies import reply_to
from learnact.synthesis.generation import ExamplePlan, play_prompt, script_prompt
from learnact.synthesis.patterns import PatternMatcher
from learnact.synthesis.scripts import script_from
from learnact.synthesis.verification import Verifier
from tests.synthesis.made import SCRIPT, TURNS

SEEDS = range(12)


@pytest.fixture
async def verifier() -> AsyncIterator[Verifier]:
    async with PatternMatcher(cpu_seconds=0.5) as matcher:
        yield Verifier(matcher)


def plan(seed: int = 0) -> ExamplePlan:
    return ExamplePlan("t", 0, f"A diver, number {seed}.", 1, ModelSpec("m"), seed)


def said(prompt: Prompt, seed: int, without: str = "") -> str:
    """The reply at full attention to a prompt, from which the lines with some words are taken out."""
    messages = []
    for message in prompt.messages():
        lines = [line for line in message.content.splitlines() if not without or without not in line]
        assert not without or message.role == "system" or len(lines) < len(message.content.splitlines())
        messages.append((message.role, "\n".join(lines)))
    found = reply_to("sim-perfect", messages, seed)
    assert found.unread == ()
    return found.text


async def test_at_full_attention_every_reply_is_accepted(verifier: Verifier) -> None:
    for seed in SEEDS:
        verdict = await verifier.script(said(script_prompt(plan(seed)), seed))
        assert verdict.script is not None, verdict.broken
        play = await verifier.trajectory(verdict.script, (), said(play_prompt(verdict.script), seed))
        assert play.accepted, play.broken
        for begun in range(1, len(play.turns)):
            prompt = play_prompt(verdict.script, play.turns[:begun])
            rest = await verifier.trajectory(verdict.script, play.turns[:begun], said(prompt, seed))
            assert rest.accepted, (begun, rest.broken)


SCRIPT_FAULTS = {
    "one JSON object": {"json"},
    "Its keys are": {"keys"},
    '"Environment" is an object': {"types"},
    '"Goal" is text': {"goal"},
    "list of texts, none twice": {"conditions"},
    '"Available Actions" is an object': {"some_action"},
    'the keys "verification code"': {"action_keys"},
    '"parameters" is an object': {"placeholders", "values"},
    "with one group for each": {"groups", "compiles", "fits"},
    "repeats no group": {"quick"},
}
PLAY_FAULTS = {
    "one JSON list": {"json"},
    "Turns are numbered": {"order"},
    "A turn of the Player has": {"keys"},
    "A turn of the DM has": {"keys"},
    "marks no error": {"marked_nothing"},
    '"parameter_error" is true exactly': {"unmarked_form", "unmarked_value", "marked_right"},
    "completion conditions that hold": {"known_conditions"},
    "changes nothing in the world": {"failed_completes"},
    "at least two mistakes": {"refinements"},
    "ends with the turn of the DM": {"goal_reached", "after_goal"},
}


@pytest.mark.parametrize("words", SCRIPT_FAULTS)
async def test_a_rule_of_the_script_that_is_missing_brings_its_fault(verifier: Verifier, words: str) -> None:
    found = Counter()
    for seed in SEEDS[:2] if words == "repeats no group" else SEEDS:  # each such pattern takes CPU time
        broken = (await verifier.script(said(script_prompt(plan(seed)), seed, words))).broken
        found[broken.rule if broken else ""] += 1
    assert set(found) - {""} == SCRIPT_FAULTS[words], found


@pytest.mark.parametrize("words", PLAY_FAULTS)
async def test_a_rule_of_the_play_that_is_missing_brings_its_fault(verifier: Verifier, words: str) -> None:
    found = Counter()
    for seed in SEEDS:
        script = (await verifier.script(said(script_prompt(plan(seed)), seed))).script
        assert script is not None
        broken = (await verifier.trajectory(script, (), said(play_prompt(script), seed, words))).broken
        found[broken.rule if broken else ""] += 1
    assert set(found) - {""} <= PLAY_FAULTS[words], found
    assert found[""] < len(SEEDS), found


async def test_a_world_of_another_author_is_played(verifier: Verifier) -> None:
    """Other words for places, things and actions: what an action does follows from its values."""
    foreign = json.loads(json.dumps(SCRIPT))
    foreign["Environment"]["workshop"] = {"shelf": ["brush", "glue"], "bench": []}
    script: SynthesisScript = script_from(foreign)
    assert (await verifier.trajectory(script, (), said(play_prompt(script), 3))).accepted


@pytest.mark.parametrize("environment", [{}, {"a": 3}, {"shelf": [["brush"]]}])
def test_a_world_that_cannot_be_read_is_not_understood(environment: dict[str, object]) -> None:
    script = script_from({**SCRIPT, "Environment": environment})
    assert said(play_prompt(script), 0) == "I do not understand."


def test_the_turns_of_the_tests_are_a_play() -> None:
    assert [turn["turn"] for turn in TURNS] == list(range(1, len(TURNS) + 1))
