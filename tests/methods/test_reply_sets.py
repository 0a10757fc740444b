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
from learnact.methods.action_replies import ParsedCall, ParsedThought, Unparsed, read
from learnact.methods.unreadable import REASONS

SETS = Path(__file__).with_name("replies")
REAL = Path(
    os.environ.get("LEARNACT_REPLIES", Path(__file__).parents[3] / "shared/data/replies/replies.jsonl")
)
KNOWN = {"pick", "drop", "move", "carry", "jack_up"}


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
    found = read(case["reply"], KNOWN, thoughts=case.get("who") == "react")
    if case["reads"] in REASONS:
        assert isinstance(found, Unparsed)
        assert found.cause == case["reads"]
        assert found.reason
        return
    if isinstance(found, ParsedCall):
        assert (found.call.text, found.thought) == (case["reads"], case.get("thought", ""))
    else:
        assert found == ParsedThought(case["reads"])
    if "ignored" in case:
        assert set(case["ignored"]) <= set(found.ignored)
        assert bool(case["ignored"]) == bool(found.ignored)


def test_the_sets_are_large_enough():
    counted = kinds("actions.yaml")
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
