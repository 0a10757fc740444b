"""Several machines in one: network namespaces with addresses of their own on one bridge, each with a Ray node
and a host name of its own. Needs root and `ip`; elsewhere all nodes share this machine's address, and a node
is cut off by killing it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.processes import processes_below
from tests.cluster.test_remote import free_port

RAY = (sys.executable, "-c", "from ray.scripts.scripts import main; main()")


def have_namespaces() -> bool:
    """Whether this process may make network namespaces."""
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("unshare") is None:
        return False
    name = f"lprobe{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "del", name], check=False)
    return made


@dataclass
class Hosts:
    """A context manager. Host 0 is the head; `start` adds a host, `cut` takes one off the network."""

    namespaces: bool = field(default_factory=have_namespaces)

    def __enter__(self) -> Hosts:
        self._tag = str(os.getpid())[-5:]
        self._network = f"10.213.{os.getpid() % 250}"
        self.folder = Path(tempfile.mkdtemp(prefix="lh", dir="/tmp"))
        self._nodes: list[subprocess.Popen[bytes]] = []
        self.gateway = f"{self._network}.1" if self.namespaces else "127.0.0.1"
        self.port = 6379 if self.namespaces else free_port()
        self.dashboard = 8265 if self.namespaces else free_port()
        if self.namespaces:
            self._ip(f"link add lb{self._tag} type bridge")
            self._ip(f"addr add {self.gateway}/24 dev lb{self._tag}")
            self._ip(f"link set lb{self._tag} up")
        return self

    def __exit__(self, *_: object) -> None:
        for node in reversed(self._nodes):
            for pid in [*processes_below(node.pid, lambda _: True), node.pid]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            node.wait()
        if self.namespaces:
            for number in range(len(self._nodes)):
                self._ip(f"netns del {self._name(number)}")
            self._ip(f"link del lb{self._tag}")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ip(self, words: str) -> None:
        subprocess.run(["ip", *words.split()], check=True, capture_output=True)

    def _name(self, number: int) -> str:
        return f"lh{self._tag}-{number}"

    def address(self, number: int) -> str:
        """The host's address."""
        return f"{self._network}.{10 + number}" if self.namespaces else "127.0.0.1"

    @property
    def job_server(self) -> str:
        """The URL of the head's job server."""
        return f"http://{self.address(0)}:{self.dashboard}"

    def start(self) -> int:
        """Another host with one CPU joins; returns its number."""
        number = len(self._nodes)
        command = [*RAY, "start", "--block", "--num-cpus=1", "--object-store-memory=80000000"]
        command += [f"--node-ip-address={self.address(number)}"]
        if number == 0:
            command += ["--head", f"--port={self.port}", f"--temp-dir={self.folder}"]
            command += ["--dashboard-host=0.0.0.0", f"--dashboard-port={self.dashboard}"]
            command += ["--include-dashboard=true"]
            if not self.namespaces:
                command += [f"--ray-client-server-port={free_port()}"]
        else:
            command += [f"--address={self.address(0)}:{self.port}"]
        command += [f"--dashboard-agent-listen-port={free_port()}"]
        if self.namespaces:
            name, end = self._name(number), f"lv{self._tag}{number}"
            self._ip(f"netns add {name}")
            self._ip(f"link add {end} type veth peer name eth0 netns {name}")
            self._ip(f"link set {end} master lb{self._tag}")
            self._ip(f"link set {end} up")
            for words in (
                f"addr add {self.address(number)}/24 dev eth0",
                "link set eth0 up",
                "link set lo up",
            ):
                self._ip(f"-n {name} {words}")
            inside = ["ip", "netns", "exec", name, "unshare", "--uts", "sh", "-c"]
            command = [*inside, f'hostname host-{number}; exec "$@"', "sh", *command]
        environment = {
            **os.environ,
            "HOME": str(self.folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TMPDIR": str(self.folder),
            "RAY_AUTH_MODE": "disabled",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_health_check_initial_delay_ms": "2000",
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_timeout_ms": "2000",
            "RAY_health_check_failure_threshold": "5",
        }
        with (self.folder / f"host-{number}.txt").open("w") as said:
            self._nodes.append(
                subprocess.Popen(command, env=environment, stdout=said, stderr=said, start_new_session=True)
            )
        return number

    def said(self, number: int) -> str:
        """What a host's Ray has printed."""
        return (self.folder / f"host-{number}.txt").read_text()[-3000:]

    def cut(self, number: int) -> None:
        """Take a host off the network; its processes go on by themselves."""
        if self.namespaces:
            self._ip(f"link set lv{self._tag}{number} down")
            return
        node = self._nodes[number]
        for pid in [*processes_below(node.pid, lambda _: True), node.pid]:
            os.kill(pid, signal.SIGKILL)
