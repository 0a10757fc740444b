"""Stands between a client and an S3 server and does to some requests what networks and busy servers do."""

from __future__ import annotations

import http.client
import itertools
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

BUSY = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
    b"<Message>Please reduce your request rate.</Message></Error>"
)


class FaultyProxy:
    """`faults` names what is done to every third request, in turn: `busy` (503 SlowDown), `cut before` (the
    request never arrives), `cut after` (it is carried out, its answer is lost). `done` counts them."""

    def __init__(self, port: int) -> None:
        self.faults: tuple[str, ...] = ()
        self.done: Counter[str] = Counter()
        self._number = itertools.count(1)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                """Nothing."""

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = proxy.next_fault()
                if fault == "busy":
                    self.answer(503, {"Content-Type": "application/xml"}, BUSY)
                    return
                if fault == "cut before":
                    self.close_connection = True
                    return
                to = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                to.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    to.putheader(name, value)
                to.endheaders(body)
                got = to.getresponse()
                content = got.read()
                if fault == "cut after":
                    self.close_connection = True
                    return
                kept = {
                    n: v for n, v in got.getheaders() if n.lower() not in ("transfer-encoding", "connection")
                }
                self.answer(got.status, kept, content)
                to.close()

            def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() != "content-length":
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any  # noqa: N815 - names of http.server

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    def next_fault(self) -> str:
        number = next(self._number)
        if not self.faults or number % 3:
            return ""
        fault = self.faults[number // 3 % len(self.faults)]
        self.done[fault] += 1
        return fault

    def __enter__(self) -> FaultyProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
