"""A run whose model's replies cannot be read at all ends early, with the cause and the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import learnact
from learnact.results.reader import connect
from tests.models.server import FaultServer, good

TURNS = 5


def job(url: str, **limits: Any) -> dict[str, Any]:
    return {
        "name": "mute",
        "domains": {"name": "gripper", "level": "easy", "train": 1, "test": 12, "balls": 2},
        "methods": "act",
        "models": {"agent": {"name": "m", "base_url": url, "max_tokens": 7}},
        "repeats": {"learn": 1},
        "budget": {"test": {"turns": TURNS}},
        "cluster": {"runner": "local", "in_flight": 1},
        "limits": {"tries": 1, **limits},
    }


def episodes(results: Path) -> int:
    with connect(results) as connection:
        rows = connection.execute("SELECT count(*) FROM episodes").fetchall()
    return int(rows[0][0])


async def test_it_ends_after_twenty_replies_with_the_cause(tmp_path: Path) -> None:
    async with FaultServer(always=good("I would rather not say", finish="length")) as server:
        ended = await learnact.run_async(job(server.url), results=tmp_path)
    assert not ended.done
    assert episodes(tmp_path) == 20 // TURNS
    (trial,) = ended.trials
    assert "none of the first 20 replies of m could be read (20 cut at max_tokens 7" in trial.reason
    assert "limits.unreadable" in trial.reason


async def test_null_lets_it_go_on(tmp_path: Path) -> None:
    async with FaultServer(always=good("I would rather not say")) as server:
        ended = await learnact.run_async(job(server.url, unreadable=None), results=tmp_path)
    assert ended.done
    assert episodes(tmp_path) == 12


async def test_one_reply_that_can_be_read_lets_it_go_on(tmp_path: Path) -> None:
    async with FaultServer(always=good("no")) as server:
        server.script = [good("move('rooma', 'roomb')")]
        ended = await learnact.run_async(job(server.url), results=tmp_path)
    assert ended.done
