"""Reflexion with an Act and a ReAct agent, followed: failed training episodes become lessons, which the
test episode is shown.
"""

from learnact.records import Terms
from tests.methods.following import follow, reviewed

ROUND = ("budget.learn.turns=2", "budget.test.turns=6")
FIRST, SECOND = "Pick a ball up in the room where it is.", "Drop a ball only in the room where it must be."
TEST = [
    ("act", "pick('ball1', 'roomb', 'left')"),
    ("act", "pick('ball2', 'roomb', 'right')"),
    ("act", "move('roomb', 'rooma')"),
    ("act", "drop('ball1', 'rooma', 'left')"),
    ("act", "drop('ball2', 'rooma', 'right')"),
]


async def test_act_with_reflexion():
    followed = await follow(
        "act+reflexion",
        [
            ("act", "pick('ball1', 'roomb', 'left')"),
            ("act", "I am stuck."),
            ("reflect", f"Lesson: {FIRST}"),
            ("act", "pick('ball1', 'rooma', 'left')"),
            ("act", "drop('ball1', 'rooma', 'left')"),
            ("reflect", f"**Lesson:** {SECOND}"),
            *TEST,
        ],
        *ROUND,
    )
    assert followed.library.lessons == (FIRST, SECOND)
    assert [len(r.turns) for r in followed.played("learn")] == [2, 2]
    rows = followed.notes.candidates
    assert [(row.origin, row.score, row.selected) for _, row in sorted(rows.items())] == [
        ("lesson", 0, True),
        ("lesson", 0, True),
        ("lesson", None, True),
    ]
    assert [followed.notes.libraries[row.library].lessons for _, row in sorted(rows.items())] == [
        (),
        (FIRST,),
        (FIRST, SECOND),
    ]
    never_played = rows[2, 0]
    assert never_played.terms == Terms()
    assert never_played.uncreated == ""
    assert followed.test.success
    reviewed("act+reflexion", followed)


async def test_react_with_reflexion():
    followed = await follow(
        "react+reflexion",
        [
            ("act", "Think: ball1 must go to roomb."),
            ("act", "Action: pick('ball1', 'roomb', 'left')"),
            ("reflect", f"Lesson: {FIRST}"),
            ("act", "Action: pick('ball1', 'rooma', 'left')"),
            ("act", "Think: now to roomb."),
            ("reflect", f"Lesson: {SECOND}"),
            ("act", "Think: I carry one ball in each hand."),
            *TEST,
        ],
        *ROUND,
    )
    assert followed.library.lessons == (FIRST, SECOND)
    first, second = followed.played("learn")
    assert [t.kind for t in first.turns] == ["thought", "action"]
    assert [t.kind for t in second.turns] == ["action", "thought"]
    assert [t.kind for t in followed.test.turns] == ["thought", *["action"] * 5]
    assert followed.test.success
    reviewed("react+reflexion", followed)


async def test_a_solved_training_episode_teaches_nothing():
    solved = [
        ("act", "pick('ball1', 'rooma', 'left')"),
        ("act", "move('rooma', 'roomb')"),
        ("act", "drop('ball1', 'roomb', 'left')"),
    ]
    followed = await follow("act+reflexion", [*solved, *TEST], "budget.learn.turns=3")
    assert followed.library.lessons == ()
    assert len(followed.notes.candidates) == 1
