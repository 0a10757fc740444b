"""`surface: agentboard` beside a second account of the published wrapper (`published.py`): observations,
rewards and ends of random walks and of gold paths, on the installed version and on the published one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("scienceworld")

from learnact.domains.scienceworld.package import java_program
from learnact.domains.scienceworld.tasks import KINDS
from tests.domains.scienceworld.published import SIMPLE

ROOT = Path(__file__).parents[3]
RANDOM = ("boil", "find-plant", "power-component", "grow-plant", "chemistry-mix", "use-thermometer")
PLANNED = ("find-living-thing", "lifespan-longest-lived")

pytestmark = [
    pytest.mark.skipif(java_program() is None, reason="needs Java"),
    pytest.mark.slow,
]


def asked() -> list[dict[str, Any]]:
    chosen = [(task, KINDS[task].dev, False) for task in RANDOM]
    chosen += [(task, KINDS[task].dev + 1, True) for task in PLANNED]
    return [
        {
            "task": task,
            "number": number,
            "simplifications": SIMPLE + ("" if KINDS[task].electrical else ",noElectricalAction"),
            "planned": planned,
        }
        for task, number, planned in chosen
    ]


def in_a_process(module: str, given: Any, path: str, folder: Path) -> Any:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [path, str(ROOT)]))}
    env["JDK_JAVA_OPTIONS"] = "-XX:+UnlockExperimentalVMOptions -XX:hashCode=2"
    command = [sys.executable, "-m", f"tests.domains.scienceworld.{module}"]
    done = subprocess.run(
        command, input=json.dumps(given), capture_output=True, text=True, timeout=1800, env=env, cwd=folder
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def published_version(folder: Path) -> str:
    """A folder with scienceworld 1.2.2, to be looked into first; skips where pip cannot get it."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    made = subprocess.run([*pip, "scienceworld==1.2.2"], capture_output=True)
    if made.returncode:
        pytest.skip("pip cannot get scienceworld 1.2.2")
    return str(folder)


@pytest.mark.parametrize("version", ["installed", "1.2.2"])
def test_every_step_is_answered_as_by_the_published_wrapper(version, tmp_path):
    path = published_version(tmp_path / "published") if version == "1.2.2" else ""
    walks = in_a_process("published", asked(), path, tmp_path)
    counts: Counter[str] = Counter()
    for walk, played in zip(walks, in_a_process("replay_published", walks, path, tmp_path), strict=True):
        assert played["first"] == walk["first"]
        assert played["goal"] == walk["goal"]
        for faults in ("faults", "none"):
            for step, ours in zip(walk["steps"], played[faults], strict=True):
                assert ours["told"] == step["told"], (walk["task"], step["said"])
                counts[f"steps, {faults}"] += 1
        lost = solved = False
        for step, ours in zip(walk["steps"], played["faults"], strict=True):
            assert (ours["success"], ours["over"]) == (step["done"], False)
            assert ours["progress"] == pytest.approx(step["reward"])
            counts["done"] += step["done"]
        for step, ours in zip(walk["steps"], played["none"], strict=True):
            lost, solved = lost or step["score"] < 0, solved or step["score"] == 100
            assert (ours["over"], ours["success"]) == (lost, solved)
            assert ours["progress"] == (1 if solved else pytest.approx(min(step["reward"], 0.99)))
            counts["lost"] += lost
            counts["solved"] += solved
    assert counts["steps, none"] > 250 and counts["solved"] and counts["lost"] and counts["done"]
