"""One episode of the simulator, by calls of our own. Engine processes only.

The package's wrapper asks, after each step, for all valid actions (100 ms), and that question changes the
walk. Here a step is: is this command understood and possible (the simulator's own parser and
`isValidAction`, which change nothing), and if so, do it.
"""

from __future__ import annotations

from dataclasses import dataclass

from py4j.protocol import Py4JError

from learnact.domains.scienceworld.java import JavaClasses, JavaObject
from learnact.domains.scienceworld.tasks import Variation
from learnact.errors import EnvironmentFailure

_STRING = "java.lang.String"
_MAP = "scala.collection.immutable.Map"
_INTERFACE = "scienceworld.runtime.AgentInterface"
_UNIVERSE = "scienceworld.struct.EnvObject"
_PAIR = "scala.Tuple2"
_OF_THE_AGENT = ("ActionPickUpObjectIntoInventory", "ActionPutDownObjectIntoInventory")
"""Actions whose validity depends on the agent."""


@dataclass(frozen=True)
class SimulatorAnswer:
    """What the simulator made of a command. `understood`: the parser knows it; `possible`: it can be done
    now. `score`: -1 .. 1 after it."""

    text: str
    understood: bool
    possible: bool
    score: float


class SimulatedHouse:
    """A variation of a task, loaded. `close` lets its classes go."""

    def __init__(self, variation: Variation, gold: bool = False) -> None:
        try:
            self._classes = JavaClasses()
            self._simulator = self._classes.new("scienceworld.runtime.pythonapi.PythonInterface")
            options = (variation.task, variation.number, variation.simplifications, gold)
            self._simulator.call("load", *options, takes=f"{_STRING} int {_STRING} boolean")
            self._simulator.call("reset")
            self._score = 0.0
            agent = self._simulator.object("scala.Option", "agentInterface")
            self._interface = agent.object(_INTERFACE, "get")
            self._universe = self._interface.object(_UNIVERSE, "universe")
            self._parser = self._interface.object("scienceworld.input.InputParser", "inputParser")
            handler = self._interface.object("scienceworld.input.ActionHandler", "actionHandler")
            self._agent = self._interface.call("agent")
            self._queue = handler.object("scala.collection.mutable.ArrayBuffer", "queuedActions")
        except Py4JError as error:
            raise _failure(error) from error

    def close(self) -> None:
        """Let its classes go."""
        self._classes.close()

    @property
    def description(self) -> str:
        """The task, in the simulator's words."""
        return str(self._simulator.call("getTaskDescription"))

    @property
    def gold_path(self) -> tuple[str, ...]:
        """Commands that solve the task; of an episode that was opened with `gold`."""
        return tuple(self._classes.joined(self._simulator.call("getGoldActionSequence")).split("\n"))

    def do(self, command: str) -> SimulatorAnswer:
        """Do a command where it is possible. One that is ambiguous is not done: the simulator's question is
        the text, and it is answered so that the next command is read as one."""
        try:
            refused = self._refused(command)
            if refused is not None:
                return refused
            text = str(self._simulator.call("step", command, takes=_STRING))
            self._score = float(self._simulator.call("getScore"))
            return SimulatorAnswer(text.strip(), True, True, self._score)
        except Py4JError as error:
            raise _failure(error) from error

    def raw(self, command: str) -> SimulatorAnswer:
        """Do a command as the package's wrapper does: what is not possible takes time too, and after a
        command that is ambiguous the next one is read as the answer."""
        try:
            asked = bool(self._parser.call("isInAmbiguousState"))
            refused = None if asked else self._refused(command)
            text = str(self._simulator.call("step", command, takes=_STRING))
            self._score = float(self._simulator.call("getScore"))
            possible = refused is None and not self._parser.call("isInAmbiguousState")
            return SimulatorAnswer(text, refused is None or refused.understood, possible, self._score)
        except Py4JError as error:
            raise _failure(error) from error

    def ask(self, name: str) -> str:
        """One of the calls that change nothing: `freeActionLook`, `freeActionInventory`."""
        return str(self._simulator.call(name))

    def _refused(self, command: str) -> SimulatorAnswer | None:
        """Why a command is not done; None for one that is possible. Changes nothing."""
        takes = f"{_STRING} {_UNIVERSE}"
        parsed = self._interface.object(
            _PAIR, "processUserInput", command, self._universe.target, takes=takes
        )
        if self._parser.call("isInAmbiguousState"):
            self._parser.call("clearAmbiguousState")
            return SimulatorAnswer(str(parsed.call("_2")), True, False, self._score)
        if not parsed.call("_1"):
            return SimulatorAnswer(str(parsed.call("_2")), False, False, self._score)
        action = self._queue.object("scienceworld.actions.Action", "head")
        self._queue.call("clear")
        judged = self._judged(action)
        return (
            None if judged.call("_2") else SimulatorAnswer(str(judged.call("_1")), True, False, self._score)
        )

    def _judged(self, action: JavaObject) -> JavaObject:
        """The reason and whether an action is possible now, as the simulator itself finds it when it does
        it."""
        kind = action.kind
        module = self._classes.module(kind)
        given = action.call("assignments")
        if kind.rpartition(".")[2] in _OF_THE_AGENT:
            takes = f"{_MAP} scienceworld.objects.agent.Agent"
            return module.object(_PAIR, "isValidAction", given, self._agent, takes=takes)
        return module.object(_PAIR, "isValidAction", given, takes=_MAP)


def _failure(error: Py4JError) -> EnvironmentFailure:
    first = str(error).strip().splitlines()[:1]
    return EnvironmentFailure(f"the simulator of ScienceWorld failed: {' '.join(first)}")
