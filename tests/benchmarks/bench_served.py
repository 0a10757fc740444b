"""`learnact serve-env` with 64 sessions: actions a second, errors, and memory; needs the tests' environment
with OpenEnv (made where it is not there)."""

from __future__ import annotations

import json
from typing import Any

from tests.training.reader_venv import script

SESSIONS, SECONDS = 64, 60
DOMAINS = (("gripper", "train=20", "test=2"), ("textworld-coin", "train=8", "test=1"))
"""One that is played in the server's own process, and one that is played in engine processes."""


def run() -> list[dict[str, Any]]:
    """Rows of the benchmark."""
    rows = []
    for domain, *options in DOMAINS:
        told = json.loads(script("openenv", "load", domain, SESSIONS, SECONDS, *options))
        name = f"serve-env {domain}, {told['sessions']} sessions for {told['seconds']:.0f} s"
        grown = told["end_kb"] / told["warm_kb"] - 1
        rows += [
            {"name": f"{name}: actions", "value": told["steps_per_second"], "unit": "/s", "target": None},
            {"name": f"{name}: errors", "value": told["errors"], "unit": "", "target": 0},
            {"name": f"{name}: memory", "value": told["end_kb"] / 1024, "unit": "MB", "target": None},
            {"name": f"{name}: memory grown", "value": 100 * grown, "unit": "%", "target": 10},
        ]
    return rows
