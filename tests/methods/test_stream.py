"""`protocol: stream`: tasks come one after another; what is played when, and what the table tells of it."""

from __future__ import annotations

from pathlib import Path

import pytest

import learnact
from learnact.errors import JobError
from learnact.job import load
from learnact.records import Library
from learnact.report.stream import StreamTask
from learnact.results.reader import connect_folders, dictionaries
from tests.cli.conftest import learnact as command

JOB = {
    "name": "s",
    "protocol": "stream",
    "domains": {"name": "gripper", "level": "easy", "train": 3, "test": 1, "balls": [2, 3]},
    "methods": ["act", "awm"],
    "models": {"agent": "sim-weak", "learner": "sim-weak"},
    "budget": {"test": {"turns": 8}, "learn": {"turns": 8}},
    "repeats": {"learn": 1},
    "cluster": {"runner": "local"},
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stream")
    assert learnact.run(JOB, results=folder).done
    return folder


def test_each_task_is_played_before_and_after_it_is_learned_from(results: Path) -> None:
    folder = next(path for path in results.iterdir() if path.name.startswith("s-"))
    with connect_folders([folder]) as connection:
        rows = dictionaries(
            connection,
            """SELECT method, task, list(replicate ORDER BY replicate) AS learned_from,
            count(DISTINCT seed) AS seeds, max(turns) AS turns
            FROM episodes WHERE phase = 'stream' GROUP BY ALL ORDER BY task""",
        )
        learned = dictionaries(
            connection, "SELECT DISTINCT task, replicate FROM episodes WHERE phase = 'learn'"
        )
        (first,) = dictionaries(
            connection,
            "SELECT library FROM episodes WHERE phase = 'stream' AND replicate = 0",
        )
    assert {row["method"] for row in rows} == {"awm"}, "Act learns nothing, so it has no stream"
    assert [row["learned_from"] for row in rows] == [[0, 1, 2, 3], [1, 2, 3], [2, 3]]
    assert {row["seeds"] for row in rows} == {1}, "only the library differs"
    assert all(row["turns"] <= 8 for row in rows)
    assert len(learned) == 3, "no task is learned from twice"
    assert first["library"] == Library().id


def test_the_table_tells_of_the_stream(results: Path) -> None:
    arguments = ["table", "stream", "s", "--results", results, "--format", "json"]
    (table,) = command(*arguments).json
    (row,) = table["rows"] if isinstance(table, dict) else table
    assert row["method"] == "awm"
    assert (row["streams"], row["tasks"]) == (1, 3)


@pytest.mark.parametrize(
    ("success", "before", "after", "end", "forgotten"),
    [
        ({1: False, 2: True, 3: True}, False, True, True, False),
        ({1: True, 2: True, 3: False}, True, True, False, True),
        ({1: True, 2: False, 3: False}, True, False, False, False),
    ],
)
def test_forgotten_is_what_was_solved_after_it_was_learned_from(
    success: dict[int, bool], before: bool, after: bool, end: bool, forgotten: bool
) -> None:
    task = StreamTask("t", 1, success)
    assert (task.before, task.after, task.end, task.forgotten) == (before, after, end, forgotten)


def test_a_stream_matches_no_budgets() -> None:
    with pytest.raises(JobError, match="for `protocol: batch` only"):
        load({**JOB, "methods": ["learnact", "awm"], "match_budget": {"to": "learnact"}})
