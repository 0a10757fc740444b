"""In a world whose sentences it cannot read, the simulated model tries calls by their form alone."""

from __future__ import annotations

import re

from learnact.simulated.replies import reply_to

HEAD = """## Instructions
A machine with levers.

## Primitive actions
- pull(lever: str, times: int): You pull it.
- wait(): You wait.

## Example
Goal: make it hum
Observation: There are levers Kra and Zun.
Action: wait()
Observation: It ticks.
Action: pull('Kra', 2)
Observation: It hums.

## Your task
Goal: make it ring
Observation: There are levers Vop and Tik.

"""
ASKED = (
    "## Your answer\nWrite the next action: one call of one of the actions above, and nothing else.\nAction:"
)


def said(prompt: str, seed: int = 0, model: str = "sim-strong") -> str:
    return reply_to(model, [("user", prompt)], seed).text


def test_it_calls_actions_that_there_are_with_values_of_their_kinds():
    calls = [said(HEAD + ASKED, seed) for seed in range(60)]
    pulled = [re.fullmatch(r"pull\('([^']+)', (\d)\)", call) for call in calls if call != "wait()"]
    assert "wait()" in calls and all(pulled)
    names = {match[1] for match in pulled if match}
    assert {"Vop", "Tik"} <= names and not names & {"Zun", "there", "and"}


def test_it_does_not_repeat_a_call_that_changed_nothing():
    history = "## So far\nAction: wait()\nObservation: It ticks.\nAction: wait()\nObservation: It ticks.\n\n"
    assert all(said(HEAD + history + ASKED, seed) != "wait()" for seed in range(60))


def test_its_functions_are_runs_of_the_example():
    asked = "## Your answer\nWrite general Python functions that will be useful.\n"
    reply = said(HEAD + asked)
    assert "def wait_then_pull(x1, x2):\n    wait()\n    return pull(x1, x2)" in reply
    assert reply.endswith("Usage: wait_then_pull('Kra', 2)")


def test_a_world_that_it_reads_is_not_played_so():
    readable = HEAD.replace("There are levers Vop and Tik.", "Now: Vop is a lever.")
    unread = [said(readable + ASKED, seed) for seed in range(20)]
    assert unread != [said(HEAD + ASKED, seed) for seed in range(20)]
