"""Programs as models write them do in the sandbox exactly what they do in plain CPython."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from learnact.records import Plain
from learnact.sandbox import protocol
from learnact.sandbox.bounds import PrimitiveResult
from learnact.sandbox.confinement import LINUX
from learnact.sandbox.sandbox import Sandbox
from tests.sandbox.benign import PROGRAMS

pytestmark = pytest.mark.skipif(not LINUX, reason="confined sessions need Linux")

REFERENCE = """
import contextlib, io, json, sys, types

def play(source):
    done = []
    def act(*args, **kw):
        done.append([list(args), kw])
        return answer(args, kw)
    out = io.StringIO()
    module = sys.modules["library"] = types.ModuleType("library")
    space = vars(module)
    space["act"] = act
    with contextlib.redirect_stdout(out):
        try:
            exec(compile(source, "<library>", "exec"), space)
            space["__name__"] = "__main__"
            value, error = space["main"](), None
        except Exception as raised:
            line, trace = 0, raised.__traceback__
            while trace is not None:
                if trace.tb_frame.f_code.co_filename == "<library>":
                    line = trace.tb_lineno
                trace = trace.tb_next
            value, error = None, [type(raised).__name__, str(raised), line]
    return [value, error, out.getvalue(), done]

def answer(args, kw):
    return f"seen {args[0]} {list(args[1:])} {kw}"

sys.setrecursionlimit(1000)
print(json.dumps({name: play(source) for name, source in json.load(sys.stdin).items()}))
"""


@pytest.fixture(scope="module")
def plain() -> dict[str, list[Plain]]:
    """What plain CPython, a fresh interpreter that knows nothing of us, makes of the programs."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", REFERENCE],
        input=json.dumps(PROGRAMS),
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    answers: dict[str, list[Plain]] = json.loads(done.stdout)
    return answers


async def confined(sandbox: Sandbox, source: str) -> list[Plain]:
    """Value, error, printed output and primitives of a program in the sandbox."""
    done: list[Plain] = []

    async def do(name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> PrimitiveResult:
        done.append([arguments, keywords])
        return PrimitiveResult(f"seen {arguments[0]} {arguments[1:]} {keywords}")

    async with sandbox.session(source, ["act"], seed=3) as session:
        result = await session.call("main()", do)
    found = result.error
    error: Plain = [found.type, found.message, found.line] if found else None
    return [result.value, error, result.printed, done]


async def test_benign_programs_give_what_cpython_gives(plain: dict[str, list[Plain]]) -> None:
    assert len(PROGRAMS) >= 80
    different = {}
    async with Sandbox() as sandbox:
        for name, source in PROGRAMS.items():
            ours = await confined(sandbox, source)
            if ours != plain[name]:
                different[name] = (ours, plain[name])
    assert different == {}


def test_flattening_gives_what_json_gives() -> None:
    value = {"a": (1, 2.5, None), 3: [True, {"ü": "✓"}], None: ()}
    assert protocol.flatten(value, protocol.MessageLimits(), lenient=True) == json.loads(json.dumps(value))
