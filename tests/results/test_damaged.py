"""A damaged run is named with its file and the way out, and never harms the other runs of the folder."""

import asyncio
import json
import shutil
from random import Random

import pytest
from typer.testing import CliRunner

from learnact.cli.app import app
from learnact.errors import ResultsError
from learnact.results import files
from learnact.results.manifests import live_parts, verify
from learnact.results.query import QuerySession
from learnact.results.reader import connect, runs
from learnact.results.store import RunStore
from tests.results import material

GOOD, BAD = "1" * 24, "2" * 24


def write(folder, run, name, episodes=2):
    async def session():
        store = RunStore.open(folder, run, name, {}, {}, {})
        for number in range(episodes):
            await store.commit(material.outcome(material.episode(number), turns=2))
        await store.close()
        return store.folder

    return asyncio.run(session())


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    write(folder, GOOD, "good")
    write(folder, BAD, "bad")
    return folder


@pytest.fixture
def results(written, tmp_path):
    return shutil.copytree(written, tmp_path / "results")


def bad(results, pattern=""):
    (folder,) = results.glob("bad-*")
    return max(folder.glob(pattern), key=lambda path: path.name) if pattern else folder


def truncate(path):
    path.write_bytes(path.read_bytes()[:-40])


DAMAGES = {
    "a truncated table": lambda results: truncate(bad(results, "episodes.*.parquet")),
    "an empty table": lambda results: bad(results, "turns.*.parquet").write_bytes(b""),
    "a missing table": lambda results: bad(results, "calls.*.parquet").unlink(),
    "a table of another run part": lambda results: shutil.copy(
        bad(results, "events.*.parquet"), bad(results, "episodes.*.parquet")
    ),
    "no manifest": lambda results: [path.unlink() for path in bad(results).glob("part.*.json")],
    "a truncated manifest": lambda results: truncate(bad(results, "part.*.json")),
    "a manifest of other JSON": lambda results: bad(results, "part.*.json").write_text("[1, 2]"),
    "a manifest without keys": lambda results: bad(results, "part.*.json").write_text(
        '{"schema_version": 1}'
    ),
    "garbage in run.json": lambda results: bad(results, "run.json").write_bytes(b"\xff\x00garbage"),
    "other JSON in run.json": lambda results: bad(results, "run.json").write_text('["run"]'),
    "run.json without keys": lambda results: bad(results, "run.json").write_text('{"schema_version": 1}'),
    "run.json with odd types": lambda results: bad(results, "run.json").write_text(
        '{"schema_version": 1, "run": 5, "name": null, "created": "now"}'
    ),
    "run.json that is a folder": lambda results: (
        bad(results, "run.json").unlink(),
        bad(results).joinpath("run.json").mkdir(),
    ),
    "another schema": lambda results: bad(results, "run.json").write_text('{"schema_version": 99}'),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_run_is_named_and_the_others_are_read(results, damage, caplog):
    damage(results)
    with connect(results) as connection:
        found = connection.execute("SELECT run, count(*) FROM episodes GROUP BY run").fetchall()
    assert found == [(GOOD, 2)]
    (warning,) = caplog.messages
    assert "bad-222222222222" in warning
    caplog.clear()
    with connect(results, "good") as connection:
        assert connection.execute("SELECT count(*) FROM turns").fetchone() == (4,)
    with pytest.raises(ResultsError, match=r"bad-222222222222.*(restore|read it with)"):
        connect(results, bad(results).name)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_run_is_not_continued_and_nothing_of_it_is_removed(results, damage):
    damage(results)
    before = sorted(path.name for path in bad(results).iterdir())
    with pytest.raises(ResultsError, match=r"bad-222222222222"):
        RunStore.open(results, BAD, "bad", {}, {}, {})
    assert sorted(path.name for path in bad(results).iterdir() if path.name != "lock") == [
        name for name in before if name != "lock"
    ]


def test_a_flipped_byte_is_told_when_it_is_met(results):
    path = bad(results, "blocks.*.parquet")
    content = bytearray(path.read_bytes())
    for place in range(40, 400):
        content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ResultsError):
        list(QuerySession(results).ask("SELECT max(run), max(hash), max(text) FROM blocks"))


def test_files_that_are_no_runs_are_left_alone(results):
    (results / "notes").mkdir()
    (results / "notes" / "part.0000001.json").write_text("mine")
    (results / "notes.txt").write_text("mine")
    assert [info.name for info in runs(results)] == ["good", "bad"]


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match=r"file.*choose another --results"):
        RunStore.open(tmp_path / "file", GOOD, "x", {}, {}, {})
    with pytest.raises(ResultsError, match="cannot be read as a results folder"):
        connect(tmp_path / "file")


