"""Observations of calls that made several primitive actions, and which calls count as failed."""

from learnact.methods.observations import build_observation, succeeded
from learnact.records import ActionError, PrimitiveStep, Rules

GOOD = PrimitiveStep("a()", True, "state one")
BETTER = PrimitiveStep("b()", True, "state two")
BAD = PrimitiveStep("c()", False, "No effect.")
ERROR = ActionError("KeyError", "'x'", "carry", 3, "    seen['x']")


def test_robotic_planning_shows_the_last_state():
    assert build_observation("last", [GOOD, BETTER], None) == "state two"


def test_robotic_planning_shows_a_last_failure_with_the_last_valid_state():
    assert build_observation("last", [GOOD, BETTER, BAD], None) == "No effect.\nstate two"
    assert build_observation("last", [BAD], None) == "No effect."


def test_alfworld_shows_all_valid_observations_the_failure_first():
    assert build_observation("all", [GOOD, BAD, BETTER], None) == "No effect.\nstate one\nstate two"


def test_an_error_is_told_and_what_was_done_before_it_is_kept():
    text = build_observation("last", [GOOD], ERROR)
    assert text.splitlines() == [
        "The call was stopped by KeyError: 'x' (in carry, line 3: seen['x'])",
        "state one",
    ]


def test_any_invalid_primitive_fails_a_call_unless_the_published_rule_is_asked_for():
    published = Rules(failure="last_observation")
    assert not succeeded(Rules(), [BAD, GOOD], None)
    assert succeeded(published, [BAD, GOOD], None)
    assert not succeeded(published, [GOOD, BAD], None)
    assert not succeeded(Rules(), [GOOD], ERROR)
    assert not succeeded(published, [GOOD], ERROR)
