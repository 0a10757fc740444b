"""Every command that a page, a help text, a job's head or a command itself prints works as printed.

A run is planned instead of run, and its options are parsed; what serves or needs a cluster is parsed only;
endpoints are replaced by a scripted one. What needs a package that is not part of learnact (ferry,
alfworld) is parsed only.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from learnact.cli.app import COMMANDS, loaded
from learnact.job.shipped import shipped_jobs
from learnact.results.query import shipped_queries
from learnact.results.reader import find_run
from learnact.synthesis.driver import synthesize
from tests.cli.conftest import JOB, learnact, speaker  # noqa: F401 - a fixture
from tests.integration.printed import Context, commands_in, concrete

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "jobs/README.md", "results/README.md")),
    *(ROOT / name for name in ("cluster/README.md", "learnact/cli/job.yaml")),
    *sorted((ROOT / "docs").glob("*.md")),
]
ELSEWHERE = re.compile(
    r"\b(s3://\S+|\S+\.bundle\.zip|corridor\.yaml|(?:table|figure) stream|table racing|"
    r"tournament cup|"
    r"ferry|insights|alfworld\S*|(?:textworld|scienceworld|jericho|dojo)\S*|"
    r"RAY_\w+|examples/\S+)(?!\w)"
)
"""What the environment of the tests need not have."""
WORKED: list[tuple[list[str], Path]] = []
"""Commands that need not be run again, with their folder."""
PARSED = ("simulate", "serve-env", "serve-model", "view", "submit", "status", "stop", "fetch")
"""What serves until it is ended, and what needs a cluster (run by tests/cluster/test_submit.py)."""
ONLY_RUN = ("--address", "--no-check", "--accept-model-change", "--metrics-port", "--trace")
WITH_VALUES = ("--address", "--metrics-port", "--trace")


@pytest.fixture(scope="session")
def context(speaker: str, tmp_path_factory: pytest.TempPathFactory) -> Context:  # noqa: F811 - the fixture
    """A folder with a job and finished runs, one by the name of each shipped job; the latest a synthesis."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "my.yaml").write_text(
        JOB.format(url=speaker).replace("name: desk", "name: my-job").replace("test: 3", "test: 4")
    )
    results = folder / "results"
    done = learnact("run", folder / "my.yaml", "--results", results)
    assert done.code == 0, done.err
    problems(folder)
    first = find_run(results, "my-job").folder
    made = {"name": "synthesize", "trajectories": 4, "cluster": {"runner": "local"}}
    assert synthesize(made, results=results).done
    for number, name in enumerate(shipped_jobs().keys() - {"synthesize"}):
        copied = shutil.copytree(first, results / f"{name}-{number:08d}")
        card = json.loads((copied / "run.json").read_text())
        (copied / "run.json").write_text(
            json.dumps({**card, "name": name, "run": f"{number:08d}" + "0" * 16})
        )
    asked = ("--results", results, "--run", "my-job", "--format", "json")
    rows = learnact(
        "sql",
        "SELECT key FROM episodes WHERE method = 'learnact' AND phase = 'test' ORDER BY task, key",
        *asked,
    ).json
    (library,) = learnact("sql", "SELECT library FROM actions ORDER BY library LIMIT 1", *asked).json
    return Context(folder, (rows[0]["key"], rows[1]["key"]), library["library"], speaker)


def problems(folder: Path) -> None:
    """Files that help texts name: published problems, a problem, a plan, learned actions."""
    place = folder / "path" / "to" / "pddl"
    (place / "blockworld").mkdir(parents=True)
    rules = ROOT / "learnact/domains/planning/data/blockworld.pddl"
    (place / "blockworld.pddl").write_text(rules.read_text())
    for number, task in enumerate(learnact("tasks", "blockworld", "--n", "10", "--json").lines, start=1):
        (place / "blockworld" / f"problem{number}.pddl").write_text(task["content"])
    (folder / "problem9.pddl").write_text((place / "blockworld" / "problem9.pddl").read_text())
    (folder / "plan.txt").write_text("pickup('b1')\n")
    (folder / "carry.py").write_text("def carry(ball, start, end):\n    pick(ball, start, 'left')\n")


