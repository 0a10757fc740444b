"""The public API: its types as a user's checker sees them, in a notebook, twice, and beside a Ray session of
the user's."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import learnact

ROOT = Path(__file__).parents[2]
JOB = {
    "name": "small",
    "domains": [{"name": "gripper", "train": 1, "test": 1}],
    "methods": ["act"],
    "repeats": {"learn": 1},
    "budget": {"test": {"turns": 2}},
}

SCRIPT = """
import asyncio
import learnact

reveal_type(learnact.run("quickstart"))
reveal_type(asyncio.run(learnact.run_async({"name": "x"}, overrides=["repeats.learn=1"])))
reveal_type(learnact.plan("quickstart").dollars)
reveal_type(learnact.load("quickstart").name)
reveal_type(learnact.open_results("results").sql("SELECT 1"))
reveal_type(learnact.open_results("results").runs[0].name)
reveal_type(learnact.run("quickstart").cost)


class Mine(learnact.Display):
    pass


learnact.run("quickstart", display=Mine(), address="local")
"""
REVEALED = [
    "learnact.driver.session.Summary",
    "learnact.driver.session.Summary",
    "float | None",
    "str",
    "list[dict[str, Any]]",
    "str",
    "float | None",
]
WRONG = {
    "learnact.run(3.5, nonsense=True)": ["Unexpected keyword argument", "incompatible type"],
    "learnact.load(3)": ["incompatible type"],
    "learnact.plan(None)": ["incompatible type"],
    "learnact.open_results(3)": ["incompatible type"],
    "learnact.runn('quickstart')": ["has no attribute"],
    "learnact.run_async('quickstart').done": ["has no attribute"],
}


def check(folder: Path, text: str) -> str:
    """What mypy --strict says of a user's script."""
    (folder / "script.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull, "script.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, "MYPYPATH": str(ROOT), "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache" / "user")},
    )
    return done.stdout + done.stderr


def test_a_users_checker_sees_full_types_and_refuses_wrong_calls(tmp_path: Path) -> None:
    wrong = "\n".join(WRONG)
    said = check(tmp_path, SCRIPT + wrong + "\n")
    revealed = [text.replace("builtins.", "") for text in re.findall(r'Revealed type is "(.*)"', said)]
    assert revealed == REVEALED, said
    first = SCRIPT.count("\n") + 1
    for line, (call, complaints) in enumerate(WRONG.items(), start=first):
        found = "\n".join(re.findall(rf"^script.py:{line}: error: .*$", said, re.MULTILINE))
        assert all(complaint in found for complaint in complaints), (call, said)
    elsewhere = re.findall(r"^(?:script.py:(\d+)|(\S+)): error", said, re.MULTILINE)
    assert all(int(line or 0) >= first for line, _ in elsewhere), said


def test_every_public_name_is_there_with_a_docstring() -> None:
    assert set(learnact.__all__) <= set(dir(learnact))
    for name in set(learnact.__all__) - {"__version__"}:
        assert inspect.getdoc(getattr(learnact, name)), name
    with pytest.raises(AttributeError, match="runn"):
        learnact.runn  # type: ignore[attr-defined]  # noqa: B018


async def test_run_works_where_a_loop_runs_already_and_twice(tmp_path: Path) -> None:
    first = learnact.run(JOB, results=tmp_path, address="local")
    assert first.done
    again = await learnact.run_async(JOB, results=tmp_path, address="local")
    assert (again.run, again.executed) == (first.run, 0)
    assert asyncio.get_running_loop().is_running()


def test_a_summary_is_short_and_its_cost_is_known_or_none(tmp_path: Path) -> None:
    summary = learnact.run(JOB, results=tmp_path, address="local")
    assert re.fullmatch(r"<run small \(\w{8}\): done, trials 1/1, 1 units now, \d+ s; .*>", repr(summary))
    assert summary.cost is None
    assert len(repr(summary)) < 200


def test_results_open_from_python(tmp_path: Path) -> None:
    learnact.run(JOB, results=tmp_path, address="local")
    results = learnact.open_results(tmp_path)
    assert [info.name for info in results.runs] == ["small"]
    assert results.sql("SELECT method, count(*) AS n FROM episodes GROUP BY ALL") == [
        {"method": "act", "n": 1}
    ]
    with pytest.raises(learnact.LearnactError, match=r"no run 'smal' in .*; did you mean 'small'"):
        learnact.open_results(tmp_path, "smal")
    with pytest.raises(learnact.LearnactError, match="there is no results folder"):
        learnact.open_results(tmp_path / "nowhere")
    with pytest.raises(learnact.LearnactError, match="nothing_here"):
        results.sql("SELECT nothing_here FROM episodes")


def test_a_plan_calls_nobody_and_says_what_it_cannot_price() -> None:
    planned = learnact.plan(JOB, overrides=["models.agent={name: mine, base_url: 'http://127.0.0.1:9/v1'}"])
    assert planned.dollars is None
    assert planned.total.calls == 2
    assert "at most 1 episodes, 2 calls, cost unknown" in repr(planned)


BESIDE_RAY = """
import ray, learnact, sys
ray.init(num_cpus=1, include_dashboard=False, object_store_memory=100 * 2**20, log_to_driver=False)
before = ray.get_runtime_context().gcs_address
summary = learnact.run({job!r}, results={results!r})
assert summary.done, summary
assert ray.is_initialized() and ray.get_runtime_context().gcs_address == before
assert ray.get(ray.put(3)) == 3
ray.shutdown()
print("done")
"""


def test_a_ray_session_of_the_users_is_used_and_left_open(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BESIDE_RAY.format(job=JOB, results=str(tmp_path / "results"))],
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"},
    )
    assert done.stdout.strip().endswith("done"), done.stderr[-3000:]
