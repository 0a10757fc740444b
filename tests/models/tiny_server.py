"""A small stand-in for `python -m learnact.simulated`: the same arguments, one canned reply, ends with its
parent."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from tests.models.server import FaultServer


async def serve(port_file: Path, parent: int) -> None:
    async with FaultServer() as server:
        part = port_file.with_suffix(".part")
        part.write_text(str(server.port))
        part.rename(port_file)
        while _alive(parent):
            await asyncio.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port")
    parser.add_argument("--port-file", type=Path)
    parser.add_argument("--processes")
    parser.add_argument("--parent", type=int)
    given = parser.parse_args()
    asyncio.run(serve(given.port_file, given.parent))
