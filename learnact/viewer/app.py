"""The application: who may ask, what every answer carries, and how errors look.

It listens on loopback only, and each address begins with a token that only the person who started it knows.
It answers under the names of loopback alone, so that a page from elsewhere cannot reach it by a name that
points here. Nothing is written and no script is sent.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from learnact.errors import LearnactError
from learnact.pages.html import policy, render
from learnact.results.location import Location
from learnact.viewer.views import ViewerPages

HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
HEADERS = {
    "Content-Security-Policy": policy("; form-action 'self'; frame-ancestors 'none'"),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_log = logging.getLogger("learnact.viewer")
PageHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(results: Location, token: str) -> web.Application:
    """The viewer of a results folder."""

    @web.middleware
    async def guard(request: web.Request, handler: PageHandler) -> web.StreamResponse:
        answer = await _answer(request, handler, token)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    made = web.Application(middlewares=[guard])
    made.add_routes(ViewerPages(results).routes())
    return made


async def _answer(request: web.Request, handler: PageHandler, token: str) -> web.StreamResponse:
    if request.host.rpartition(":")[0] not in HOSTS and request.host not in HOSTS:
        return error_page(403, "This name is not answered", "Use the address that `learnact view` printed.")
    given = request.path.strip("/").partition("/")[0]
    if not hmac.compare_digest(given.encode(), token.encode()):
        why = "The address lacks the token, or has another one: the viewer was started again."
        return error_page(403, "Not this address", f"{why} Use the address that `learnact view` printed.")
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        home = f"/{token}/"
        if error.status == 404:
            return error_page(404, "There is no such page", "Begin at the list of runs.", home)
        return error_page(error.status, error.reason, error.text or "", home)
    except LearnactError as error:
        return error_page(404, "This cannot be shown", str(error), f"/{token}/")
    except Exception as error:  # noqa: BLE001 - the boundary: one page fails, the others go on
        _log.exception("a page failed")
        return error_page(500, "This page failed", f"{type(error).__name__}: {error}", f"/{token}/")


def error_page(status: int, title: str, text: str, home: str = "") -> web.Response:
    """A page that says what is wrong and the way out."""
    page = render("view_error.html", heading=title, text=text, home=home)
    return web.Response(text=page, status=status, content_type="text/html")