@pytest.mark.parametrize("name", ["Lock.__init__", "put", "sync_folder"])
def test_a_folder_that_takes_no_files_is_one_clear_error(tmp_path, monkeypatch, name):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(tmp_path))

    owner, _, attribute = name.rpartition(".")
    monkeypatch.setattr(files.Lock if owner else files, attribute, refuse)
    with pytest.raises(ResultsError, match=r"Permission denied.*choose another --results"):
        RunStore.open(tmp_path, GOOD, "x", {}, {}, {})


async def test_a_full_disk_ends_the_run_with_one_clear_error_and_keeps_what_was_stored(tmp_path, monkeypatch):
    store = RunStore.open(tmp_path, GOOD, "x", {}, {}, {})
    await store.commit(material.outcome(material.episode(1), turns=2))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files, "put", full)
        with pytest.raises(ResultsError, match=r"x-111111111111.*No space left on device.*same command"):
            await store.commit(material.outcome(material.episode(2), turns=2))
        with pytest.raises(ResultsError, match="No space left"):
            store.trial("t", {})
        await store.close("interrupted")
    store = RunStore.open(tmp_path, GOOD, "x", {}, {}, {})
    assert store.find(material.episode(1).key)
    assert not store.find(material.episode(2).key)
    await store.close()


async def test_a_disk_that_fills_up_at_the_end_is_one_clear_error(tmp_path, monkeypatch):
    store = RunStore.open(tmp_path, GOOD, "x", {}, {}, {})
    await store.commit(material.outcome(material.episode(1), turns=2))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "put", full)
    with pytest.raises(ResultsError, match="No space left"):
        await store.close()
    monkeypatch.undo()
    with connect(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM episodes").fetchone() == (1,)


def live_files(folder):
    """The files that count."""
    return [folder / name for part in live_parts(folder) for name in part.files]


def test_every_flipped_bit_is_found_and_its_file_named(written, tmp_path):
    """Of 160 single bits in the files of a run none changes a value without a word."""
    folder = shutil.copytree(next(written.glob("good-*")), tmp_path / "results" / "good-x")
    whole = verify(folder, live_parts(folder))
    paths = live_files(folder)
    assert (whole.whole, whole.without) == (len(paths), 0)
    random = Random(1)
    for _ in range(160):
        path = random.choice(paths)
        content = path.read_bytes()
        at, bit = random.randrange(len(content)), 1 << random.randrange(8)
        path.write_bytes(content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :])
        with pytest.raises(ResultsError, match=path.name):
            verify(folder, live_parts(folder))
        path.write_bytes(content)
    assert verify(folder, live_parts(folder)) == whole


def test_a_run_with_a_flipped_bit_is_not_continued(written, tmp_path):
    results = shutil.copytree(written, tmp_path / "results")
    path = next(p for p in live_files(next(results.glob("good-*"))) if p.name.startswith("turns"))
    content = path.read_bytes()
    path.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
    with pytest.raises(ResultsError, match=path.name):
        RunStore.open(results, GOOD, "good", {}, {}, {})
    done = CliRunner().invoke(app, ["verify", "--results", str(results)])
    assert done.exit_code == 1
    assert path.name in done.output
    assert "bad-" in done.output
    assert "files are as they were written" in done.output


def test_a_part_without_checksums_stays_readable(written, tmp_path):
    folder = shutil.copytree(next(written.glob("good-*")), tmp_path / "good")
    for path in folder.glob("part.*.json"):
        manifest = json.loads(path.read_text())
        del manifest["sums"]
        path.write_text(json.dumps(manifest))
    found = verify(folder, live_parts(folder))
    assert found.whole == 0
    assert found.without > 0


def test_a_copied_run_folder_is_not_counted_twice(results, caplog):
    (good,) = results.glob("good-*")
    shutil.copytree(good, results / "a copy")
    shutil.copytree(good, results / "z copy")
    with connect(results) as connection:
        assert connection.execute("SELECT count(*) FROM episodes WHERE run = ?", [GOOD]).fetchone() == (2,)
    assert [info.folder.name for info in runs(results) if info.run == GOOD] == [good.name]
    assert "is a copy of" in caplog.text


def test_files_without_a_manifest_are_set_aside_and_never_deleted(results):
    """A lost manifest of the last, merged part: its files may be all that there is."""
    (good,) = results.glob("good-*")
    turns = next(p for p in live_files(good) if p.name.startswith("turns"))
    orphan = good / "turns.0000099.parquet"
    orphan.write_bytes(turns.read_bytes())
    store = RunStore.open(results, GOOD, "good", {}, {}, {})
    asyncio.run(store.close())
    assert not orphan.exists()
    assert (good / "set-aside" / orphan.name).read_bytes()
