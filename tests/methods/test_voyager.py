"""Voyager, our adaptation, followed: code, what the world answered, the critic's word, again; verified
skills for the next task and the test.
"""

from tests.methods.following import FETCH, SCENE, follow, reviewed

REFUSED = (
    "```python\nimport os\ndef fetch(ball):\n    pick(ball, os.name, 'left')\n```\nUsage: fetch('ball1')"
)
RAISES = """```python
def fetch(ball, start, end, hands):
    pick(ball, start, hands[0])
    move(start, end)
    drop(ball, end, hands[1])
```
Usage: fetch('ball1', 'rooma', 'roomb', ['left'])"""
SWAP = """```python
def swap(one, here, other, there):
    fetch(one, here, there, 'left')
    fetch(other, there, here, 'right')
```
Usage: swap('ball2', 'rooma', 'ball1', 'roomb')"""


async def test_voyager():
    followed = await follow(
        "voyager",
        [
            ("code", REFUSED),
            ("code", RAISES),
            ("verify", "Verdict: no\nCritique: ball1 is still in the hand."),
            ("code", FETCH),
            ("verify", "Verdict: yes\nCritique: none"),
            (
                "usage",
                "Action: fetch('ball1', 'roomb', 'rooma', 'left')\nObservation: Now: you are in rooma.",
            ),
            ("describe", "Description: Carries a ball from the room start, where you are, to the room end."),
            ("code", SWAP),
            ("verify", "Verdict: yes\nCritique: none"),
            (
                "usage",
                "Action: swap('ball1', 'roomb', 'ball2', 'rooma')\nObservation: Now: you are in rooma.",
            ),
            ("describe", "Makes two balls change rooms; you are in the first one's."),
            ("act", "fetch('ball1', 'roomb', 'rooma', 'left')"),
            ("act", "fetch('ball2', 'roomb', 'rooma', 'left')"),
            ("act", "move('rooma', 'roomb')"),
            ("act", "fetch('ball2', 'roomb', 'rooma', 'left')"),
        ],
        domain={**SCENE, "train": 2},
    )  # fmt: skip
    rows = [row for _, row in sorted(followed.notes.candidates.items())]
    assert [(row.origin, row.selected, row.uncreated) for row in rows] == [("skill", True, "")] * 2
    assert [[a.name for a in followed.notes.libraries[row.library].actions] for row in rows] == [
        ["fetch"],
        ["fetch", "swap"],
    ]
    assert rows[1].parent == rows[0].library
    turns = followed.test.turns
    assert [(t.learned, t.ok, len(t.steps)) for t in turns] == [
        (True, True, 3),
        (True, False, 3),
        (False, True, 1),
        (True, True, 3),
    ]
    assert followed.test.success
    reviewed("voyager", followed)


async def test_a_task_without_a_verified_round_adds_no_skill():
    no = ("verify", "Verdict: no\nCritique: ball1 is in the wrong room.")
    acts = [("act", "move('roomb', 'rooma')")]
    followed = await follow(
        "voyager",
        [("code", FETCH), no, ("code", FETCH), no, *acts],
        "learner.voyager_rounds=2",
        "budget.test.turns=1",
    )
    assert followed.library.actions == ()
    assert followed.notes.candidates[0, 0].uncreated == "no round was verified"
