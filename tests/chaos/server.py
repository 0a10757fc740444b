"""The simulated model behind a log that outlives it: `python -m tests.chaos.server PORT LOG LATENCY HOST`.

The log has a line when a request has arrived and one when its reply is about to be sent: the time, `asked` or
`answered`, and a hash of the request. Lines are appended by single writes, so a kill tears none.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from learnact.simulated.faults import Faults
from learnact.simulated.server import SimulatedModels, application


def logged(path: str, latency: float) -> web.Application:
    """The model's application with the log."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    @web.middleware
    async def note(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        digest = hashlib.blake2b(await request.read(), digest_size=12).hexdigest()
        os.write(log, f"{time.time()} asked {digest}\n".encode())
        response = await handler(request)
        os.write(log, f"{time.time()} answered {digest}\n".encode())
        return response

    app = application(SimulatedModels(Faults(latency=latency)))
    app.middlewares.append(note)
    return app


if __name__ == "__main__":
    web.run_app(
        logged(sys.argv[2], float(sys.argv[3])),
        host=sys.argv[4],
        port=int(sys.argv[1]),
        print=None,
        reuse_address=True,
    )
