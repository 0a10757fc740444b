"""The rivals, followed: what each asks, what it keeps, and what its agent is given at the test."""

from __future__ import annotations

from learnact.records import EXAMPLES_APART
from tests.methods.following import FETCH, follow, reviewed

SOLVE = ["pick('ball1', 'rooma', 'left')", "move('rooma', 'roomb')", "drop('ball1', 'roomb', 'left')"]
"""Solves the training task."""
IDLE = [f"move({a!r}, {b!r})" for a, b in (("rooma", "roomb"), ("roomb", "rooma"))]
BOTH = ["pick('ball1', 'roomb', 'left')", "pick('ball2', 'roomb', 'right')", "move('roomb', 'rooma')"]
BOTH += ["drop('ball1', 'rooma', 'left')", "drop('ball2', 'rooma', 'right')"]
"""Solves the test task."""
USAGE = "Action: fetch('ball1', 'roomb', 'rooma', 'left')\nObservation: Now: you are in rooma."
DESCRIBED = "Carries a ball from the room start, where you are, to the room end."


def acts(calls: list[str]) -> list[tuple[str, str]]:
    return [("act", call) for call in calls]


async def test_expel_gathers_with_reflections_edits_rules_and_shows_similar_successes() -> None:
    followed = await follow(
        "expel",
        [
            *acts([*IDLE, IDLE[0]]),
            ("reflect", "Lesson: Pick up the ball before you go."),
            *acts([*SOLVE[:2], "move('roomb', 'rooma')"]),
            ("reflect", "Lesson: Put it down at the end."),
            *acts(SOLVE),
            (
                "rules",
                "ADD: Pick up a ball before you move.\nADD: Drop it where it must be.\nEDIT 9: No such.",
            ),
            ("rules", "AGREE 2\nREMOVE 1\n2. EDIT 2: Drop a ball in the room that the goal names."),
            *acts(BOTH),
        ],
        "budget.learn.turns=3",
        "budget.test.turns=5",
    )
    assert followed.library.lessons == (
        "Drop a ball in the room that the goal names.",
        "Pick up a ball before you move.",
    )
    (example,) = followed.library.examples
    assert "Action: drop('ball1', 'roomb', 'left')" in example
    assert "The goal was reached after 3 turns." in example
    (row,) = followed.notes.candidates.values()
    assert (row.origin, row.terms.success) == ("rules", 1 / 3)
    assert followed.test.success
    reviewed("expel", followed)


async def test_awm_keeps_workflows_of_attempts_that_are_judged_to_have_succeeded() -> None:
    followed = await follow(
        "awm",
        [
            *acts(SOLVE),
            ("verify", "Verdict: yes\nCritique: none"),
            (
                "workflows",
                "Workflow: carry a ball: pick({ball}, {start}, {hand}); move({start}, {end}); "
                "drop({ball}, {end}, {hand})\n\nI am done.",
            ),
            *acts(BOTH),
        ],
        "budget.test.turns=5",
    )
    assert followed.library.lessons == (
        "carry a ball: pick({ball}, {start}, {hand}); move({start}, {end}); drop({ball}, {end}, {hand})",
    )
    assert followed.test.success
    reviewed("awm", followed)


async def test_awm_learns_nothing_from_an_attempt_that_is_judged_to_have_failed() -> None:
    followed = await follow(
        "awm",
        [*acts(SOLVE), ("verify", "Verdict: no\nCritique: ball2 was not moved."), *acts(BOTH)],
        "budget.test.turns=5",
    )
    (row,) = followed.notes.candidates.values()
    assert row.uncreated == "the attempt was judged to have failed: ball2 was not moved."
    assert followed.library.lessons == ()


async def test_asi_keeps_functions_whose_replay_is_verified() -> None:
    followed = await follow(
        "asi",
        [
            *acts(["pick('ball1', 'roomb', 'left')", *SOLVE]),
            ("verify", "Verdict: yes\nCritique: none"),
            ("induce", FETCH),
            ("verify", "Verdict: yes\nCritique: none"),
            ("usage", USAGE),
            ("describe", DESCRIBED),
            *acts(["fetch('ball1', 'roomb', 'rooma', 'left')", "move('rooma', 'roomb')"]),
            *acts(["fetch('ball2', 'roomb', 'rooma', 'left')"]),
        ],
    )
    induced = next(said for said in followed.said if said.purpose == "induce")
    shown = induced.prompt.messages()[-1].content
    done = shown[shown.index("## What was done") :]
    assert "pick('ball1', 'roomb', 'left')" not in done, "steps without effect are left out"
    assert [a.name for a in followed.library.actions] == ["fetch"]
    assert followed.test.success
    reviewed("asi", followed)


async def test_asi_drops_functions_that_do_not_do_the_task_again() -> None:
    half = FETCH.replace("Usage: fetch(", "Usage: pick(")
    wrong = FETCH.replace("'rooma', 'roomb'", "'roomb', 'rooma'")
    for reply, why in (
        (half, "replayed, no new function was called"),
        (wrong, "had no effect"),
        ("I can not.", "The answer holds no Python code block."),
    ):
        reply = reply.replace("pick('ball1', 'rooma', 'roomb', 'left')", "pick('ball1', 'rooma', 'left')")
        followed = await follow(
            "asi",
            [*acts(SOLVE), ("verify", "Verdict: yes\nCritique: none"), ("induce", reply), *acts(BOTH)],
            "budget.test.turns=5",
        )
        (row,) = followed.notes.candidates.values()
        assert why in row.uncreated
        assert followed.library.actions == ()


