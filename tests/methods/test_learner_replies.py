"""Replies of learner models in the forms that chat models send."""

import pytest

from learnact.library.merge import merge
from learnact.methods import learner_replies
from learnact.records import Library

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
    text = (
        "Sure!\n```\nAction: carry('b')\n"
        "Observation: Now: it is there.\nIt is quiet.\n"
        "Action: move('a')\n```\nDone."
    )
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


BODY = (
    "def carry(ball, start, end):\n"
    "    pick(ball, start, 'left')\n    move(start, end)\n"
    "    drop(ball, end, 'left')"
)
F = "```"
USAGE = "carry('b', 'rooma', 'roomb')"


@pytest.mark.parametrize(
    "reply",
    [
        f"The run said\n{F}text\n"
f"No effect: pick requires: left is free.\n{F}\nSo:\n"
f"{F}python\n{BODY}\n{F}\nUsage: {USAGE}",
        f"The run said\n{F}\nNo effect: pick requires: left is free.\n"
f"{F}\nSo:\n{F}\n{BODY}\n{F}\nUsage: {USAGE}",
        f"Idea:\n{F}\npick up -> go (then drop\n{F}\nCode:\n{F}python\n{BODY}\n{F}\nUsage: {USAGE}",
        f"{F}json\n{{\"a\": 1}}\n{F}\n{F}Python\n{BODY}\n{F}\nUsage: {USAGE}",
        f"The code that failed:\n{F}python\ndef carry(ball:\n"
f"    pass\n{F}\nBetter:\n{F}python\n{BODY}\n{F}\n"
f"Usage: {USAGE}",
        f"1. The code:\n   {F}python\n   " + BODY.replace("\n", "\n   ") + f"\n   {F}\n2. Usage: {USAGE}",
        f"- {F}python\n  " + BODY.replace("\n", "\n  ") + f"\n  {F}\n- **Usage:** `{USAGE}`",
        f"> {F}python\n> " + BODY.replace("\n", "\n> ") + f"\n> {F}\n> Usage: {USAGE}",
        f"{F}python\n    " + BODY.replace("\n", "\n    ") + f"\n{F}\nUsage: {USAGE}",
        f"Code: {F}python\n{BODY}{F}\nUsage: {USAGE}",
        f"~~~python\n{BODY}\n~~~\nUsage: {USAGE}",
        f"{F}`python\n{BODY}\n{F}`\nUsage: {USAGE}",
        f"{F}python\r\n" + BODY.replace("\n", "\r\n") + f"\r\n{F}\r\nUsage: {USAGE}",
        f"Here it is.\n{BODY}\nUsage: {USAGE}",
        f"{F}python\n{BODY}\n{F}\nUsage:\n\n{F}python\n{USAGE}\n{F}",
        f"{F}python\n{BODY}\n{F}\nUsage: carry(‘b’, “rooma”, 'roomb')",
        f"{F}python\n{BODY}\n# try it\n{F}\n{USAGE}",
        f"{F}python\n{BODY}\n\nUsage: {USAGE}\n{F}",
    ],
)  # fmt: skip
def test_only_the_code_is_code(reply):
    found = learner_replies.proposal(reply)
    library = merge(Library(), found.code)
    assert [action.source for action in library.actions] == [BODY]
    assert (library.preamble, found.usage) == ("", USAGE)


@pytest.mark.parametrize(
    "extra",
    [
        '"""Like ```carry(b, a, c)``` by hand."""',
        '"""Carry.\n\n    Usage: give the ball and two rooms.\n    """',
        '"""Carry.\n\n    Usage:\n        with one ball and two rooms\n    """',
        '"""Carry.\n\n    ```python\n    carry(b, a, c)\n    ```\n    """',
        "# Usage: one ball at a time",
        "# Note: it needs a free hand\n    # Reason: so it is",
    ],
)
def test_labels_and_fences_inside_the_code_are_code(extra):
    code = BODY.replace("):\n", f"):\n    {extra}\n", 1)
    for before in ("", "# Usage: one ball at a time\n"):
        reply = f"Reason: the hand was full.\n{F}python\n{before}{code}\n{F}\nUsage: {USAGE}"
        found = learner_replies.improvement(reply)
        assert isinstance(found, learner_replies.Update)
        assert (found.reason, found.proposal.usage) == ("the hand was full.", USAGE)
        assert merge(Library(), found.proposal.code).actions[0].source == before + code


def test_line_separators_in_code_are_kept():
    code = "SEPARATOR = 'a\u2028b'\n\n" + BODY
    assert learner_replies.proposal(f"{F}python\n{code}\n{F}\nUsage: {USAGE}").code == code
    assert learner_replies.proposal(f"{F}python\n{code}\n{F}\n{USAGE}").usage == USAGE
    odd = "carry('a\u2028b')"
    assert learner_replies.proposal(f"{F}python\n{code}\n{F}\nUsage: {odd}").usage == odd


def test_a_usage_example_is_bounded():
    text = learner_replies.trajectory("Action: carry('b')\nObservation: it is there.\n" * 5000)
    assert len(text) <= learner_replies.MAX_TRAJECTORY
