"""A run's writer: what it returned for is there, found again with its result, and nothing is there twice."""

import asyncio
import json

import pytest

from learnact.errors import ResultsError
from learnact.records import Candidate, Library, Terms
from learnact.results import group_commit
from learnact.results.reader import connect, find_run, load_episode, load_library, runs
from learnact.results.store import RunStore
from tests.results import material
from tests.results.reading import load_calls

RUN = "0123456789abcdef01234567"


def open_store(folder, run=RUN, name="quick start", job=None):
    return RunStore.open(folder, run, name, job or {"name": name}, {"name": name}, {"learnact": "0.1"})


async def test_what_was_committed_is_found_again_in_this_session_and_the_next(tmp_path):
    episode, request = (
        material.outcome(material.episode(1)),
        material.answered(material.request(1)),
    )
    store = open_store(tmp_path)
    await asyncio.gather(store.commit(episode), store.commit(request))
    for current in (store, None):
        if current is None:
            await store.close()
            current = open_store(tmp_path)
        for outcome in (episode, request):
            found = current.find(outcome.key)
            assert found is not None
            assert (found.unit, found.result, found.attempts) == (outcome.unit, outcome.result, ())
        assert current.find("nothing") is None
    await current.close()


async def test_the_first_commit_of_a_key_wins(tmp_path):
    unit = material.episode(1)
    store = open_store(tmp_path)
    await asyncio.gather(
        store.commit(material.outcome(unit, success=True)),
        store.commit(material.outcome(unit, success=False)),
    )
    await store.commit(material.outcome(unit, success=False))
    await store.close()
    with connect(tmp_path) as connection:
        assert connection.execute("SELECT count(*), bool_and(success) FROM episodes").fetchone() == (1, True)
        assert connection.execute("SELECT count(*) FROM turns").fetchone() == (20,)


