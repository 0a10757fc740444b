"""Real servers, as a job names them: what is played, checked, refused, and how their ends are told."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from learnact.domains import registry
from learnact.domains.engine_process import EnginePool
from learnact.domains.environments import open_environment
from learnact.errors import BadInput, EnvironmentFailure, JobError
from learnact.records import DomainSpec, canonical

pytest.importorskip("mcp", reason="needs learnact[mcp]")

ODD = ["python", str(Path(__file__).parent / "odd_server.py")]
HERE = "tests.domains.mcp.checks"
SECONDS = 50
WRITTEN = {"goal": "x", "check": f"{HERE}:written"}
SORRY = ["python", "-c", "raise SystemExit('sorry')"]


def build(**options):
    return registry.build(DomainSpec("mcp", canonical(options)))


def odd(**options):
    return build(
        command=ODD, seconds=SECONDS, **{"goal": "Say it.", "check": f"{HERE}:half_then_whole", **options}
    )


@pytest.fixture(scope="module")
def domain():
    """The odd server, whose tools are listed once."""
    return odd(files={"a.txt": "hello"})


def opened(domain):
    return domain.open(domain.tasks("test")[0])


def call(environment, name, *arguments):
    return environment.call(name, list(arguments), {})


@pytest.mark.slow
def test_the_server_that_learnact_brings_is_as_it_is_described():
    """Its tools and the worked example are written down, so that listing domains starts no server."""
    listed = build()
    from learnact.domains.mcp.domain import notes_options

    options = {**notes_options(), "known_tools": []}
    for step in options["example"]["plan"]:
        step.pop("answer", None)
    played = build(**options, seconds=SECONDS)
    assert played.primitives == listed.primitives
    assert played.example == listed.example
    for task in (*played.tasks("train"), *played.tasks("test")):
        environment = played.open(task)
        for planned in played.reference_plan(task):
            step = call(environment, planned.name, *planned.arguments)
            assert step.valid, step.observation
        assert environment.success
        assert task.reference == len(played.reference_plan(task))
        refused = call(environment, "read_note", "nothing")
        assert refused.observation == (
            "Nothing happens. Error executing tool read_note: there is no note 'nothing'"
        )
        environment.close()


@pytest.mark.slow
def test_tools_are_primitives_and_a_function_checks(domain):
    assert [p.signature for p in domain.primitives][:2] == [
        "read_file(path: str)", "print_(text: str, times: int = 1, ending: str | None = None)",
    ]  # fmt: skip
    environment = opened(domain)
    assert environment.first_observation == "Your folder is {folder}. It holds a.txt."
    assert call(environment, "read_file", "{folder}/a.txt").observation == "hello"
    wrong = call(environment, "print_", 3)
    assert wrong.observation == "Nothing happens. text of print_ must be str, not 3."
    assert environment.progress == 0
    assert call(environment, "print_", "ab", 2).observation == "abab"
    assert environment.progress == 0.5
    last = call(environment, "print_", "ab", 1, "!")
    assert (last.observation, last.success, last.progress) == ("ab!", True, 1.0)
    environment.close()


@pytest.mark.slow
def test_a_server_sees_its_folder_and_no_variable_of_ours(domain, monkeypatch):
    monkeypatch.setenv("A_SECRET", "x")
    environment = opened(domain)
    names = call(environment, "environment").observation.split()
    assert "A_SECRET" not in names
    assert {"HOME", "PATH"} <= set(names)
    folder = environment._session.folder
    assert folder.is_dir()
    environment.close()
    assert not folder.exists()


@pytest.mark.slow
def test_a_check_with_the_folder_and_a_tool():
    checked = odd(files={"a.txt": "hello"}, check=f"{HERE}:written", known_tools=[known("print")])
    environment = opened(checked)
    assert call(environment, "print_", "x").success
    environment.close()


def known(name: str, **properties) -> dict:
    schema = {"type": "object", "properties": {"text": {"type": "string"}} if name == "print" else properties}
    return {"name": name, "parameters": schema}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tool", "seconds", "told"),
    [
        ("die", SECONDS, "the MCP server ended: .*, while calling die .*it wrote last: the disk is on fire"),
        ("hang", 8, r"the MCP server did not answer within 8 s \(option `seconds`\), while calling hang"),
    ],
)
def test_a_server_that_dies_or_hangs_is_a_failure_of_the_environment(tool, seconds, told):
    failing = build(
        command=ODD,
        seconds=seconds,
        goal="x",
        check=f"{HERE}:written",
        known_tools=[known(tool), known("print")],
    )
    environment = opened(failing)
    with pytest.raises(EnvironmentFailure, match=told):
        call(environment, tool)
    with pytest.raises(EnvironmentFailure):
        call(environment, "print_", "x")
    environment.close()


@pytest.mark.slow
def test_a_check_that_fails_is_no_failure_of_the_agent():
    failing = odd(check=f"{HERE}:broken", known_tools=[known("print")])
    environment = opened(failing)
    with pytest.raises(
        EnvironmentFailure, match=r"check tests.domains.mcp.checks:broken: ZeroDivisionError: no"
    ):
        call(environment, "print_", "x")
    environment.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        ({"command": ["no-such-program"], **WRITTEN}, BadInput, "no such program"),
        ({"command": SORRY, **WRITTEN}, BadInput, "the MCP server ended.*it wrote last: sorry"),
        ({"command": ODD, "url": "http://a", **WRITTEN}, JobError, "give one of command and url"),
        ({"command": ODD}, JobError, "give one of tasks and goal"),
        ({"command": ODD, "goal": "x"}, JobError, "a task has no check"),
        ({"command": ODD, "goal": "x", "check": "nowhere:at_all"}, BadInput, "'nowhere:at_all' cannot be"),
        ({"command": ODD, "goal": "x", "check": {"tool": "print"}}, JobError, "one of equals and contains"),
        ({"command": ODD, **WRITTEN, "comand": []}, JobError, "there is no option comand"),
    ],
)  # fmt: skip
def test_bad_options_are_refused_before_work_starts(options, error, reason):
    with pytest.raises(error, match=f"(?s)domain mcp.*{reason}|{reason}"):
        build(**options)


async def test_it_is_played_in_an_engine_process():
    spec = DomainSpec("mcp", "{}")
    notes = registry.build(spec)
    task = notes.tasks("train")[0]
    async with EnginePool() as pool:
        environment = await open_environment(notes, spec, task, pool)
        for planned in notes.reference_plan(task):
            step = await environment.call(planned.name, list(planned.arguments), {})
        assert step.success
        await environment.close()


GIT = {
    "command": ["python", "-m", "mcp_server_git", "--repository", "{folder}"],
    "goal": "The file notes.txt is in a commit on a new branch 'draft'.",
    "files": {"notes.txt": "first thoughts"},
    "prepare": [
        ["git", "init", "-q", "-b", "main"],
        ["git", "config", "user.email", "a@example.org"],
        ["git", "config", "user.name", "A"],
        ["git", "commit", "-q", "--allow-empty", "-m", "empty"],
    ],
    "check": [
        {
            "tool": "git_show",
            "arguments": {"repo_path": "{folder}", "revision": "draft"},
            "contains": "first thoughts",
        },
        {"tool": "git_status", "arguments": {"repo_path": "{folder}"}, "contains": "nothing to commit"},
    ],
    "seconds": SECONDS,
}


@pytest.mark.slow
def test_a_server_that_another_package_brings():
    """The example of docs/mcp.md, on mcp-server-git."""
    pytest.importorskip("mcp_server_git", reason="needs mcp-server-git")
    if shutil.which("git") is None:
        pytest.skip("needs git")
    git = build(**GIT)
    assert "git_commit(repo_path: str, message: str)" in [p.signature for p in git.primitives]
    assert "git_log(repo_path: str, max_count: int = 10," in " ".join(p.signature for p in git.primitives)
    environment = opened(git)
    calls = [
        ("git_create_branch", "{folder}", "draft"), ("git_checkout", "{folder}", "draft"),
        ("git_add", "{folder}", ["notes.txt"]), ("git_commit", "{folder}", "Keep notes"),
    ]  # fmt: skip
    refused = call(environment, "git_checkout", "{folder}", "nowhere")
    assert not refused.valid
    assert os.path.realpath(tempfile.gettempdir()) not in refused.observation
    steps = [call(environment, *planned) for planned in calls]
    assert [step.valid for step in steps] == [True] * 4, json.dumps([s.observation for s in steps])
    assert [step.success for step in steps] == [False, False, False, True]
    environment.close()
