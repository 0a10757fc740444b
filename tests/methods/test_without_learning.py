"""Act, ReAct and Code as Policies, turn by turn: nothing is learned, and a test episode is played."""

from tests.methods.following import follow, reviewed

TURNS = ("budget.test.turns=9", "budget.test.history=6")


async def test_act():
    replies = [
        "fly('rooma')",
        "I would pick up a ball.",
        "pick('ball1', 'rooma', 'left')",
        "Action: pick('ball1', 'roomb', 'left')",
        "pick('ball2', 'roomb', hand='right')",
        "```\nmove('roomb', 'rooma')\n```",
        "drop('ball1', 'rooma', 'left')",
        "drop('ball2', 'rooma', 'right')",
    ]
    followed = await follow("act", [("act", reply) for reply in replies], *TURNS)
    turns = followed.test.turns
    assert [t.kind for t in turns] == ["action", "unreadable", *["action"] * 6]
    assert [t.ok for t in turns] == [False, False, False, True, True, True, True, True]
    assert [t.progress for t in turns] == [0, 0, 0, 0, 0, 0, 0.5, 1]
    assert followed.test.success
    assert followed.played("learn") == []
    assert followed.library.actions == ()
    reviewed("act", followed)


async def test_react():
    replies = [
        "Think: both balls must go to rooma.",
        "Think: I carry one in each hand.\nAction: pick('ball1', 'roomb', 'left')",
        "pick('ball2', 'roomb', 'right')",
        "Action: move('roomb', 'rooma')",
        "Thinking about it, I am nearly done.",
        "Action: drop('ball1', 'rooma', 'left')",
        "Action: drop('ball2', 'rooma', 'right')",
    ]
    followed = await follow("react", [("act", reply) for reply in replies], *TURNS)
    turns = followed.test.turns
    assert [t.kind for t in turns] == [
        "thought", "action", "action", "action", "unreadable", "action", "action",
    ]  # fmt: skip
    assert turns[0].observation == "Ok."
    assert turns[1].thought == "I carry one in each hand."
    assert len(turns[1].steps) == 1
    assert followed.test.success
    assert followed.test.grounding == 5 / 6
    assert followed.library.actions == ()
    reviewed("react", followed)


def carrying(*then: str) -> str:
    """A program that carries ball1, then goes on."""
    lines = [
        "def carry(ball, hand):",
        "    pick(ball, 'roomb', hand)",
        "    move('roomb', 'rooma')",
        "    drop(ball, 'rooma', hand)",
        "carry('ball1', 'left')",
        *then,
    ]
    return "```python\n" + "\n".join(lines) + "\n```"


async def test_code_as_policies_keeps_what_it_did_when_its_program_fails_halfway():
    program = carrying("balls = {}", "carry(balls['ball2'], 'right')")
    followed = await follow("code_as_policies", [("act", program)])
    (turn,) = followed.test.turns
    assert [step.ok for step in turn.steps] == [True, True, True]
    assert turn.error is not None
    assert turn.error.type == "KeyError"
    assert not followed.test.success
    assert followed.test.progress == 0.5
    reviewed("code_as_policies", followed)


async def test_code_as_policies_has_won_when_its_program_passes_through_the_goal():
    program = carrying(
        "move('rooma', 'roomb')",
        "carry('ball2', 'left')",
        "pick('ball1', 'rooma', 'left')",
        "raise ValueError",
    )
    followed = await follow("code_as_policies", [("act", program)])
    (turn,) = followed.test.turns
    assert followed.test.success
    assert turn.error is None
    assert len(turn.steps) == 7


async def test_code_as_policies_without_a_program_does_nothing():
    followed = await follow("code_as_policies", [("act", "First I would pick up ball1.")])
    (turn,) = followed.test.turns
    assert (turn.kind, turn.steps) == ("unreadable", ())
    assert followed.test.progress == 0
