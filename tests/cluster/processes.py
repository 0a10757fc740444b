"""Finding processes that descend from this one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def descendants(title: str) -> list[int]:
    """Process ids below this process whose command line begins with `title`."""
    return processes_below(os.getpid(), lambda text: text.startswith(title))


def processes_below(root: int, wanted: Callable[[str], bool]) -> list[int]:
    """Process ids below `root` whose command line is wanted."""
    parents: dict[int, int] = {}
    titles: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            titles[int(entry.name)] = (
                (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
        except (OSError, IndexError):
            continue
        parents[int(entry.name)] = int(stat[1])
    return sorted(pid for pid, text in titles.items() if wanted(text) and _below(pid, root, parents))


def _below(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid in parents:
        pid = parents[pid]
        if pid == root:
            return True
    return False


def process_at_port(port: int, among: list[int]) -> int | None:
    """The process with a TCP connection from this local port; None when it is none of those."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{line[9]}]" for line in lines if int(line[1].rpartition(":")[2], 16) == port}
    for pid in among:
        for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                if os.readlink(descriptor) in sockets:
                    return pid
            except OSError:
                continue
    return None
