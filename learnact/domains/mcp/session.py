"""A connection to a server: started, asked and ended from code that does not wait on an event loop.

The SDK is asynchronous; it runs on a loop in a thread of its own. A server that dies or does not answer in
time is an `EnvironmentFailure` that says which call it was and the last lines that the server wrote.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learnact.domains.mcp.options import McpOptions, McpTask
from learnact.domains.mcp.schemas import ServerTool
from learnact.errors import EnvironmentFailure

FOLDER = "{folder}"
"""Stands for a task's folder in options and in what the agent reads and writes: its real name differs."""
LONGEST_ANSWER = 8000
"""Characters of an answer that the agent is shown."""
_STDERR_TAIL = 400


@dataclass(frozen=True)
class ToolAnswer:
    """What a tool answered; `failed`: the server says that the call failed."""

    text: str
    failed: bool = False


class Session:
    """One server (or connection to one) with a folder of its own. Close it at the end."""

    def __init__(self, options: McpOptions, task: McpTask | None = None) -> None:
        self._options = options
        self._root = Path(tempfile.mkdtemp(prefix="learnact-mcp-"))
        self.folder = self._root / "folder"
        self._ready: concurrent.futures.Future[list[ServerTool]] = concurrent.futures.Future()
        self._queue: asyncio.Queue[_Request | None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dead = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        try:
            self._prepare(task)
            self._thread.start()
            self.tools: list[ServerTool] = self._wait(self._ready, "starting", options.seconds)
        except BaseException:
            self.close()
            raise

    def call(self, tool: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        """Call a tool. Raises `EnvironmentFailure` when the server dies or takes too long."""
        if self._dead or self._loop is None or self._queue is None:
            raise EnvironmentFailure(self._dead or "the MCP server is not there")
        request = _Request(tool, _replaced(dict(arguments), FOLDER, str(self.folder)))
        self._loop.call_soon_threadsafe(self._queue.put_nowait, request)
        answer = self._wait(request.answer, f"calling {tool}", self._options.seconds)
        text = answer.text.replace(str(self.folder), FOLDER)
        cut = (
            f"{text[:LONGEST_ANSWER]} ... ({len(text):,} characters)" if len(text) > LONGEST_ANSWER else text
        )
        return ToolAnswer(cut, answer.failed)

    def close(self) -> None:
        """Delete the folder and let the server end, without waiting for it. Idempotent."""
        shutil.rmtree(self._root, ignore_errors=True)
        if self._loop is not None and self._queue is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._queue.put_nowait, None)

    # Before the server starts

    def _prepare(self, task: McpTask | None) -> None:
        self.folder.mkdir()
        (self._root / "home").mkdir()
        for name, text in (task.files if task else {}).items():
            path = (self.folder / name).resolve()
            if not path.is_relative_to(self.folder.resolve()):
                raise EnvironmentFailure(f"files: {name} lies outside of the task's folder", False)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for words in task.prepare if task else ():
            command = [word.replace(FOLDER, str(self.folder)) for word in words]
            try:
                done = subprocess.run(
                    command, cwd=self.folder, env=self._environment(), capture_output=True, text=True,
                    timeout=self._options.seconds,
                )  # fmt: skip
            except (OSError, subprocess.TimeoutExpired) as error:
                raise EnvironmentFailure(f"prepare: {' '.join(words)}: {error}", False) from None
            if done.returncode:
                raise EnvironmentFailure(f"prepare: {' '.join(words)}: {done.stderr[-_STDERR_TAIL:]}", False)

    def _environment(self) -> dict[str, str]:
        """What the server sees: a path to find programs, a home of its own, and the variables that were asked
        for."""
        kept = {
            name: os.environ[name]
            for name in ("PATH", "LANG", "SYSTEMROOT", *self._options.env)
            if name in os.environ
        }
        return {**kept, "HOME": str(self._root / "home"), "TMPDIR": str(self._root)}

    # On the thread

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 a boundary: whatever ends the server
            self._end(_said(error))
        self._end("the MCP server is closed")

    async def _serve(self) -> None:
        import mcp

        self._loop, self._queue = asyncio.get_running_loop(), asyncio.Queue()
        with (self._root / "server.log").open("w", encoding="utf-8") as log:
            async with mcp.Client(self._transport(log), read_timeout_seconds=self._options.seconds) as client:
                self._ready.set_result(await _listed(client))
                while (request := await self._queue.get()) is not None:
                    request.answer.set_result(await _asked(client, request))

    def _transport(self, log: Any) -> Any:
        from mcp import StdioServerParameters, stdio_client

        if self._options.url:
            return self._options.url
        first, *rest = (word.replace(FOLDER, str(self.folder)) for word in self._options.command)
        server = StdioServerParameters(
            command=_program(first), args=rest, env=self._environment(), cwd=str(self.folder),
            encoding_error_handler="replace",
        )  # fmt: skip
        return stdio_client(server, errlog=log)

    # Waiting and failing

    def _wait(self, future: concurrent.futures.Future[Any], doing: str, seconds: float) -> Any:
        """The result of what the thread does."""
        waited = 0.0
        while waited < seconds:
            try:
                return future.result(timeout=0.2)
            except concurrent.futures.TimeoutError:
                waited += 0.2
            if self._dead and not future.done():
                raise EnvironmentFailure(self._told(f"{self._dead}, while {doing}"))
        self._end(f"no answer within {seconds:g} s")
        raise EnvironmentFailure(
            self._told(
                f"the MCP server did not answer within {seconds:g} s (option `seconds`), while {doing}"
            )
        )

    def _end(self, why: str) -> None:
        self._dead = self._dead or why

    def _told(self, what: str) -> str:
        log = self._root / "server.log"
        tail = (
            log.read_text(encoding="utf-8", errors="replace")[-_STDERR_TAIL:].strip() if log.is_file() else ""
        )
        wrote = f"; it wrote last: {' '.join(tail.split())}" if tail else ""
        server = self._options.url or " ".join(self._options.command)
        return f"{what} (server: {server}){wrote}"


class _Request:
    """A call that waits for its answer."""

    def __init__(self, tool: str, arguments: dict[str, Any]) -> None:
        self.tool, self.arguments = tool, arguments
        self.answer: concurrent.futures.Future[ToolAnswer] = concurrent.futures.Future()


async def _listed(client: Any) -> list[ServerTool]:
    found, cursor = [], None
    while True:
        page = await client.list_tools(cursor=cursor) if cursor else await client.list_tools()
        found += [ServerTool(t.name, t.description or "", dict(t.input_schema)) for t in page.tools]
        cursor = getattr(page, "next_cursor", None)
        if not cursor:
            return found


async def _asked(client: Any, request: _Request) -> ToolAnswer:
    """A tool's answer. What the protocol reports about this call alone is an answer that failed."""
    import mcp

    try:
        result = await client.call_tool(request.tool, request.arguments)
    except mcp.MCPError as error:
        if error.code in (
            -32602,
            -32601,
            -32603,
        ):  # invalid parameters, no such tool, an error inside the tool
            return ToolAnswer(str(error), failed=True)
        raise
    texts = [part.text if part.type == "text" else f"({part.type})" for part in result.content]
    structured = getattr(result, "structured_content", None)
    return ToolAnswer("\n".join(texts) or (str(structured) if structured else ""), bool(result.is_error))


def _program(name: str) -> str:
    """A program by its name: one beside the Python that runs learnact comes before those on the path, so that
    a server which is installed in the same environment is found."""
    beside = os.path.dirname(sys.executable)
    return shutil.which(name, path=os.pathsep.join([beside, os.environ.get("PATH", "")])) or name


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, Sequence):
        return [_replaced(item, old, new) for item in value]
    if isinstance(value, Mapping):
        return {key: _replaced(item, old, new) for key, item in value.items()}
    return value


def _said(error: BaseException) -> str:
    """What ended the server, out of the groups that task groups make."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    if isinstance(error, FileNotFoundError):
        return f"the MCP server cannot be started: {error.filename or error}: no such program"
    return f"the MCP server ended: {type(error).__name__}: {error}"
