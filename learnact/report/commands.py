"""Commands of ours as pages and tables print them: they name their run and work when pasted into a shell."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from learnact.results.location import Location
from learnact.results.reader import Connection

DEFAULT_RESULTS = Path("results")
RUN_CHARS = 12
"""Digits of a run's id in a command."""


def show_command(run: str, results: Location | None, *arguments: str) -> str:
    """`learnact show` of a run, by its id or folder. `results`: None where it is not known."""
    return _joined(["learnact", "show", run, *arguments], results)


def compare_command(run: str, results: Location, first: str, second: str) -> str:
    """`learnact compare` of two methods of a run, by domain."""
    return _joined(["learnact", "compare", first, second, "--by", "domain", "--run", run], results)


def query_command(run: str, results: Location, query: str) -> str:
    """`learnact sql` with a shipped query."""
    return _joined(["learnact", "sql", "--run", run, "--file", query], results)


def report_command(run: str, results: Location) -> str:
    """`learnact report` of a run."""
    return _joined(["learnact", "report", run], results)


def export_command(run: str, results: Location, *arguments: str) -> str:
    """`learnact export` of a run."""
    return _joined(["learnact", "export", run, *arguments], results)


def run_command(arguments: Sequence[str], results: Location) -> str:
    """`learnact run` with the arguments (job file, settings) of the run that it continues."""
    return _joined(["learnact", "run", *arguments], results)


def _joined(words: list[str], results: Location | None) -> str:
    folder = [] if results in (None, DEFAULT_RESULTS) else ["--results", str(results)]
    return shlex.join([*words, *folder])


def check_model_command(connection: Connection, model: str) -> str:
    """`learnact check-model` for a model of the run, as its job names the endpoint."""
    words = ["learnact", "check-model"]
    for (resolved,) in connection.execute("SELECT resolved FROM runs WHERE resolved IS NOT NULL").fetchall():
        endpoint = _endpoint(json.loads(resolved).get("models") or {}, model)
        if endpoint.get("base_url"):
            words += ["--base-url", endpoint["base_url"], "--model", endpoint["name"]]
            if endpoint.get("api_key_env"):
                words += ["--api-key-env", endpoint["api_key_env"]]
            break
    return shlex.join(words)


def _endpoint(models: dict[str, Any], shown: str) -> dict[str, str]:
    """The settings of a model in a job by its label or name, with the defaults of its kind of model."""
    for kind in ("agent", "learner"):
        entries = models.get(kind) or []
        for entry in entries if isinstance(entries, list) else [entries]:
            if isinstance(entry, dict) and shown in (entry.get("label"), entry.get("name")):
                found = {**(models.get(f"{kind}_defaults") or {}), **entry}
                return {key: _first(found.get(key)) for key in ("name", "base_url", "api_key_env")}
    return {}


def _first(value: Any) -> str:
    return str(value[0]) if isinstance(value, list) and value else value or ""
