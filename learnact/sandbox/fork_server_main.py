"""The program of the fork server: a process per worker that has loaded what sessions need and forks them.

It never receives learned code. `fork_server.py` starts it with one file descriptor, the control channel. The
host first sends a frame with the configuration; the fork server answers with a frame about the confinement
that it could set up; then records of 16 bytes (`protocol.RECORD`) follow, with a descriptor attached to each
FORK. The fork server and its sessions end when the host closes the channel."""

from __future__ import annotations

import array
import contextlib
import gc
import os
import random
import select
import signal
import socket
import sys
import warnings
from typing import Any, NoReturn

from learnact.sandbox import confined_process, confinement, modules, protocol


def virtual_bytes() -> int:
    """Address space in use, in bytes; 0 where the system does not tell."""
    with contextlib.suppress(OSError), open("/proc/self/statm") as statm:
        return int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    return 0


class ForkServerMain:
    """Forks sessions, ends them on request, collects them and reports their exit statuses to the host."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.sessions: dict[int, int] = {}
        self.config: dict[str, Any] = protocol.unpack(
            self._receive_exactly(protocol.HEADER.unpack(self._receive_exactly(4))[0])
        )
        self.ruleset: int | None = None

    def _receive_exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.control.recv(count - len(data))
            if not part:
                os._exit(0)
            data += part
        return data

    def prepare(self) -> None:
        """Load what learned code may import, confine this process, report the confinement to the host."""
        warnings.simplefilter("ignore")
        modules.seed_random(lambda: random._inst.getrandbits(64))
        modules.take_originals()
        confinement.raise_oom_score()
        report: dict[str, Any] = {"separated": []}
        self.config["virtual_bytes"] = virtual_bytes()
        self.config["descriptors"] = min(os.sysconf("SC_OPEN_MAX"), 4096)
        if self.config["user"] is not None:
            confinement.switch_user(self.config["user"])
        if confinement.LINUX and self.config["kind"] != "trusted":
            report["separated"] = confinement.leave_namespaces()
            self.ruleset = confinement.landlock_ruleset()
        report["separated"] += confinement.leave_files()
        report["landlock"] = confinement.landlock_version() if self.ruleset is not None else 0
        report["user"] = os.geteuid()
        os.environ.clear()
        sys.argv[:] = [""]
        sys.path[:] = []
        gc.collect()
        gc.freeze()
        gc.disable()
        self.control.sendall(protocol.pack(report, 1 << 16))

    def fork(self, session: int, channel: int) -> None:
        """Fork a session whose channel is the descriptor `channel`."""
        try:
            pid = os.fork()
        except OSError as error:
            os.close(channel)
            self.report(protocol.FORKED, session, -(error.errno or 1), 0)
            return
        if pid == 0:
            gc.enable()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            confined_process.run(channel, self.config, self.ruleset)
        os.close(channel)
        self.sessions[pid] = session
        self.report(protocol.FORKED, session, pid, 0)

    def kill(self, session: int) -> None:
        """Kill a session if it still runs. Its process id is not reused before it is collected here."""
        for pid, owner in self.sessions.items():
            if owner == session:
                os.kill(pid, signal.SIGKILL)

    def reap(self) -> None:
        """Collect ended sessions, so that no zombie remains, and report them to the host."""
        while self.sessions:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self.report(protocol.EXITED, self.sessions.pop(pid), pid, status)

    def report(self, operation: int, session: int, pid: int, status: int) -> None:
        """Send a record to the host."""
        self.control.sendall(protocol.RECORD.pack(operation, session, pid, status))

    def serve(self) -> NoReturn:
        """Serve requests until the host closes the channel, then end."""
        wake, wake_write = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        size = array.array("i", [0]).itemsize
        while True:
            ready, _, _ = select.select([self.control.fileno(), wake], [], [])
            if wake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(wake, 4096)
                self.reap()
            if self.control.fileno() in ready:
                data, attached, _, _ = self.control.recvmsg(protocol.RECORD.size, socket.CMSG_SPACE(size))
                while data and len(data) < protocol.RECORD.size:
                    data += self._receive_exactly(protocol.RECORD.size - len(data))
                if not data:
                    self.end()
                operation, session, _, _ = protocol.RECORD.unpack(data)
                if operation == protocol.FORK:
                    self.fork(session, array.array("i", attached[0][2][:size])[0])
                elif operation == protocol.KILL:
                    self.kill(session)

    def end(self) -> NoReturn:
        """Kill and collect every session, then exit."""
        for pid in self.sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in self.sessions:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        os._exit(0)


def main() -> NoReturn:
    """Entry point of the process: `python -c "... main()" DESCRIPTOR`."""
    server = ForkServerMain(socket.socket(fileno=int(sys.argv[1])))
    try:
        try:
            server.prepare()
        except (OSError, ImportError, ValueError) as error:
            server.control.sendall(protocol.pack({"error": f"{type(error).__name__}: {error}"}, 1 << 16))
            server.end()
        server.serve()
    except (ConnectionError, BrokenPipeError):
        server.end()
