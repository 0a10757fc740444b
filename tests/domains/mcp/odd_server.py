"""A server with tools that are hard to play: they end it, hang, or have names that Python keeps."""

import asyncio
import os
import sys

from mcp.server import MCPServer

SERVER = MCPServer("odd", log_level="CRITICAL")


@SERVER.tool(name="read-file")
def read_file(path: str) -> str:
    """Read a file."""
    with open(path) as stream:
        return stream.read()


@SERVER.tool(name="print")
def say(text: str, times: int = 1, ending: str | None = None) -> str:
    """Say something."""
    return text * times + (ending or "")


@SERVER.tool()
async def hang() -> str:
    """Never answers."""
    await asyncio.sleep(3600)
    return "late"


@SERVER.tool()
def die() -> str:
    """Ends the server."""
    print("the disk is on fire", file=sys.stderr, flush=True)
    os._exit(3)


@SERVER.tool()
def environment() -> str:
    """The names of the environment variables."""
    return " ".join(sorted(os.environ))


if __name__ == "__main__":
    SERVER.run()
