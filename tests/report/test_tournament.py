"""The table of a tournament: who met whom, and the ratings that follow."""

import asyncio
import dataclasses

import pytest

from learnact.records import Library
from learnact.report.data import ReportData
from learnact.report.result_table import as_plain
from learnact.report.tournament import tournament_tables
from learnact.results.reader import connect_folders
from learnact.results.store import RunStore
from tests.report.conftest import trial_row
from tests.results import material

SOLVED = {("act", 0): {0, 1}, ("learnact", 0): {0, 1, 2, 3, 4, 5}, ("learnact", 1): {2, 3}}
"""Which of eight tasks each player solved: two libraries of LearnAct, one agent without."""


async def write(folder):
    store = RunStore.open(folder, "r" * 24, "games", {}, {}, {})
    work = []
    for (method, repeat), solved in SOLVED.items():
        trial = f"{method} {repeat}"
        row = trial_row(method, "nim", learn_repeat=repeat)
        store.trial(trial, row)
        learned = Library(material.LIBRARY.actions, usage_example=str(repeat))
        for task in range(8):
            unit = material.episode(
                100 * repeat + task, trial, method, task=task, domain="nim",
                library=learned if method == "learnact" else Library(),
            )  # fmt: skip
            unit = dataclasses.replace(unit, seed=7, learner_model=row["learner_model"])
            work.append(store.commit(material.outcome(unit, 6, task in solved)))
    await asyncio.gather(*work)
    await store.close()
    return store.folder


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = asyncio.run(write(tmp_path_factory.mktemp("results")))
    with connect_folders([folder]) as connection:
        yield [as_plain(table) for table in tournament_tables(ReportData(connection))]


def test_each_library_is_a_player_and_the_better_one_is_rated_higher(tables):
    rows = tables[0]["rows"]
    assert rows[0]["method"] == "learnact"
    assert sorted((row["method"], bool(row["library"])) for row in rows) == [
        ("act", False), ("learnact", True), ("learnact", True),
    ]  # fmt: skip
    assert all(row["meetings"] == 16 and row["tasks"] == 8 for row in rows)
    assert sum(row["rating"]["mean"] for row in rows) == pytest.approx(4500)
    for row in rows:
        assert row["rating"]["low"] <= row["rating"]["mean"] <= row["rating"]["high"]


def test_points_against_each_other_are_wins_and_half_of_the_draws(tables):
    """The first library solved what `act` did, and four tasks more: 4 wins and 4 draws of 8."""
    best = tables[1]["rows"][0]
    act = next(name for name in best if name.endswith(": act"))
    assert best[act] == 0.75
    assert [row[act] for row in tables[1]["rows"] if row["method"] == "act"] == [None]
    evens = next(row for row in tables[1]["rows"] if row["method"] == "learnact" and row is not best)
    assert evens[act] == 0.5
