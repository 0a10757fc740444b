"""A server over streamable HTTP whose tools have schemas and ends that are hard to play:

python -m tests.domains.mcp.http_server PORT
"""

import asyncio
import os
import sys
from enum import StrEnum
from typing import Literal

from mcp.server import MCPServer
from pydantic import BaseModel

SERVER = MCPServer("shop", log_level="CRITICAL")
NOTES: list[str] = []


class Size(StrEnum):
    """How large."""

    SMALL = "small"
    LARGE = "large"


class Address(BaseModel):
    """Where to."""

    street: str
    number: int = 1


class Order(BaseModel):
    """What is wanted."""

    what: str
    size: Size = Size.SMALL
    to: Address | None = None
    tags: list[str] = []


@SERVER.tool(name="place.order")
def place_order(order: Order, rush: bool = False) -> str:
    """Place an order."""
    where = f"{order.to.street} {order.to.number}" if order.to else "nowhere"
    NOTES.append(order.what)
    return (
        f"{order.size.value} {order.what} to {where}{', now' if rush else ''} {' '.join(order.tags)}".strip()
    )


@SERVER.tool(name="2-colours")
def colours(first: Literal["red", "blue"], second: Size | None = None) -> str:
    """Mix colours."""
    return f"{first} {second.value if second else 'alone'}"


@SERVER.tool()
def notes() -> str:
    """What was ordered."""
    return ", ".join(NOTES)


@SERVER.tool()
def fail() -> str:
    """Always fails."""
    raise ValueError("out of stock")


@SERVER.tool()
async def slow() -> str:
    """Never answers."""
    await asyncio.sleep(3600)
    return "late"


@SERVER.tool()
def die() -> str:
    """Ends the server."""
    os._exit(3)


if __name__ == "__main__":
    SERVER.run(transport="streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
