"""`learnact play` with input that no person types: it ends with a message or goes on, never with a
traceback.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import subprocess
import sys
import termios
from pathlib import Path

import pytest

PLAY = [sys.executable, "-c", "from learnact.cli import main; main()", "play", "gripper", "-o", "test=1"]


def play(*more: str, body: bytes | None = None, stdin: object = None) -> subprocess.CompletedProcess[bytes]:
    how = {"input": body} if body is not None else {"stdin": stdin}
    done = subprocess.run([*PLAY, *more], capture_output=True, check=False, timeout=300, **how)
    assert b"Traceback" not in done.stderr + done.stdout, done.stderr[-500:]
    return done


ODD = {
    "not UTF-8": b"caf\xe9('x')\n\xff\xfe\n",
    "NUL and escape sequences": b"\x00\n\x1b[2J\x1b]0;title\x07('x')\nmove('\x1b[31mrooma','roomb')\n",
    "long lines": b"move('" + b"a" * 300_000 + b"','b')\n" + b"(" * 100_000 + b"\n" + b"-" * 100_000 + b"1\n",
    "deep nesting": b"move(" + b"[" * 5000 + b"]" * 5000 + b")\n",
    "other line ends": "move('rooma\u2028','roomb')\x0b\x0c\x85\r\n".encode(),
    "numbers": b"move(1e999, 9**9**9)\nmove(" + b"9" * 6000 + b")\n",
    "nothing": b"",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_commands_are_answered_one_line_each(name: str, tmp_path: Path) -> None:
    lines = [line for line in ODD[name].split(b"\n") if line.strip()]
    piped = play("--commands", "-", "--json", body=ODD[name])
    assert piped.returncode == 0
    assert [json.loads(line)["valid"] for line in piped.stdout.splitlines()] == [False] * len(lines)
    plain = play(body=ODD[name])
    assert plain.returncode == 0
    assert b"\x1b" not in plain.stdout and b"\x07" not in plain.stdout
    file = tmp_path / "commands.txt"
    file.write_bytes(ODD[name])
    read = play("--commands", str(file), "--json")
    if name == "not UTF-8":
        assert read.returncode == 2 and b"commands.txt:1: byte 0xe9 is not UTF-8" in read.stderr
    elif name == "NUL and escape sequences":
        assert read.returncode == 2 and b"commands.txt:1: a NUL character" in read.stderr
    else:
        assert len(read.stdout.splitlines()) == len(lines)


def test_input_without_an_end_is_refused() -> None:
    with open("/dev/zero", "rb") as zero:
        done = play("--json", stdin=zero)
    assert done.returncode == 2 and b"a line of more than 16,777,216 characters" in done.stderr
    done = play("--commands", "/dev/zero")
    assert done.returncode == 2 and b"it is not a regular file" in done.stderr


def test_closed_standard_input_is_named() -> None:
    shell = subprocess.run(
        ["sh", "-c", 'exec "$0" "$@" <&-', *PLAY], capture_output=True, check=False, timeout=300
    )
    assert shell.returncode == 2 and b"standard input is closed" in shell.stderr


ASKS = b"\x1b[?2004h"
"""What the prompt writes when it reads keys: bracketed paste is switched on."""


@pytest.mark.parametrize(
    "typed", [b"\x04", b"\xff\xfe\nquit\n", b"help\n\x1b[A\x1b[2J\nmove('a')\nquit\n", b"\x03"]
)
def test_at_a_prompt_any_keys_end_without_a_traceback(typed: bytes) -> None:
    assert b"Traceback" not in at_a_prompt((ASKS, typed))


def test_an_interrupt_just_before_the_prompt_is_not_lost() -> None:
    assert b"Traceback" not in at_a_prompt((b"Type a call", b"\x03"))


def test_at_a_prompt_tab_completes_names() -> None:
    shown = at_a_prompt((ASKS, b"dr\t"), (b"drop", b"('ball1', 'roomb')\nquit\n"))
    assert b"no action" not in shown


def at_a_prompt(*steps: tuple[bytes, bytes]) -> bytes:
    """What `learnact play` shows on a terminal. A step: once the first is shown, the second is typed."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        PLAY,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    shown, waiting = b"", list(steps)
    try:
        while select.select([master], [], [], 300)[0]:
            try:
                shown += os.read(master, 65536)
            except OSError:  # the process has ended
                break
            if waiting and waiting[0][0] in shown:
                os.write(master, waiting.pop(0)[1])
        process.wait(300)
    finally:
        process.kill()
        os.close(master)
    assert b"Type a call" in shown, shown[-500:]
    return shown