async def test_a_failed_unit_leaves_attempts_only_and_is_tried_again(tmp_path):
    unit = material.episode(1)
    store = open_store(tmp_path)
    await store.commit(material.failed(unit))
    assert store.find(unit.key) is None
    await store.commit(material.outcome(unit))
    assert store.find(unit.key) is not None
    assert store.counters.failed == 1
    assert store.counters.attempts == 2
    await store.close()
    with connect(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM episodes").fetchone() == (1,)
        told = connection.execute("SELECT attempt, boundary FROM attempts ORDER BY ALL").fetchall()
        assert told == [(1, "provider"), (2, "provider")]


async def test_a_learner_that_asks_one_thing_after_another_does_not_wait_for_the_period(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(group_commit, "PERIOD", 3600.0)
    store = open_store(tmp_path)
    for number in range(8):
        await store.commit(material.answered(material.request(number)))
    assert len(list(store.folder.glob("requests.*"))) == 8
    await store.close()


async def test_outcomes_that_arrive_together_share_a_part(tmp_path):
    store = open_store(tmp_path)
    await asyncio.gather(*(store.commit(material.answered(material.request(n))) for n in range(200)))
    assert len(list(store.folder.glob("requests.*"))) == 1
    await store.close()


async def test_outcomes_that_keep_arriving_are_written_after_a_period(tmp_path, monkeypatch):
    monkeypatch.setattr(group_commit, "QUIET", 3600.0)
    monkeypatch.setattr(group_commit, "PERIOD", 0.2)
    store = open_store(tmp_path)

    def commit(number):
        return asyncio.create_task(store.commit(material.answered(material.request(number))))

    tasks = [commit(0)]
    while not tasks[0].done():
        assert len(tasks) < 20_000
        await asyncio.sleep(0.005)
        tasks.append(commit(len(tasks)))
    await asyncio.gather(*tasks)
    await store.close()


async def test_a_second_driver_is_told_who_holds_the_run(tmp_path):
    store = open_store(tmp_path)
    with pytest.raises(ResultsError, match=r"process \d+ on .*since"):
        open_store(tmp_path)
    other = open_store(tmp_path, run="f" * 24, name="other")
    await other.close()
    await store.close()
    await (open_store(tmp_path)).close()


async def test_an_unknown_schema_is_refused_with_the_way_out(tmp_path, caplog):
    store = open_store(tmp_path)
    await store.close()
    card = store.folder / "run.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "schema_version": 99}))
    with pytest.raises(ResultsError, match=r"schema version 99.*read it with the version that wrote it"):
        open_store(tmp_path)
    with connect(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (0,)
    assert "left out" in caplog.text
    assert "schema version 99" in caplog.text
    with pytest.raises(ResultsError, match="schema version 99"):
        connect(tmp_path, store.folder.name)


async def test_streamed_calls_of_an_interrupted_unit_are_given_back_and_then_belong_to_it(tmp_path):
    unit = material.episode(3)
    calls = material.outcome(unit).calls
    store = open_store(tmp_path)
    for call in calls[:12]:
        store.record(call)
    await store.close("interrupted")
    store = open_store(tmp_path)
    assert store.replay(unit.key) == calls[:12]
    for call in calls[12:]:
        store.record(call)
    await store.commit(material.outcome(unit, streamed=True))
    assert store.replay(unit.key) == ()
    store.record(calls[3])
    await store.close()
    assert not (store.folder / "calls.journal").exists()
    with connect(tmp_path) as connection:
        assert load_calls(connection, unit.key) == calls


async def test_another_try_of_a_unit_replaces_the_calls_of_the_one_before(tmp_path):
    unit = material.episode(3)
    first, second = material.outcome(unit).calls, material.outcome(unit, turns=2).calls
    store = open_store(tmp_path)
    for call in (*first, *second):
        store.record(call)
    assert store.replay(unit.key) == second
    await store.close()


async def test_what_learners_write_down_is_there_once_with_its_last_state(tmp_path):
    store = open_store(tmp_path)
    await store.commit(material.outcome(material.episode(1, library=Library())))
    store.library("trial-a", material.LIBRARY)
    store.library("trial-a", material.LIBRARY)
    for selected in (False, True):
        store.candidate(
            Candidate(
                trial="trial-a",
                iteration=0,
                candidate=1,
                library=material.LIBRARY.id,
                parent="",
                origin="create",
                terms=Terms(0.5, 0.6),
                score=1.5,
                selected=selected,
            )
        )
    store.trial("trial-a", {"status": "running", "method": "learnact"})
    store.trial("trial-a", {"status": "blocked", "reason": "provider", "method": "learnact", "lr": 3})
    store.check("disjoint", {"domain": "gripper", "overlap": 0})
    await store.close()
    with connect(tmp_path, "quick start") as connection:
        assert load_library(connection, material.LIBRARY.id[:8]) == material.LIBRARY
        assert connection.execute("SELECT selected, score, success FROM candidates").fetchall() == [
            (True, 1.5, 0.5)
        ]
        assert connection.execute("SELECT status, reason, more FROM trials").fetchall() == [
            ("blocked", "provider", '{"lr":3}')
        ]
        assert connection.execute("SELECT name, facts FROM checks").fetchall() == [
            ("disjoint", '{"domain":"gripper","overlap":0}')
        ]
        assert connection.execute("SELECT name, count(*) FROM actions GROUP BY ALL").fetchall() == [
            ("carry", 1)
        ]
        assert connection.execute("SELECT event FROM events").fetchall() == [("started",), ("finished",)]
        assert connection.execute("SELECT sessions, state FROM runs").fetchone() == (1, "finished")


async def test_keys_reach_no_table(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "plain-but-secret-value")
    key = "sk-abcdefghijklmnop1234"
    job = {
        "models": [
            {
                "api_key": "hunter2hunter2",
                "base_url": "https://me:pass@host/v1",
                "api_key_env": "SOME_API_KEY",
            }
        ]
    }
    store = open_store(tmp_path, job=job)
    failed = material.failed(material.request(1))
    error = f"401 for {key} with plain-but-secret-value"
    attempts = tuple(type(a)(a.unit, a.attempt, a.boundary, error, a.seconds) for a in failed.attempts)
    await store.commit(type(failed)(failed.unit, None, attempts))
    store.trial("t", {"status": "blocked", "reason": error})
    await store.close()
    written = b"".join(path.read_bytes() for path in store.folder.iterdir())
    with connect(tmp_path) as connection:
        text = str(
            [connection.execute(f"FROM {view}").fetchall() for view in ("events", "attempts", "trials")]
        )
    for secret in (key, "plain-but-secret-value", "hunter2hunter2", "me:pass"):
        assert secret.encode() not in written
        assert secret not in text
    assert "SOME_API_KEY" in text


async def test_reading_names_the_nearest_run_and_rebuilds_units(tmp_path):
    outcome = material.outcome(material.episode(1))
    store = open_store(tmp_path)
    await store.commit(outcome)
    await store.close()
    assert [info.name for info in runs(tmp_path)] == ["quick start"]
    assert find_run(tmp_path, RUN[:6]).run == RUN
    with pytest.raises(ResultsError, match=r"did you mean .quick"):
        find_run(tmp_path, "quik start")
    with pytest.raises(ResultsError, match="no results folder"):
        connect(tmp_path / "nowhere")
    with connect(tmp_path) as connection:
        assert load_episode(connection, outcome.key[:10]) == outcome.result
        with pytest.raises(ResultsError, match="no key 'zzz' in episodes"):
            load_episode(connection, "zzz")


async def test_a_run_that_does_nothing_new_writes_no_result_again(tmp_path):
    store = open_store(tmp_path)
    await asyncio.gather(*(store.commit(material.outcome(material.episode(i), turns=3)) for i in range(300)))
    await store.close()
    before = {path.name for path in store.folder.glob("episodes.*")}
    store = open_store(tmp_path)
    assert all(store.find(material.episode(i).key) for i in range(300))
    assert store.counters.found == 300
    await store.close()
    assert {path.name for path in store.folder.glob("episodes.*")} == before
