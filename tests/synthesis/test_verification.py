"""Every rule of verification: a reply that breaks it alone is refused for it, and passes once the rule is
taken out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from learnact.records.synthesis import ScriptAction, SynthesisScript
from learnact.synthesis.patterns import TEXT_CHARS, PatternMatcher
from learnact.synthesis.scripts import SCRIPT_RULES
from learnact.synthesis.trajectories import TURN_RULES, WHOLE_RULES
from learnact.synthesis.verification import Verifier
from tests.synthesis.made import DONE, SCRIPT, TURNS, master, player, script, turns

Script, Turns = dict[str, Any], list[dict[str, Any]]
ENDLESS = r"(?:a|a)*b"
"""Takes two to the power of the text's length steps on a run of a."""


@pytest.fixture
async def verifier() -> AsyncIterator[Verifier]:
    async with PatternMatcher(cpu_seconds=0.2) as matcher:
        yield Verifier(matcher)


def actions(made: Script) -> dict[str, Any]:
    return made["Available Actions"]  # type: ignore[no-any-return]


def put(key: str, value: Any, *path: str) -> Callable[[Script], None]:
    """Set a key below a path."""

    def change(made: Any) -> None:
        for step in path:
            made = made[step]
        made[key] = value

    return change


BAD_SCRIPTS: dict[str, str] = {
    "json": script() + "\nI hope that this helps.",
    "keys": script(lambda made: made.update(Title="A workshop")),
    "types": script(put("Environment", "a workshop")),
    "goal": script(put("Goal", " ")),
    "conditions": script(put("Completion Conditions", [DONE, DONE])),
    "some_action": script(put("Available Actions", {})),
    "action_keys": script(put("about", "walks", "Available Actions", "go to {place}")),
    "placeholders": script(put("place", ["bench"], "Available Actions", "take {thing}", "parameters")),
    "values": script(put("thing", ["brush", "brush"], "Available Actions", "take {thing}", "parameters")),
    "compiles": script(put("verification code", "take (", "Available Actions", "take {thing}")),
    "quick": script(put("verification code", ENDLESS, "Available Actions", "look")),
    "groups": script(put("verification code", "take (the )?(.+)", "Available Actions", "take {thing}")),
    "fits": script(put("verification code", "grab (.+)", "Available Actions", "take {thing}")),
}


def at(index: int, **changes: Any) -> str:
    """The trajectory with one turn changed."""
    return turns(lambda made: made[index].update(changes))


def with_action(place: int, action: str, **marks: bool) -> str:
    """The trajectory with another action, and its answer marked otherwise."""

    def change(made: Turns) -> None:
        made[place]["Action"] = action
        made[place + 1].update(marks)

    return turns(change)


def without_goal(made: Turns) -> None:
    made[-1]["completed"] = []


def goes_on(made: Turns) -> None:
    made.extend((player(16, "look"), master(17, "All is done.", completed=(DONE,))))


def one_repair(made: Turns) -> None:
    for place in (2, 6):
        made[place].update(parameter_error=False, place_error=False)
    made[5]["Action"] = "look"


BAD_TURNS: dict[str, str] = {
    "keys": at(4, Mood="calm"),
    "types": at(8, place_error="no"),
    "order": at(3, turn=7),
    "after_goal": turns(goes_on),
    "quick": with_action(5, "a" * 60, parameter_error=True),
    "unmarked_form": with_action(5, "grab brush", parameter_error=False),
    "unmarked_value": with_action(9, "put hammer on bench", parameter_error=False, logic_error=True),
    "marked_right": with_action(3, "go to shelf", parameter_error=True),
    "marked_nothing": at(0, logic_error=True),
    "known_conditions": at(8, completed=["the brush is held"]),
    "failed_completes": at(10, completed=[DONE, "so far"]),
}
BAD_WHOLES: dict[str, str] = {
    "json": turns() + "\nThe end.",
    "goal_reached": turns(without_goal),
    "refinements": turns(one_repair),
}


def known_script(
    reply: str = script(), changed: Callable[[Script], None] = lambda _: None
) -> SynthesisScript:
    from learnact.synthesis.scripts import script_from

    made = json.loads(reply)
    changed(made)
    return script_from(made)


async def test_what_keeps_to_every_rule_is_accepted(verifier: Verifier) -> None:
    found = await verifier.script(script())
    assert found.script == known_script()
    assert found.broken is None
    fenced = await verifier.script(f"```json\n{script()}\n```")
    assert fenced == found
    verdict = await verifier.trajectory(known_script(), (), turns())
    assert verdict.accepted, verdict.broken
    assert [turn.marked for turn in verdict.turns if turn.role == "DM"] == [
        *("", "place", "", "parameter", "", "parameter", "", ""),
    ]


@pytest.mark.parametrize("rule", [rule.name for rule in SCRIPT_RULES])
async def test_a_bad_script_is_refused_for_its_rule_and_passes_without_it(
    verifier: Verifier, rule: str
) -> None:
    found = await verifier.script(BAD_SCRIPTS[rule])
    assert found.script is None
    assert found.broken is not None
    assert found.broken.rule == rule, found.broken
    without = replace(verifier, script_rules=tuple(r for r in SCRIPT_RULES if r.name != rule))
    assert (await without.script(BAD_SCRIPTS[rule])).script is not None


def script_for(rule: str) -> SynthesisScript:
    """The script that a bad turn is played in."""
    if rule == "quick":
        return known_script(changed=put("verification code", ENDLESS, "Available Actions", "look"))
    if rule == "failed_completes":
        return known_script(changed=put("Completion Conditions", [DONE, "so far"]))
    return known_script()


