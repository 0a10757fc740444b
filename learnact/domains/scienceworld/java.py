"""A Java virtual machine beside this process, and classes of the simulator loaded once for each episode.

The simulator keeps counters and random numbers in static fields, so that two episodes of one set of classes
disturb each other. A class loader of its own gives each episode its own (15 to 20 MB). py4j remembers
methods by the name of their class and would mix the loaders up, so methods are fetched by reflection and
kept with the class that they belong to. Engine processes only.
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
    "-Xmx320m",
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


class JavaClasses:
    """The simulator's classes, loaded for one episode."""

    def __init__(self) -> None:
        self._gateway = machine()
        jvm = self._gateway.jvm
        self._nothing = self._gateway.new_array(jvm.Object, 0)
        urls = self._gateway.new_array(jvm.java.net.URL, 1)
        urls[0] = jvm.java.io.File(str(jar())).toURI().toURL()
        self._loader = jvm.java.net.URLClassLoader(urls, jvm.ClassLoader.getPlatformClassLoader())
        self._found: dict[tuple[str, str], tuple[Any, Any]] = {}
        self._modules: dict[str, JavaObject] = {}

    def new(self, kind: str) -> JavaObject:
        """A new object of a class, made without arguments."""
        made = self._loader.loadClass(kind).getDeclaredConstructor(self._kinds(())).newInstance(self._nothing)
        return JavaObject(self, made, kind)

    def module(self, kind: str) -> JavaObject:
        """The one object of a module of Scala."""
        if kind not in self._modules:
            field = self._loader.loadClass(f"{kind}$").getField("MODULE$")
            self._modules[kind] = JavaObject(self, field.get(None), f"{kind}$")
        return self._modules[kind]

    def close(self) -> None:
        """Let go of the classes."""
        self._found.clear()
        self._modules.clear()
        self._loader.close()

    def invoke(self, target: Any, kind: str, name: str, takes: str, given: tuple[Any, ...]) -> Any:
        """Call a method of an object of the class `kind` of this loader; `takes` are the types of its
        parameters."""
        key = (kind, name)
        if key not in self._found:
            types = self._kinds(tuple(takes.split()))
            method = self._loader.loadClass(kind).getMethod(name, types)
            room = self._gateway.new_array(self._gateway.jvm.Object, len(given)) if given else self._nothing
            self._found[key] = (method, room)
        method, room = self._found[key]
        for index, value in enumerate(given):
            room[index] = value
        return method.invoke(target, room)

    def joined(self, strings: Any) -> str:
        """A list of strings of this loader, one in a line."""
        return str(self._gateway.jvm.java.lang.String.join("\n", strings))

    def _kinds(self, names: tuple[str, ...]) -> Any:
        lang = self._gateway.jvm.java.lang
        known = {"int": lang.Integer.TYPE, "boolean": lang.Boolean.TYPE} if names else {}
        array = self._gateway.new_array(lang.Class, len(names))
        for index, name in enumerate(names):
            array[index] = known.get(name) or self._loader.loadClass(name)
        return array


class JavaObject:
    """An object of an episode's own classes."""

    def __init__(self, classes: JavaClasses, target: Any, kind: str) -> None:
        self._classes = classes
        self._target = target
        self._kind = kind

    def call(self, name: str, *given: Any, takes: str = "") -> Any:
        """The value that a method returns; `takes` are the types of its parameters."""
        return self._classes.invoke(self._target, self._kind, name, takes, given)

    def object(self, kind: str, name: str, *given: Any, takes: str = "") -> JavaObject:
        """The object of the class `kind` that a method returns."""
        return JavaObject(self._classes, self.call(name, *given, takes=takes), kind)

    @property
    def kind(self) -> str:
        """The name of its class, which may be below the one it was fetched as."""
        return str(self._target.getClass().getName())

    @property
    def target(self) -> Any:
        """The object for py4j: as an argument."""
        return self._target
