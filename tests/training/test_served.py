"""`learnact serve-env`: the server as OpenEnv's clients meet it, and under load, in an environment with
OpenEnv."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import learnact as command
from tests.training.reader_venv import behind, checks, reader, script
from tests.training.reading.serving import serve_env


@pytest.mark.slow
def test_openenvs_clients_play_what_is_served() -> None:
    checks("openenv", "check_served.py")


@pytest.mark.slow
def test_64_sessions_are_held_for_a_minute_without_an_error_and_with_flat_memory() -> None:
    told = json.loads(script("openenv", "load", *["gripper", "64", "60", "train=20", "test=2"]))
    assert told["errors"] == 0
    assert told["sessions"] == 64
    assert told["solved"] == told["episodes"] >= 64
    assert told["end_kb"] < 1.1 * told["warm_kb"]


def test_without_openenv_it_says_what_to_install() -> None:
    told = command("serve-env", "gripper")
    assert told.code == 2
    assert "learnact serve-env needs openenv, which is not installed" in told.err
    assert "pip install 'learnact[openenv]'" in told.err


@pytest.mark.slow
def test_verifiers_plays_what_is_served() -> None:
    easy = ("gripper", "--level", "easy", "-o", "balls=2", "-o", "train=3", "-o", "test=2")
    with serve_env(*easy, python=reader("openenv"), variables=behind()) as served:
        checks("verifiers", "check_verifiers.py", LEARNACT_SERVER=served.url)
