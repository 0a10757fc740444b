"""A run with hostile texts wherever a model or learned code can put them."""

import asyncio
import dataclasses

import pytest

from learnact.records import ActionError, Candidate, LearnedAction, Library, Terms, Tokens
from learnact.results.store import RunStore
from tests.report.conftest import folder, trial_row, write  # noqa: F401 - a fixture
from tests.results import material

EVIL = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J\u202e{{ 7*1777 }} {% raw %}"
"""What a model may write: markup, a terminal's control sequence, a change of direction, a template."""
EVIL_LIBRARY = Library(
    actions=(LearnedAction("carry", "carry(ball)", f"def carry(ball):\n    return {EVIL!r}", EVIL, (EVIL,)),),
    usage_example=EVIL,
    lessons=(EVIL,),
)


async def write_hostile(results):
    """Failed episodes of a method with a library, all texts hostile, by a server that counts no tokens."""
    store = RunStore.open(
        results, "hostile".ljust(24, "0"), f"<b>{EVIL[:20]}", {"name": EVIL}, {}, {"learnact": "0.1"}
    )
    store.trial("t", {**trial_row("learnact", "gripper", "unfinished"), "reason": EVIL})
    store.library("t", EVIL_LIBRARY)
    store.candidate(
        Candidate(
            "t", 0, 0, library=EVIL_LIBRARY.id, parent="", origin="create", terms=Terms(), score=1.0,
            selected=True, reason=EVIL, failed_call=EVIL,
        )
    )  # fmt: skip
    commits = []
    for task in range(2):
        unit = material.episode(task, "t", "learnact", task=task, library=EVIL_LIBRARY, phase="test")
        outcome = material.outcome(unit, 4, False)
        turns = tuple(
            dataclasses.replace(
                turn, raw=EVIL, said=EVIL, observation=EVIL, ok=False, printed=EVIL,
                error=ActionError(EVIL, EVIL, "carry", 1, EVIL),
            )
            for turn in outcome.result.turns
        )  # fmt: skip
        result = dataclasses.replace(
            outcome.result, turns=turns, goal=EVIL, first_observation=EVIL, tokens=Tokens(), cost=None
        )
        commits.append(store.commit(dataclasses.replace(outcome, result=result)))
    await asyncio.gather(*commits)
    await store.close("unfinished")
    return store.folder


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    return asyncio.run(write_hostile(tmp_path_factory.mktemp("hostile")))
