"""All commands with paths that are missing, empty, binary, foreign, unreadable or unwritable, and with
outputs that cannot be written: a message and an exit code, never a traceback.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from learnact.cli.app import COMMANDS
from tests.cli.conftest import Desk, learnact, learnact_process

ROOT = Path(__file__).parents[2]
READING = {
    "run": "run ODD --address local --results RESULTS",
    "plan": "plan ODD --results RESULTS",
    "synthesize": "synthesize ODD --dry-run",
    "synthesize personas": "synthesize synthesize --set personas=ODD --dry-run",
    "synthesize results": "synthesize synthesize --set trajectories=1 --address local --results ODD",
    "prompt": "prompt ODD --results RESULTS",
    "prompt library": "prompt JOB --library ODD --results RESULTS",
    "play problem": "play gripper --problem ODD",
    "play source": "play gripper --source ODD",
    "play library": "play gripper --library ODD",
    "play commands": "play gripper --commands ODD",
    "tasks": "tasks gripper --source ODD",
    "sql file": "sql --file ODD --results RESULTS",
    "sql results": "sql 'SELECT 1' --results ODD",
    "show": "show --results ODD",
    "show run": "show ODD --results RESULTS",
    "table": "table 2 desk --results ODD",
    "figure": "figure 3 desk --results ODD",
    "run results": "run JOB --address local --results ODD",
    "plan results": "plan JOB --results ODD",
    "tidy": "tidy --results ODD",
    "replay": "replay desk --results ODD",
    "fork": "fork desk 0123456789 --turn 1 --results ODD",
    "report": "report desk --results ODD",
    "compare": "compare act learnact --results ODD",
    "export": "export desk --to csv --results ODD",
    "bundle": "bundle desk --output ODD --results ODD",
    "verify": "verify --results ODD",
    "serve-env": "serve-env gripper --library ODD --port 0",
    "serve-env source": "serve-env gripper --source ODD --port 0",
    "serve-model": "serve-model ODD --port 0",
    "submit": "submit ODD --address http://127.0.0.1:9 --results /results",
    "fetch": "fetch job --address http://127.0.0.1:9 --results ODD",
}
WRITING = {
    "init": "init ODD --force",
    "jobs": "jobs quickstart --copy ODD --force",
    "sql output": "sql 'SELECT 1' --results RESULTS --output ODD",
    "sql csv": "sql 'SELECT 1' --results RESULTS --format csv --output ODD",
    "sql parquet": "sql 'SELECT 1' --results RESULTS --format parquet --output ODD",
    "table output": "table 2 desk --results RESULTS --output ODD",
    "figure output": "figure 3 desk --results RESULTS --output ODD",
    "run results": "run JOB --address local --results ODD",
}
OUTPUTS = ["jobs", "sql 'SELECT 1' --results RESULTS --format csv", "--help"]
NOT_WRITABLE = ("missing", "folder", "read-only folder")


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """A path of each kind that a person may name by mistake."""
    folder = tmp_path_factory.mktemp("odd")
    made = {
        "missing": folder / "no" / "such" / "file",
        "empty": folder / "empty",
        "binary": folder / "binary",
        "foreign": folder / "foreign.json",
        "folder": folder / "folder",
        "device": Path("/dev/zero"),
        "unreadable": folder / "unreadable",
        "read-only folder": folder / "locked" / "inside",
        "loop": folder / "loop",
        "long": folder / ("x" * 300),
        "nul": Path("a\0b"),
    }
    made["empty"].write_bytes(b"")
    made["binary"].write_bytes(bytes(range(256)) * 8)
    made["foreign"].write_text('{"name": {"not": ["ours"]}, "run": 3}')
    made["folder"].mkdir()
    made["unreadable"].write_text("name: x\n")
    made["unreadable"].chmod(0)
    made["read-only folder"].parent.mkdir()
    made["read-only folder"].parent.chmod(stat.S_IRUSR | stat.S_IXUSR)
    made["loop"].symlink_to(made["loop"])
    yield made
    made["read-only folder"].parent.chmod(stat.S_IRWXU)


def words(line: str, path: Path, desk: Desk) -> list[str]:
    """A command with paths in the places that stand for them."""
    places = {"ODD": str(path), "JOB": str(desk.folder / "job.yaml"), "RESULTS": str(desk.folder / "results")}
    return [places.get(word, word) for word in shlex.split(line)]


def told(code: int, out: str, err: str, line: str) -> None:
    """A message, and no traceback."""
    assert "Traceback" not in out + err, err
    assert code in (0, 1, 2), (line, code, err)
    if code:
        assert err.strip(), line


READ_KINDS = ("missing", "empty", "binary", "foreign", "folder", "device", "unreadable", "loop", "long")


MAY_BE_NEW = ("run results", "synthesize results", "plan results", "tidy")
"""What may be told of a folder that is empty or missing."""


@pytest.mark.parametrize("kind", READ_KINDS)
@pytest.mark.parametrize("line", READING)
def test_reading(line: str, kind: str, desk: Desk, odd: dict[str, Path], tmp_path: Path) -> None:
    path = odd[kind]
    if (
        "results" in line
        and kind in ("folder", "missing", "empty")
        and READING[line].startswith(("run ", "synthesize "))
    ):
        path = tmp_path / kind if kind != "empty" else odd[kind]
    done = learnact(*words(READING[line], path, desk))
    told(done.code, done.out, done.err, line)
    usable = ("folder", "missing") if line in MAY_BE_NEW else ()
    harmless = ("empty", "foreign", "binary") if line == "play commands" else ()
    if kind not in (*usable, *harmless) and not (line == "sql results" and kind == "folder"):
        readable = kind == "unreadable" and os.geteuid() == 0
        assert done.code != 0 or readable or line in ("sql file", "plan results", "play commands"), done.out


@pytest.mark.parametrize("kind", NOT_WRITABLE)
@pytest.mark.parametrize("line", WRITING)
def test_writing(line: str, kind: str, desk: Desk, odd: dict[str, Path], tmp_path: Path) -> None:
    if kind == "read-only folder" and os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    if line in ("run results", "figure output") and kind in ("missing", "folder"):
        pytest.skip("makes the folder")
    done = learnact(*words(WRITING[line], odd[kind], desk))
    told(done.code, done.out, done.err, line)
    assert done.code in (1, 2), line
    assert odd[kind].name in done.err, done.err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_walked(name: str) -> None:
    walked = {line.split()[0] for line in (*READING.values(), *WRITING.values())}
    assert name in walked | {
        "domains",
        "methods",
        "doctor",
        "check-model",
        "simulate",
        "view",
        "status",
        "stop",
        "fetch",
    }


@pytest.mark.parametrize("line", OUTPUTS)
def test_a_full_disk_behind_standard_output(line: str, desk: Desk) -> None:
    command = [sys.executable, "-c", "from learnact.cli import main; main()", *words(line, Path(), desk)]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=300,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("line", OUTPUTS)
def test_closed_outputs(line: str, desk: Desk) -> None:
    inner = shlex.join(
        [sys.executable, "-c", "from learnact.cli import main; main()", *words(line, Path(), desk)]
    )
    for closed in (">&-", ">&- 2>&-", "| true"):
        done = subprocess.run(
            ["bash", "-c", f"{inner} {closed}"],
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert "Exception ignored" not in done.stderr, done.stderr


@pytest.mark.parametrize("module", ["learnact.cli.app", "learnact.cli.plan", "pydantic"])
def test_an_interrupt_while_modules_are_loaded(module: str, desk: Desk) -> None:
    script = (
        "import signal, sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}:\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from learnact.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words("plan JOB", Path(), desk)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 1
    assert re.fullmatch(r"error: interrupted\S*.*\n", done.stderr), done.stderr


def test_an_ascii_terminal_is_no_error(desk: Desk) -> None:
    for line in OUTPUTS:
        done = learnact_process(
            *words(line, Path(), desk), PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C"
        )
        assert done.code == 0, done.err
        assert "Traceback" not in done.err


@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_a_port_that_is_none(port: str) -> None:
    done = learnact("simulate", "--port", port)
    assert done.code == 2
    assert "port" in done.err.lower()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
