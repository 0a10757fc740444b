"""What runs inside a confined session: load the library, make one call after another, let primitives travel to the host.

Nothing here is a wall: learned code can reach and change all of it. What it gains is this process, whose walls are the kernel's, and whose
messages the
host checks. Covers: the namespace of a call (fresh each time), the primitives' stand-ins, bounded printing, errors as data with function and line.
"""

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
"""Frames between the interpreter's start and learned code's first, so that the bound on recursion is learned code's own."""


class CallStopped(BaseException):
    """The host ended the call. Learned code may swallow it; the host listens no more."""


class PrintedText(io.TextIOBase):
    """Standard output of learned code: keeps at most `bound` characters."""

    def __init__(self, bound: int) -> None:
        self._parts: list[str] = []
        self._left = bound

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str, /) -> int:
        """Keep what still fits; tell the writer that all was taken."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._left > 0:
            self._parts.append(text[: self._left])
            self._left -= len(text)
        return len(text)

    def take(self) -> str:
        """What was printed since last time."""
        text = "".join(self._parts)
        self._parts.clear()
        return text


class Channel:
    """The confined process's end of the channel: whole frames over one descriptor."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self._rest = b""

    def send(self, message: list[Any]) -> None:
        """Send one frame. Raises `wire.WireError` when it is too long."""
        data = memoryview(protocol.pack(message, self.bound))
        while data:
            data = data[os.write(CHANNEL, data) :]

    def receive(self) -> list[Any]:
        """The next frame; the process ends when the host is gone."""
        data = self._rest
        while (
            len(data) < protocol.HEADER.size
            or len(data) < protocol.HEADER.size + protocol.HEADER.unpack_from(data)[0]
        ):
            more = os.read(CHANNEL, READ_BYTES)
            if not more:
                os._exit(0)
            data += more
        end = protocol.HEADER.size + protocol.HEADER.unpack_from(data)[0]
        self._rest = data[end:]
        message: list[Any] = protocol.unpack(data[protocol.HEADER.size : end])
        return message


class ConfinedSession:
    """The calls of one session: same process and library, a new namespace for each."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.limits = protocol.limits_from(config)
        self.own_cpu = config["own_cpu"]
        self.output = int(config["output_bytes"])
        self.recursion = int(config["recursion"])
        self.channel = Channel(int(config["message_bytes"]))
        self.printed = PrintedText(self.output)
        self.library: types.CodeType | None = None
        self.primitives: list[str] = []
        self.turn = 0

    def serve(self) -> NoReturn:
        """Answer calls until the host closes the channel."""
        self.channel.send(["ready"])
        while True:
            try:
                self.answer(self.channel.receive())
            except MemoryError:
                os._exit(EXIT_MEMORY)

    def answer(self, message: list[Any]) -> None:
        """Make one call and send how it ended."""
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
                    compiled(source, LIBRARY, "exec"),
                    primitives,
                )
            value, error = protocol.flatten(self._call(code), self.limits, lenient=True), None
        except protocol.ProtocolError as refused:
            value, error = (
                None,
                ["Forbidden", f"the result is no plain data of bounded size: {refused}", NOWHERE],
            )
        except BaseException as raised:  # noqa: BLE001 - the boundary: whatever learned code raised becomes data
            value, error = None, self._describe(raised)
        self.turn += 1
        sys.setrecursionlimit(2000)
        try:
            self.channel.send(["end", value, error, self.printed.take()])
        except protocol.ProtocolError as refused:
            self.channel.send(
                ["end", None, ["Forbidden", f"the result is too large: {refused}", NOWHERE], ""]
            )

    def _call(self, code: str) -> Any:
        """Load the library into a new namespace and run the code in it: an expression's value, or None after statements."""
        module = types.ModuleType("library")
        sys.modules["library"] = sys.modules["__main__"] = module
        space = vars(module)
        own = dict(modules.ORIGINALS["builtins"][1])
        own["__import__"] = guarded_import
        space["__builtins__"] = own
        for name in self.primitives:
            space[name] = self._primitive(name)
        if self.library is not None:
            exec(self.library, space)
        space["__name__"] = "__main__"
        try:
            expression = compiled(code.strip(), PROGRAM, "eval")
        except SyntaxError:
            exec(compiled(code, PROGRAM, "exec"), space)
            return None
        return eval(expression, space)

    def _primitive(self, name: str) -> Callable[..., Any]:
        turn = self.turn

        def primitive(*arguments: Any, **keywords: Any) -> Any:
            if turn != self.turn:
                raise RuntimeError("the call that this primitive action belonged to is over")
            place = where(sys._getframe(1))
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
        """Type, message, learned function and line of an exception; survives a hostile `__str__`."""
        kind = type(error).__name__
        place = NOWHERE
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            if code.co_filename == LIBRARY or (code.co_filename == PROGRAM and place[0] != LIBRARY):
                place = (code.co_filename, named(code), trace.tb_lineno)
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and error.filename in (LIBRARY, PROGRAM):
            place = (error.filename, "", error.lineno or 0)
        try:
            message = error.msg if isinstance(error, SyntaxError) else str(error)
        except BaseException as worse:  # noqa: BLE001 - learned code's own __str__
            message = f"(its text cannot be told: {type(worse).__name__})"
        return [kind[:100], protocol.unicode(str(message)[:2000]), place]


EXIT_WALLS, EXIT_MEMORY = 71, 72
NOWHERE = ("", "", 0)


def named(code: types.CodeType) -> str:
    """A function's name, the outer one's for what is defined inside it; `""` for the top level of a module or program."""
    return "" if code.co_name == "<module>" else code.co_qualname.partition(".<locals>")[0][:200]


def where(frame: types.FrameType | None) -> tuple[str, str, int]:
    """File, function and line of the innermost learned code on the stack, the library's before a program's."""
    place = NOWHERE
    while frame is not None:
        code = frame.f_code
        if code.co_filename == LIBRARY:
            return LIBRARY, named(code), frame.f_lineno
        if code.co_filename == PROGRAM and not place[0]:
            place = (PROGRAM, named(code), frame.f_lineno)
        frame = frame.f_back
    return place


def compiled(source: str, name: str, mode: str) -> types.CodeType:
    """Compile learned code. What CPython's parser has no room for is a `SyntaxError` too."""
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
    """`import` as learned code sees it: modules of the allow-list only. For a good message; no wall.

    CPython's own C code imports through the running function's `__import__` too, with a list for `fromlist`: it may.
    """
    from_c = type(fromlist) is list
    if level == 0 and not from_c and name.partition(".")[0] not in (*modules.ALLOWED_IMPORTS, "__future__"):
        raise ImportError(f"learned code may import {', '.join(modules.ALLOWED_IMPORTS)}; not {name}")
    if name in modules.ORIGINALS:
        modules.touched.add(name)
    return builtins.__import__(name, globals, locals, fromlist, level)


def run(channel: int, config: dict[str, Any], ruleset: int | None) -> NoReturn:
    """The life of a session after the fork: keep one descriptor, put up the walls, serve."""
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
        os.write(CHANNEL, protocol.pack(["walls", str(error)], 1 << 16))
        os._exit(EXIT_WALLS)
    session.serve()
