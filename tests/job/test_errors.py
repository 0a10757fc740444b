"""A job that cannot be run is refused with file, line, key and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from learnact.errors import JobError
from learnact.job import load

HEAD = "name: x\ndomains: [gripper]\n"

BAD_FILES = {
    "empty": ("", "job.yaml: is empty; `learnact init`"),
    "only a comment": ("# nothing\n", "is empty"),
    "a list": ("- name: x\n", "job.yaml:1: a job is a mapping of keys to values, not a list"),
    "a word": (
        "gripper\n",
        "job.yaml:1: a job is a mapping of keys to values, not a single value ('gripper')",
    ),
    "a tab": ("name: x\n\tseed: 1\n", "job.yaml:2: a tab: YAML is indented with blanks only"),
    "not closed": ("name: [x\n", "job.yaml:2:"),
    "a key twice": (
        "name: x\nseed: 1\nname: y\n",
        "job.yaml:3: key 'name' is given a second time (first on line 1)",
    ),
    "a nested key twice": (
        HEAD + "learner:\n  candidates: 1\n  candidates: 2\n",
        "job.yaml:5: key 'learner.candidates' is given a second time (first on line 4)",
    ),
    "no name": ("domains: gripper\n", "job.yaml:1: job: key 'name' is missing"),
    "no domains": ("name: x\n", "domains: name at least one domain; `learnact domains` lists them"),
    "empty list": ("name: x\ndomains: []\n", "job.yaml:2: domains: an empty list leaves nothing to run"),
    "unknown key": (HEAD + "method: act\n", "job.yaml:3: method: unknown key; did you mean 'methods'"),
    "unknown key far from any": (
        HEAD + "xyzzy: 1\n",
        "job.yaml:3: xyzzy: unknown key; valid are: bounds, budget,",
    ),
    "unknown key inside": (
        HEAD + "learner:\n  candidats: 3\n",
        "job.yaml:4: learner.candidats: unknown key; did you mean 'candidates'?",
    ),
    "unknown key of a model": (
        HEAD + "models:\n  agent:\n    - sim-weak\n    - name: g\n      tempeature: 1\n",
        "job.yaml:7: models.agent.1.tempeature: unknown key; did you mean 'temperature'?",
    ),
    "wrong type": (
        HEAD + "learner:\n  candidates: three\n",
        "job.yaml:4: learner.candidates: must be a whole number, not 'three'",
    ),
    "wrong type in a list": (
        HEAD + "learner:\n  candidates:\n    - 1\n    - x\n",
        "job.yaml:6: learner.candidates.1: must be a whole number, not 'x'",
    ),
    "number for a mapping": (HEAD + "repeats: 3\n", "repeats: must be a mapping of keys to values, not 3"),
    "text for a truth": (
        HEAD + "learner: {notes: 'yes'}\n",
        "learner.notes: must be true or false, not 'yes'",
    ),
    "out of range": (
        HEAD + "limits: {dollars: -1}\n",
        "limits.dollars: must be greater than or equal to 0, not -1",
    ),
    "not a term": (HEAD + "learner: {score: [sucess]}\n", "'sucess' is not one of success, progress,"),
    "union": (HEAD + "library: {from: 3}\n", "job.yaml:3: library.from: must be text, not 3"),
    "learning where a run has learned": (
        "name: x\nlearn_on: gripper\nlibrary: earlier\n",
        "job.yaml:2: learn_on: nothing is learned, the libraries are another run's; leave learn_on out",
    ),
    "two kinds of test domains": (
        HEAD + "test_on: barman\nlibrary: earlier\n",
        "job.yaml:3: test_on: the same as domains where libraries are another run's",
    ),
    "nowhere to test a run's libraries": (
        "name: x\nlibrary: {from: earlier}\n",
        "job.yaml:2: test_on: name at least one domain to test the libraries on",
    ),
    "a budget of one test domain": (
        "name: x\nlearn_on: gripper\ntest_on: [{name: gripper, budget: {test: {turns: 3}}}]\n",
        "job.yaml:3: test_on.0.budget: all that a library is tested on has one budget",
    ),
    "matching one library": (
        HEAD + "library: {from: mine.py, match: [repeat, learner]}\n",
        "job.yaml:3: library.match: mine.py is one library",
    ),
    "not matching repeats": (
        HEAD + "library: {from: earlier, match: [domain]}\n",
        "job.yaml:3: library.match: learner and repeat always match",
    ),
    "a library of a method that learns nothing": (
        HEAD + "methods: [{name: act, library: earlier}]\n",
        "job.yaml:3: methods.0.library: act: learns nothing, so run earlier has no library of it",
    ),
    "surveys of a library that is given": (
        HEAD + "methods: [{name: learnact, library: earlier, test_each_iteration: true}]\n",
        "methods.0.test_each_iteration: learnact: has its library from earlier, so 'test_each_iteration' "
        "changes nothing",
    ),
    "unknown method": (HEAD + "methods: [act, lernact]\n", "no method 'lernact'; did you mean 'learnact'"),
    "unknown preset": (
        HEAD + "preset: papr\n",
        "job.yaml:3: preset: no preset 'papr'; did you mean 'paper'?",
    ),
    "a setting that does nothing": (
        HEAD + "methods:\n  - name: act\n    notes: false\n",
        "job.yaml:5: methods.0.notes: act: has no learner, so 'notes' changes nothing",
    ),
    "a setting of another learner": (
        HEAD + "methods: [{name: voyager, candidates: 2}]\n",
        "voyager: learns with voyager, so 'candidates' changes nothing",
    ),
    "nothing to learn with": (
        HEAD + "methods: [{name: learnact, updates: false, notes: false}]\n",
        "with neither updates nor notes nothing can be learned; use learning: false",
    ),
    "no sampling but candidates": (
        HEAD + "methods: [{name: learnact, sampling: false, candidates: 4}]\n",
        "methods.0.candidates: learnact: sampling: false means one candidate",
    ),
    "no learning but iterations": (
        HEAD + "methods: [{name: learnact, learning: false, iterations: 2}]\n",
        "methods.0.iterations: learnact: learning: false means no iterations",
    ),
    "text for learned actions": (
        HEAD + "methods: [learnact]\nrules:\n  action_format: text\n",
        "job.yaml:5: rules.action_format: learnact: learned actions are calls",
    ),
    "tools for a program": (
        HEAD + "methods: [code_as_policies]\nrules:\n  action_format: tools\n",
        "job.yaml:5: rules.action_format: code_as_policies: its agent takes call; it cannot play with",
    ),
    "the same trial twice": (
        HEAD + "methods: [learnact, {name: learnact, label: again}]\n",
        "methods.1: 'again' is the same as 'learnact'",
    ),
    "two kinds of domains": (HEAD + "learn_on: barman\n", "job.yaml:3: learn_on: replaces domains"),
    "nowhere to test": (HEAD + "test_on: barman\n", "test_on: nothing to test 'gripper' on"),
    "a match that is not there": (
        HEAD + "match_budget: {to: lernact}\n",
        "match_budget.to: no method is called 'lernact'; did you mean 'learnact'",
    ),
    "a name for a path": ("name: ../x\ndomains: gripper\n", "name: '../x' holds other characters"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_file_is_refused_with_the_way_out(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text, said = BAD_FILES[case]
    Path("job.yaml").write_text(text)
    with pytest.raises(JobError) as error:
        load("job.yaml")
    assert said in str(error.value)


def test_missing_file_names_those_nearby(tmp_path: Path) -> None:
    (tmp_path / "quickstart.yaml").write_text(HEAD)
    with pytest.raises(JobError, match=r"there is no such job file; did you mean 'quickstart.yaml'\?"):
        load(tmp_path / "quikstart.yaml")


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(HEAD + "seed: a\nlearner: {iterations: -1, nots: true}\n")
    with pytest.raises(JobError) as error:
        load(path)
    assert [line.split(": ")[1] for line in str(error.value).splitlines()] == [
        "seed",
        "learner.iterations",
        "learner.nots",
    ]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (
            "learner.candidates=x",
            "--set learner.candidates=x: learner.candidates: must be a whole number, not 'x'",
        ),
        (
            "learner.candidats=2",
            "--set learner.candidats=2: learner.candidats: unknown key; did you mean 'candidates'",
        ),
        (
            "domains.3=barman",
            "--set domains.3=barman: domains is a list of 1; name an item by its number from 0",
        ),
        ("name.x=1", "--set name.x=1: name is 'x' and has no 'x'"),
        ("seed", "--set seed: write --set key=value"),
        ("seed=[1", "--set seed=[1: the value is not YAML"),
    ],
)
def test_bad_override_names_itself(setting: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(HEAD)
    with pytest.raises(JobError) as error:
        load(path, [setting])
    assert said in str(error.value)


def test_floors_above_can_point_at_a_line(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("name: x\ndomains:\n  - gripper\n  - name: barman\n    sizes: wrong\n")
    job = load(path, ["seed=3"])
    assert job.where("domains[1].sizes") == f"{path}:5"
    assert job.where("domains.0.sizes") == f"{path}:3"
    assert job.where("seed") == "--set seed=3"
    assert str(job.error("domains.1.sizes", "no")) == f"{path}:5: domains.1.sizes: no"
