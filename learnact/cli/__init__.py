"""The command line: Typer commands, one module each, thin. Exit codes: 0 done, 1 some work unfinished, 2 bad
input; a run that a signal stopped ends with 128 and its number."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

INTERRUPTED = 130
"""The code with which typer ends where an interrupt comes outside a command, as while its module is
loaded."""


class StoppedExit(SystemExit):
    """A run was stopped by a signal, and has said so."""


def main() -> None:
    """Entry point of `learnact`. Ends the process.

    An interrupt while modules are loaded, and an output that cannot be written to (closed, full disk), end
    with one line on standard error and code 1.
    """
    _open_streams()
    code: int | str | None = 1
    try:
        from learnact.cli.app import app

        app(prog_name="learnact")
    except SystemExit as ending:
        code = ending.code
        if code == INTERRUPTED and not isinstance(ending, StoppedExit):
            _complain("error: interrupted")
            code = 1
    except KeyboardInterrupt:
        _complain("error: interrupted")
    except BrokenPipeError:
        pass  # the reader of our output has gone; there is nobody to tell
    except OSError as error:
        _complain(f"error: {error}")
    sys.exit(code if _flush(sys.stdout) and _flush(sys.stderr) else code or 1)


def _open_streams() -> None:
    """Streams that were closed go nowhere; characters that a terminal cannot show are replaced instead of
    raising."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - open until the process ends
        else:
            with contextlib.suppress(AttributeError, OSError):
                stream.reconfigure(errors="backslashreplace")


def _flush(stream: TextIO) -> bool:
    """Write what is still buffered; False where that fails. Python would print a traceback for it at exit."""
    try:
        stream.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError) and stream is sys.stdout:
            _complain(f"error: the output cannot be written: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return False
    return True


def _complain(message: str) -> None:
    with contextlib.suppress(OSError):
        sys.stderr.write(message + "\n")
        sys.stderr.flush()
