"""Drawing tasks and reference plans (minigrid's bot), in a process of its own with a limit of CPU time."""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import threading
from typing import Any

from learnact.domains.base import PlannedCall
from learnact.errors import EnvironmentFailure


class GeneratorProcess:
    """The one generator process of this process, started when it is first needed. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        atexit.register(self.stop)

    def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The reply to a request; None where it used up its CPU time. Raises `EnvironmentFailure` where the
        process does not run at all."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = self._started()
            process = self._process
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(json.dumps(request) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except OSError:
                line = ""
            if line:
                reply: dict[str, Any] = json.loads(line)
                return reply
            code = process.wait()
            if code > 0:  # an exception, not the kernel's limit
                raise EnvironmentFailure(f"the generator of BabyAI tasks ended with exit code {code}", False)
            return None

    def stop(self) -> None:
        """End the process, where there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _started(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "learnact.domains.babyai.generator"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )


GENERATOR = GeneratorProcess()


def solved(content: str) -> tuple[PlannedCall, ...] | None:
    """The bot's plan for a task's content; None where it finds none."""
    reply = GENERATOR.ask({"solve": content})
    return None if reply is None else as_plan(reply["plan"])


def as_plan(names: list[str] | None) -> tuple[PlannedCall, ...] | None:
    """Names of steps as a plan."""
    return None if names is None else tuple(PlannedCall(name) for name in names)
