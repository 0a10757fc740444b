"""The server: what it answers, what it refuses, the faults it makes on purpose, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
from pathlib import Path

import pytest

from tests.simulated.lamps_prompt import LAMPS
from tests.simulated.server import ask, get, post, serving

HELLO = {"model": "sim-strong", "messages": [{"role": "user", "content": LAMPS}]}


def test_it_answers_as_an_openai_endpoint_does() -> None:
    with serving() as url:
        status, reply, _ = post(url, {**HELLO, "model": "sim-perfect", "seed": 7})
        assert status == 200
        assert reply["object"] == "chat.completion"
        assert reply["model"] == "sim-perfect"
        assert "walk('hall', 'kitchen')" in reply["choices"][0]["message"]["content"]
        usage = reply["usage"]
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
        assert usage["prompt_tokens"] > len(LAMPS) / 8
        assert {m["id"] for m in get(f"{url}/v1/models")["data"]} >= {"sim-strong", "sim-weak"}


def test_replies_are_pure_across_processes_and_hash_seeds() -> None:
    def replies(hash_seed: str, *options: str) -> list[str]:
        with serving(*options, env={**os.environ, "PYTHONHASHSEED": hash_seed}) as url:
            return [ask(url, LAMPS, model, seed) for model in ("sim-strong", "sim-weak") for seed in range(6)]

    one = replies("1", "--processes", "2")
    assert one == replies("2")
    assert len(set(one)) > 1


def test_what_it_does_not_understand_is_said_and_counted() -> None:
    with serving() as url:
        assert ask(url, "Tell me a joke.") == "I do not understand."
        assert get(f"{url}/stats") == {"not understood": 1}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({**HELLO, "model": "gpt"}, "there is no model 'gpt'"),
        ({**HELLO, "stream": True}, "streaming"),
        ({**HELLO, "messages": []}, "messages"),
        ({**HELLO, "messages": [{"role": "user"}]}, "content"),
        ({**HELLO, "seed": "x"}, "seed"),
        ([], "JSON object"),
    ],
)
def test_a_wrong_request_is_refused_with_the_reason(url: str, body: object, says: str) -> None:
    status, reply, _ = post(url, body)
    assert status == 400
    assert says in reply["error"]["message"]


@pytest.fixture(scope="module")
def url() -> object:
    with serving() as address:
        yield address


def test_stop_and_max_tokens_cut_the_reply(url: str) -> None:
    body = {**HELLO, "model": "sim-perfect", "seed": 7}
    _, cut, _ = post(url, {**body, "stop": ["("]})
    assert "(" not in cut["choices"][0]["message"]["content"]
    _, short, _ = post(url, {**body, "max_tokens": 1})
    assert short["choices"][0]["finish_reason"] == "length"


def test_limits_say_when_to_come_back() -> None:
    with serving("--rpm", "60", "--canned", "look()") as url:
        answers = [post(url, HELLO) for _ in range(12)]
        limited = [headers for status, _, headers in answers if status == 429]
        assert limited
        assert all(float(h["retry-after-ms"]) > 0 and int(h["retry-after"]) >= 1 for h in limited)
        assert sum(status == 200 for status, _, _ in answers) >= 6


def test_refused_parameters_are_named() -> None:
    with serving("--refuse", "stop", "--refuse", "seed") as url:
        status, reply, _ = post(url, {**HELLO, "stop": ["x"]})
        assert (status, reply["error"]["param"]) == (400, "stop")


def test_broken_replies() -> None:
    for option, check in (
        ("--errors", lambda s, r: s == 500 and r["error"]["type"] == "server_error"),
        ("--html", lambda s, r: s == 200 and "<html>" in r),
        ("--empty", lambda s, r: s == 200 and r["choices"] == []),
        ("--malformed", lambda s, r: s == 200 and isinstance(r, str)),
    ):
        with serving(option, "1") as url:
            status, reply, _ = post(url, HELLO)
            assert check(status, reply), option


def test_dropped_connections_and_hangs() -> None:
    with serving("--drops", "1") as url, pytest.raises(OSError):
        post(url, HELLO)
    with serving("--hangs", "1") as url, pytest.raises((TimeoutError, urllib.error.URLError)):
        post(url, HELLO, timeout=0.5)


def test_a_share_of_faults_leaves_the_rest_alone() -> None:
    with serving("--errors", "0.5", "--canned", "look()") as url:
        codes = [post(url, HELLO)[0] for _ in range(40)]
        assert 8 <= codes.count(500) <= 32
        assert codes.count(200) == 40 - codes.count(500)


def test_latency() -> None:
    with serving("--latency", "0.2", "--canned", "look()") as url:
        start = time.monotonic()
        post(url, HELLO)
        assert time.monotonic() - start >= 0.2


def test_it_ends_with_its_parent_and_takes_its_children_along(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    port_file = tmp_path / "port"
    options = ["--processes", "2", "--parent", str(parent.pid), "--port-file", str(port_file)]
    server = subprocess.Popen([sys.executable, "-m", "learnact.simulated", *options])
    while not port_file.exists():
        time.sleep(0.02)
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    parent.kill()
    parent.wait()
    server.wait(300)
    assert children
    assert all(not Path(f"/proc/{child}").exists() for child in children)


def test_a_taken_port_is_bad_input() -> None:
    with serving() as url:
        port = url.rpartition(":")[2]
        done = subprocess.run(
            [sys.executable, "-m", "learnact.simulated", "--port", port],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 2
        assert "choose another --port" in done.stderr