def check(command: str, context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run a command as the reader of a page would, in a folder that has a job and runs."""
    words = concrete(command, context)
    name = words[0]
    if name.startswith("-"):
        assert learnact(*words).code == 0, command
        return
    try:
        parse(name, words[1:])
    except Exception as error:
        if type(error).__name__ == "MissingParameter" and len(words) <= 2:
            return  # the name of a command, as in "`learnact run` continues"
        raise
    if (
        name in PARSED
        or words[:2] == ["doctor", "--address"]
        or ELSEWHERE.search(command)
        or (words, context.folder) in WORKED
    ):
        return
    if name == "run" and "--help" not in words:
        words = ["plan", *without_run_options(words[1:])]
    if name == "synthesize" and "--help" not in words:
        words = [*without_run_options(words), "--dry-run"]
    if words == ["sql"]:
        words += ["--run", "my-job"]  # counting the rows of all runs takes its time
    place = tmp_path if name == "init" or "--copy" in words else context.folder
    monkeypatch.chdir(place)
    done = learnact(*words)
    answers = (0, 1) if name == "check-model" else (0,)  # 1: it says what is wrong with the endpoint
    assert done.code in answers, f"{command}\n{done.err}"
    if place == context.folder:
        WORKED.append((words, place))


def parse(name: str, words: list[str]) -> None:
    """The command takes these options and arguments."""
    if "--help" not in words:
        loaded(name).make_context(name, list(words))


def without_run_options(words: list[str]) -> list[str]:
    """The words of a run as `plan` takes them."""
    kept: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        if word not in ONLY_RUN and before not in WITH_VALUES and word != "--json":
            kept.append(word)
    return kept


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page(page: Path, context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for command in commands_in(page.read_text()):
        check(command, context, monkeypatch, tmp_path)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_a_help_text(name: str, context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = learnact(*([name] if name else []), "--help").out
    commands = commands_in("\n".join(line for line in shown.splitlines() if not line.startswith("│")))
    assert commands, "a help text shows an example"
    for command in commands:
        check(command, context, monkeypatch, tmp_path)


WIDE = ("agentrefine", "breadth")
"""Jobs of so many families that planning them takes its time."""
HEADS = [
    *(pytest.param(name, marks=[pytest.mark.slow] if name in WIDE else []) for name in shipped_jobs()),
    *(f"{name}.sql" for name in shipped_queries()),
]


@pytest.mark.parametrize("name", HEADS)
def test_the_head_of_a_job_or_query(
    name: str, context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = shipped_queries()[name[:-4]].text if name.endswith(".sql") else shipped_jobs()[name].text
    for command in commands_in(re.sub(r"^--", "#", text, flags=re.MULTILINE)):
        check(command, context, monkeypatch, tmp_path)


PRINTING = [
    "run my.yaml",
    "run my.yaml --set repeats.test=2 --set 'methods=[act, learnact]' --results results",
    "show my-job",
    "plan my.yaml",
    "jobs",
    "domains",
    "domains gripper",
    "tasks gripper --n 2",
    "sql --queries",
    "table 2 my-job",
    "table causes my-job",
    "table selector my-job",
    "table transfer my-job",
    "table cost my-job",
    "table robustness my-job",
    "figure 3 my-job --output three",
    "show KEY",
    "show my-job KEY KEY",
    "show my-job --library ID",
    "init other.yaml",
    "jobs quickstart --copy third.yaml",
    "tasks griper",
    "sql --file nothing",
    "run nowhere.yaml",
    "show nothing",
    "sql --run my-job 'SELECT nothing'",
]


@pytest.mark.parametrize("printing", PRINTING)
def test_what_a_command_prints(
    printing: str, context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = context.folder
    if printing.split()[0] in ("run", "init", "jobs", "figure"):
        folder = tmp_path / "copy"
        shutil.copytree(context.folder, folder)
    monkeypatch.chdir(folder)
    done = learnact(*concrete(f"learnact {printing}", context))
    for command in commands_in(done.out + "\n" + done.err):
        check(command, Context(folder, context.episodes, context.library, context.url), monkeypatch, tmp_path)


def test_a_run_that_failed_prints_commands_that_work(
    context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    job = (context.folder / "my.yaml").read_text().replace(context.url, f"{context.url}/nowhere")
    (tmp_path / "my.yaml").write_text(job.replace("name: my-job", "name: failed"))
    monkeypatch.chdir(tmp_path)
    done = learnact("run", "my.yaml", "--no-check", "--set", "limits.tries=1", "--results", "elsewhere")
    assert done.code == 1
    printed = commands_in(done.out + "\n" + done.err)
    assert any("--results elsewhere" in command for command in printed)
    for command in printed:
        check(
            command, Context(tmp_path, context.episodes, context.library, context.url), monkeypatch, tmp_path
        )
