"""A whole run over real HTTP, in this process: its results, its continuation, and that an endpoint's faults
change no score."""

import asyncio
import itertools
import json
from dataclasses import replace

import pytest
from aiohttp import web

import learnact
from learnact.errors import BadInput, JobError
from learnact.results.reader import connect
from tests.methods.test_learning_round import scripted
from tests.models.server import FaultServer, completion, cut, drop, error, raw
from tests.results.compare import compare

TRIES = 12


def job(url: str, **changes) -> dict:
    return {
        "name": "t",
        "domains": "gripper",
        "methods": ["act", "learnact"],
        "models": {"agent": {"name": "m", "base_url": url}, "learner": {"name": "m", "base_url": url}},
        "repeats": {"learn": 1},
        "tasks": {"test": 3},
        "learner": {"candidates": 2, "iterations": 1},
        "limits": {"tries": TRIES},
        **changes,
    }


def answers():
    """A server's behaviour: good replies by what the prompt asks for."""
    model = scripted(
        act=lambda text: (
            "pick('ball1', 'rooma', 'left')"
            if "fetch(" not in text
            else "fetch('ball1', 'rooma', 'roomb', 'left')"
        )
    )

    async def answer(request: web.Request, body: dict) -> web.StreamResponse:
        return web.json_response(completion(model._answer(body["messages"][-1]["content"])))

    return answer


def faulty(every: int):
    """Good replies with a fault before every n-th of them, each kind in turn."""
    good = answers()
    faults = itertools.cycle(
        [
            error(429, retry_after_ms="5"),
            error(500),
            raw("<html>Bad gateway</html>", "text/html"),
            drop(),
            cut(),
            error(503, retry_after="0"),
            raw(
                '{"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": []}',
                "application/json",
            ),
        ]
    )
    count = itertools.count(1)

    async def answer(request, body):
        behaviour = next(faults) if next(count) % every == 0 else good
        return await behaviour(request, body)

    return answer


async def run(job, results):
    return await asyncio.to_thread(learnact.run, job, results=results, address="local", check=False)


async def test_a_run_ends_with_its_tables_and_a_second_one_does_nothing(tmp_path):
    async with FaultServer(always=answers()) as server:
        summary = await run(job(server.url), tmp_path)
        asked = len(server.bodies)
        again = await run(job(server.url), tmp_path)
        assert len(server.bodies) == asked
    assert summary.done
    assert [(r.status, r.episodes) for r in summary.trials] == [("done", 3), ("done", 3)]
    assert again.executed == 0
    assert again.run == summary.run
    with connect(tmp_path) as db:
        tested = db.execute(
            "SELECT method, count(*) FROM episodes WHERE phase = 'test' GROUP BY ALL ORDER BY 1"
        ).fetchall()
        assert tested == [("act", 3), ("learnact", 3)]
        assert db.execute("SELECT count(*) FROM calls").fetchone() == (asked,)
        assert db.execute("SELECT count(*) FROM candidates WHERE selected").fetchone()[0] >= 1
        shared = db.execute("SELECT facts FROM checks WHERE name LIKE 'disjoint%'").fetchall()
        assert [json.loads(facts)["ok"] for (facts,) in shared] == [True]


async def test_a_finished_trial_is_not_gone_through_again(tmp_path, monkeypatch):
    """What is shown and counted is as before, no unit is made and nothing is merged anew."""
    async with FaultServer(always=answers()) as server:
        first = await run(job(server.url), tmp_path)
    units = first.counters.episodes + first.counters.requests
    parts = sorted(path.name for path in first.folder.glob("episodes.*"))
    monkeypatch.setattr("learnact.driver.session.run_trial", None)
    again = await run(job("http://127.0.0.1:9/v1"), tmp_path)
    assert [replace(r, found=False) for r in again.trials] == list(first.trials)
    assert again.counters.found >= units  # checks are units too
    assert again.counters.trials == {"done": 2}
    assert sorted(path.name for path in first.folder.glob("episodes.*")) == parts


