"""The same laws over a folder and a bucket; and what only a bucket must hold: two drivers at once, answers
that are lost, a driver that was taken for dead.
"""

from __future__ import annotations

import asyncio
import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.errors import ResultsError, RunTakenOver
from learnact.results import parts
from learnact.results.location import BucketLocation, location_of
from learnact.results.manifests import live_parts, verify
from learnact.results.parts import tidy
from learnact.results.reader import connect, runs
from learnact.results.storage import object_lock, objects, storage_of
from learnact.results.storage.object_lock import ObjectLock
from learnact.results.store import RunStore
from learnact.results.transfer import copy_run
from learnact.runners.ray.inside_job import SUBMISSION
from learnact.runners.ray.send_results import receive, send
from tests.results import material
from tests.results.memory_bucket import MemoryBucket

RUN = "a" * 24
UNITS = [material.episode(number) for number in range(40)]
OUTCOMES = [material.outcome(unit, turns=2) for unit in UNITS]


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """A bucket in memory, found under any name; copies of its objects in a folder of this test."""
    made = MemoryBucket()
    monkeypatch.setattr("learnact.results.storage.s3.bucket_of", lambda name: made)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    objects._cache.cache_clear()
    yield made
    objects._cache.cache_clear()


@pytest.fixture(params=["folder", "bucket"])
def results(request, tmp_path, bucket):
    """A place for results: both kinds in turn."""
    return tmp_path / "results" if request.param == "folder" else location_of("s3://some-bucket/results")


def open_store(results):
    return RunStore.open(results, RUN, "laws", {}, {}, {})


async def end_like_a_crash(store):
    """The process is gone: nothing more is written, and the kernel or the next driver frees the run."""
    await store._writer.stop()
    store._pending.close()
    store._lock.release()


def keys_in(results):
    with connect(results) as connection:
        return [key for (key,) in connection.execute("SELECT key FROM episodes ORDER BY key").fetchall()]


# Both kinds -------------------------------------------------------------------------------------------------


def test_files_come_back_as_they_were_written(results):
    storage = storage_of(results / "laws-1")
    storage.make()
    sums = storage.write({"a.1.parquet": b"one", "b.1.parquet": b"two"})
    storage.seal("part.1.json", b"{}")
    assert sorted(storage.names()) == ["a.1.parquet", "b.1.parquet", "part.1.json"]
    assert {name: file.size for name, file in storage.listing().files.items()} == {
        "a.1.parquet": 3,
        "b.1.parquet": 3,
        "part.1.json": 2,
    }
    assert [path.read_bytes() for path in storage.paths(sums)] == [b"one", b"two"]
    assert storage.checksum_of("a.1.parquet") == sums["a.1.parquet"]
    assert storage.read_matching(re.compile(r"part\..*")) == {"part.1.json": b"{}"}
    assert storage.exists("part.1.json") and not storage.exists("part.2.json")
    with pytest.raises(FileNotFoundError):
        storage.read("part.2.json")
    temporary = storage.scratch("c.1.parquet")
    temporary.write_bytes(b"three")
    assert storage.take(temporary, "c.1.parquet") == storage.checksum_of("c.1.parquet")
    storage.set_aside(["b.1.parquet"], "aside")
    assert storage_of(results / "laws-1" / "aside").read("b.1.parquet") == b"two"
    assert storage.remove(["a.1.parquet", "gone"]) == 3
    assert sorted(storage.names() if not hasattr(results, "exists") else storage.listing().files) == [
        "c.1.parquet",
        "part.1.json",
    ]
    assert storage_of(results).folders() == ["laws-1"]
    assert storage_of(results).inside("part.1.json") == {"laws-1": b"{}"}


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=9), st.tuples(st.binary(max_size=9))), max_size=12))
@settings(max_examples=20)
def test_a_log_holds_what_was_added_since_it_was_replaced(tmp_path_factory, steps):
    for storage in (
        storage_of(tmp_path_factory.mktemp("log")),
        objects.ObjectStorage(BucketLocation("some-bucket", "log"), MemoryBucket()),
    ):
        log, model = storage.log("calls.journal"), b""
        log.read()
        log.replace(b"")
        for step in steps:
            if isinstance(step, tuple):
                log.replace(*step)
                (model,) = step
            else:
                content = b"<" + step + b">"
                if not log.hand_over(content):
                    log.append(content)
                model += content
        log.close()
        assert storage.log("calls.journal").read() == model.decode("utf-8", "replace")


