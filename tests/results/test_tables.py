"""The declared tables: a run of an earlier version is read, and each record comes back from the columns
alone.
"""

import dataclasses
import shutil
from pathlib import Path

import pytest

from learnact.records import AgentSpec, Episode, EpisodeResult, Request, Turn
from learnact.results import tables
from learnact.results.reader import connect, load_episode
from learnact.results.rows import FORMER_RULES
from learnact.results.store import RunStore
from learnact.results.tables import TABLES, record_reader
from tests.results import material
from tests.results.reading import load_calls

OLD = Path(__file__).parent / "data" / "old-run-0123456789ab"
"""Written at the commit 055697f, before the tables were declared in tables.py."""
KEYS = {Episode: "54a55fb291d34f868fdfefe5", Request: "ab8fd2c2e47a8928dd3aacd2"}
"""The keys of its units: what a key is made of has changed since (docs/architecture.md, decision 2)."""


@pytest.fixture
def old(tmp_path):
    shutil.copytree(OLD, tmp_path / OLD.name)
    return tmp_path


async def test_a_run_of_an_earlier_version_is_continued(old):
    store = RunStore.open(old, "0123456789abcdef01234567", "old run", {}, {}, {})
    played, answered = (store.find(KEYS[kind]) for kind in (Episode, Request))
    assert played is not None
    rules = dataclasses.replace(material.episode(1).rules, **FORMER_RULES)
    assert played.unit == dataclasses.replace(material.episode(1), rules=rules)
    assert isinstance(played.result, EpisodeResult)
    assert [turn.kind for turn in played.result.turns] == ["action"] * 3
    assert answered is not None
    assert (answered.unit, answered.result) == (
        material.request(1),
        material.answered(material.request(1)).result,
    )
    await store.commit(material.outcome(material.episode(2), turns=3))
    await store.close()
    with connect(old) as connection:
        assert connection.execute("SELECT count(*) FROM episodes").fetchone() == (2,)
        assert connection.execute("SELECT event FROM events").fetchall() == [
            ("started",),
            ("finished",),
            ("resumed",),
            ("finished",),
        ]


async def test_checks_of_earlier_versions_are_no_training_episodes(old):
    """They were stored as training episodes of the agent `program`."""
    store = RunStore.open(old, "0123456789abcdef01234567", "old run", {}, {}, {})
    for number, agent in enumerate((AgentSpec("act"), AgentSpec("program", program="hop()")), start=5):
        unit = dataclasses.replace(material.episode(number, phase="learn"), agent=agent)
        await store.commit(material.outcome(unit, turns=3))
    await store.close()
    with connect(old) as connection:
        kept = connection.execute("SELECT agent, phase FROM episodes ORDER BY ALL").fetchall()
    assert kept == [("act", "learn"), ("act", "test"), ("program", "check")]


def test_a_run_of_an_earlier_version_is_read(old):
    with connect(old) as connection:
        result = load_episode(connection, KEYS[Episode])
        assert (result.success, result.progress, result.goal) == (True, 1.0, "ball0 is in roomb.")
        assert [turn.index for turn in result.turns] == [0, 1, 2]
        kept = load_calls(connection, KEYS[Episode])
        assert [call.reply.text for call in kept] == [turn.raw for turn in result.turns]
        for table in TABLES.keys() - {
            "turn_groups",
            "trajectories",
            "reply_checks",
        }:  # made at a merge, by syntheses
            found = connection.execute(f"SELECT count(*) FROM stored.{table}").fetchone()
            assert found != (0,), table


def test_columns_are_named_once_and_sorted_by_columns_that_are_there():
    for table in TABLES.values():
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names)
        assert set(table.order) <= set(names)
        assert all(column.meaning for column in table.columns)


def test_a_field_that_no_column_keeps_is_refused_when_the_reader_is_made():
    with pytest.raises(TypeError, match=r"EpisodeResult\.turns has no column in episodes"):
        record_reader(tables.EPISODES, EpisodeResult, "result")
    with pytest.raises(TypeError, match=r"Turn\.index"):
        record_reader(tables.EPISODES, Turn, "turn")
