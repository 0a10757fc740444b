"""Parts that were replaced stay for readers that connected before, and are removed later; at once where there
is none."""

import asyncio
import os

import pytest

from learnact.errors import ResultsError
from learnact.results import parts
from learnact.results.parts import GRACE, tidy
from learnact.results.reader import connect
from learnact.results.storage.local import LocalStorage
from learnact.results.store import RunStore
from tests.results import material


def open_store(folder):
    return RunStore.open(folder, "9" * 24, "tidy", {}, {}, {})


async def play(store, numbers):
    for number in numbers:
        await store.commit(material.answered(material.request(number)))


def age(folder, seconds):
    """As if everything had been written so many seconds ago."""
    for path in folder.iterdir():
        changed = path.stat().st_mtime - seconds
        os.utime(path, (changed, changed))


def data(folder):
    return {path.name for path in folder.glob("*.parquet")}


@pytest.fixture
def reader(tmp_path):
    """Somebody reads runs of the folder."""
    end_reading = LocalStorage(tmp_path / "run").begin_reading()
    yield
    end_reading()


def counted(connection):
    return connection.execute("SELECT count(*) FROM requests").fetchone()[0]


async def test_a_connection_made_while_a_run_goes_on_answers_after_it_ended_and_started_again(tmp_path):
    store = open_store(tmp_path)
    await play(store, range(3))
    with connect(tmp_path) as connection:
        await store.close()
        assert counted(connection) == 3
        store = open_store(tmp_path)
        await play(store, range(3, 5))
        await store.close()
        assert counted(connection) == 3
    with connect(tmp_path) as connection:
        assert counted(connection) == 5


@pytest.mark.usefixtures("reader")
async def test_replaced_parts_are_removed_by_the_next_start_after_a_while(tmp_path):
    store = open_store(tmp_path)
    await play(store, range(3))
    await store.close()
    before = data(store.folder)
    age(store.folder, GRACE + 1)
    store = open_store(tmp_path)
    assert len(data(store.folder)) < len(before)
    with connect(tmp_path) as connection:
        assert counted(connection) == 3
    await store.close()


async def test_replaced_parts_that_nobody_reads_are_removed_as_the_run_ends(tmp_path):
    store = open_store(tmp_path)
    await play(store, range(3))
    connection = connect(tmp_path)
    await store.close()
    kept = data(store.folder)
    connection.close()
    del connection
    store = open_store(tmp_path)
    await store.close()
    assert len([name for name in data(store.folder) if name.startswith("requests.")]) == 1
    assert len(data(store.folder)) < len(kept)


@pytest.mark.usefixtures("reader")
async def test_tidying_removes_what_does_not_count_and_nothing_else(tmp_path):
    store = open_store(tmp_path)
    await play(store, range(3))
    await store.close()
    (store.folder / "notes.txt").write_text("mine")
    (store.folder / ".tmp-x").write_text("torn")
    assert tidy(store.folder).files == 1
    tidied = tidy(store.folder, grace=0.0)
    assert tidied.files > 3
    assert tidied.size > 1000
    assert tidy(store.folder, grace=0.0).files == 0
    assert (store.folder / "notes.txt").exists()
    with connect(tmp_path) as connection:
        assert counted(connection) == 3


@pytest.mark.usefixtures("reader")
async def test_merging_goes_on_over_parts_that_are_replaced_and_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "FAN_IN", 3)
    store = open_store(tmp_path)
    await play(store, range(8))
    await store.close()
    store = open_store(tmp_path)
    found = [store.find(material.request(number).key) for number in range(8)]
    assert all(found)
    await store.close()
    assert tidy(store.folder, grace=0.0).files > 0
    with connect(tmp_path) as connection:
        assert counted(connection) == 8


@pytest.mark.parametrize("lost", ["episodes", "part"])
async def test_nothing_is_tidied_where_a_file_that_counts_is_lost(tmp_path, lost):
    store = open_store(tmp_path)
    await asyncio.gather(*(store.commit(material.outcome(material.episode(n), turns=2)) for n in range(2)))
    await store.close()
    tidy(store.folder, grace=0.0)
    max(store.folder.glob(f"{lost}.*"), key=lambda path: path.name).unlink()
    before = data(store.folder)
    with pytest.raises(ResultsError, match="missing"):
        open_store(tmp_path)
    assert data(store.folder) == before
