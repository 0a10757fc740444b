"""The table of replies: unreadable ones by cause, and what was left out of the others."""

import asyncio
import dataclasses

import pytest

from learnact.records import Library
from learnact.report.data import ReportData
from learnact.report.replies import count_replies, reply_tables
from learnact.results.reader import connect_folders, dictionaries
from learnact.results.rows import turn_from
from learnact.results.store import RunStore
from tests.report.conftest import trial_row
from tests.results import material

CHANGES = (
    {"kind": "unreadable", "cause": "program"},
    {"kind": "unreadable", "cause": "program"},
    {"kind": "unreadable", "cause": "cut"},
    {"kind": "thought", "ignored": ("action", "observation")},
    {"thought": "I go.", "ignored": ("text",)},
    {"ignored": ("text",)},
)
"""The first turns of an episode, the others plain."""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    async def write():
        store = RunStore.open(tmp_path_factory.mktemp("results"), "r" * 24, "replies", {}, {}, {})
        store.trial("t", trial_row("act", "gripper"))
        unit = material.episode(0, "t", "act", task=0, library=Library(), phase="test", domain="gripper")
        outcome = material.outcome(unit, 10, True)
        turns = [
            dataclasses.replace(turn, **(CHANGES[turn.index] if turn.index < len(CHANGES) else {}))
            for turn in outcome.result.turns
        ]
        result = dataclasses.replace(outcome.result, turns=tuple(turns))
        await store.commit(dataclasses.replace(outcome, result=result))
        await store.close("finished")
        return store.folder

    with connect_folders([asyncio.run(write())]) as connection:
        yield ReportData(connection)


def test_replies_are_counted_by_cause_and_by_what_was_left_out(data):
    ((_, counts),) = count_replies(data).items()
    assert (counts.replies, counts.thoughts, counts.both, counts.unreadable, counts.partly) == (
        10,
        1,
        1,
        3,
        3,
    )
    assert counts.causes == {"program": 2, "cut": 1}
    assert counts.ignored == {"action": 1, "observation": 1, "text": 2}


def test_the_tables_have_the_columns_that_occur(data):
    causes, left_out = reply_tables(data)
    named = dict(zip([column.name for column in causes.columns], causes.rows[0], strict=True))
    assert (named["unreadable"], named["program"], named["cut"]) == (0.3, 0.2, 0.1)
    assert "brackets" not in named
    named = dict(zip([column.name for column in left_out.columns], left_out.rows[0], strict=True))
    assert (named["any"], named["text"], named["action"]) == (0.3, 0.2, 0.1)


def test_a_turn_of_an_older_run_is_read(data):
    (row,) = dictionaries(data.connection, "SELECT * FROM turns WHERE turn = 3")
    turn = turn_from({**row, "thought": None, "cause": None, "ignored": None})
    assert (turn.thought, turn.cause, turn.ignored) == ("", "", ())


def test_an_older_run_has_unreadable_replies_without_a_cause(data):
    data.connection.execute(
        "CREATE OR REPLACE TEMP VIEW turns AS SELECT * EXCLUDE (cause, ignored, thought), "
        "NULL::TEXT AS cause, NULL::TEXT[] AS ignored, NULL::TEXT AS thought FROM stored.turns"
    )
    ((_, counts),) = count_replies(data).items()
    assert (counts.unreadable, counts.causes, counts.partly) == (3, {"not recorded": 3}, 0)
