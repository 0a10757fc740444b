"""Replies with their intended reading, one table for each kind of reader (tests/methods/replies), and the
replies of a real chat model where they are at hand."""

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from learnact.library.calls import parse_call
from learnact.methods import learner_replies
from learnact.methods.action_replies import ParsedCall, ParsedCommand, ParsedThought, Unparsed, read
from learnact.methods.unreadable import REASONS

SETS = Path(__file__).with_name("replies")
REAL = Path(
    os.environ.get("LEARNACT_REPLIES", Path(__file__).parents[3] / "shared/data/replies/replies.jsonl")
)
KNOWN = {"pick", "drop", "move", "carry", "jack_up"}
VERBS = {"go", "take", "open"}


def cases(file):
    """Each reply of a set with what is said of its kind."""
    for kind in yaml.safe_load((SETS / file).read_text(encoding="utf-8")):
        for number, reply in enumerate(kind["replies"]):
            own = reply if isinstance(reply, dict) else {"reply": reply}
            yield pytest.param({**kind, **own}, id=f"{kind['kind']} {number}")


def kinds(file):
    return Counter(case.values[0]["kind"] for case in cases(file))


@pytest.mark.parametrize("case", [*cases("actions.yaml")])
def test_an_agents_reply_is_read_as_it_is_meant(case):
    who = case.get("who", "act")
    commands = "commands" in who
    found = read(case["reply"], VERBS if commands else KNOWN, "react" in who, commands)
    if case["reads"] in REASONS:
        assert isinstance(found, Unparsed)
        assert found.cause == case["reads"]
        assert found.reason
        return
    if isinstance(found, ParsedCommand):
        assert (found.text.lower(), found.thought) == (case["reads"], case.get("thought", ""))
    elif isinstance(found, ParsedCall):
        assert (found.call.text, found.thought) == (case["reads"], case.get("thought", ""))
    else:
        assert found == ParsedThought(case["reads"])
    if "ignored" in case:
        assert set(case["ignored"]) <= set(found.ignored)
        assert bool(case["ignored"]) == bool(found.ignored)


CODES = {
    "CODE": "def carry(ball, start, end):\n    pick(ball, start, 'left')\n    move(start, end)\n"
    "    drop(ball, end, 'left')",
    "OLD": "def carry(ball, start, end):\n    move(start, end)",
    "OTHER": "def fetch(ball, place):\n    pick(ball, place, 'left')",
}


def filled(text):
    """A reply with the code that its names stand for."""
    return re.sub("|".join(CODES), lambda name: CODES[name[0]], text)


@pytest.mark.parametrize("case", [*cases("learner.yaml")])
def test_a_learners_reply_is_read_as_it_is_meant(case):
    reply = filled(case["reply"])
    if case["reader"] == "proposal":
        found = learner_replies.proposal(reply)
        assert found.usage == case["usage"]
        if "code" in case:
            assert found.code == filled(case["code"])
        assert len(found.left_out) == case.get("left_out", len(found.left_out))
    elif case["reader"] == "improvement":
        found = learner_replies.improvement(reply, CODES["OLD"])
        kinds = {learner_replies.Update: "update", learner_replies.Note: "note", type(None): "nothing"}
        assert kinds[type(found)] == case["reads"]
        assert getattr(found, "reason", "") == case.get("reason", "")
        assert getattr(found, "text", "") == case.get("text", "")
    else:
        assert getattr(learner_replies, case["reader"])(reply) == case["text"]


def test_the_sets_are_large_enough():
    counted = kinds("actions.yaml") + kinds("learner.yaml")
    assert sum(counted.values()) >= 150
    assert min(counted.values()) >= 3


def real(*wanted):
    """The replies of a real chat model of these kinds; the test is skipped where they are not at hand."""
    if not REAL.is_file():
        pytest.skip(f"{REAL} is not there; name another file of replies in LEARNACT_REPLIES")
    lines = REAL.read_text(encoding="utf-8").splitlines()
    found = [row for row in map(json.loads, lines) if row["kind"] in wanted]
    assert found
    return found


LINE = re.compile(
    r"^(?:\*\*)?(?:Action:(?:\*\*)? ?)?`?(\w+\(.*\))`?\.?(?:  #.*)?$", re.MULTILINE | re.IGNORECASE
)
"""How this model writes the line of an action."""


def test_the_actions_of_a_real_model_are_read():
    for row in real("act", "react"):
        (line,) = LINE.findall(row["reply"]) or [""]
        said = read(row["reply"], row["functions"], thoughts=row["kind"] == "react")
        thought = re.match(r"Think: (.*)", row["reply"])
        if not line:
            assert said == ParsedThought(thought[1])
        else:
            assert said == ParsedCall(parse_call(line), thought[1] if thought else "")
        stray = "Observation:" in row["reply"] or "Next I do this" in row["reply"]
        assert bool(said.ignored) >= stray


def test_the_functions_of_a_real_model_are_read():
    for row in real("create", "code", "improve"):
        reply = row["reply"].rpartition("</think>")[2]
        code = reply.partition("```python")[2].partition("```")[0].partition("\n\nif __name__")[0]
        usage = row["reply"].rpartition("Usage:")[2].strip("`* \n")
        found = learner_replies.improvement(row["reply"], row["messages"][-1]["content"])
        if not code:
            note = row["reply"].rpartition("Note:")[2].strip()
            assert (type(found), found.text) == (learner_replies.Note, note)
            continue
        assert (found.proposal.code, found.proposal.usage) == (code.strip(), usage)
        assert bool(found.proposal.left_out) == ("if __name__" in reply)


def test_the_texts_of_a_real_learner_are_read():
    for row in real("describe"):
        said = learner_replies.description(row["reply"])
        assert said == " ".join(row["reply"].removeprefix("Description: ").replace("**", "").split())
        assert said.startswith("Requires: ")
    for row in real("usage"):
        said = learner_replies.trajectory(row["reply"])
        assert said == row["reply"].replace("```", "").strip()
    for row in real("reflect"):
        assert f"Lesson: {learner_replies.lesson(row['reply'])}" == row["reply"]
    for row in real("verify"):
        assert learner_replies.verdict(row["reply"]) == (True, "none")