@given(
    st.lists(st.sampled_from(["commit", "commit", "again", "calls", "close", "crash", "look"]), max_size=10)
)
@settings(max_examples=4)
def test_whatever_happens_each_key_is_there_once_and_readers_only_see_more(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("laws")
    with pytest.MonkeyPatch.context() as patch:
        made = MemoryBucket()
        patch.setattr("learnact.results.storage.s3.bucket_of", lambda name: made)
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setattr(parts, "FAN_IN", 3)
        objects._cache.cache_clear()
        for place in (folder / "results", location_of("s3://some-bucket")):
            asyncio.run(play(place, steps))
        objects._cache.cache_clear()


async def play(place, steps):
    store, told, seen, numbers = open_store(place), [], 0, itertools.count()
    for step in steps:
        if step == "commit":
            number = next(numbers)
            await store.commit(OUTCOMES[number])
            told.append(OUTCOMES[number].key)
        elif step == "again" and told:
            await store.commit(OUTCOMES[0])
        elif step == "calls":
            for call in OUTCOMES[-1].calls:
                store.record(call)
            await store._writer.flush()
        elif step in ("close", "crash"):
            calls = store.replay(UNITS[-1].key)
            await (store.close() if step == "close" else end_like_a_crash(store))
            store = open_store(place)
            assert store.replay(UNITS[-1].key) == calls
            assert all(store.find(key) is not None for key in told)
        found = keys_in(place)
        assert found == sorted(told) and len(found) >= seen
        seen = len(found)
    await store.close()
    assert keys_in(place) == sorted(told)
    (info,) = runs(place)
    assert tidy(info.folder, grace=0.0)
    assert keys_in(place) == sorted(told)
    verify(info.folder, live_parts(info.folder))


async def test_readers_that_looked_before_a_merge_go_on(results, monkeypatch):
    monkeypatch.setattr(parts, "FAN_IN", 3)
    store = open_store(results)
    await store.commit(OUTCOMES[0])
    early = connect(results)
    for outcome in OUTCOMES[1:7]:
        await store.commit(outcome)
    await store.close()
    assert early.execute("SELECT count(*), (SELECT count(*) FROM turns) FROM episodes").fetchone() == (1, 2)


async def test_a_run_is_copied_from_one_kind_to_the_other_and_back(results, tmp_path, bucket):
    store = open_store(results)
    for outcome in OUTCOMES[:3]:
        await store.commit(outcome)
    (info,) = runs(results)
    for target in (tmp_path / "copy", location_of("s3://other/copy")):
        copy_run(info.folder, target / info.folder.name)
        assert keys_in(target) == sorted(outcome.key for outcome in OUTCOMES[:3])
    await store.commit(OUTCOMES[3])
    await store.close()
    copy_run(info.folder, target / info.folder.name)
    assert len(keys_in(target)) == 4
    other = RunStore.open(tmp_path / "b", "b" * 24, "laws", {}, {}, {})
    await other.close()
    place = location_of("s3://other/mixed")
    storage_of(place).seal("run.json", b"{}")
    copy_run(other.folder, place)
    assert storage_of(place).read("run.json") == b"{}"  # what is there is never replaced


async def test_a_submitted_jobs_run_is_fetched_from_and_into_either_kind(results, tmp_path, bucket):
    store = RunStore.open(results, RUN, "laws", {}, {}, {SUBMISSION: "job-1"})
    await store.commit(OUTCOMES[0])
    await store.commit(OUTCOMES[1])
    lines = "\n".join(send(results, "job-1"))
    for target in (tmp_path / "here", location_of("s3://other/here")):
        assert receive(lines, target).name == store.folder.name
        assert len(keys_in(target)) == 2
    await store.close()
    receive("\n".join(send(results, "job-1")), target)
    assert len(keys_in(target)) == 2
    with pytest.raises(ResultsError, match="job-2 has stored nothing"):
        list(send(results, "job-2"))


# A bucket ---------------------------------------------------------------------------------------------------

PLACE = "s3://some-bucket/results"


def test_a_second_driver_is_told_who_drives(bucket):
    store = open_store(PLACE)
    with pytest.raises(ResultsError, match=r"being driven by process \d+ on .*same command again"):
        open_store(PLACE)
    asyncio.run(store.close())
    asyncio.run(open_store(PLACE).close())


def freeze(store):
    """The driver's machine stands still: no sign of life, and it knows nothing of it."""
    lock = store._lock
    lock._ended.set()
    lock._thread.join()
    lock._ended.clear()


def dead_for_long(bucket, monkeypatch):
    """What lies in the bucket looks as if another machine's driver had written it and been silent since."""
    monkeypatch.setattr(object_lock, "_machine", lambda: "another machine")
    bucket.clock += object_lock.EXPIRY + 1


async def test_a_driver_that_gave_no_sign_is_replaced_and_adds_nothing_more(bucket, monkeypatch):
    first = open_store(PLACE)
    await first.commit(OUTCOMES[0])
    freeze(first)
    dead_for_long(bucket, monkeypatch)
    second = open_store(PLACE)
    assert second.find(OUTCOMES[0].key) is not None
    with pytest.raises(RunTakenOver, match="taken over by"):
        await first.commit(OUTCOMES[1])
    await second.commit(OUTCOMES[1])
    with pytest.raises(RunTakenOver):
        first.check("late", {})
    first._lock._beat()
    assert "process" in first._lock.lost_to and not first._lock.held
    await first.close()
    await second.close()
    assert keys_in(PLACE) == sorted(outcome.key for outcome in OUTCOMES[:2])


@pytest.mark.parametrize("write", range(1, 8))
async def test_a_driver_that_is_replaced_in_the_middle_of_a_write_leaves_each_key_once(
    bucket, monkeypatch, write
):
    """The first driver stands still before its nth write of a commit; the second starts, and commits the same
    unit; then the first goes on."""
    first = open_store(PLACE)
    await first.commit(OUTCOMES[0])
    freeze(first)
    begun, held = bucket.writes, {}

    def takes_over(number):
        if number == begun + write and "second" not in held:
            held["second"] = None
            dead_for_long(bucket, monkeypatch)
            held["second"] = RunStore.open(PLACE, RUN, "laws", {}, {}, {})
            held["knew"] = held["second"].find(OUTCOMES[1].key) is not None

    bucket.before = takes_over
    try:
        await first.commit(OUTCOMES[1])
        told = True
    except ResultsError:
        told = False
    if "second" not in held:  # the commit had fewer writes
        assert told
        bucket.before = lambda number: None
        await first.close()
        return
    second = held["second"]
    if told:
        assert second.find(OUTCOMES[1].key) is not None, (
            "what was reported as done is known to the next driver"
        )
    await second.commit(OUTCOMES[1])
    with pytest.raises(ResultsError):
        await first.commit(OUTCOMES[2])
    await second.commit(OUTCOMES[2])
    await second.close()
    assert keys_in(PLACE) == sorted(outcome.key for outcome in OUTCOMES[:3])
    with connect(PLACE) as connection:
        assert connection.execute("SELECT count(*) FROM turns").fetchone() == (6,)


@pytest.mark.parametrize("write", range(1, 24))
async def test_an_answer_that_is_lost_changes_nothing(bucket, write):
    """The nth write arrives, its answer does not, and the client asks again."""
    bucket.answer_lost = lambda number: number == write
    store = open_store(PLACE)
    for outcome in OUTCOMES[:2]:
        for call in outcome.calls:
            store.record(call)
        await store.commit(outcome)
    assert store._lock.held
    store._lock._beat()
    assert store._lock.held
    await store.close()
    bucket.answer_lost = lambda number: False
    await open_store(PLACE).close()
    assert keys_in(PLACE) == sorted(outcome.key for outcome in OUTCOMES[:2])


def test_of_many_who_take_a_dead_drivers_run_one_has_it(bucket, monkeypatch):
    place = BucketLocation("some-bucket", "results/x/driver.json")
    dead = ObjectLock(bucket, place)
    dead._ended.set()
    dead._thread.join()
    dead_for_long(bucket, monkeypatch)
    monkeypatch.setattr(object_lock, "POLL", 0.0)

    def take(_):
        try:
            return ObjectLock(bucket, place)
        except ResultsError as error:
            return str(error)

    found = objects._at_once(take, range(8))
    (winner,) = [one for one in found if isinstance(one, ObjectLock)]
    assert all("being driven by" in one for one in found if one is not winner)
    winner.release()


def test_a_sign_of_life_while_waiting_is_an_answer_at_once(bucket, monkeypatch, caplog):
    place = BucketLocation("some-bucket", "results/x/driver.json")
    alive = ObjectLock(bucket, place)
    monkeypatch.setattr(object_lock, "_machine", lambda: "another machine")
    monkeypatch.setattr(object_lock.time, "sleep", lambda seconds: alive._beat())
    with pytest.raises(ResultsError, match="being driven by"):
        ObjectLock(bucket, place)
    assert "waiting up to" in caplog.text
    alive.release()


def test_a_driver_killed_on_this_machine_is_found_out_at_once(bucket, monkeypatch):
    place = BucketLocation("some-bucket", "results/x/driver.json")
    killed = ObjectLock(bucket, place)
    killed._ended.set()
    killed._thread.join()
    monkeypatch.setattr(
        object_lock, "_started", lambda pid: "another time"
    )  # the number is another process now
    ObjectLock(bucket, place).release()


def test_a_store_without_conditional_writes_is_refused(bucket, monkeypatch):
    put = bucket.put
    monkeypatch.setattr(bucket, "put", lambda key, content, **conditions: put(key, content))
    with pytest.raises(ResultsError, match="ignores conditional writes"):
        open_store(PLACE)


def test_a_damaged_object_is_named_when_it_is_read(bucket, tmp_path, monkeypatch):
    async def write():
        store = open_store(PLACE)
        await store.commit(OUTCOMES[0])
        await store.close()

    asyncio.run(write())
    key = max(key for key in bucket.objects if "/turns." in key)
    content, changed = bucket.objects[key]
    bucket.objects[key] = (content[:50] + bytes([content[50] ^ 1]) + content[51:], changed)
    (info,) = runs(PLACE)
    with pytest.raises(ResultsError, match=r"s3://.*turns.*checksum differs"):
        verify(info.folder, live_parts(info.folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    objects._cache.cache_clear()
    with pytest.raises(ResultsError, match=r"s3://.*turns.*checksum differs"):
        connect(PLACE, RUN)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("s3://bucket-a", "s3://bucket-a"), ("s3://bucket-a/b//c/", "s3://bucket-a/b/c"), ("a/b", "a/b")],
)
def test_places_are_written_as_they_are_meant(text, shown):
    assert str(location_of(text)) == shown
    assert str(location_of(text) / "run" if text != "a/b" else location_of(text)) == (
        shown + "/run" if text != "a/b" else shown
    )


@pytest.mark.parametrize(
    "text",
    [
        "s3://",
        "s3://key:secret@bucket/x",
        "s3://bucket-a/../b",
        "gs://bucket-a/x",
        "https://host/x",
        "s3:///x",
    ],
)
def test_a_place_that_is_none_is_refused_without_its_secrets(text):
    with pytest.raises(ResultsError, match="s3://BUCKET/PREFIX") as caught:
        location_of(text)
    assert "secret@" not in str(caught.value)
