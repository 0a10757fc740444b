"""The warmed parent: one process per worker that has loaded what sessions need and forks one on request. It never sees learned code.

Started by `sandbox.py` with one descriptor, the control channel. First a frame with the configuration; it answers with a frame that says which walls
stand; then records of 16 bytes (`wire.RECORD`), a descriptor attached to each FORK. It ends when the host closes the channel, and its sessions
with it.
"""

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
    """Forks sessions, ends them on request, reaps them and tells the host how they ended."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.children: dict[int, int] = {}
        self.config: dict[str, Any] = protocol.unpack(
            self._exactly(protocol.HEADER.unpack(self._exactly(4))[0])
        )
        self.ruleset: int | None = None

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.control.recv(count - len(data))
            if not part:
                os._exit(0)
            data += part
        return data

    def prepare(self) -> None:
        """Load what learned code may import, give up what no session needs, tell the host what stands."""
        warnings.simplefilter("ignore")
        modules.seed_random(lambda: random._inst.getrandbits(64))
        modules.take_originals()
        report: dict[str, Any] = {"oom": confinement.prefer_to_die(), "user": os.geteuid(), "left": []}
        self.config["virtual_bytes"] = virtual_bytes()
        self.config["descriptors"] = min(os.sysconf("SC_OPEN_MAX"), 4096)
        if self.config["user"] is not None:
            report["dropped"] = confinement.become(self.config["user"])
        if confinement.LINUX and self.config["kind"] != "trusted":
            report["left"] = confinement.leave_namespaces()
            self.ruleset = confinement.landlock_ruleset()
        report["left"] += confinement.leave_files()
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
        """A session of its own process on the descriptor `channel`."""
        try:
            pid = os.fork()
        except OSError as error:
            os.close(channel)
            self.tell(protocol.FORKED, session, -(error.errno or 1), 0)
            return
        if pid == 0:
            gc.enable()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            confined_process.run(channel, self.config, self.ruleset)
        os.close(channel)
        self.children[pid] = session
        self.tell(protocol.FORKED, session, pid, 0)

    def kill(self, session: int) -> None:
        """End a session, if it still lives. Its id is ours alone, so no other process can be hit."""
        for pid, owner in self.children.items():
            if owner == session:
                os.kill(pid, signal.SIGKILL)

    def reap(self) -> None:
        """Collect the dead, so that no zombie stays, and tell the host."""
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self.tell(protocol.EXITED, self.children.pop(pid), pid, status)

    def tell(self, operation: int, session: int, pid: int, status: int) -> None:
        """A record to the host."""
        self.control.sendall(protocol.RECORD.pack(operation, session, pid, status))

    def serve(self) -> NoReturn:
        """Work until the host closes the channel, then end every session and leave."""
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
                    data += self._exactly(protocol.RECORD.size - len(data))
                if not data:
                    self.leave()
                operation, session, _, _ = protocol.RECORD.unpack(data)
                if operation == protocol.FORK:
                    self.fork(session, array.array("i", attached[0][2][:size])[0])
                elif operation == protocol.KILL:
                    self.kill(session)

    def leave(self) -> NoReturn:
        """The host is gone or done: nothing of ours stays behind."""
        for pid in self.children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in self.children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        os._exit(0)


def main() -> NoReturn:
    """Entry of the process: `python -c "... main()" DESCRIPTOR`."""
    parent = ForkServerMain(socket.socket(fileno=int(sys.argv[1])))
    try:
        try:
            parent.prepare()
        except (OSError, ImportError, ValueError) as error:
            parent.control.sendall(protocol.pack({"error": f"{type(error).__name__}: {error}"}, 1 << 16))
            parent.leave()
        parent.serve()
    except (ConnectionError, BrokenPipeError):
        parent.leave()
