"""LearnAct's learning round, followed with scripted replies on real gripper tasks: create, try, select,
improve.
"""

import dataclasses
import re

import pytest

from learnact.domains import registry
from learnact.job import load
from learnact.methods.learnact import LEARNACT
from learnact.methods.training import Blocked, Training
from learnact.records import Candidate, Library
from learnact.report.trajectory import candidate_line
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
    learned = await learn(chat, "learner.iterations=0", "learner.distinct=false", notes=notes)
    assert len(requests(chat, "create")) == 4
    assert len(requests(chat, "describe")) == len(requests(chat, "usage")) == 4
    action = learned.library.actions[0]
    assert action.signature == "fetch(ball, start, end, hand)"
    assert action.description.startswith("Requires: ball is in start.")
    assert "Action: fetch('ball1', 'roomb', 'rooma', 'left')" in learned.library.usage_example
    assert [c.selected for _, c in sorted(notes.candidates.items())] == [True, False, False, False]
    assert all(c.score is not None for c in notes.candidates.values())


async def test_equal_proposals_are_told_apart_once_and_then_noted_as_equal_and_not_played():
    def create(text):
        """The third proposal gives way when it is asked again, the others repeat themselves."""
        again = "## Other proposals" in text and chat.again == 1
        chat.again += "## Other proposals" in text
        return FUNCTIONS.format(**names(text)).replace("fetch", "bring" if again else "fetch")

    def usage(text):
        return f"Action: {'bring' if 'def bring' in text else 'fetch'}('ball1', 'roomb', 'rooma', 'left')"

    notes, chat = Notes(), scripted(create=create, usage=usage)
    chat.again = 0
    await learn(chat, "learner.iterations=0", notes=notes)
    asked_again = [text for text in requests(chat, "create") if "## Other proposals" in text]
    assert (len(requests(chat, "create")), len(asked_again)) == (4 + 3, 3)
    assert "def fetch(ball, start, end, hand):" in asked_again[0].split("## Other proposals")[1]
    assert "def bring(" not in asked_again[1].split("## Your answer")[0]
    assert "def bring(" in asked_again[2].split("## Your answer")[0]
    rows = [row for _, row in sorted(notes.candidates.items())]
    assert [row.equal_to for row in rows] == ["", "0.0", "", "0.0"]
    assert [(row.score is None, row.uncreated) for row in rows] == [
        (False, ""),
        (True, ""),
        (False, ""),
        (True, ""),
    ]
    # What is not played is not explained.
    assert len(requests(chat, "describe")) == len(requests(chat, "usage")) == 2


async def test_helpers_are_loaded_and_not_offered():
    helped = """```python
def _both(start, end):
    move(start, end)
    move(end, start)

def twice(start, end):
    _both(start, end)
    _both(start, end)
```
Usage: twice('{here}', '{there}')"""
    chat = scripted(
        create=lambda text: helped.format(**names(text)), act=lambda text: "_both('rooma', 'roomb')"
    )
    learned = await learn(chat, "learner.candidates=1", "learner.iterations=0")
    assert [a.name for a in learned.library.actions] == ["_both", "twice"]
    assert [a.name for a in learned.library.offered] == ["twice"]
    assert len(requests(chat, "describe")) == 1
    shown = requests(chat, "act")
    assert "\n- twice(start, end)" in shown[0]
    assert "_both" not in shown[0]
    # Calling one is no action.
    told = [text.split("## So far")[1] for text in shown if "## So far" in text]
    assert all("there is no action _both" in text for text in told)


async def test_only_helpers_are_no_library():
    only = (
        "```python\ndef _both(start):\n    move(start, start)\n    move(start, start)\n```\nUsage: _both('a')"
    )
    notes = Notes()
    await learn(scripted(create=lambda text: only), "learner.candidates=1", notes=notes)
    assert "names that begin with an underscore are helpers" in notes.candidates[0, 0].uncreated


async def test_the_usage_example_is_what_the_environment_said():
    chat = scripted(
        usage=lambda text: "Action: fetch('ball1', 'roomb', 'rooma', 'left')\nObservation: I win."
    )
    learned = await learn(chat, "learner.candidates=1", "learner.iterations=0")
    domain = registry.build(load({"name": "t", "domains": "gripper", "methods": "act"}).trials()[0].domain)
    scene = f"Goal: {domain.example.goal}\nObservation: {domain.example.first_observation}\n"
    example = learned.library.usage_example
    assert example.startswith(scene)
    played = (
        "Action: fetch('ball1', 'roomb', 'rooma', 'left')\nObservation: Now: you are in rooma. left is free."
    )
    assert example.removeprefix(scene).startswith(played)
    # In the agent's prompt it stands last, without the scene that it shares with the domain's.
    own, learned_one = requests(chat, "act")[0].split("## Example\n")[1:]
    assert own.startswith(scene)
    assert learned_one.startswith(
        f"The same task from the same first observation, now with learned actions:\n{played}"
    )


async def test_a_usage_example_whose_functions_all_fail_goes_back_once_and_is_left_out():
    chat = scripted(usage=lambda text: "Action: fetch('ball1', 'rooma', 'roomb', 'left')")
    learned = await learn(chat, "learner.candidates=1", "learner.iterations=0")
    first, second = requests(chat, "usage")
    assert "No function was called with success:" in second
    assert "had no effect; the first was pick('ball1', 'rooma', 'left')" in second
    assert learned.library.usage_example == ""


async def test_the_usage_example_is_played_again_after_a_note():
    notes, chat = Notes(), scripted()
    await learn(chat, "learner.candidates=1", "learner.iterations=1", notes=notes)
    assert notes.candidates[1, 1].origin == "note"
    first, second = requests(chat, "usage")
    assert "Use it only where the ball is." in second
    assert "Use it only" not in first


async def test_descriptions_are_asked_for_with_the_usage_line_that_ran():
    chat = scripted()
    await learn(chat, "learner.candidates=1", "learner.iterations=0")
    (asked_for,) = requests(chat, "describe")
    call = asked_for.split("## Example call\n")[1]
    assert re.match(
        r"fetch\('ball\d', 'room[ab]', 'room[ab]', 'left'\)\nIt made these primitive actions:\n1\. ", call
    )


async def test_what_had_no_effect_in_the_usage_line_goes_back_once():
    def create(text):
        ball, here, there = names(text).values()
        if "Your last answer" in text:
            return FUNCTIONS.format(ball=ball, here=here, there=there)
        return FUNCTIONS.format(ball=ball, here=there, there=here)

    for check, tries in (("no_effect", 2), ("exceptions", 1)):
        chat = scripted(create=create)
        learned = await learn(chat, "learner.candidates=1", "learner.iterations=0", f"learner.check={check}")
        asked_for = requests(chat, "create")
        assert len(asked_for) == tries
        assert learned.library.actions
        if tries == 2:
            told = asked_for[1].split("## Your last answer")[1]
            assert "some of its primitive actions were not possible" in told
            assert "1. pick('ball" in told


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


def test_an_equal_proposal_is_told_as_equal():
    row = Candidate("t" * 12, 1, 2, "", "p" * 12, "update", equal_to="0.2")
    columns = {**dataclasses.asdict(row), **dataclasses.asdict(row.terms)}
    assert candidate_line(columns).endswith(": equal to candidate 0.2, so not played again")
