"""LearnAct with an Act and a ReAct agent, followed: create, try, select, improve by a note and by an
update, test.
"""

import importlib.util

import pytest

from tests.methods.following import FETCH, follow, reviewed

ONE = ("learner.candidates=1", "budget.learn.turns=2", "budget.test.turns=4")
REFUSED = (
    "```python\nimport os\ndef fetch(ball):\n    pick(ball, os.name, 'left')\n```\nUsage: fetch('ball1')"
)
RAISES = (
    "```python\ndef fetch(ball, start, hands):\n    pick(ball, start, hands[0])\n    "
    "drop(ball, start, hands[1])\n```\nUsage: fetch('ball1', 'rooma', ['left'])"
)
UPDATE = """Reason: you may be in the other room when it is called.
Update:
```python
def fetch(ball, start, end, hand):
    move(end, start)
    pick(ball, start, hand)
    move(start, end)
    drop(ball, end, hand)

def shuttle(balls, start, end):
    for number in range(2):
        pick(balls[number], start, 'left')
        move(start, end)
        drop(balls[number], end, 'left')
        move(end, start)
```
Usage: shuttle([{})"""
NOTE = "Reason: ball1 was elsewhere.\nNote: Give as start the room where the ball is."
USAGE = ("usage", "Action: fetch('ball1', 'roomb', 'rooma', 'left')\nObservation: Now: you are in rooma.")
DESCRIBED = ("describe", "Description: Carries a ball from the room start to the room end.")


async def test_learnact():
    followed = await follow(
        "learnact",
        [
            # Create: refused, raises, loads; explained.
            ("create", REFUSED),
            ("create", RAISES),
            ("create", FETCH),
            USAGE,
            DESCRIBED,
            # Try: the first call fails, and nothing is reached.
            ("act", "fetch('ball1', 'roomb', 'rooma', 'left')"),
            ("act", "move('rooma', 'roomb')"),
            # Improve by a note, which wins although one of its calls fails.
            ("improve", "It cannot be improved."),
            ("improve", NOTE),
            USAGE,
            ("act", "fetch('ball2', 'roomb', 'rooma', 'left')"),
            ("act", "fetch('ball1', 'rooma', 'roomb', 'left')"),
            # Improve by an update: what had no effect goes back once, then it is explained again; it wins
            # because it makes no mistake.
            ("improve", UPDATE.format("'ball2', 'ball1'], 'roomb', 'rooma'")),
            ("improve", UPDATE.format("'ball1', 'ball2'], 'rooma', 'roomb'")),
            # An example whose only call fails goes back, too.
            USAGE,
            ("usage", "Action: fetch('ball2', 'rooma', 'roomb', 'left')"),
            DESCRIBED,
            ("describe", "Carries two balls, one after the other."),
            ("act", "move('rooma', 'roomb')"),
            ("act", "fetch('ball1', 'rooma', 'roomb', 'left')"),
            # Test: a call that fails midway, then one that passes through the goal.
            ("act", "shuttle(['ball1'], 'roomb', 'rooma')"),
            ("act", "shuttle(['ball2', 'ball1'], 'roomb', 'rooma')"),
        ],
        *ONE,
    )
    rows = dict(sorted(followed.notes.candidates.items()))
    assert [(at, row.origin, row.selected) for at, row in rows.items()] == [
        ((0, 0), "create", True),
        ((1, 0), "incumbent", False),
        ((1, 1), "note", True),
        ((2, 0), "incumbent", False),
        ((2, 1), "update", True),
    ]
    assert [row.score for row in rows.values()] == [0, 0, 2, 2, 2.5]
    assert [row.failed_call for row in rows.values() if row.failed_call] == [
        "fetch('ball1', 'roomb', 'rooma', 'left')",
        "fetch('ball2', 'roomb', 'rooma', 'left')",
    ]
    assert [(a.name, a.notes) for a in followed.notes.libraries[rows[1, 1].library].actions] == [
        ("fetch", ("Give as start the room where the ball is.",))
    ]
    assert [(a.name, a.notes) for a in followed.library.actions] == [("fetch", ()), ("shuttle", ())]
    midway, through = followed.test.turns
    assert midway.error is not None
    assert midway.error.type == "IndexError"
    assert (midway.ok, len(midway.steps), midway.progress) == (False, 4, 0.5)
    assert (through.ok, len(through.steps), through.progress) == (True, 3, 1)
    assert followed.test.success
    reviewed("learnact", followed)


async def test_learnact_with_thoughts():
    followed = await follow(
        "learnact-react",
        [
            ("create", FETCH),
            USAGE,
            DESCRIBED,
            ("act", "Think: ball1 must go to roomb."),
            ("act", "Action: fetch('ball1', 'roomb', 'rooma', 'left')"),
            ("improve", NOTE),
            USAGE,
            ("act", "Action: fetch('ball1', 'rooma', 'roomb', 'left')"),
            ("act", "Think: one after the other."),
            ("act", "Action: fetch('ball1', 'roomb', 'rooma', 'left')"),
            ("act", "Action: move('rooma', 'roomb')"),
            ("act", "Action: fetch('ball2', 'roomb', 'rooma', 'left')"),
        ],
        *ONE,
    )
    assert [row.origin for _, row in sorted(followed.notes.candidates.items())] == [
        "create",
        "incumbent",
        "note",
    ]
    first, second = followed.played("learn")
    assert [(t.kind, t.learned, t.ok) for t in first.turns] == [
        ("thought", False, True),
        ("action", True, False),
    ]
    assert second.success
    assert followed.library.actions[0].notes == ("Give as start the room where the ball is.",)
    assert [t.kind for t in followed.test.turns] == ["thought", "action", "action", "action"]
    assert followed.test.success
    reviewed("learnact-react", followed)


VISIT = """```python
def visit(recep):
    goto(recep)
    open(recep)
```
Usage: visit('drawer 1')"""


VISITED = ("usage", "Action: visit('drawer 1')\nAction: goto('bed 1')")


@pytest.mark.skipif(importlib.util.find_spec("alfworld") is None, reason="needs learnact[alfworld]")
async def test_learnact_in_a_household_is_shown_the_whole_history_and_all_observations():
    followed = await follow(
        "learnact",
        [
            ("create", VISIT),
            VISITED,
            ("describe", "Description: Goes to recep and opens it."),
            ("act", "goto('sofa 1')"),
            ("act", "visit('drawer 1')"),
            ("act", "visit('sidetable 1')"),
            ("improve", "Reason: a sidetable has no door.\nNote: Call it only where recep is closed."),
            VISITED,
            ("act", "visit('drawer 1')"),
            ("act", "visit('drawer 2')"),
            ("act", "visit('drawer 3')"),
            ("act", "visit('fridge 1')"),
        ],
        "learner.candidates=1",
        "budget.learn.turns=3",
        "budget.test.turns=1",
        domain={"name": "alfworld-put", "level": "easy", "train": 1, "test": 1},
    )
    first, second = followed.played("learn")
    assert [t.ok for t in first.turns] == [True, True, False]
    assert [step.ok for step in first.turns[2].steps] == [True, False]
    assert all(t.ok for t in second.turns)
    assert followed.library.actions[0].notes == ("Call it only where recep is closed.",)
    reviewed("learnact-alfworld", followed)
