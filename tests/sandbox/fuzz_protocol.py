"""A coverage-guided fuzzer for the host's side of the protocol. Not part of the tests: run it by hand, for
some minutes.

    pip install atheris            # CPython up to 3.12 on Linux
    python -m tests.sandbox.fuzz_protocol --seeds CORPUS_FOLDER
    python -m tests.sandbox.fuzz_protocol -max_total_time=300 -dict=CORPUS_FOLDER.dict CORPUS_FOLDER

An input is a dialogue: chunks divided by the bytes FE FF, each sent in answer to a message of the host. It
stops at the first input for which a call hangs, raises what it must not, or gives an unsound result;
libFuzzer itself watches memory (-rss_limit_mb)."""

from __future__ import annotations

import asyncio
import sys

import atheris

with atheris.instrument_imports(include=["learnact.sandbox"]):
    from learnact.sandbox import process, protocol, sandbox  # noqa: F401

from tests.sandbox.peer import converse, frame, sound

DIVIDER = b"\xfe\xff"
SEEDS = (
    b'["end",1,null,""]',
    b'["do","pick",[1],{},["<library>","f",2],"x"]' + DIVIDER + b'["end",{"a":[null,true,1.5]},null,"out"]',
    b'["do","move",["stop"],{"k":1},null,""]' + DIVIDER + b'["do","pick",[],{},null,""]',
    b'["end",null,["E","m",["<program>","",1]],""]',
)
WORDS = (
    "do",
    "end",
    "pick",
    "move",
    "stop",
    "<library>",
    "null",
    "1e999",
    "NaN",
    r"\\ud800",
    "[",
    "]",
    "{}",
    r"\xfe\xff",
)
"""For libFuzzer's dictionary, in its own notation."""
HANG_SECONDS = 8.0


def dialogue(data: bytes) -> list[bytes]:
    """Chunks of an input. The first byte says which are framed as the protocol has it, so that the fuzzer
    need not find lengths by luck."""
    framed = data[0] if data else 0
    chunks = data[1:].split(DIVIDER)[:8]
    return [chunk if framed >> i & 1 else frame(chunk) for i, chunk in enumerate(chunks)]


def one_input(data: bytes) -> None:
    """Play one dialogue."""
    result, peered = loop.run_until_complete(asyncio.wait_for(converse(dialogue(data)), HANG_SECONDS))
    sound(result, peered)


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    if "--seeds" in sys.argv:
        folder = sys.argv[sys.argv.index("--seeds") + 1]
        for number, seed in enumerate(SEEDS):
            with open(f"{folder}/seed{number}", "wb") as file:
                file.write(b"\0" + seed)
        with open(f"{folder}.dict", "w") as file:
            file.writelines(f'"{word}"\n' for word in WORDS)
        sys.exit()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
