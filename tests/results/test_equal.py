"""Equal work gives equal tables whatever the order, the batches, the times and the places; and a difference
is named.
"""

import asyncio
import dataclasses
import random

from learnact.records import Candidate, Terms
from learnact.results import parts
from learnact.results.manifests import live_parts
from learnact.results.reader import connect_folders
from learnact.results.store import RunStore
from tests.results import material
from tests.results.compare import compare


def write(folder, order, change=None):
    """The same twelve units in some order, with other times and places each time."""

    async def session():
        store = RunStore.open(folder, "e" * 24, "equal", {}, {}, {})
        outcomes = [material.outcome(material.episode(n), turns=4) for n in range(9)]
        outcomes += [material.answered(material.request(n)) for n in range(3)]
        if change:
            outcomes[4] = change(outcomes[4])
        order.shuffle(outcomes)
        for start in range(0, len(outcomes), 4):
            batch = outcomes[start : start + 4]
            batch = [
                dataclasses.replace(o, finished=order.random() * 1e9, node=f"n{order.random()}")
                for o in batch
            ]
            await asyncio.gather(*(store.commit(o) for o in batch))
        rows = [
            Candidate(
                trial="trial-a",
                iteration=0,
                candidate=n,
                library="",
                parent="",
                origin="create",
                terms=Terms(n / 3),
                score=n / 3,
                selected=n == 2,
            )
            for n in range(3)
        ]
        order.shuffle(rows)
        for row in rows:
            store.candidate(row)
        await store.close()
        return store.folder

    return asyncio.run(session())


def test_order_batches_times_and_places_do_not_count(tmp_path):
    one, two = (write(tmp_path / str(n), random.Random(n)) for n in (1, 2))
    assert compare(one, two) == []
    with connect_folders([one]) as first, connect_folders([two]) as second:
        for table in ("turns", "calls", "blocks", "libraries"):
            query = f"SELECT * FROM stored.{table}"
            assert first.execute(query).fetchall() == second.execute(query).fetchall()


def test_a_difference_is_named_with_its_table(tmp_path):
    def failed(outcome):
        return dataclasses.replace(outcome, result=dataclasses.replace(outcome.result, success=False))

    one, two = write(tmp_path / "1", random.Random(1)), write(tmp_path / "2", random.Random(1), failed)
    found = compare(one, two)
    assert [(d.table, d.only_first, d.only_second) for d in found] == [("episodes", 1, 1)]
    assert "success" in found[0].example


def test_parts_are_merged_while_a_run_goes_on_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "FAN_IN", 4)

    async def session():
        store = RunStore.open(tmp_path, "m" * 24, "merged", {}, {}, {})
        for number in range(14):
            with connect_folders([store.folder]) as reading:
                await store.commit(material.answered(material.request(100 + number)))
                assert reading.execute("SELECT count(*) FROM requests").fetchone() == (2 * number,)
            await store.commit(material.answered(material.request(number)))
            assert store.find(material.request(number).key)
            assert len(live_parts(store.folder)) < 14
        assert all(store.find(material.request(number).key) for number in range(14))
        await store.close()
        return store.folder

    folder = asyncio.run(session())
    with connect_folders([folder]) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT key) FROM requests").fetchone() == (28, 28)
        keys = [key for (key,) in connection.execute("SELECT key FROM stored.requests").fetchall()]
        assert keys == sorted(keys)


def test_a_merge_that_fails_leaves_everything_readable(tmp_path, monkeypatch, caplog):
    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(parts.Parts, "_merge", full)

    async def session():
        store = RunStore.open(tmp_path, "m" * 24, "unmerged", {}, {}, {})
        for number in range(3):
            await store.commit(material.answered(material.request(number)))
        await store.close()
        return store.folder

    folder = asyncio.run(session())
    assert "stay unmerged: No space left" in caplog.text
    with connect_folders([folder]) as connection:
        assert connection.execute("SELECT count(*) FROM requests").fetchone() == (3,)
