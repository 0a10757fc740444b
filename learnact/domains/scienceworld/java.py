"""A Java virtual machine beside this process, and what episodes of one machine must not share. Engine
processes only.

Java compiles the simulator's classes while they run. All episodes of a machine play on one set of classes, so
that they share what was compiled: with a set for each episode a step costs two to four times as much, and an
opening ten times. The simulator keeps three things outside of its episodes (`OwnState`); they are exchanged
whenever another episode goes on.
"""

from __future__ import annotations

import atexit
import subprocess
import tempfile
from functools import cache
from typing import Any

from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
from py4j.protocol import Py4JError

from learnact.domains.scienceworld.package import jar, java_program
from learnact.errors import EnvironmentFailure

OPTIONS = (
    "-Xmx400m",
    "-XX:+UseSerialGC",
    "-Xshare:auto",
    # Identity hash codes from a counter instead of a random number: the simulator walks through sets in the
    # order of these codes, and would otherwise answer differently in each run.
    "-XX:+UnlockExperimentalVMOptions",
    "-XX:hashCode=2",
)


@cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="learnact-scienceworld-")


@cache
def machine() -> JavaGateway:
    """The virtual machine of this process, started when first needed. Raises `EnvironmentFailure`."""
    try:
        port, process = launch_gateway(
            classpath=str(jar()),
            die_on_exit=True,
            return_proc=True,
            javaopts=list(OPTIONS),
            java_path=str(java_program()),
            redirect_stderr=subprocess.DEVNULL,
            cwd=_scratch().name,  # the simulator writes a file where it is started
        )
    except (Py4JError, OSError, ValueError) as error:
        raise EnvironmentFailure(f"Java could not be started: {error}") from error
    gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port), java_process=process)
    atexit.register(gateway.shutdown)
    codes = {gateway.jvm.System.identityHashCode(gateway.jvm.Object()) for _ in range(3)}
    if len(codes) != 1:
        raise EnvironmentFailure(
            f"this Java ignores {OPTIONS[-1]}, without which ScienceWorld answers differently in each run; "
            "install OpenJDK 17",
            False,
        )
    return gateway


@cache
def scala_object(name: str) -> Any:
    """The one object of a module of Scala."""
    return machine().jvm.java.lang.Class.forName(f"{name}$").getField("MODULE$").get(None)


class OwnState:
    """What the simulator keeps outside of an episode, of one episode: random numbers, the number of the next
    thing, the simplifications. (A test lists all that could be such.)"""

    _playing: OwnState | None = None
    """The episode whose state the simulator holds now."""

    def __init__(self, simplifications: str) -> None:
        self._simplifications = simplifications
        self._random = machine().jvm.java.util.Random()
        self._things = 0

    def enter(self) -> None:
        """Let the simulator go on with this episode."""
        before = OwnState._playing
        if before is self:
            return
        numbers = scala_object("util.UniqueIdentifier")
        if before is not None:
            before._things = numbers.count()
        getattr(numbers, "count_$eq")(self._things)
        _random_numbers().set(scala_object("scala.util.Random"), self._random)
        scala_object("main.scala.scienceworld.runtime.SimplifierProcessor").parseSimplificationStr(
            self._simplifications
        )
        OwnState._playing = self


@cache
def _random_numbers() -> Any:
    field = machine().jvm.java.lang.Class.forName("scala.util.Random").getDeclaredField("self")
    field.setAccessible(True)
    return field
