"""A job file of a synthesis: what is wrong with it is told with file, line, key and the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from learnact.errors import JobError
from learnact.synthesis.bound import bound
from learnact.synthesis.job import load_synthesis

GOOD = {"name": "s", "trajectories": 3}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: s\n", "trajectories"),
        ("name: s\ntrajectories: 0\n", "job.yaml:2: trajectories"),
        ("name: s\ntrajectories: 3\ntrajectory_call: 2\n", "did you mean 'trajectory_calls'"),
        ("name: s\ntrajectories: 3\nmodel: {name: m, temprature: 1}\n", "did you mean 'temperature'"),
        ("name: s\ntrajectories: 3\nmodel: {name: m, temperature: [0.0, 1.0]}\n", "job.yaml:3: model"),
        (
            "name: s\ntrajectories: 3\npersonas: nowhere.txt\n",
            "job.yaml:3: personas: there is no file nowhere.txt",
        ),
        ("name: s\ntrajectories: 3\nlimits: {dollars: 1}\nmodel: gpt\n", "job.yaml:3: limits.dollars"),
        ("name: s\ndomains: gripper\n", "learnact run"),
        ("- 1\n", "job.yaml:1"),
    ],
)
def test_what_is_wrong_is_told(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(text)
    with pytest.raises(JobError) as error:
        load_synthesis(tmp_path / "job.yaml")
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A tinker.\n\n  A tailor. \nA tinker.\n", ("A tinker.", "A tailor.")),
        ('{"persona": "A soldier."}\n{"persona": "A sailor.", "id": 3}\n', ("A soldier.", "A sailor.")),
    ],
)
def test_persons_stand_one_on_a_line(text: str, found: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text(text)
    assert load_synthesis({**GOOD, "personas": str(tmp_path / "p.txt")}).personas == found


@pytest.mark.parametrize(
    "text", ["", '{"person": "x"}\n', '{"persona": 3}\n', "x" * 2001, '{"persona": "x"\n']
)
def test_a_list_of_persons_that_cannot_be_used_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text(text)
    with pytest.raises(JobError, match="personas"):
        load_synthesis({**GOOD, "personas": str(tmp_path / "p.txt")})


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"trajectories": 9}, True),
        ({"examples": 90}, True),
        ({"limits": {"calls": 5}}, True),
        ({"at_once": 2, "cluster": {"workers": 3}}, True),
        ({"seed": 1}, False),
        ({"script_calls": 2}, False),
        ({"model": "sim-weak"}, False),
        ({"model": {"name": "sim-strong", "max_tokens": 999}}, False),
    ],
)
def test_a_run_is_what_decides_its_examples(change: dict[str, Any], same: bool) -> None:
    assert (load_synthesis({**GOOD, **change}).run == load_synthesis(GOOD).run) is same


def test_the_bound_counts_every_call_and_token() -> None:
    priced = {"name": "m", "max_tokens": 100, "prices": {"prompt": 1.0, "completion": 2.0}}
    most = bound(load_synthesis({**GOOD, "examples": 5, "script_calls": 2, "model": priced}))
    assert (most.examples, most.calls, most.least_calls) == (5, 5 * 6, 6)
    assert most.completion_tokens == 5 * 6 * 100
    assert most.dollars == pytest.approx((most.prompt_tokens + 2 * most.completion_tokens) / 1e6)
    assert bound(load_synthesis({**GOOD, "model": "some-model"})).dollars is None
