"""What can be checked before a run is: the URL of a model, the variable of its key, that the endpoint answers
and knows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from learnact.errors import JobError
from learnact.job import load
from tests.cli.conftest import learnact, serving, speak
from tests.models.server import error

JOB = """\
name: checked
domains: [{{name: gripper, train: 1, test: 1}}]
methods: [act]
models: {{agent: {{name: tiny, base_url: "{url}", {more}}}}}
repeats: {{learn: 1}}
budget: {{test: {{turns: 1}}}}
cluster: {{runner: local}}
"""


def job(folder: Path, url: str, more: str = "") -> Path:
    (folder / "job.yaml").write_text(JOB.format(url=url, more=more))
    return folder / "job.yaml"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("localhost:8125/v1", "does not begin with http:// or https://"),
        ("ftp://localhost/v1", "does not begin with http:// or https://"),
        ("http://localhost:99999/v1", "Port out of range 0-65535"),
        ("http:///v1", "names no host"),
        ("http://[::1/v1", "Invalid IPv6 URL"),
        ("http://me:secret@localhost/v1", "holds a user or a password"),
        ("", "does not begin with http:// or https://"),
    ],
)
def test_a_url_that_is_none_is_refused_at_its_line(url: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(JobError) as refused:
        load(job(tmp_path, url))
    told = str(refused.value)
    assert "job.yaml:4: models.agent.base_url: " in told
    assert why in told
    assert "secret" not in told
    assert learnact("plan", tmp_path / "job.yaml").code == 2


def run(path: Path, *more: str) -> tuple[int, str]:
    done = learnact("run", path, "--results", path.parent / "results", *more)
    return done.code, " ".join(done.err.split())


def test_a_dead_server_is_told_before_anything_starts(tmp_path: Path) -> None:
    code, told = run(job(tmp_path, "http://127.0.0.1:9/v1"))
    assert code == 2
    assert "job.yaml:4: models.agent: tiny: " in told
    assert "127.0.0.1:9" in told
    assert "Nothing was started; --no-check starts the run without asking." in told
    assert not (tmp_path / "results").exists()


def test_an_unset_key_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    code, told = run(job(tmp_path, "http://127.0.0.1:9/v1", "api_key_env: MY_KEY"))
    assert code == 2
    assert "the environment variable MY_KEY is not set; export MY_KEY=..." in told


async def unknown_model(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
    return await error(404, "The model `tiny` does not exist")(request, body)


def test_an_endpoint_that_does_not_know_the_model_is_told(tmp_path: Path) -> None:
    with serving(unknown_model, models=[{"id": "large"}]) as url:
        code, told = run(job(tmp_path, url))
        assert code == 2
        assert "404" in told
        assert "tiny" in told
        assert run(job(tmp_path, url), "--no-check", "--set", "limits.tries=1")[0] == 1


def test_a_finished_run_needs_no_endpoint(tmp_path: Path) -> None:
    with serving(speak) as url:
        assert run(job(tmp_path, url))[0] == 0
    assert run(job(tmp_path, url))[0] == 0