@pytest.mark.parametrize("rule", [rule.name for rule in TURN_RULES])
async def test_a_bad_turn_is_refused_for_its_rule_and_passes_without_it(
    verifier: Verifier, rule: str
) -> None:
    played, reply = script_for(rule), BAD_TURNS[rule]
    if rule == "failed_completes":
        made = json.loads(reply)
        made[-1]["completed"] = [DONE, "so far"]
        made[10]["completed"] = ["so far"]
        reply = json.dumps(made)
    found = await verifier.trajectory(played, (), reply)
    assert found.broken is not None
    assert found.broken.rule == rule, found.broken
    assert not found.accepted
    without = replace(verifier, turn_rules=tuple(r for r in TURN_RULES if r.name != rule))
    again = await without.trajectory(played, (), reply)
    assert again.accepted, again.broken


@pytest.mark.parametrize("rule", [rule.name for rule in WHOLE_RULES])
async def test_a_bad_trajectory_is_refused_for_its_rule_and_passes_without_it(
    verifier: Verifier, rule: str
) -> None:
    found = await verifier.trajectory(known_script(), (), BAD_WHOLES[rule])
    assert found.broken is not None
    assert found.broken.rule == rule, found.broken
    without = replace(verifier, whole_rules=tuple(r for r in WHOLE_RULES if r.name != rule))
    assert (await without.trajectory(known_script(), (), BAD_WHOLES[rule])).accepted


def test_every_rule_has_a_reply_that_breaks_it() -> None:
    assert set(BAD_SCRIPTS) == {rule.name for rule in SCRIPT_RULES}
    assert set(BAD_TURNS) == {rule.name for rule in TURN_RULES}
    assert set(BAD_WHOLES) == {rule.name for rule in WHOLE_RULES}


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        (BAD_TURNS["unmarked_form"], 6),  # up to the action, which the game master answers anew
        (BAD_TURNS["marked_nothing"], 0),
        (turns()[:-150], 14),  # cut: what was read is kept
        (BAD_WHOLES["goal_reached"], 15),  # it can go on
        (BAD_WHOLES["json"], 13),  # the last action is taken back, so that it can go on
        (BAD_WHOLES["refinements"], 0),  # nothing that follows would repair more (AgentRefine, algorithm 1)
        ("I cannot do that.", 0),
        ('{"turn": 1}', 0),
        ("[" * 100_000, 0),
    ],
)
async def test_generation_goes_on_from_the_verified_prefix(verifier: Verifier, reply: str, kept: int) -> None:
    found = await verifier.trajectory(known_script(), (), reply)
    assert not found.accepted
    assert [turn.turn for turn in found.turns] == list(range(1, kept + 1))


async def test_the_rest_of_a_trajectory_completes_its_verified_beginning(verifier: Verifier) -> None:
    first = await verifier.trajectory(known_script(), (), BAD_TURNS["unmarked_form"])
    rest = json.dumps(TURNS[len(first.turns) :])
    second = await verifier.trajectory(known_script(), first.turns, rest)
    assert second.accepted, second.broken
    assert len(second.turns) == len(TURNS)
    again = await verifier.trajectory(known_script(), first.turns, turns())
    assert again.broken is not None
    assert again.broken.rule == "order", "a reply that begins again is not taken for the rest"


HOSTILE = (
    r"(a+)+$",
    r"(a|aa)+$",
    r"(.*)*x",
    r"(?:a?){60}a{60}",
    r"((((((((((a*)*)*)*)*)*)*)*)*)*)b",
    r"(a{0,1000}){0,1000}b",
)


@pytest.mark.parametrize("pattern", HOSTILE)
async def test_a_pattern_without_end_is_stopped_and_the_next_one_still_matches(
    verifier: Verifier, pattern: str
) -> None:
    made = script(put("verification code", pattern, "Available Actions", "look"))
    found = await verifier.script(made)
    assert found.script is None
    assert (await verifier.script(script())).script is not None


async def test_an_action_that_is_too_long_fits_no_pattern() -> None:
    anything = ScriptAction("say", ".*", ())
    async with PatternMatcher(cpu_seconds=1.0) as matcher:
        kinds = [
            fit.kind for fit in await matcher.fits([anything], ["x" * TEXT_CHARS, "x" * (TEXT_CHARS + 1)])
        ]
    assert kinds == ["fits", "other"]


@pytest.mark.parametrize(
    "odd", ["\ud800", "\x00", "(?P<a>x)(?P=a)", "(?i:look)", "x" * 2000, "(" * 500, "[", "*", "(?<=a+)b"]
)
async def test_odd_patterns_are_judged_not_raised(verifier: Verifier, odd: str) -> None:
    await verifier.script(script(put("verification code", odd, "Available Actions", "look")))
    played = known_script(changed=put("verification code", odd, "Available Actions", "look"))
    await verifier.trajectory(played, (), turns())


@pytest.mark.parametrize(
    "reply",
    [
        "null",
        "[]",
        "[null]",
        "[[]]",
        '[{"turn": true}]',
        '[{"turn": 1e400}]',
        '[{"role": 5}]',
        "NaN",
        "{}",
        '{"Environment": {"a": NaN}}',
        '{"Available Actions": {"a": 1, "a": 2}}',
        '{"Available Actions": {"{a} {a}": {"parameters": {"a": ["x"]}, "verification code": "(x) (x)"}}}',
    ],
)
async def test_odd_replies_are_judged_not_raised(verifier: Verifier, reply: str) -> None:
    assert (await verifier.script(reply)).script is None
    assert not (await verifier.trajectory(known_script(), (), reply)).accepted


def test_the_good_script_is_as_models_write_it() -> None:
    assert json.loads(script()) == SCRIPT