async def test_a_finished_trial_whose_cost_another_waits_for_is_gone_through_again(tmp_path):
    matched = job("", methods=["learnact", "act"], match_budget={"to": "learnact", "unit": "calls"})
    async with FaultServer(always=answers()) as server:
        for part in matched["models"].values():
            part["base_url"] = server.url
        limited = await run({**matched, "limits": {"calls": 60}, "cluster": {"in_flight": 1}}, tmp_path)
        ended = [r.status for r in limited.trials]
        asked = len(server.bodies)
        again = await run(matched, tmp_path)
    assert ended.count("done") < 2
    assert again.done
    assert len(server.bodies) > asked


@pytest.mark.slow
async def test_an_endpoints_faults_change_no_result_and_lose_none(tmp_path):
    async with FaultServer(always=answers()) as clean:
        first = await run(job(clean.url), tmp_path / "clean")
    async with FaultServer(always=faulty(every=15)) as server:
        second = await run(job(server.url), tmp_path / "faulty")
        assert len(server.bodies) > len(clean.bodies)
    assert second.done
    assert compare(first.folder, second.folder) == []


async def test_a_dead_endpoint_leaves_episodes_unfinished_and_a_later_run_finishes_them(tmp_path):
    async with FaultServer(always=error(401)) as dead:
        summary = await run(job(dead.url), tmp_path)
    assert not summary.done
    assert [r.status for r in summary.trials] == ["unfinished", "blocked"]
    assert "401" in summary.trials[1].reason
    with connect(tmp_path) as db:
        assert db.execute("SELECT count(*) FROM episodes").fetchone() == (0,)
        assert db.execute("SELECT DISTINCT boundary FROM attempts").fetchall() == [("provider",)]
    async with FaultServer(always=answers()) as server:
        summary = await run(job(server.url), tmp_path)
    assert summary.done


async def test_a_limit_of_tokens_starts_nothing_new_and_can_be_raised(tmp_path):
    async with FaultServer(always=answers()) as server:
        limited = await run(job(server.url, limits={"tokens": 500}), tmp_path)
        assert not limited.done
        assert len(server.bodies) < 200
        assert (await run(job(server.url), tmp_path)).done


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"domains": "griper"}, "gripper"),
        ({"domains": {"name": "gripper", "bals": 3}}, "bals"),
        ({"methods": "lernact"}, "learnact"),
        ({"domains": {"name": "gripper", "source": "/nowhere"}}, "/nowhere"),
        ({"library": "missing.py"}, "missing.py"),
        ({"match_budget": {"to": "act"}}, "learns"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_starts(tmp_path, changes, message):
    with pytest.raises(BadInput, match=message):
        learnact.run(job("http://localhost:1/v1", **changes), results=tmp_path, address="local")
    assert list(tmp_path.iterdir()) == []


def test_an_error_in_a_job_file_names_file_and_line(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text("name: t\ndomains:\n  - gripper\n  - name: blockworld\n    blcks: 3\nmethods: act\n")
    with pytest.raises(JobError, match=r"job\.yaml:5"):
        learnact.run(path, results=tmp_path / "r", address="local")


async def test_a_model_that_answers_under_another_name_is_not_mixed_in_unless_asked_for(tmp_path):
    def named(name):
        good = scripted(act=lambda text: "pick('ball1', 'rooma', 'left')")

        async def answer(request, body):
            reply = completion(good._answer(body["messages"][-1]["content"]))
            return web.json_response({**reply, "model": name})

        return answer

    few = {"methods": "act", "limits": {"tokens": 2000}, "cluster": {"in_flight": 1}}
    async with FaultServer(always=named("m-2026-01")) as server:
        assert not (await run(job(server.url, **few), tmp_path)).done
    more = {"methods": "act"}
    async with FaultServer(always=named("m-2026-09")) as server:
        with pytest.raises(
            BadInput, match="answered as m-2026-01 when this run began, and answers as m-2026-09"
        ):
            await run(job(server.url, **more), tmp_path)
        accepted = await asyncio.to_thread(
            learnact.run,
            job(server.url, **more),
            results=tmp_path,
            address="local",
            check=False,
            accept_model_change=True,
        )
    assert accepted.done


def test_code_is_refused_where_it_cannot_be_confined(tmp_path, monkeypatch):
    monkeypatch.setattr("learnact.job.preflight.missing", lambda: "there is no libseccomp")
    with pytest.raises(BadInput, match=r"no libseccomp.*sandbox: trusted"):
        learnact.run(job("http://localhost:1/v1"), results=tmp_path, address="local")
