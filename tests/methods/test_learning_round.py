"""LearnAct's learning round, followed with scripted replies on real gripper tasks: create, try, select,
improve.
"""

import re

import pytest

from learnact.domains import registry
from learnact.job import load
from learnact.methods.learnact import LEARNACT
from learnact.methods.training import Blocked, Training
from learnact.records import Library
from learnact.runners.local import LocalRunner
from learnact.runners.worker import Worker
from tests.scripted import Notes, Scripted

FUNCTIONS = """```python
def fetch(ball, start, end, hand):
    pick(ball, start, hand)
    move(start, end)
    drop(ball, end, hand)
```
Usage: fetch('{ball}', '{here}', '{there}', 'left')"""
BAD_CODE = "```python\nimport os\ndef fetch(ball):\n    pick(ball)\n```\nUsage: fetch('ball1')"
RAISES = (
    "```python\ndef fetch(ball, start, end, hand):\n    pick(ball, start, hand)\n    "
    "move(start, end)\n    return [][1]\n```\nUsage: fetch('{ball}', '{here}', "
    "'{there}', 'left')"
)


def names(text: str) -> dict[str, str]:
    """A ball and where it is, as the prompt says."""
    task = text.split("## Your task")[1] if "## Your task" in text else text
    ball, here = re.search(r"(ball\d+) is in (room[ab])\.", task.split("Now:")[1]).groups()
    return {"ball": ball, "here": here, "there": "roomb" if here == "rooma" else "rooma"}


def asked(text: str) -> str:
    """Which kind of answer the prompt wants."""
    answer = text.split("## Your answer")[1]
    kinds = {
        "general Python functions": "create",
        "usage example": "usage",
        "Write a description": "describe",
        "Find out why": "improve",
        "next action": "act",
    }
    return next(kind for words, kind in kinds.items() if words in answer)


def scripted(**answers) -> Scripted:
    """A model that answers each kind of request with a function of the prompt."""
    standard = {
        "create": lambda text: FUNCTIONS.format(**names(text)),
        "usage": lambda text: (
            "Action: fetch('ball1', 'roomb', 'rooma', 'left')\nObservation: Now: you are in rooma."
        ),
        "describe": lambda text: (
            "Requires: ball is in start. Then: ball is in end. Does: pick(ball, start, hand)."
        ),
        "improve": lambda text: "Reason: it was not there.\nNote: Use it only where the ball is.",
        "act": lambda text: "fetch('ball1', 'rooma', 'rooma', 'left')",
    }
    return Scripted(lambda text: {**standard, **answers}[asked(text)](text))


async def learn(chat, *overrides, notes=None):
    job = load(
        {"name": "t", "domains": {"name": "gripper", "level": "easy"}, "methods": "learnact"},
        ["repeats.learn=1", *overrides],
    )
    trial = job.trials()[0]
    domain = registry.build(trial.domain)
    async with Worker(chat) as worker:
        training = Training(
            trial, domain, tuple(domain.tasks("train")), LocalRunner(worker), notes or Notes()
        )
        return await LEARNACT.learn(training, LEARNACT.options_of(trial.learner))


def requests(chat, kind):
    return [text for text in chat.texts if asked(text) == kind]


async def test_k_candidates_are_created_described_tried_and_one_is_selected():
    notes, chat = Notes(), scripted()
    learned = await learn(chat, "learner.iterations=0", notes=notes)
    assert len(requests(chat, "create")) == 4
    assert len(requests(chat, "describe")) == len(requests(chat, "usage")) == 4
    action = learned.library.actions[0]
    assert action.signature == "fetch(ball, start, end, hand)"
    assert action.description.startswith("Requires: ball is in start.")
    assert "Action: fetch('ball1', 'roomb', 'rooma', 'left')" in learned.library.usage_example
    assert [c.selected for _, c in sorted(notes.candidates.items())] == [True, False, False, False]
    assert all(c.score is not None for c in notes.candidates.values())


async def test_code_that_is_refused_or_raises_is_shown_again_with_the_reason():
    def create(text):
        if "Your last answer" not in text:
            return BAD_CODE
        return (
            RAISES.format(**names(text))
            if "import os" in text.split("Your last answer")[1]
            else FUNCTIONS.format(**names(text))
        )

    chat = scripted(create=create)
    learned = await learn(chat, "learner.iterations=0", "learner.candidates=1")
    first, second, third = requests(chat, "create")
    assert "line 1" in second and "os" in second
    assert "IndexError" in third and "fetch, line 4" in third
    assert learned.library.actions


