"""Opening an environment for the episode loop: one asynchronous interface for both kinds of domains.

A domain that never blocks for long is played directly, in this process; one whose profile says `blocking`
lives in an engine process (`engine_process`). The episode loop sees no difference. Does not cover: which
domains there are (registry), what they do (base).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from learnact.domains.base import Domain, Environment, Measured
from learnact.domains.engine_process import EngineEnvironment, EnginePool
from learnact.errors import EnvironmentFailure, LearnactError
from learnact.records import DomainSpec, Plain, Step, Task


class AsyncEnvironment(Protocol):
    """A task being played, for a caller on an event loop. Single use; when done with it, close it."""

    @property
    def goal(self) -> str:
        """What is to be reached, as shown to the agent."""
        ...

    @property
    def first_observation(self) -> str:
        """What the agent sees before its first action."""
        ...

    @property
    def progress(self) -> float:
        """Running maximum in 0 .. 1; 1 exactly when solved."""
        ...

    @property
    def success(self) -> bool:
        """Latched: once solved, it stays so."""
        ...

    async def call(self, name: str, arguments: Sequence[Plain], keywords: Mapping[str, Plain]) -> Step:
        """Do one primitive action given as a call. Raises `EnvironmentFailure` when the engine fails,
        nothing else."""
        ...

    async def text(self, command: str) -> Step:
        """Do one primitive action given as text. Raises `EnvironmentFailure` when the engine fails,
        nothing else."""
        ...

    async def close(self) -> None:
        """Free what it holds. Idempotent; with a pool it never waits for the engine, so it is safe while
        being cancelled."""
        ...


async def open_environment(
    domain: Domain, spec: DomainSpec, task: Task, engines: EnginePool | None
) -> AsyncEnvironment:
    """A fresh environment for a task.

    `engines` may be None: then a blocking environment gets an engine process of its own, which ends with it
    (for playing by hand). Raises `TaskError` for content that the domain cannot read, `EnvironmentFailure`
    when the engine fails.
    """
    if domain.profile.blocking and engines is not None:
        return await engines.open(spec, task)
    if domain.profile.blocking:
        return await _OwnEngineEnvironment.open(spec, task)
    return _InProcessEnvironment(_open_in_process(domain, task))


def _open_in_process(domain: Domain, task: Task) -> Environment:
    try:
        return domain.open(task)
    except LearnactError:
        raise
    except Exception as error:
        raise _as_failure(error, f"opening {task.domain}/{task.name}") from error


def _as_failure(error: Exception, doing: str) -> EnvironmentFailure:
    return EnvironmentFailure(f"{type(error).__name__} while {doing}: {error}")


class _Attributes:
    """The attributes of the environment that an adapter holds."""

    def __init__(self, environment: Environment | EngineEnvironment) -> None:
        self._inner = environment

    @property
    def goal(self) -> str:
        return self._inner.goal

    @property
    def first_observation(self) -> str:
        return self._inner.first_observation

    @property
    def progress(self) -> float:
        return self._inner.progress

    @property
    def success(self) -> bool:
        return self._inner.success

    @property
    def measures(self) -> Mapping[str, float]:
        return self._inner.measures if isinstance(self._inner, Measured) else {}


class _InProcessEnvironment(_Attributes):
    """An environment of this process with the asynchronous interface.

    An exception of its code becomes an `EnvironmentFailure`.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._environment = environment
        self._closed = False

    async def call(self, name: str, arguments: Sequence[Plain], keywords: Mapping[str, Plain]) -> Step:
        return self._call(name, arguments, keywords)

    async def text(self, command: str) -> Step:
        return self._text(command)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._environment.close()

    def _call(self, name: str, arguments: Sequence[Plain], keywords: Mapping[str, Plain]) -> Step:
        try:
            return self._environment.call(name, arguments, keywords)
        except LearnactError:
            raise
        except Exception as error:
            raise _as_failure(error, f"playing {name}") from error

    def _text(self, command: str) -> Step:
        try:
            return self._environment.text(command)
        except LearnactError:
            raise
        except Exception as error:
            raise _as_failure(error, f"playing {command!r}") from error


class _OwnEngineEnvironment(_Attributes):
    """A blocking environment with an engine process of its own."""

    def __init__(self, pool: EnginePool, environment: EngineEnvironment) -> None:
        super().__init__(environment)
        self._pool = pool
        self._environment = environment

    @classmethod
    async def open(cls, spec: DomainSpec, task: Task) -> _OwnEngineEnvironment:
        pool = EnginePool()
        try:
            return cls(pool, await pool.open(spec, task))
        except BaseException:
            await pool.close()
            raise

    async def call(self, name: str, arguments: Sequence[Plain], keywords: Mapping[str, Plain]) -> Step:
        return await self._environment.call(name, arguments, keywords)

    async def text(self, command: str) -> Step:
        return await self._environment.text(command)

    async def close(self) -> None:
        await self._environment.close()
        await self._pool.close()
