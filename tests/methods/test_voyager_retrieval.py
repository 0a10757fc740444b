"""Voyager's skills are chosen by the embeddings of a real endpoint, and a run that is continued asks it
nothing twice.
"""

import asyncio
from pathlib import Path

import pytest

import learnact
from learnact.results.reader import connect_folders, dictionaries
from tests.models.server import FaultServer


def job(url: str) -> dict[str, object]:
    return {
        "name": "skills",
        "domains": {"name": "gripper", "train": 2, "test": 3, "balls": [3, 4]},
        "methods": "voyager",
        "learner": {"voyager_top": 1, "voyager_rounds": 2},
        "models": {
            "agent": "sim-perfect",
            "learner": "sim-perfect",
            "embeddings": {"name": "e", "base_url": url, "prices": {"prompt": 1.0, "completion": 0.0}},
        },
        "repeats": {"learn": 1},
        "cluster": {"runner": "local"},
    }


async def test_each_test_task_gets_the_skill_most_like_it(tmp_path: Path) -> None:
    async with FaultServer() as server:
        first = await asyncio.to_thread(learnact.run, job(server.url), results=tmp_path)
        asked = len(server.bodies)
        again = await asyncio.to_thread(learnact.run, job(server.url), results=tmp_path)
        assert len(server.bodies) == asked
    assert first.done
    assert again.done
    assert again.executed == 0
    assert asked == 3, "one request for each test task"
    assert all(len(body["input"]) >= 3 for body in server.bodies), "the task and every skill"
    with connect_folders([first.folder]) as connection:
        rows = dictionaries(
            connection, "SELECT prompt_tokens, cost, calls FROM requests WHERE purpose = 'embed'"
        )
        assert [(r["prompt_tokens"], r["calls"]) for r in rows] == [(7, 1)] * 3
        assert all(r["cost"] == pytest.approx(7e-6) for r in rows)
        given = dictionaries(
            connection,
            "SELECT len(actions) AS n FROM episodes e JOIN libraries l USING (run, library) WHERE "
            "e.phase = 'test'",
        )
        assert [row["n"] for row in given] == [1] * len(given)
        assert given
