"""Jobs before they run: init, plan, prompt; and the list of commands itself."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from learnact.cli import init
from learnact.cli.app import COMMANDS, loaded
from learnact.job import json_schema, load
from learnact.synthesis.job import load_synthesis
from tests.cli.conftest import learnact, learnact_process

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_in_the_list_what_it_says_itself(name: str) -> None:
    command = loaded(name)
    first = " ".join(command.callback.__doc__.split("\n\n")[0].split())
    assert first == COMMANDS[name].summary
    assert f"learnact {name}" in command.callback.__doc__, "help shows an example"


def test_init_writes_a_job_that_runs_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    assert learnact("init", path).code == 0
    assert len(load(path).trials()) == 2 + 2 * 3
    again = learnact("init", path)
    assert again.code == 2
    assert "was not touched" in again.err
    assert learnact("init", path, "--force").code == 0
    assert learnact("init", tmp_path / "no" / "job.yaml").code == 2


def test_the_published_schema_is_current() -> None:
    published = ROOT / "docs" / "job.schema.json"
    assert published.read_text() == init.schema_text(), (
        "run: learnact init --schema docs/job.schema.json --force"
    )


@pytest.mark.parametrize("path", sorted((ROOT / "jobs").rglob("*.yaml")), ids=lambda p: p.name)
def test_jobs_at_hand_fit_the_schema_and_say_what_they_cost(path: Path) -> None:
    if path.name == "synthesize.yaml":
        assert load_synthesis(path).personas
    else:
        jsonschema.validate(yaml.safe_load(path.read_text()), json_schema())
        assert load(path).trials()
    head = path.read_text().split("\n\n")[0]
    assert head.startswith("# ")
    assert all(word in head.lower() for word in ("calls", "$")), "question, calls, cost"


def test_plan_bounds_what_a_job_would_do(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(
        "name: small\ndomains: [{name: gripper, train: 2, test: 3}]\nmethods: [act, learnact]\n"
        "models: {agent: {name: m, prices: {prompt: 1.0, completion: 2.0}, max_tokens: 100}, learner: "
        "sim-weak}\n"
        "repeats: {learn: 1, test: 2}\nlearner: {candidates: 2, iterations: 1}\nbudget: {test: {turns: "
        "5}, learn: {turns: 4}}\n"
    )
    told = learnact("plan", path, "--json")
    assert told.code == 0, told.err
    act, learned = told.json["trials"]
    assert (act["test_episodes"], act["learning_episodes"], act["calls"]) == (6, 0, 6 * 5)
    assert (learned["test_episodes"], learned["learning_episodes"]) == (6, 2 * 2 * 2)
    requests = 2 * 2 * (2 * 4 + 2 + 2 * 4)  # proposals: tries, asked again if equal; usage; descriptions
    assert learned["calls"] == 6 * 5 + 8 * 4 + requests
    assert act["completion_tokens"] == 6 * 5 * 100
    expected = (act["prompt_tokens"] * 1.0 + act["completion_tokens"] * 2.0) / 1e6
    assert act["dollars"] == pytest.approx(expected)
    shown = learnact("plan", path, "--set", "models.agent=sim-strong")
    assert "All models are simulated" in shown.out
    assert "$0.00" in shown.out


def test_plan_refuses_at_the_line_what_cannot_be_run(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("name: x\ndomains:\n  - name: gripper\n    bals: [4, 5]\n")
    told = learnact("plan", path)
    assert told.code == 2
    assert f"{path}:4: domains.0.bals: gripper has no such option; did you mean 'balls'" in " ".join(
        told.err.split()
    )
    assert (
        "did you mean 'gripper'" in learnact("plan", path, "--set", "domains=[griper]").err
        or "gripper" in told.err
    )
    assert learnact("plan", tmp_path / "no.yaml").code == 2


JOB = "name: p\ndomains: [gripper]\nmethods: [act, act+reflexion, learnact, voyager]\nrepeats: {learn: 1}\n"


@pytest.mark.parametrize(
    ("purpose", "ends_with"),
    [
        ("act", "Action:"),
        ("create", "Usage:"),
        ("describe", "Requires:"),
        ("usage", "usage example"),
        ("improve", "Reason:"),
        ("reflect", "lesson"),
        ("code", "Usage:"),
        ("verify", "Verdict:"),
    ],
)
def test_prompt_shows_the_messages_of_every_purpose(purpose: str, ends_with: str, tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(JOB)
    told = learnact("prompt", path, "--purpose", purpose, "--json")
    assert told.code == 0, told.err
    system, user = told.lines
    assert (system["role"], user["role"]) == ("system", "user")
    assert "## Primitive actions" in user["content"]
    assert ends_with in user["content"].rsplit("## Your answer", 1)[1]


def test_prompt_of_an_agent_is_of_the_task_and_library_that_were_named(tmp_path: Path) -> None:
    path, library = tmp_path / "job.yaml", tmp_path / "mine.py"
    path.write_text(JOB)
    library.write_text(
        "def hop(start, end):\n    '''Go there and back.'''\n    move(start, end)\n    move(end, start)\n"
    )
    task = learnact("tasks", "gripper", "--json", "--n", "3").lines[2]
    user = learnact("prompt", path, "--task", "2", "--library", library, "--json").lines[1]["content"]
    assert "- hop(start, end): Go there and back." in user
    balls = task["content"].count("(ball ")
    assert f"ball{balls}," in user.split("## Your task")[1]
    assert learnact("prompt", path, "--domain", "barman").code == 2
    assert "did you mean 'learnact'" in learnact("prompt", path, "--method", "lernact").err


def test_no_colour_and_no_terminal_mean_plain_text() -> None:
    done = learnact_process("domains", NO_COLOR="1")
    assert "\x1b" not in done.out
    assert "\x1b" not in learnact_process("plan", "nowhere.yaml").err


def test_the_schema_knows_what_the_loader_knows(tmp_path: Path) -> None:
    schema = json_schema()
    json.dumps(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = yaml.safe_load(init.template())
    assert not list(validator.iter_errors(good))
    for bad in ({**good, "sede": 1}, {**good, "learner": {"candidates": "x"}}, {**good, "name": "a b"}):
        assert list(validator.iter_errors(bad))
