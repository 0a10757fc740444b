"""Plays hostile programs in a sandbox and says what did not end as intended. Standard library and
learnact.sandbox only: also run as another user.

python -m tests.sandbox.hostile.play [GROUP ...]
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from learnact.records import Plain
from learnact.sandbox.bounds import Bounds, CallResult, PrimitiveResult, User
from learnact.sandbox.sandbox import Sandbox
from learnact.sandbox.session import SandboxSession
from tests.sandbox.hostile import Attack, attacks

BOUNDS = Bounds(cpu_seconds=0.4, wall_seconds=60.0)
LATE_SECONDS = 1.0
SECRET = "5e6f-the-secret-of-the-host"
SIBLING = "def sibling(x):\n    return [act(x), x]\n"


class Canaries:
    """What an attack might reach: a secret file in a folder, a TCP and a UDP port, an abstract socket, a key
    in the environment."""

    def __enter__(self) -> Canaries:
        self.folder = Path(tempfile.mkdtemp(prefix="hostile-"))
        self.folder.chmod(0o777)
        self.secret = self.folder / "secret"
        self.secret.write_text(SECRET)
        self.secret.chmod(0o666)
        (self.folder / "planted.py").write_text(f"SECRET = {SECRET!r}\n")
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.abstract = f"hostile-{os.getpid()}"
        self.local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.local.bind("\0" + self.abstract)
        self.local.listen()
        for each in (self.tcp, self.udp, self.local):
            each.setblocking(False)
        os.environ["LEARNACT_TEST_KEY"] = SECRET
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self.tcp, self.udp, self.local):
            each.close()
        for file in self.folder.iterdir():
            file.unlink()
        self.folder.rmdir()
        del os.environ["LEARNACT_TEST_KEY"]

    def touched(self) -> list[str]:
        """What was reached, in words."""
        found = []
        if sorted(p.name for p in self.folder.iterdir()) != ["planted.py", "secret"]:
            found.append("the folder changed")
        elif self.secret.read_text() != SECRET or self.secret.stat().st_mode & 0o777 != 0o666:
            found.append("the secret file changed")
        for name, each in (("tcp", self.tcp), ("abstract", self.local)):
            try:
                each.accept()[0].close()
                found.append(f"{name} was connected to")
            except BlockingIOError:
                pass
        try:
            self.udp.recv(100)
            found.append("udp was sent to")
        except BlockingIOError:
            pass
        return found

    def fill(self, text: str, parent: int) -> str:
        """A program with the names in it filled in."""
        for name, value in {
            "@SECRET@": str(self.secret),
            "@FOLDER@": str(self.folder),
            "@PORT@": str(self.port),
            "@ABSTRACT@": self.abstract,
            "@HOST@": str(os.getpid()),
            "@PARENT@": str(parent),
        }.items():
            text = text.replace(name, value)
        return text


class World:
    """The host's side of the one primitive: counts, and ends the call at 'stop'."""

    def __init__(self) -> None:
        self.ended = False
        self.done = 0

    async def do(self, name: str, arguments: list[Plain], keywords: dict[str, Plain]) -> PrimitiveResult:
        assert name == "act"
        assert not self.ended, "a primitive after the end"
        self.done += 1
        self.ended = arguments == ["stop"]
        return PrimitiveResult("seen", end=self.ended)


def ending(result: CallResult) -> str:
    """How a call ended: `ended`, an error's type, or `value`."""
    return "ended" if result.ended else result.error.type if result.error else "value"


def complaints(attack: Attack, result: CallResult, world: World) -> list[str]:
    """What is wrong with an attack's result."""
    found = []
    if ending(result) not in attack.ends.split("|"):
        found.append(f"ended as {ending(result)}, not {attack.ends}: {result.error or result.value!r}"[:400])
    elif ending(result) == "value" and attack.returns is not None and _text(result.value) != attack.returns:
        found.append(f"returned {result.value!r}, not {attack.returns}"[:400])
    if SECRET in json.dumps([result.value, result.printed, str(result.error)]):
        found.append("the secret came out")
    if len(result.printed) > BOUNDS.output_bytes or len(str(result.error)) > 4000:
        found.append("it said too much")
    if result.cpu_seconds > BOUNDS.cpu_seconds + LATE_SECONDS:
        found.append(f"stopped {result.cpu_seconds - BOUNDS.cpu_seconds:.2f} s of CPU late")
    if result.primitives != world.done or world.done > BOUNDS.primitives:
        found.append(f"{world.done} primitives done, {result.primitives} reported")
    return found


def _text(value: Plain) -> str:
    return value if isinstance(value, str) else str(value)


async def sane(sibling: SandboxSession, pid: int | None) -> list[str]:
    """Whether a session beside the attacked one goes on undisturbed."""
    result = await sibling.call("sibling(1)", World().do)
    if result.error or result.value != ["seen", 1]:
        return [f"a sibling was disturbed: {result}"]
    return [] if sibling.pid == pid else ["a sibling was replaced"]


async def play(chosen: Sequence[Attack], user: User = "nobody") -> dict[str, list[str]]:
    """Play attacks one after another beside a sibling session. Complaints by name; empty when all ended as
    intended."""
    wrong: dict[str, list[str]] = {}
    with Canaries() as canaries:
        async with Sandbox(BOUNDS, user=user) as sandbox:
            async with sandbox.session(SIBLING, ["act"], seed=1) as sibling:
                await sibling.call("None", World().do)
                pid = sibling.pid
                parent = (await sandbox.fork_server()).pid
                for attack in chosen:
                    world = World()
                    async with sandbox.session(
                        canaries.fill(attack.source, parent), ["act"], seed=2
                    ) as session:
                        result = await session.call(canaries.fill(attack.call, parent), world.do)
                        found = complaints(attack, result, world)
                        found += canaries.touched() + await sane(sibling, pid)
                        found += await again(session, attack)
                    if found:
                        wrong[f"{attack.group}-{attack.name}"] = found
                if (await sandbox.fork_server()).pid != parent:
                    wrong["parent"] = ["the fork server died"]
    return wrong


async def again(session: SandboxSession, attack: Attack) -> list[str]:
    """Whether a further call in the attacked session ends at all, within its bounds."""
    result = await session.call("1 + 1", World().do)
    return (
        []
        if result.cpu_seconds < BOUNDS.cpu_seconds + LATE_SECONDS
        else ["the next call did not end in time"]
    )


if __name__ == "__main__":
    groups = sys.argv[1:]
    everything = [a for a in attacks() if not groups or a.group in groups]
    failures = asyncio.run(play(everything, "current"))
    print(json.dumps({"played": len(everything), "uid": os.getuid(), "wrong": failures}, indent=1))
