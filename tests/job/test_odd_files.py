"""Job files that are damaged, huge, or odd in YAML: run as meant, or refused naming file and line, in
bounded memory.
"""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from learnact.errors import JobError
from learnact.job import load

BASE = "name: y\ndomains: [{name: gripper, test: 1, train: 1}]\nmethods: [act]\nrepeats: {learn: 1}\n"
MODEL = "models: {agent: {name: m, base_url: 'http://127.0.0.1:9/v1', %s}}\n"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdef", "bcdefg", strict=True)
)

REFUSED = {
    "name is a truth value": (BASE.replace("name: y", "name: yes"), "y.yaml:1: name: must be text, not True"),
    "an option is a date": (
        BASE.replace("train: 1}", "train: 1, seed: 2024-05-01}") + "seed: 2024-05-01\n",
        "y.yaml:5",
    ),
    "bytes": (BASE + MODEL % "extra: {user: !!binary aGk=}", "y.yaml:5: could not determine a constructor"),
    "a set": (BASE + MODEL % "extra: {user: !!set {a, b}}", "y.yaml:5: could not determine a constructor"),
    "not a number": (BASE + MODEL % "temperature: .nan", "y.yaml:5: .nan is not a finite number"),
    "infinite": (BASE + MODEL % "temperature: .inf", "y.yaml:5: .inf is not a finite number"),
    "a number of the wrong form": (
        BASE + "limits: {dollars: 1e1}\n",
        "y.yaml:5: limits.dollars: must be a number",
    ),
    "a number that is none": (BASE + "seed: !!int x\n", "y.yaml:5: x cannot be read as int"),
    "an endless number": (BASE + f"seed: {'9' * 5000}\n", "y.yaml:5: 9999"),
    "a list that holds itself": (BASE.replace("[act]", "&m [*m]"), "y.yaml:3: methods: holds itself"),
    "a mapping that holds itself": (
        BASE + "learner: &l {candidates: 1, notes: *l}\n",
        "y.yaml:5: learner: holds itself",
    ),
    "a merge of itself": (BASE + "learner: &l {<<: *l}\n", "y.yaml:5: learner: holds itself"),
    "beyond 64 bits": (BASE + "seed: 99999999999999999999999\n", "y.yaml:5: .*does not fit 64 bits"),
    "a key that is a list": (BASE + "? [a, b]\n: 1\n", "y.yaml:5: a key must be text"),
    "an unknown key that is a number": (BASE + "1: 2\n", "y.yaml:5: 1: unknown key"),
    "two documents": (BASE + "---\n" + BASE, "y.yaml:5: "),
    "a tag that runs code": (
        BASE + "seed: !!python/object/apply:os.getcwd []\n",
        "y.yaml:5: could not determine",
    ),
    "NUL": (BASE + "# \0\n", "y.yaml:5: a NUL character"),
    "an alias bomb": (BOMB + BASE, "y.yaml:[0-9]+: [a-g]: more than 20000 values"),
    "5,000 brackets": (
        BASE + "methods: " + "[" * 5000 + "]" * 5000,
        "y.yaml:5: (more than 50 lists|exceeded maximum nesting)",
    ),
    "5,000 braces": ("{a: " * 5000, "y.yaml:1: more than 50 lists"),
    "deep blocks": (
        "".join(f"{' ' * depth}a:\n" for depth in range(300)),
        "y.yaml:[0-9]+: more than 50 lists",
    ),
    "many values": (BASE + "extra: [" + "1," * 100_000 + "]", "y.yaml:5: more than 20000 values"),
    "an unknown anchor": (BASE + "seed: *nowhere\n", "y.yaml:5: found undefined alias"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_file_and_line_in_bounded_memory(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, message = REFUSED[case]
    (tmp_path / "y.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(JobError, match=message):
            load("y.yaml")
        assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    finally:
        tracemalloc.stop()


AS_MEANT = {
    "a date is text": BASE.replace("name: y", "name: 2024-05-01"),
    "a date in a request": BASE + MODEL % "extra: {user: 2024-05-01}",
    "keys that are numbers are text": BASE + MODEL % "extra: {logit_bias: {50256: -100}}",
    "byte-order mark": "\ufeff" + BASE,
    "Windows line ends": BASE.replace("\n", "\r\n"),
    "an alias": BASE + "learner: &l {candidates: 1}\nrules: {}\n",
    "a merge": "budget:\n  learn: &b {turns: 3}\n  test: {<<: *b, history: 4}\n" + BASE,
}


@pytest.mark.parametrize("case", AS_MEANT)
def test_read_as_meant(case: str, tmp_path: Path) -> None:
    (tmp_path / "y.yaml").write_bytes(AS_MEANT[case].encode())
    job = load(tmp_path / "y.yaml")
    assert job.trials()
    if "numbers" in case:
        assert job.models.agent[0].extra == {"logit_bias": {"50256": -100}}
    if "merge" in case:
        assert job.budget.test.turns == (3,)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path, message in (
        (Path("/dev/zero"), "it is not a regular file"),
        (tmp_path, "cannot be read: it is not a regular file"),
        (tmp_path / "no.yaml", "there is no such job file"),
    ):
        with pytest.raises(JobError, match=message):
            load(path)
    (tmp_path / "big.yaml").write_bytes(b"# " + b"x" * 2**21)
    with pytest.raises(JobError, match="longer than 1,048,576 bytes"):
        load(tmp_path / "big.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(JobError, match=r"latin.yaml:1: byte 0xe9 is not UTF-8"):
        load(tmp_path / "latin.yaml")


def test_a_mapping_of_python_that_holds_itself_is_refused() -> None:
    methods: list[object] = ["act"]
    methods.append(methods)
    with pytest.raises(JobError, match="methods: holds itself"):
        load({"name": "x", "domains": ["gripper"], "methods": methods})


SHORT = {
    "name": "x",
    "domains": ["gripper", "barman"],
    "methods": ["act", "learnact"],
    "repeats": {"learn": 1},
}


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        (
            "domains.0.test=3",
            lambda job: job.domains[0].model_extra["test"] == 3 and job.domains[0].name == "gripper",
        ),
        ("methods.1.notes=false", lambda job: job.methods[1].given == {"notes": False}),
        ("models.agent.temperature=0.5", lambda job: job.models.agent[0].temperature == (0.5,)),
        ("models.agent.0.temperature=0.5", lambda job: job.models.agent[0].temperature == (0.5,)),
    ],
)
def test_a_setting_of_a_plain_name(setting: str, found: object) -> None:
    job = load({**SHORT, "models": {"agent": "sim-weak"}}, [setting])
    assert found(job)  # type: ignore[operator]
    assert {trial.agent_model.name for trial in job.trials()} == {"sim-weak"}


def test_a_value_on_the_command_line_is_bounded_too() -> None:
    for setting in ("seed=" + "[" * 5000, "seed=.nan", "seed=" + "9" * 5000, "methods=&a [*a]"):
        with pytest.raises(JobError, match=r"--set .*: the value is not YAML|--set .*holds itself"):
            load(SHORT, [setting])