async def test_asi_drops_functions_whose_replay_is_judged_to_have_failed_and_passes_over_short_attempts() -> (
    None
):
    followed = await follow(
        "asi",
        [
            *acts(SOLVE),
            ("verify", "Verdict: yes"),
            ("induce", FETCH),
            ("verify", "Verdict: no\nCritique: ball2."),
            *acts(BOTH),
        ],
        "budget.test.turns=5",
    )
    (row,) = followed.notes.candidates.values()
    assert row.uncreated == "replayed, the goal was judged not to be reached: ball2."
    followed = await follow("asi", [*acts(SOLVE), *acts(BOTH)], "budget.test.turns=5", "learner.asi_steps=4")
    (row,) = followed.notes.candidates.values()
    assert row.uncreated == "the attempt has fewer than 4 steps"


def program(*lines: str) -> str:
    return "```python\n" + "\n".join(lines) + "\n```"


HELPER = (
    "def fetch(ball, start, end, hand):",
    '    """Carries a ball from start, where you are, to end."""',
    "    pick(ball, start, hand)",
    "    move(start, end)",
    "    drop(ball, end, hand)",
)


async def test_code_act_calls_in_later_steps_what_it_defined_before() -> None:
    followed = await follow(
        "code_act",
        [
            ("act", program("def broken():", "    move('roomb', 'rooma')", "broken()", "1 / 0")),
            ("act", program("broken()")),
            ("act", program(*HELPER, "move('rooma', 'roomb')", "fetch('ball1', 'roomb', 'rooma', 'left')")),
            ("act", "Now the other one."),
            ("act", program("move('rooma', 'roomb')", "fetch('ball2', 'roomb', 'rooma', 'left')")),
        ],
    )
    turns = followed.test.turns
    assert [turn.kind for turn in turns] == ["action", "action", "action", "unreadable", "action"]
    assert [turn.error.type if turn.error else "" for turn in turns][:2] == ["ZeroDivisionError", "NameError"]
    assert turns[0].error is not None
    assert turns[0].error.line == 4
    assert followed.test.success
    reviewed("code_act", followed)


async def test_dynasaur_keeps_functions_of_programs_that_ran() -> None:
    followed = await follow(
        "dynasaur",
        [
            ("act", program("def bad():", "    pick('ball9')", "bad()", "1 / 0")),
            ("act", program(*HELPER, "fetch('ball1', 'rooma', 'roomb', 'left')")),
            ("act", program("fetch('ball1', 'roomb', 'rooma', 'left')", "move('rooma', 'roomb')")),
            ("act", program("fetch('ball2', 'roomb', 'rooma', 'left')")),
        ],
    )
    (action,) = followed.library.actions
    assert (action.signature, action.description) == (
        "fetch(ball, start, end, hand)",
        "Carries a ball from start, where you are, to end.",
    )
    assert followed.test.success
    reviewed("dynasaur", followed)


async def test_automanual_writes_rules_helpers_and_a_manual() -> None:
    followed = await follow(
        "automanual",
        [
            ("act", program("move('rooma', 'roomb')")),
            (
                "manual",
                "ADD (unsolved error): Nothing was picked up.\nADD (success process): not allowed now.",
            ),
            ("act", program(*HELPER, "fetch('ball1', 'rooma', 'roomb', 'left')")),
            (
                "manual",
                "EDIT 1: Pick up a ball before you move.\nADD (useful helper method): fetch carries a ball.",
            ),
            ("formulate", "- Pick up a ball before you move.\n- fetch does it."),
            ("act", program("fetch('ball1', 'roomb', 'rooma', 'left')", "move('rooma', 'roomb')")),
            ("act", program("fetch('ball2', 'roomb', 'rooma', 'left')")),
        ],
        "learner.automanual_games=2",
        "budget.learn.turns=1",
    )
    library = followed.library
    assert library.lessons == ("Pick up a ball before you move.", "fetch does it.")
    assert [a.name for a in library.actions] == ["fetch"]
    assert len(library.examples) == 1
    assert EXAMPLES_APART not in library.usage_example
    assert followed.test.success
    reviewed("automanual", followed)


async def test_automanual_merges_a_list_that_has_grown_too_long_and_ends_after_three_successes() -> None:
    solve = ("act", program(*HELPER, "fetch('ball1', 'rooma', 'roomb', 'left')"))
    followed = await follow(
        "automanual",
        [
            solve,
            ("manual", "\n".join(f"ADD (special mechanism): Rule {word}." for word in ("one", "two"))),
            ("consolidate", "REMOVE 2\nEDIT 1: Rules one and two."),
            solve,
            ("manual", "EDIT 1: One rule."),
            solve,
            ("manual", "Nothing new."),
            ("formulate", "One rule."),
            ("act", program("move('roomb', 'rooma')")),
        ],
        "learner.automanual_rules=1",
        "budget.test.turns=1",
    )
    assert followed.library.lessons == ("One rule.",)
    assert len(followed.played("learn")) == 3
