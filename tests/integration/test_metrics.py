"""Metrics for Prometheus, scraped while a run goes on, and what a run has used, told alike everywhere."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import learnact
from learnact.errors import BadInput, JobError
from learnact.records import METRICS
from learnact.report.display import Display, Standing
from learnact.report.metrics import MetricsServer
from learnact.report.progress import used_facts, waiting_text
from learnact.report.summary import page_json, run_page
from tests.integration.test_run import answers, job
from tests.models.server import FaultServer, error


def scrape(port: int) -> dict[str, float]:
    """The samples by name, labels included, as Prometheus reads them."""
    from prometheus_client.parser import text_string_to_metric_families

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=300) as answer:
        text = answer.read().decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found["/".join([sample.name, *sorted(sample.labels.values())])] = sample.value
    return found


async def test_a_run_can_be_watched_by_prometheus(tmp_path: Path) -> None:
    """Scraped by a reply of the model, so that the run is certainly under way."""
    seen: list[dict[str, float]] = []
    reply = answers()
    with MetricsServer(Display(), 0, "127.0.0.1") as metrics:

        async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
            if len(server.bodies) % 10 == 0:
                seen.append(await asyncio.to_thread(scrape, metrics.port))
            return await reply(request, body)

        async with FaultServer(always=answer) as server:
            model = {"name": "m", "base_url": server.url, "limits": {"tokens_per_minute": 10_000_000}}
            wanted = job(
                server.url,
                methods="act",
                models={"agent": model, "learner": model},
                cluster={"runner": "local", "in_flight": 4},
                tasks={"test": 6},
            )
            done = await asyncio.to_thread(
                learnact.run, wanted, results=tmp_path, display=metrics, check=False
            )
            made, place = len(server.bodies), f"{server.url}/m"
        after = scrape(metrics.port)
    assert done.done
    assert after["learnact_episodes_total"] == done.counters.episodes > 0
    assert any(name.startswith("learnact_limiter_tokens_left/") for name in after)
    assert after[f"learnact_limiter_bound/{place}"] >= 1
    counts = [one.get("learnact_calls_total", 0.0) for one in [*seen, after]]
    assert counts == sorted(counts)
    assert counts[-1] <= made
    assert {name.split("/")[0].removesuffix("_total").removeprefix("learnact_") for name in after} <= set(
        METRICS
    )


def test_a_port_that_is_taken_is_told() -> None:
    with MetricsServer(Display(), 0, "127.0.0.1") as first:
        with pytest.raises(BadInput, match=f"--metrics-port {first.port}"):
            MetricsServer(Display(), first.port, "127.0.0.1").__enter__()


class Watching(Display):
    def __init__(self) -> None:
        self.seen: list[Standing] = []

    def limits(self, standing: Standing) -> None:
        self.seen.append(standing)


async def test_what_a_run_has_used_is_told_alike_by_display_and_page_and_is_within_the_plan(
    tmp_path: Path,
) -> None:
    watching = Watching()
    async with FaultServer(always=answers()) as server:
        model = {"name": "m", "base_url": server.url, "prices": {"prompt": 1.0, "completion": 10.0}}
        wanted = job(
            server.url,
            methods="act",
            models={"agent": model, "learner": model},
            cluster={"runner": "local"},
            tasks={"test": 4},
            limits={"dollars": 100.0},
        )
        bound = learnact.plan(wanted, results=tmp_path)
        done = await asyncio.to_thread(learnact.run, wanted, results=tmp_path, display=watching, check=False)
        made = len(server.bodies)
    page = run_page(done.folder)
    assert page.used.calls == made <= bound.total.calls
    assert page.used.dollars == pytest.approx(done.cost)
    assert page.used.dollars <= (bound.dollars or 0.0)
    assert watching.seen[-1].spent.calls <= page.used.calls
    assert watching.seen[-1].limits.dollars == 100.0
    shown = json.loads(page_json(page))["used"]
    assert set(shown) >= {"calls", "prompt_tokens", "completion_tokens", "dollars"}
    names = [name.replace(" ", "_") for name, _ in used_facts(watching.seen[-1])]
    assert set(names) <= set(shown)


async def test_what_calls_wait_for_is_told(tmp_path: Path) -> None:
    watching = Watching()
    async with FaultServer(error(429, retry_after="3"), always=answers()) as server:
        model = {"name": "m", "base_url": server.url}
        wanted = job(
            server.url,
            methods="act",
            models={"agent": model, "learner": model},
            cluster={"runner": "local"},
            tasks={"test": 4},
        )
        await asyncio.to_thread(learnact.run, wanted, results=tmp_path, display=watching, check=False)
    told = {waiting_text(standing.endpoints) for standing in watching.seen}
    assert any("until" in text and "429" in text for text in told)


def test_a_minute_that_no_prompt_fits_into_is_refused_before_work(tmp_path: Path) -> None:
    limits = {"tokens_per_minute": 150}
    model = {"name": "m", "base_url": "http://127.0.0.1:9/v1", "limits": limits, "max_tokens": 100}
    wanted = job("http://127.0.0.1:9/v1", methods="act", models={"agent": model, "learner": model})
    for tried in (learnact.plan, learnact.run):
        with pytest.raises(JobError, match=r"first prompt on gripper.*tokens_per_minute \(150\)"):
            tried(wanted, results=tmp_path)
    assert not any(tmp_path.iterdir())


def test_the_plan_says_how_long_the_limits_make_a_job(tmp_path: Path) -> None:
    model = {"name": "m", "base_url": "http://127.0.0.1:9/v1", "limits": {"requests_per_minute": 60}}
    wanted = job("http://127.0.0.1:9/v1", methods="act", models={"agent": model, "learner": model})
    found = learnact.plan(wanted, results=tmp_path)
    assert found.least_seconds == pytest.approx(found.total.calls)
    without = job("http://127.0.0.1:9/v1", methods="act")
    assert learnact.plan(without, results=tmp_path).least_seconds is None
