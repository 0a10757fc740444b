"""Best of n, followed: what a method without a learner does with the budget that LearnAct's learning cost;
the best attempt becomes an example.
"""

from tests.methods.following import follow, reviewed

MATCHED = ("budget.learn.turns=2", "budget.test.turns=1")


async def test_act_is_shown_the_earlier_of_two_equal_attempts_with_how_it_ended():
    attempts = ["move('rooma', 'roomb')", "move('roomb', 'rooma')", "fly('roomb')", "I am lost."]
    followed = await follow(
        "act", [("act", reply) for reply in (*attempts, "move('roomb', 'rooma')")], *MATCHED, calls=4
    )
    first, second = followed.played("learn")
    assert (first.progress, second.progress) == (0.5, 0.5)
    # As good as each other, so the earlier is kept.
    assert "Action: move('rooma', 'roomb')" in followed.library.usage_example
    assert followed.library.usage_example.endswith(
        "The goal was not reached. The attempt ended after 2 turns, all that it had."
    )
    assert [row.origin for row in followed.notes.candidates.values()] == ["attempt", "attempt"]
    reviewed("act-best_of", followed)


async def test_code_as_policies_is_shown_the_better_of_two_programs_as_a_program():
    nothing = "```python\nmove('rooma', 'roomb')\n```"
    solves = (
        "```python\npick('ball1', 'rooma', 'left')\nmove('rooma', 'roomb')\n"
        "drop('ball1', 'roomb', 'left')\n```"
    )
    followed = await follow(
        "code_as_policies", [("act", nothing), ("act", solves), ("act", nothing)], *MATCHED, calls=2
    )
    assert [result.success for result in followed.played("learn")] == [False, True]
    example = followed.library.usage_example
    assert "Program:\n```python\npick('ball1', 'rooma', 'left')" in example
    assert example.endswith("The goal was reached after 1 turn.")
    assert example in followed.said[-1].prompt.messages()[-1].content
    reviewed("code_as_policies-best_of", followed)
