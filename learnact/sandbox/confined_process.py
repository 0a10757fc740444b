"""The program of a confined process: load the library, run calls, send primitives to the host.

Nothing in this module confines anything: learned code can reach and change all of it. Safety rests on the
kernel, which confines the process, and on the host, which checks each message. This module covers the new
namespace of each call, the functions that stand for primitives, bounded printing, and errors as data with
function and line."""

from __future__ import annotations

import builtins
import fcntl
import io
import os
import random
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from learnact.sandbox import confinement, modules, protocol

LIBRARY, PROGRAM = "<library>", "<program>"
CHANNEL = 3
READ_BYTES = 64 << 10
FRAMES_OF_OURS = 12
"""Stack frames below the first frame of learned code. They do not count against its bound on recursion."""


class CallStopped(BaseException):
    """The host ended the call. Learned code may catch this; the host ignores what it sends afterwards."""


class PrintedText(io.TextIOBase):
    """Standard output of learned code: keeps at most `bound` characters."""

    def __init__(self, bound: int) -> None:
        self._parts: list[str] = []
        self._room = bound

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, text: str, /) -> int:
        """Keep what still fits; report that everything was written."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._room > 0:
            self._parts.append(text[: self._room])
            self._room -= len(text)
        return len(text)

    def take(self) -> str:
        """The text printed since the last call of `take`."""
        text = "".join(self._parts)
        self._parts.clear()
        return text


class Channel:
    """The confined process's end of the channel: whole frames over one file descriptor."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self._unread = b""

    def send(self, message: list[Any]) -> None:
        """Send one frame. Raises `protocol.ProtocolError` when it is too long."""
        data = memoryview(protocol.pack(message, self.bound))
        while data:
            data = data[os.write(CHANNEL, data) :]

    def receive(self) -> list[Any]:
        """The next message. The process exits when the host has closed the channel."""
        data = self._unread
        while (
            len(data) < protocol.HEADER.size
            or len(data) < protocol.HEADER.size + protocol.HEADER.unpack_from(data)[0]
        ):
            more = os.read(CHANNEL, READ_BYTES)
            if not more:
                os._exit(0)
            data += more
        end = protocol.HEADER.size + protocol.HEADER.unpack_from(data)[0]
        self._unread = data[end:]
        message: list[Any] = protocol.unpack(data[protocol.HEADER.size : end])
        return message


