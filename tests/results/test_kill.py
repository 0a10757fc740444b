"""A writing process is killed at any moment: what it had been told is stored is there whole, and the folder
reads cleanly.
"""

import asyncio
import json
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from learnact.errors import ResultsError
from learnact.results.parts import tidy
from learnact.results.reader import connect, load_episode, runs
from learnact.results.store import RunStore
from tests.results import material
from tests.results.reading import load_calls

WRITER = """
import asyncio, sys
from learnact.results import parts
from learnact.results.store import RunStore
from tests.results import material

parts.FAN_IN = 4   # merge often, so that kills hit merges too

async def one(store, number):
    unit = material.episode(number)
    outcome = material.outcome(unit, turns=3, streamed=number % 2 == 0)
    for call in material.outcome(unit, turns=3).calls:
        if number % 2 == 0:
            store.record(call)
    await store.commit(outcome)
    print(number, flush=True)

async def main(folder, first):
    store = RunStore.open(folder, "k" * 24, "killed", {}, {}, {})
    print("open", flush=True)
    number = first
    while True:
        await asyncio.gather(*(one(store, n) for n in range(number, number + 3)))
        number += 3
        if number % 30 == 0:
            await store.close()
            store = RunStore.open(folder, "k" * 24, "killed", {}, {}, {})

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def play_and_kill(folder: Path, first: int, commits: int, seconds: float) -> list[int]:
    """Numbers of the episodes that the writer was told are stored, at least so many."""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(first)], stdout=subprocess.PIPE, text=True, cwd=root
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline().strip() == "open"
        told = [writer.stdout.readline() for _ in range(commits)]
        time.sleep(seconds)  # not a synchronisation: the moment of death is the input of this test
        writer.kill()
        told += writer.stdout.read().split("\n")[:-1]
    return [int(line) for line in told]


@pytest.mark.parametrize("lives", [4, pytest.param(15, marks=pytest.mark.slow)])
def test_what_was_reported_survives_kills_at_any_time(tmp_path, lives):
    random_, told = random.Random(11), []
    for life in range(lives):
        told += play_and_kill(tmp_path, 1000 * life, 4 + 3 * (life % 5), random_.uniform(0.0, 0.3))
        check(tmp_path, told)

    async def finish():
        store = RunStore.open(tmp_path, "k" * 24, "killed", {}, {}, {})
        assert all(store.find(material.episode(number).key) for number in told)
        await store.close()

    asyncio.run(finish())
    check(tmp_path, told)
    folder = runs(tmp_path)[0].folder
    assert not list(folder.glob(".tmp-*"))
    tidy(folder, grace=0.0)
    assert len(list(folder.glob("episodes.*"))) == len(list(folder.glob("calls.*.parquet"))) == 1


def check(folder: Path, told: list[int]) -> None:
    with connect(folder) as connection:
        keys = [key for (key,) in connection.execute("SELECT key FROM episodes").fetchall()]
        assert len(keys) == len(set(keys))
        assert {material.episode(number).key for number in told} <= set(keys)
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM turns), (SELECT count(*) FROM calls),"
            " (SELECT count(*) FROM prompts),"
            " (SELECT count(*) FROM turns LEFT JOIN episodes ON key = episode WHERE key IS NULL)"
        ).fetchone()
        assert counts == (3 * len(keys), 3 * len(keys), 3 * len(keys), 0)
        for number in told[-3:]:
            outcome = material.outcome(material.episode(number), turns=3)
            assert load_episode(connection, outcome.key) == outcome.result
            assert load_calls(connection, outcome.key) == outcome.calls


def test_a_torn_journal_and_files_without_manifest_are_ignored(tmp_path):
    unit = material.episode(3)
    calls = material.outcome(unit, turns=3).calls

    async def interrupted():
        store = RunStore.open(tmp_path, "k" * 24, "torn", {}, {}, {})
        for call in calls:
            store.record(call)
        await store.close("interrupted")
        return store.folder

    folder = asyncio.run(interrupted())
    journal = folder / "calls.journal"
    journal.write_bytes(journal.read_bytes()[:-10])
    (folder / "episodes.0000099.parquet").write_bytes(b"half a file")
    (folder / ".tmp-part.0000100.json").write_text(json.dumps({}))
    with connect(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM episodes").fetchone() == (0,)

    async def resumed():
        store = RunStore.open(tmp_path, "k" * 24, "torn", {}, {}, {})
        assert store.replay(unit.key) == calls[:2]
        await store.commit(material.outcome(unit, turns=3))
        await store.close()

    asyncio.run(resumed())
    with connect(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM episodes").fetchone() == (1,)
    assert not (folder / "episodes.0000099.parquet").exists()


DYING = """
import asyncio, os, signal, sys
from learnact.results.store import RunStore
from tests.results import material

async def main(folder):
    store = RunStore.open(folder, "k" * 24, "dying", {}, {}, {})
    for call in material.outcome(material.episode(3), turns=3).calls:
        store.record(call)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(sys.argv[1]))
"""


def test_a_recorded_call_outlives_the_process_at_once(tmp_path):
    unit = material.episode(3)
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", DYING, str(tmp_path)], cwd=root, check=False, timeout=300)

    async def resumed():
        store = RunStore.open(tmp_path, "k" * 24, "dying", {}, {}, {})
        replayed = store.replay(unit.key)
        await store.close()
        return replayed

    assert asyncio.run(resumed()) == material.outcome(unit, turns=3).calls


def test_a_journal_on_a_full_disk_is_a_clear_error_and_what_was_recorded_is_given_back(tmp_path):
    unit = material.episode(3)
    calls = material.outcome(unit, turns=3).calls

    async def full():
        store = RunStore.open(tmp_path, "k" * 24, "full", {}, {}, {})
        store.record(calls[0])
        kept = (store.folder / "calls.journal").stat().st_size
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (kept + 20, before[1]))
        try:
            store.record(calls[1])
            with pytest.raises(ResultsError, match=r"File too large.*same command"):
                await store.commit(material.outcome(unit, turns=3))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)
        await store.close()
        again = RunStore.open(tmp_path, "k" * 24, "full", {}, {}, {})
        replayed = again.replay(unit.key)
        await again.commit(material.outcome(unit, turns=3))
        await again.close()
        return replayed

    assert asyncio.run(full()) == calls[:1]
    with connect(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM episodes").fetchone() == (1,)
