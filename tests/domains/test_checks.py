"""What every command checks when it loads a domain: names that Python can take, examples that work."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from learnact.domains import registry
from learnact.domains.base import Example, FunctionExample, Primitive
from learnact.domains.checks import check_domain, function_name_fault, parameter_name_fault
from learnact.errors import MissingExtra, TaskError
from learnact.records import DomainSpec

FERRY = Path(__file__).parents[2] / "examples" / "ferry" / "learnact_ferry"


NO_STEPS = Example("g", "o", ())
NO_FUNCTION = FunctionExample("", "", "")


@dataclasses.dataclass(frozen=True)
class Toy:
    """The attributes of a domain that the checks read."""

    primitives: tuple[Primitive, ...]
    example: Example = NO_STEPS
    function_example: FunctionExample = NO_FUNCTION
    name: str = "toy"


PUSH = Primitive("push", ("block", "place"), "")
LIST = Primitive("list_files", ("path", "hidden"), "", kinds=("str", "bool"), defaults=(("hidden", False),))
HEAT = Primitive("heat", ("thing", "using"), "", ("using",))


@pytest.mark.parametrize("name", registry.OURS)
def test_ours_pass(name):
    try:
        domain = registry.build(DomainSpec(name))
    except MissingExtra as missing:
        pytest.skip(str(missing))
    check_domain(domain)


@pytest.mark.parametrize("name", ["open", "use", "close", "match", "type_", "help"])
def test_a_name_that_breaks_no_call_is_free(name):
    assert function_name_fault(name) == ""


@pytest.mark.parametrize(
    "name",
    [
        "from",
        "print",
        "len",
        "None",
        "import",
        "class",
        "lambda",
        "2go",
        "a b",
        "caf\u00e9",
        "a-b",
        "",
        "__x__",
    ],
)
def test_a_name_that_python_cannot_take_is_not(name):
    assert function_name_fault(name)


def test_a_parameter_may_be_called_like_a_builtin_but_not_like_a_keyword():
    assert parameter_name_fault("list") == ""
    assert parameter_name_fault("from") == "`from` is a keyword of Python"


@pytest.mark.parametrize(
    ("toy", "message"),
    [
        (
            Toy((Primitive("go", ("from", "to"), ""),)),
            "toy: action go: parameter from: `from` is a keyword of Python",
        ),
        (Toy((Primitive("print", (), ""),)), "toy: action print: `print` is a builtin function"),
        (Toy((PUSH, PUSH)), "toy: there are two actions push"),
        (Toy((Primitive("go", ("a", "a"), ""),)), "parameter a: there are two parameters of this name"),
        (Toy((PUSH, Primitive("go", ("push",), ""))), "action go: parameter push: an action has this name"),
        (
            Toy((PUSH,), Example("g", "o", (("", "pull('a')", ""),))),
            r"toy: example: step 1: pull\('a'\): there is no action pull",
        ),
        (Toy((PUSH,), Example("g", "o", (("", "push('a')", ""),))), "step 1: .*: push takes block, place"),
        (
            Toy((HEAT,), Example("g", "o", (("", "heat('a', 'b')", ""),))),
            "step 1: .*: heat takes thing, using",
        ),
        (
            Toy((LIST,), Example("g", "o", (("", "list_files(hidden=True)", ""),))),
            "step 1: .*: list_files takes path, hidden",
        ),
        (
            Toy((LIST,), Example("g", "o", (("", "list_files('a', path='b')", ""),))),
            "step 1: .*: list_files takes path, hidden",
        ),
        (
            Toy((Primitive("go", ("a", "b"), "", defaults=(("a", 1),)),)),
            "action go: a has a default and stands before one that has none",
        ),
        (
            Toy((Primitive("go", ("a",), "", defaults=(("c", 1),)),)),
            "there is a default for c, which is no parameter of it",
        ),
        (Toy((PUSH,), Example("g", "o", (("", "push a to b", ""),))), "step 1: 'push a to b' is not a call"),
        (
            Toy((PUSH,), function_example=FunctionExample("def f(:", "", "f()")),
            "function example: its source is not Python",
        ),
        (
            Toy((PUSH,), function_example=FunctionExample("x = 1", "", "f()")),
            "its source defines no function",
        ),
        (
            Toy((PUSH,), function_example=FunctionExample("def f(a):\n    pass", "", "g('x')")),
            "is not a call of f",
        ),
        (
            Toy((PUSH,), function_example=FunctionExample("def f(a):\n    pass", "", "f()")),
            "wrong number of arguments",
        ),
        (
            Toy((PUSH,), function_example=FunctionExample("def f(a):\n    push(a)", "", "f('x')")),
            r"function example: push\(a\): push takes block, place",
        ),
        (
            Toy((PUSH,), function_example=FunctionExample("def f(a):\n    pull(a)", "", "f('x')")),
            r"function example: pull\(a\): there is no action pull",
        ),
    ],
)
def test_what_cannot_work_is_refused_by_name(toy, message):
    with pytest.raises(TaskError, match=message):
        check_domain(toy)


def test_a_function_from_another_domain_may_call_its_own_actions():
    source = "def f(a):\n    pull(a)\n    return len(a)"
    check_domain(Toy((PUSH,), function_example=FunctionExample(source, "", "f('x')", "from another domain")))
    check_domain(
        Toy((HEAT,), function_example=FunctionExample("def f(a):\n    heat(a, using='m')", "", "f('x')"))
    )


def package(folder: Path, old: str, new: str) -> dict[str, str]:
    """The ferry with one change in its files, installed; the environment in which it is found."""
    code = folder / "learnact_ferry"
    code.mkdir()
    changed = 0
    for file in ("__init__.py", "ferry.pddl", "ferry.yaml"):
        text = (FERRY / file).read_text()
        changed += text.count(old)
        (code / file).write_text(text.replace(old, new))
    assert changed == 1
    info = folder / "learnact_ferry-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: learnact-ferry\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[learnact.domains]\nferry = learnact_ferry:FAMILY\n")
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "sail: [start, end]",
            "sail: [from, to]",
            "ferry.yaml:7: parameters.sail: `from` is a keyword of Python",
        ),
        (
            "(:action board",
            "(:action import",
            "ferry.pddl:13: action import: `import` is a keyword of Python",
        ),
        (
            "sentences:",
            "sentance:",
            "ferry.yaml:10: sentance: there is no key sentance; did you mean 'sentences'?",
        ),
        (
            "do: [board, car1, north]",
            "do: [board, car1, south]",
            "steps.1: No effect: board('car1', 'south') requires",
        ),
        ("    - do: [debark, car1, south]", "", "example.steps: they do not reach the example's goal"),
    ],
)
def test_a_domain_that_cannot_work_is_refused_with_the_place(old, new, message, tmp_path):
    done = learnact_with(package(tmp_path, old, new), tmp_path, "domains", "ferry")
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert message in " ".join(done.stderr.split()), done.stderr


def learnact_with(environment, folder, *command):
    """The command line in an environment that has a domain of another package."""
    return subprocess.run(
        [sys.executable, "-c", "from learnact.cli import main; main()", *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        input="",
    )


def test_every_command_that_loads_a_domain_refuses_it(tmp_path):
    environment = package(tmp_path, "sail: [start, end]", "sail: [from, to]")
    job = tmp_path / "job.yaml"
    job.write_text(
        json.dumps({"name": "j", "domains": ["ferry"], "methods": ["act"], "models": {"agent": "sim-strong"}})
    )
    for command in (
        ["domains", "ferry"],
        ["tasks", "ferry"],
        ["play", "ferry", "--commands", "-"],
        ["plan", str(job)],
    ):
        done = learnact_with(environment, tmp_path, *command)
        assert done.returncode == 2, (command, done.stdout, done.stderr)
        assert "`from` is a keyword of Python" in " ".join(done.stderr.split()), (command, done.stderr)


@pytest.mark.parametrize("call", ["list_files('a')", "list_files('a', True)", "list_files(path='a')"])
def test_a_parameter_with_a_default_may_be_left_out(call):
    check_domain(Toy((LIST,), Example("g", "o", (("", call, ""),))))
    assert LIST.signature == "list_files(path: str, hidden: bool = False)"