async def test_a_candidate_that_cannot_be_created_is_dropped_and_says_why():
    notes, chat = Notes(), scripted(create=lambda text: BAD_CODE)
    learned = await learn(chat, "learner.candidates=2", notes=notes)
    assert learned.library == Library()
    assert len(requests(chat, "create")) == 8
    assert all("os" in c.uncreated and c.score is None for c in notes.candidates.values())


async def test_published_uncreated_candidates_play_with_no_actions():
    notes = Notes()
    await learn(
        scripted(create=lambda text: BAD_CODE), "learner.candidates=2", "learner.uncreated=empty", notes=notes
    )
    assert all(c.score is not None for c in notes.candidates.values())


async def test_the_first_failed_call_is_shown_and_a_note_is_added():
    notes, chat = Notes(), scripted()
    learned = await learn(chat, "learner.candidates=1", "learner.iterations=1", notes=notes)
    shown = requests(chat, "improve")[0]
    assert "Action: fetch('ball1', 'rooma', 'rooma', 'left')" in shown
    assert "The call made these primitive actions:\n1. pick('ball1', 'rooma', 'left') -> " in shown
    assert "def fetch(ball, start, end, hand):" in shown
    improved = notes.candidates[1, 1]
    assert (improved.origin, improved.reason) == ("note", "it was not there.")
    assert improved.parent == notes.candidates[0, 0].library
    assert notes.libraries[improved.library].actions[0].notes == ("Use it only where the ball is.",)
    # Equal scores keep the earlier: the incumbent stays.
    assert notes.candidates[1, 0].selected
    assert learned.library.id == notes.candidates[0, 0].library


async def test_an_update_replaces_by_name_is_tested_and_described_again():
    def improve(text):
        return (
            "Reason: a step was missing.\nUpdate:\n```python\ndef fetch(ball, start, end, hand):\n    "
            "move(end, start)\n"
            "    pick(ball, start, hand)\n    move(start, end)\n    drop(ball, end, hand)\n\ndef "
            "idle(place):\n    move(place, place)\n"
            "    move(place, place)\n```\nUsage: fetch('ball1', 'rooma', 'roomb', 'left')"
        )

    notes, chat = Notes(), scripted(improve=improve)
    await learn(chat, "learner.candidates=1", "learner.iterations=1", notes=notes)
    row = notes.candidates[1, 1]
    library = notes.libraries[row.library]
    assert row.origin == "update"
    assert [a.name for a in library.actions] == ["fetch", "idle"]
    assert "move(end, start)" in library.action("fetch").source
    assert len(requests(chat, "describe")) == 3


@pytest.mark.parametrize(
    ("off", "kept", "left"), [("updates", "a note", "an update"), ("notes", "an update", "a note")]
)
async def test_ablations_take_the_choice_away(off, kept, left):
    chat = scripted()
    await learn(chat, "learner.candidates=1", "learner.iterations=1", f"learner.{off}=false")
    answer = requests(chat, "improve")[0].split("## Your answer")[1]
    assert kept in answer
    assert left not in answer


async def test_descriptions_and_usage_example_can_be_left_out():
    chat = scripted()
    await learn(
        chat, "learner.candidates=1", "rules.show_descriptions=false", "rules.show_usage_example=false"
    )
    assert requests(chat, "describe") == requests(chat, "usage") == []
    assert "Requires: ball is in start" not in requests(chat, "act")[0]


async def test_learning_stops_when_no_learned_call_failed():
    notes = Notes()
    await learn(scripted(act=lambda text: "move('rooma', 'roomb')"), notes=notes)
    assert {iteration for iteration, _ in notes.candidates} == {0}


async def test_the_same_replies_learn_the_same_library():
    one, two = [await learn(scripted()) for _ in range(2)]
    assert one.library.id == two.library.id


async def test_without_a_model_the_trial_is_blocked():
    from learnact.errors import ProviderFailure

    def down(text):
        raise ProviderFailure("no route", False)

    with pytest.raises(Blocked, match="provider: no route"):
        await learn(scripted(create=down))


async def test_the_jobs_bounds_hold_for_learned_code():
    def spins(text):
        return FUNCTIONS.format(**names(text)).replace(
            "    move(start, end)", "    while True:\n        pass"
        )

    chat = scripted(create=spins)
    await learn(chat, "learner.candidates=1", "learner.create_tries=2", "bounds.cpu_seconds=0.3")
    assert "TimeLimit" in requests(chat, "create")[1].split("It could not be used:")[1]
