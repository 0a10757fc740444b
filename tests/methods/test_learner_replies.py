"""Replies of learner models in the forms that chat models send."""

from learnact.methods import learner_replies

CODE = "```python\ndef carry(ball):\n    pick(ball)\n    move(ball)\n```"


def test_a_proposal_is_code_and_the_line_that_tries_it():
    found = learner_replies.proposal(f"Here you are:\n{CODE}\n\n**Usage:** `carry('ball1')`")
    assert found == learner_replies.Proposal(
        "def carry(ball):\n    pick(ball)\n    move(ball)", "carry('ball1')"
    )


def test_a_usage_line_inside_the_fence_or_without_a_label_is_found():
    inside = CODE.replace("\n```", "\n# try it\n```") + "\ncarry('ball1')"
    assert learner_replies.proposal(inside).usage == "carry('ball1')"


def test_an_update_has_a_reason_and_a_test():
    found = learner_replies.improvement(f"Reason: the hand was full.\nUpdate:\n{CODE}\nUsage: carry('ball2')")
    assert isinstance(found, learner_replies.Update)
    assert (found.reason, found.proposal.usage) == ("the hand was full.", "carry('ball2')")


def test_a_note_has_a_reason_and_a_sentence():
    found = learner_replies.improvement(
        "Reason: it was called\nwith a full hand.\n\n**Note:** Use it only when a hand is free."
    )
    assert found == learner_replies.Note(
        "it was called with a full hand.", "Use it only when a hand is free."
    )


def test_what_is_neither_is_nothing():
    assert learner_replies.improvement("I am not sure.") is None


def test_a_trajectory_keeps_actions_and_observations_only():
    text = "Sure!\n```\nAction: carry('b')\nObservation: Now: it is there.\nIt is quiet.\nAction: move('a')\n```\nDone."
    assert learner_replies.trajectory(text).splitlines() == [
        "Action: carry('b')",
        "Observation: Now: it is there. It is quiet.",
        "Action: move('a')",
    ]


def test_descriptions_lessons_and_verdicts():
    assert learner_replies.description("Description: Requires: x.\n Then: y.") == "Requires: x. Then: y."
    assert learner_replies.lesson("Lesson: look before you leap.") == "look before you leap."
    assert learner_replies.verdict("Verdict: Yes.\nCritique: none") == (True, "none")
    assert learner_replies.verdict("maybe") == (False, "")


def test_a_usage_line_below_its_label_or_in_a_fence_of_its_own():
    for below in (
        "Usage:\n```python\ncarry('ball1')\n```",
        "Usage:\ncarry('ball1')",
        "**Usage**: `carry('ball1')`",
    ):
        assert learner_replies.proposal(f"Here are two functions.\n{CODE}\n{below}").usage == "carry('ball1')"