class ConfinedSession:
    """The calls of one session: one process and one library, a new namespace for each call."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.limits = protocol.limits_from(config)
        self.own_cpu = config["own_cpu"]
        self.output = int(config["output_bytes"])
        self.recursion = int(config["recursion"])
        self.channel = Channel(int(config["message_bytes"]))
        self.printed = PrintedText(self.output)
        self.library: types.CodeType | None = None
        self.primitives: list[str] = []
        self.call_number = 0

    def serve(self) -> NoReturn:
        """Run calls until the host closes the channel."""
        self.channel.send(["ready"])
        while True:
            try:
                self.run_call(self.channel.receive())
            except MemoryError:
                os._exit(EXIT_MEMORY)

    def run_call(self, message: list[Any]) -> None:
        """Run one call and send its result."""
        _, source, primitives, code, seed = message
        if self.own_cpu is not None:
            confinement.allow_cpu(self.own_cpu)
        modules.restore()
        self.printed = PrintedText(self.output)
        sys.stdout = sys.stderr = self.printed
        random.seed(seed)
        sys.setrecursionlimit(self.recursion + FRAMES_OF_OURS)
        try:
            if source is not None:
                self.library, self.primitives = (
                    compile_code(source, LIBRARY, "exec"),
                    primitives,
                )
            value, error = protocol.flatten(self._call(code), self.limits, lenient=True), None
        except protocol.ProtocolError as refused:
            value, error = (
                None,
                ["Forbidden", f"the result is no plain data of bounded size: {refused}", NO_PLACE],
            )
        except BaseException as raised:  # noqa: BLE001 - a boundary: every exception becomes data
            value, error = None, self._describe(raised)
        self.call_number += 1
        sys.setrecursionlimit(2000)
        try:
            self.channel.send(["end", value, error, self.printed.take()])
        except protocol.ProtocolError as refused:
            self.channel.send(
                ["end", None, ["Forbidden", f"the result is too large: {refused}", NO_PLACE], ""]
            )

    def _call(self, code: str) -> Any:
        """Run code in a new namespace with the library. The value of an expression, None after statements."""
        module = types.ModuleType("library")
        sys.modules["library"] = sys.modules["__main__"] = module
        namespace = vars(module)
        own_builtins = dict(modules.ORIGINALS["builtins"][1])
        own_builtins["__import__"] = guarded_import
        namespace["__builtins__"] = own_builtins
        for name in self.primitives:
            namespace[name] = self._primitive(name)
        if self.library is not None:
            exec(self.library, namespace)
        namespace["__name__"] = "__main__"
        try:
            expression = compile_code(code.strip(), PROGRAM, "eval")
        except SyntaxError:
            exec(compile_code(code, PROGRAM, "exec"), namespace)
            return None
        return eval(expression, namespace)

    def _primitive(self, name: str) -> Callable[..., Any]:
        call_number = self.call_number

        def primitive(*arguments: Any, **keywords: Any) -> Any:
            if call_number != self.call_number:
                raise RuntimeError("the call that this primitive action belonged to is over")
            place = innermost_place(sys._getframe(1))
            try:
                plain = protocol.flatten([list(arguments), keywords], self.limits, lenient=False)
            except protocol.ProtocolError as refused:
                raise ValueError(f"{name} takes plain values of bounded size, not {refused}") from None
            self.channel.send(["do", name, *plain, place, self.printed.take()])
            answer = self.channel.receive()
            if answer[0] == "stop":
                raise CallStopped
            return answer[1]

        primitive.__name__ = primitive.__qualname__ = name
        return primitive

    def _describe(self, error: BaseException) -> list[Any]:
        """Type, message, learned function and line of an exception. A hostile `__str__` does no harm."""
        kind = type(error).__name__
        place = NO_PLACE
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            if code.co_filename == LIBRARY or (code.co_filename == PROGRAM and place[0] != LIBRARY):
                place = (code.co_filename, function_name(code), trace.tb_lineno)
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and error.filename in (LIBRARY, PROGRAM):
            place = (error.filename, "", error.lineno or 0)
        try:
            message = error.msg if isinstance(error, SyntaxError) else str(error)
        except BaseException as worse:  # noqa: BLE001 - learned code's own __str__
            message = f"(its text cannot be read: {type(worse).__name__})"
        return [kind[:100], protocol.unicode(str(message)[:2000]), place]


EXIT_UNCONFINED, EXIT_MEMORY = 71, 72
NO_PLACE = ("", "", 0)


def function_name(code: types.CodeType) -> str:
    """Name of the outermost function that holds the code; `""` for the top level of a module or program."""
    return "" if code.co_name == "<module>" else code.co_qualname.partition(".<locals>")[0][:200]


def innermost_place(frame: types.FrameType | None) -> tuple[str, str, int]:
    """File, function and line of the innermost frame of the library on the stack, else of a program."""
    place = NO_PLACE
    while frame is not None:
        code = frame.f_code
        if code.co_filename == LIBRARY:
            return LIBRARY, function_name(code), frame.f_lineno
        if code.co_filename == PROGRAM and not place[0]:
            place = (PROGRAM, function_name(code), frame.f_lineno)
        frame = frame.f_back
    return place


def compile_code(source: str, name: str, mode: str) -> types.CodeType:
    """Compile learned code. `SyntaxError` also for code that is nested too deeply for CPython's parser."""
    try:
        code: types.CodeType = compile(source, name, mode, dont_inherit=True)
    except (MemoryError, RecursionError):
        raise SyntaxError("nested too deeply to be compiled") from None
    return code


def guarded_import(
    name: str,
    globals: dict[str, Any] | None = None,
    locals: dict[str, Any] | None = None,
    fromlist: Sequence[str] = (),
    level: int = 0,
) -> types.ModuleType:
    """`import` as learned code sees it: only modules of the allow-list.

    The purpose is a good message; it confines nothing. CPython's C code also imports through the running
    function's `__import__`, with a list as `fromlist`: this is allowed."""
    from_c = type(fromlist) is list
    if level == 0 and not from_c and name.partition(".")[0] not in (*modules.ALLOWED_IMPORTS, "__future__"):
        raise ImportError(f"learned code may import {', '.join(modules.ALLOWED_IMPORTS)}; not {name}")
    if name in modules.ORIGINALS:
        modules.imported.add(name)
    return builtins.__import__(name, globals, locals, fromlist, level)


def run(channel: int, config: dict[str, Any], ruleset: int | None) -> NoReturn:
    """Run a session after the fork: keep one file descriptor, confine the process, serve calls."""
    try:
        high = fcntl.fcntl(channel, fcntl.F_DUPFD, 16)
        kept = None if ruleset is None else fcntl.fcntl(ruleset, fcntl.F_DUPFD, 16)
        os.dup2(high, CHANNEL)
        if kept is not None:
            ruleset = os.dup2(kept, CHANNEL + 1)
        os.closerange(0, CHANNEL)
        os.closerange(CHANNEL + (1 if ruleset is None else 2), int(config["descriptors"]))
        session = ConfinedSession(config)
        confinement.confine(config, ruleset)
    except (OSError, ValueError) as error:
        os.write(CHANNEL, protocol.pack(["unconfined", str(error)], 1 << 16))
        os._exit(EXIT_UNCONFINED)
    session.serve()
