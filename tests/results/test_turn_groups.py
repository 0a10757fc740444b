"""What is counted when parts are merged is what the turns say, however a run came to its parts."""

import dataclasses
import shutil

import pytest

from learnact.results import turn_groups
from learnact.results.manifests import live_parts
from learnact.results.reader import connect_folders
from learnact.results.store import RunStore
from tests.results import material

VIEWS = ("action_usage", "failures", "unreadable")
PLAIN = {
    "action_usage": """SELECT method, callee, count(*), avg(ok::INT), avg(len(steps)), count(error),
        count(DISTINCT key), count(DISTINCT key) FILTER (success) / count(DISTINCT key)
        FROM played WHERE learned GROUP BY ALL""",
    "failures": """SELECT method, kind, callee, learned, coalesce(error.type, nullif(cause, ''),
        left(observation, 60)), count(*), count(DISTINCT key), count(DISTINCT key) FILTER (NOT success),
        arg_min(key, (success, key)) FROM played WHERE NOT ok AND kind <> 'thought' GROUP BY ALL""",
    "unreadable": """SELECT method, cause, count(*), count(*) / any_value(replies), count(DISTINCT key),
        min(key) FROM played JOIN (SELECT method, count(*) AS replies FROM played GROUP BY method) USING
        (method) WHERE kind = 'unreadable' GROUP BY ALL""",
}
COLUMNS = {
    "action_usage": "method, callee, calls, ok, steps, errors, episodes, solved",
    "failures": "method, kind, callee, learned, why, turns, episodes, unsolved, example",
    "unreadable": "method, cause, replies, share, episodes, example",
}


def outcome(number):
    """An episode; some of its turns fail, some are unreadable, some call a learned action."""
    method = ("act", "learnact")[number % 2]
    unit = material.episode(number, method, method, task=number // 3)
    played = material.outcome(unit, 6 + number % 5, number % 3 > 0)
    changed = tuple(
        dataclasses.replace(turn, kind="unreadable", ok=False, cause="no action", callee="", learned=False)
        if (number + turn.index) % 4 == 0
        else turn
        for turn in played.result.turns
    )
    return dataclasses.replace(played, result=dataclasses.replace(played.result, turns=changed))


async def session(results, numbers):
    store = RunStore.open(results, "3" * 24, "groups", {}, {}, {})
    for number in numbers:
        await store.commit(outcome(number))
    return store


def answers(folder):
    """Each view, and the same from the turns themselves."""
    with connect_folders([folder]) as connection:
        connection.execute(
            "CREATE TEMP VIEW played AS SELECT e.method, e.key, e.success, t.* FROM turns t "
            "JOIN episodes e ON e.key = t.episode WHERE e.phase = 'test'"
        )
        shown = {
            view: connection.execute(f"SELECT {COLUMNS[view]} FROM {view} ORDER BY ALL").fetchall()
            for view in VIEWS
        }
        plain = {
            view: connection.execute(f"SELECT * FROM ({query}) ORDER BY ALL").fetchall()
            for view, query in PLAIN.items()
        }
    return shown, plain


def assert_same(folder):
    shown, plain = answers(folder)
    for view in VIEWS:
        assert shown[view]
        assert shown[view] == [pytest.approx(row) for row in plain[view]], view


@pytest.mark.parametrize("most", [turn_groups.MOST_TURNS, 20])
async def test_the_views_say_what_the_turns_say_before_and_after_merging(tmp_path, monkeypatch, most):
    """With a small `most`, merged parts of an earlier version are not counted, and are read as before."""
    monkeypatch.setattr(turn_groups, "MOST_TURNS", most)
    store = await session(tmp_path / "a", range(7))
    going_on = shutil.copytree(store.folder, tmp_path / "going-on")
    assert_same(going_on)
    await store.close()
    assert_same(store.folder)
    again = await session(tmp_path / "a", range(7, 12))
    assert_same(shutil.copytree(again.folder, tmp_path / "grown"))
    await again.close()
    (part,) = live_parts(store.folder)
    assert part.rows["turn_groups"] > 0
    assert_same(store.folder)


async def test_a_merged_part_of_an_earlier_version_is_read_from_its_turns(tmp_path, monkeypatch):
    """Such a part has no groups; when it is large, a merge does not count it."""
    store = await session(tmp_path, range(9))
    with monkeypatch.context() as patch:
        patch.setattr("learnact.results.parts.merge_groups", lambda *_: None)
        await store.close()
    assert_same(store.folder)
    monkeypatch.setattr(turn_groups, "MOST_TURNS", 20)
    await (again := await session(tmp_path, range(9, 11))).close()
    (part,) = live_parts(again.folder)
    assert "turn_groups" not in part.rows
    assert_same(again.folder)
