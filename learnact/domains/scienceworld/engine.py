"""One episode of the simulator, by calls of our own. Engine processes only.

The package's wrapper asks, after each step, for all valid actions (100 ms), and that question changes the
walk. Here a step is: is this command understood and possible (the simulator's own parser and
`isValidAction`, which change nothing), and if so, do it.
"""

from __future__ import annotations

import gc
import re
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JError

from learnact.domains.scienceworld.java import OwnState, machine, scala_object
from learnact.domains.scienceworld.tasks import Variation
from learnact.errors import EnvironmentFailure

_OF_THE_AGENT = ("ActionPickUpObjectIntoInventory", "ActionPutDownObjectIntoInventory")
"""Actions whose validity depends on the agent."""
_BESIDE = ("task", "help", "objects")
"""What the simulator answers beside its actions."""


@dataclass(frozen=True)
class SimulatorAnswer:
    """What the simulator made of a command. `understood`: the parser knows it; `possible`: it can be done
    now. `score`: -1 .. 1 after it."""

    text: str
    understood: bool
    possible: bool
    score: float


class SimulatedHouse:
    """A variation of a task, loaded. Several may be played in turns."""

    def __init__(self, variation: Variation, gold: bool = False) -> None:
        try:
            self._state = OwnState(variation.simplifications)
            self._state.enter()
            self._simulator = machine().jvm.scienceworld.runtime.pythonapi.PythonInterface()
            self._simulator.load(variation.task, variation.number, variation.simplifications, gold)
            getattr(self._simulator, "taskMaker_$eq")(None)  # it holds the things of all kinds of tasks
            self._score = 0.0
            self._interface = self._simulator.agentInterface().get()
            self._universe = self._interface.universe()
            self._agent = self._interface.agent()
            self._parser = self._interface.inputParser()
            self._handler = self._interface.actionHandler()
            self._goals = self._interface.task().goalSequence()
            self._monitor = self._interface.objMonitor()
        except Py4JError as error:
            raise _failure(error) from error

    def close(self) -> None:
        """Let Java forget it; idempotent. The proxies of Java's objects are cycles, and what one of them
        stands for stays in Java until Python has collected it."""
        self._simulator = self._interface = self._universe = self._agent = None
        self._parser = self._handler = self._goals = self._monitor = None
        gc.collect()

    @property
    def description(self) -> str:
        """The task, in the simulator's words."""
        return str(self._simulator.getTaskDescription())

    @property
    def commands(self) -> tuple[str, ...]:
        """The forms of all commands (`OBJ` stands for a thing)."""
        return tuple(map(str, self._interface.getPossibleActions()))

    @property
    def gold_path(self) -> tuple[str, ...]:
        """Commands that solve the task; of an episode that was opened with `gold`."""
        return tuple(map(str, self._simulator.getGoldActionSequence()))

    def do(self, command: str) -> SimulatorAnswer:
        """Do a command where it is possible. One that is ambiguous is not done: the simulator's question is
        the text, and it is answered so that the next command is read as one. Where all meanings read alike
        (one of several seeds in a jar), nobody could say which is meant, and the first is done."""
        try:
            self._state.enter()
            if command.lower() == "task":
                return SimulatorAnswer(str(self._simulator.step(command)).strip(), True, True, self._score)
            refused = self._refused(command)
            if refused is not None:
                return refused
            text = self._play()
            self._score = float(self._goals.score())
            return SimulatorAnswer(text, True, True, self._score)
        except Py4JError as error:
            raise _failure(error) from error

    def raw(self, command: str) -> SimulatorAnswer:
        """Do a command as the package's wrapper does: what is not possible takes time too, and after a
        command that is ambiguous the next one is read as the answer."""
        try:
            self._state.enter()
            if command.strip().lower() in _BESIDE or self._parser.isInAmbiguousState():
                text = str(self._simulator.step(command))
                self._score = float(self._goals.score())
                return SimulatorAnswer(text, True, not self._parser.isInAmbiguousState(), self._score)
            understood, said = self._parsed(command)
            if not understood:
                return SimulatorAnswer(said, bool(self._parser.isInAmbiguousState()), False, self._score)
            possible = bool(self._judged()._2())
            text = self._play()
            self._score = float(self._goals.score())
            return SimulatorAnswer(text, True, possible, self._score)
        except Py4JError as error:
            raise _failure(error) from error

    def ask(self, name: str) -> str:
        """One of the calls that change nothing: `freeActionLook`, `freeActionInventory`."""
        self._state.enter()
        return str(getattr(self._simulator, name)())

    def _play(self) -> str:
        """Do what the parser has queued, and what time it takes: what the simulator's `step` does after it
        has read the command once more, which takes longer than all else. A wait is several moments."""
        told = []
        while True:
            takes_time = self._handler.doQueuedActionsTakeTime()
            told.append(str(self._handler.runQueuedActions()))
            self._goals.tick(self._monitor, self._agent)
            if takes_time:
                self._universe.clearTickProcessedRecursive(0)
                self._universe.tick()
            self._goals.tick(self._monitor, self._agent)
            if not self._agent.isWaiting():
                return re.sub(" +", " ", "".join(told).strip())
            self._agent.decrementWait()

    def _refused(self, command: str) -> SimulatorAnswer | None:
        """Why a command is not done; None for one that is possible, whose action is then queued. Changes
        nothing else."""
        understood, said = self._parsed(command)
        ambiguous = not understood and bool(self._parser.isInAmbiguousState())
        if ambiguous and len(set(meanings_of(said))) == 1:
            understood, said = self._parsed("0")
        if not understood:
            if ambiguous:
                self._parser.clearAmbiguousState()
            return SimulatorAnswer(said, ambiguous, False, self._score)
        judged = self._judged()
        if judged._2():
            return None
        self._handler.queuedActions().clear()
        return SimulatorAnswer(str(judged._1()), True, False, self._score)

    def _parsed(self, command: str) -> tuple[bool, str]:
        """Whether the parser understands a command, whose action is then queued, and what it says."""
        parsed = self._interface.processUserInput(command, self._universe)
        return bool(parsed._1()), str(parsed._2())

    def _judged(self) -> Any:
        """The reason and whether the queued action is possible now, as the simulator itself finds it when it
        does it."""
        action = self._handler.queuedActions().head()
        kind = str(action.getClass().getName())
        given = action.assignments()
        more = (self._agent,) if kind.rpartition(".")[2] in _OF_THE_AGENT else ()
        return scala_object(kind).isValidAction(given, *more)


def meanings_of(question: str) -> list[str]:
    """What an ambiguous command may mean, from the simulator's question."""
    return re.findall(r"^\d+:\t(.+)$", question, re.MULTILINE)


def _failure(error: Py4JError) -> EnvironmentFailure:
    first = str(error).strip().splitlines()[:1]
    return EnvironmentFailure(f"the simulator of ScienceWorld failed: {' '.join(first)}")
