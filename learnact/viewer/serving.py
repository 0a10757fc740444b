"""Serves the viewer on loopback until it is cancelled."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from aiohttp import web

from learnact.errors import BadInput
from learnact.results.location import Location
from learnact.viewer.app import application

ADDRESS = "127.0.0.1"


async def serve(results: Location, port: int, ready: Callable[[str], None]) -> None:
    """Answer until cancelled. `ready` is given the address, with its token. Raises `BadInput` for a port that
    is taken.
    """
    token = secrets.token_urlsafe(24)
    runner = web.AppRunner(application(results, token), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, ADDRESS, port)
        try:
            await site.start()
        except OSError as error:
            raise BadInput(f"--port {port}: {error.strerror}; name another, or leave it out") from None
        ready(f"http://{ADDRESS}:{runner.addresses[0][1]}/{token}/")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
