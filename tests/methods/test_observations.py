"""Observations of calls that made several primitive actions, and which calls count as failed."""

import pytest

from learnact.methods.observations import RETURNED_CHARS, build_observation, output_lines, succeeded
from learnact.records import ActionError, PrimitiveStep, Rules

GOOD = PrimitiveStep("a()", True, "state one")
BETTER = PrimitiveStep("b()", True, "state two")
BAD = PrimitiveStep("c()", False, "No effect.")
ERROR = ActionError("KeyError", "'x'", "carry", 3, "    seen['x']")
TOLD, PUBLISHED = Rules(), Rules(call_observation="published")


@pytest.mark.parametrize("rules", [TOLD, PUBLISHED])
def test_robotic_planning_shows_the_last_state(rules):
    assert build_observation("last", rules, [GOOD, BETTER], None) == "state two"


def test_what_had_no_effect_is_told_also_when_the_last_action_worked():
    first = "1 of 3 primitive actions had no effect; the first was c()"
    assert build_observation("last", TOLD, [GOOD, BAD, BETTER], None) == f"{first} -> No effect.\nstate two"
    # In ALFWorld the failure names its call and stands where it happened.
    assert build_observation("all", TOLD, [GOOD, BAD, BETTER], None).splitlines() == [
        f"{first}.",
        "state one",
        "c(): No effect.",
        "state two",
    ]
    two = build_observation("last", TOLD, [GOOD, BAD, BAD], None)
    assert two == "2 of 3 primitive actions had no effect; the first was c() -> No effect.\nstate one"


def test_the_published_composition_shows_a_failure_of_the_last_action_only():
    assert build_observation("last", PUBLISHED, [GOOD, BAD, BETTER], None) == "state two"
    assert build_observation("last", PUBLISHED, [GOOD, BETTER, BAD], None) == "No effect.\nstate two"
    assert build_observation("last", PUBLISHED, [BAD], None) == "No effect."
    assert build_observation("all", PUBLISHED, [GOOD, BAD, BETTER], None).splitlines() == [
        "No effect.",
        "state one",
        "state two",
    ]


def test_an_error_is_told_and_what_was_done_before_it_is_kept():
    text = build_observation("last", TOLD, [GOOD], ERROR)
    assert text.splitlines() == [
        "The call was stopped by KeyError: 'x' (in carry, line 3: seen['x'])",
        "state one",
    ]


def test_what_a_call_returned_and_printed_is_shown_bounded_and_not_twice():
    assert output_lines("drawer 3", "looked\n", ()) == ["It returned: drawer 3", "It printed: looked"]
    assert output_lines(["drawer 3", 2], "", ()) == ["It returned: ['drawer 3', 2]"]
    assert output_lines(None, " \n", ()) == []
    assert output_lines(False, "", ()) == ["It returned: False"]
    # Observations that are shown already are not repeated.
    assert output_lines("state one", "", ["state one"]) == []
    assert output_lines(["state one", "state two"], "", ["state one", "state two"]) == []
    (long,) = output_lines("x" * 10_000, "", ())
    assert len(long) < RETURNED_CHARS + 60
    assert long.endswith(f"({10_000 - RETURNED_CHARS} more characters)")


def test_any_invalid_primitive_fails_a_call_unless_the_published_rule_is_asked_for():
    published = Rules(failure="last_observation")
    assert not succeeded(Rules(), [BAD, GOOD], None)
    assert succeeded(published, [BAD, GOOD], None)
    assert not succeeded(published, [GOOD, BAD], None)
    assert not succeeded(Rules(), [GOOD], ERROR)
    assert not succeeded(published, [], None)
    assert not succeeded(published, [GOOD], ERROR)


def test_a_call_without_a_primitive_succeeds_only_by_the_published_rule():
    assert not succeeded(Rules(), [], None)
    assert succeeded(Rules(empty_call="successful"), [], None)
    assert not succeeded(Rules(empty_call="successful"), [], ERROR)
