"""Results on a real S3 server: what a person does, in commands; refusals in words; kills of everything."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import learnact as learnact_package
from learnact.errors import ResultsError
from learnact.results.location import location_of
from learnact.results.reader import connect, runs
from learnact.results.storage import objects, s3
from learnact.results.store import RunStore
from learnact.results.transfer import copy_run
from tests.results import material
from tests.results.faulty_proxy import FaultyProxy
from tests.s3_server import READER, S3Server, s3_server

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
RUN = "b" * 24
JOB = """
name: small
methods: [act]
models: {agent: {name: sim-strong}}
domains: [{name: gripper, train: 2, test: 4}]
repeats: {learn: 1, test: 2}
"""
LEARNING_JOB = """
name: small
methods: [act, learnact]
models: {agent: {name: sim-strong}, learner: {name: sim-strong}}
domains: [{name: gripper, train: 1, test: 4}]
learner: {candidates: 2, iterations: 1}
repeats: {learn: 1, test: 2}
cluster: {runner: local}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with s3_server(tmp_path_factory.mktemp("s3")) as made:
        yield made


@pytest.fixture
def store_env(server, tmp_path, monkeypatch):
    """The environment of a program that uses the server, and of this process."""
    for name, value in {**server.environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    for cached in (objects._cache, s3.bucket_of):
        cached.cache_clear()
    yield
    for cached in (objects._cache, s3.bucket_of):
        cached.cache_clear()


@pytest.fixture
def place(server, store_env, request):
    """A bucket of this test's own."""
    return f"s3://{server.bucket(f'bucket-{abs(hash(request.node.name)) % 10**12}')}/results"


def learnact(*arguments: str, code: int = 0, **environment: str) -> str:
    """A command as a person gives it; its output."""
    done = subprocess.run(
        [sys.executable, "-c", "from learnact.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=900,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_run_lives_in_a_bucket_and_all_commands_read_it(place, server, tmp_path):
    job = tmp_path / "small.yaml"
    job.write_text(LEARNING_JOB)
    said = learnact("run", str(job), "--address", "local", "--results", place)
    assert f"--results {place}" in said
    for command in (
        ("sql", "SELECT count(*) AS n FROM episodes", "--format", "json"),
        ("sql",),
        ("table", "2", "small"),
        ("show", "small"),
        ("verify",),
        ("replay", "small"),
        ("tidy", "--now"),
        ("report", "small", "--output", str(tmp_path / "report")),
        ("export", "small", "--to", "csv", "--output", str(tmp_path / "export")),
        ("bundle", "small", "--output", str(tmp_path / "b.zip")),
        ("plan", str(job)),
        ("show", "small", "--failed"),
        ("compare", "learnact", "act", "--by", "domain"),
        ("figure", "efficiency", "small", "--output", str(tmp_path / "figure.svg")),
    ):
        said = learnact(*command, "--results", place)
        assert "error: " not in said, (command, said)
    again = learnact("run", str(job), "--address", "local", "--results", place, "--json")
    assert json.JSONDecoder().raw_decode(again[again.index("{") :])[0]["run"]
    with connect(place) as connection:
        tested = "SELECT key FROM episodes WHERE phase = 'test' AND method = 'act' ORDER BY key"
        keys = [key for (key,) in connection.execute(tested).fetchall()]
        (library,) = connection.execute("SELECT library FROM trials WHERE method = 'learnact'").fetchone()
    assert len(keys) == 8
    assert "gripper" in learnact("show", "small", keys[0], "--results", place)
    forked = learnact("fork", "small", keys[0], "--turn", "1", "--library", library, "--results", place)
    assert "turn 1" in forked
    with viewer(place) as address:
        links = re.findall('href="([^"]+)"', page(address))
        run_page = next(link for link in links if re.match("run/small-(?!fork)", link))
        for path in ("", "episodes?outcome=failed", f"episode/{keys[0]}", f"episode/{keys[0]}/call/0"):
            assert "gripper" in page(urllib.parse.urljoin(address, f"{run_page}{path}"))
    texts = [
        server.client().get_object(Bucket=place.split("/")[2], Key=key)["Body"].read()
        for key in server.keys(place.split("/")[2])
    ]
    for secret in server.environment.values():
        if secret != "us-east-1":
            assert not any(secret.encode() in text for text in texts), (
                "settings of the store are in no object"
            )


@contextmanager
def viewer(place: str) -> Iterator[str]:
    """The address of a viewer of the bucket."""
    command = [sys.executable, "-c", "from learnact.cli import main; main()", "view", "--no-browser"]
    command += ["--port", "0", "--results", place]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def page(address: str) -> str:
    with urllib.request.urlopen(address, timeout=300) as answer:
        return str(answer.read(), "utf-8")


async def test_sql_asks_runs_in_a_folder_and_in_a_bucket_at_once(place, tmp_path):
    """Views over any number of runs: a run is copied beside others with one call, and joined there."""
    for target, run, numbers in ((place, RUN, (1, 2)), (str(tmp_path / "local"), "c" * 24, (3, 4, 5))):
        store = RunStore.open(target, run, "joined", {}, {}, {})
        for number in numbers:
            await store.commit(material.outcome(material.episode(number)))
        await store.close()
    both = learnact_package.open_results([place, str(tmp_path / "local")])
    assert both.sql("SELECT run, count(*) AS n FROM episodes GROUP BY run ORDER BY run") == [
        {"run": RUN, "n": 2},
        {"run": "c" * 24, "n": 3},
    ]
    assert len(both.sql("SELECT * FROM success_by_method")) == 2
    copied = runs(tmp_path / "local")[0].folder
    copy_run(copied, location_of(place) / copied.name)
    with connect(place) as connection:
        assert connection.execute("SELECT count(*) FROM episodes").fetchone() == (5,)


# Words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "there is no bucket 'no-such-bucket'"),
        ({"AWS_ACCESS_KEY_ID": "nobody-knows-me"}, "does not take these credentials"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong-wrong-wrong"}, "does not take these credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "does not answer"),
        ({"AWS_ENDPOINT_URL": "nonsense"}, "AWS_"),
        ({"AWS_PROFILE": "not-there"}, "profile"),
        (
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"},
            "credentials",
        ),
    ],
)
def test_what_is_set_wrongly_is_said_before_work_starts(store_env, settings, words):
    for command in (("run", "quickstart"), ("sql", "SELECT 1")):
        said = learnact(*command, "--results", "s3://no-such-bucket/results", code=2, **settings)
        assert words in said and "Traceback" not in said, said
        for secret in ("nobody-knows-me", "wrong-wrong-wrong", "test-secret"):
            assert secret not in said


def test_a_bucket_that_may_only_be_read_is_read_and_refused_for_a_run(place, tmp_path):
    job = tmp_path / "small.yaml"
    job.write_text(JOB)
    learnact("run", str(job), "--address", "local", "--results", place)
    assert "8" in learnact(
        "sql", "SELECT count(*) FROM episodes", "--results", place, AWS_ACCESS_KEY_ID=READER
    )
    said = learnact("run", "quickstart", "--results", place, code=2, AWS_ACCESS_KEY_ID=READER)
    assert "not permitted" in said and "s3:PutObject" in said


async def test_throttling_and_broken_connections_are_ridden_out(place, server, monkeypatch):
    with FaultyProxy(server.ports["s3.port"]) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        s3.bucket_of.cache_clear()
        store = RunStore.open(place, RUN, "faults", {}, {}, {})
        proxy.faults = ("busy", "cut before", "cut after")
        for number in range(12):
            await store.commit(material.outcome(material.episode(number), turns=2))
        proxy.faults = ()
        await store.close()
        assert proxy.done["busy"] and proxy.done["cut before"] and proxy.done["cut after"]
        with connect(place) as connection:
            assert connection.execute("SELECT count(*), count(DISTINCT key) FROM episodes").fetchone() == (
                12,
                12,
            )


# Kills ------------------------------------------------------------------------------------------------------


def test_the_run_survives_kills_of_its_driver_and_of_the_server(tmp_path, monkeypatch):
    """The short chaos suite on a server of its own: SIGKILL of the driver six times, of the S3 server twice
    while the driver writes; a reader that polls sees counts only grow."""
    from tests.results.test_kill import WRITER

    with s3_server(tmp_path / "s3") as server:
        for name, value in {**server.environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}.items():
            monkeypatch.setenv(name, value)
        for cached in (objects._cache, s3.bucket_of):
            cached.cache_clear()
        place = f"s3://{server.bucket('chaos')}/results"
        random_, told, watcher = random.Random(12), [], Watcher(place)
        for life in range(6):
            with subprocess.Popen(
                [sys.executable, "-c", WRITER, place, str(1000 * life)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            ) as writer:
                assert writer.stdout is not None and writer.stderr is not None
                assert writer.stdout.readline().strip() == "open", writer.stderr.read()
                if life == 0:
                    watcher.start()
                lines = [writer.stdout.readline() for _ in range(6)]
                if life in (2, 4):
                    server.kill()
                    time.sleep(random_.uniform(0.5, 3.0))  # not a synchronisation: how long it is away
                    server.start()
                    lines += [writer.stdout.readline() for _ in range(6)]
                time.sleep(random_.uniform(0.0, 0.4))  # not a synchronisation: the moment of death
                writer.kill()
                lines += writer.stdout.read().split("\n")[:-1]
                if not all(lines):  # the store came back too late for this driver, which said so
                    assert "run the same command again and it continues" in writer.stderr.read()
                told += [int(line) for line in lines if line.strip()]
        counts = watcher.stop()
        assert counts == sorted(counts) and len(counts) > 5
        check(place, told)


def check(place: str, told: list[int]) -> None:
    """Everything that was told is there, whole, once."""
    with connect(place) as connection:
        keys = [key for (key,) in connection.execute("SELECT key FROM episodes").fetchall()]
        assert len(keys) == len(set(keys))
        assert {material.episode(number).key for number in told} <= set(keys)
        assert connection.execute(
            "SELECT (SELECT count(*) FROM turns), (SELECT count(*) FROM calls),"
            " (SELECT count(*) FROM turns LEFT JOIN episodes ON key = episode WHERE key IS NULL)"
        ).fetchone() == (3 * len(keys), 3 * len(keys), 0)


class Watcher(threading.Thread):
    """Counts episodes again and again; the server may be away in between, nothing else may go wrong."""

    def __init__(self, place: str) -> None:
        super().__init__(daemon=True)
        self._place, self._counts, self._failed = place, [], []
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                with connect(self._place) as connection:
                    self._counts += connection.execute("SELECT count(*) FROM episodes").fetchone()
            except OSError:  # the server is away
                continue
            except ResultsError as error:
                if "does not answer" not in str(error):
                    self._failed.append(error)

    def stop(self) -> list[int]:
        self._ended.set()
        self.join(300)
        assert not self._failed
        return self._counts


def test_a_store_that_stays_away_ends_the_run_with_the_way_on(tmp_path, monkeypatch):
    with s3_server(tmp_path / "s3") as server:
        for name, value in {**server.environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}.items():
            monkeypatch.setenv(name, value)
        for cached in (objects._cache, s3.bucket_of):
            cached.cache_clear()
        place = f"s3://{server.bucket('away')}/results"
        said = asyncio.run(away(place, server, monkeypatch))
        assert "does not answer" in said and "run the same command again and it continues" in said
        with connect(place) as connection:
            assert connection.execute("SELECT count(*) FROM episodes").fetchone() == (2,)


async def away(place: str, server: S3Server, monkeypatch) -> str:
    store = RunStore.open(place, RUN, "away", {}, {}, {})
    await store.commit(material.outcome(material.episode(1)))
    server.kill()
    with monkeypatch.context() as patch:
        patch.setattr(s3, "PATIENCE", 1.0)
        with pytest.raises(ResultsError) as caught:
            await store.commit(material.outcome(material.episode(2)))
    await store.close()
    server.start()
    again = RunStore.open(place, RUN, "away", {}, {}, {})
    await again.commit(material.outcome(material.episode(2)))
    await again.close()
    return str(caught.value)
