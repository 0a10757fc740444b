"""Playing registered families: which there are, calls to try, and walks as plain data."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from learnact.domains import registry
from learnact.domains.base import Domain, PlannedCall, Primitive
from learnact.domains.engine_process import EnginePool
from learnact.domains.environments import AsyncEnvironment, open_environment
from learnact.domains.family import DomainEntry
from learnact.errors import LearnactError
from learnact.records import DomainSpec, Plain, Step, Task, canonical

WALKS = Path(__file__).parent / "walks"
FOREIGN: tuple[Plain, ...] = (
    "", "nobody 7", 3, -1, 2.5, None, True, ["mug 1"], {"a": 1}, "x" * 500, "two\nlines", "'", "0",
)  # fmt: skip
"""Values that name nothing."""


SAMPLE = (
    "scienceworld-find-living-thing",
    "scienceworld-power-component",
    "scienceworld-lifespan-longest-lived",
)
"""Of ScienceWorld's thirty domains, which differ only in the task that the simulator sets, these are held to
the laws; tests/domains/scienceworld plays all."""


def families() -> dict[str, DomainEntry[Any]]:
    """The registered domains that are families, by name, whether their extra is installed or not."""
    names = [name for name in registry.OURS if not name.startswith("scienceworld-") or name in SAMPLE]
    found = {name: registry.factory(name) for name in names}
    return {name: made for name, made in found.items() if isinstance(made, DomainEntry)}


def why_missing(family: DomainEntry[Any]) -> str:
    """The line that installs a family's extra; "" where it is here."""
    try:
        if family.packages is not None:
            family.packages.require(f"the domain {family.name}")
    except LearnactError as error:
        return str(error)
    return ""


def spec_of(name: str, **options: Plain) -> DomainSpec:
    return DomainSpec(name, canonical(options))


def build(name: str, **options: Plain) -> Domain:
    return registry.build(spec_of(name, **options))


class Table:
    """Opens tasks as an episode does (an engine process where the domain blocks), for synchronous tests."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._pool: EnginePool | None = None

    def open(self, spec: DomainSpec, task: Task) -> Played:
        return Played(self, self.run(self._open(spec, task)))

    def run(self, awaited: Any) -> Any:
        return self._runner.run(awaited)

    async def _open(self, spec: DomainSpec, task: Task) -> AsyncEnvironment:
        self._pool = self._pool or EnginePool()
        return await open_environment(registry.build(spec), spec, task, self._pool)

    def close(self) -> None:
        if self._pool is not None:
            self.run(self._pool.close())
        self._runner.close()


class Played:
    """A task being played, synchronously."""

    def __init__(self, table: Table, environment: AsyncEnvironment) -> None:
        self._table, self.environment = table, environment

    def call(self, name: str, arguments: Any = (), keywords: Any = None) -> Step:
        step: Step = self._table.run(self.environment.call(name, list(arguments), dict(keywords or {})))
        return step

    def close(self) -> None:
        self._table.run(self.environment.close())


@contextmanager
def table() -> Iterator[Table]:
    made = Table()
    try:
        yield made
    finally:
        made.close()


def words_of(text: str) -> list[str]:
    """Words and pairs of words of an observation: what an agent may take for a name."""
    words = re.findall(r"[A-Za-z_][\w-]*|\d+", text)
    return [*words, *(f"{a} {b}" for a, b in itertools.pairwise(words))]


def some_arguments(primitive: Primitive, known: list[Plain], rng: random.Random) -> list[Plain]:
    """As many values as the primitive has parameters; most of them known ones of the right kind."""
    return [_some_value(kind, known, rng) for kind in primitive.kinds or ("",) * len(primitive.parameters)]


def _some_value(kind: str, known: list[Plain], rng: random.Random) -> Plain:
    if rng.random() < 0.05:
        return rng.choice(FOREIGN)
    python = {"int": (int,), "float": (float, int), "bool": (bool,), "list": (list,), "dict": (dict,)}
    wanted = python.get(kind.partition("[")[0].split(" ")[0], (str,))
    fitting = [value for value in known if isinstance(value, wanted)]
    if fitting:
        return rng.choice(fitting)
    made: dict[type, Plain] = {int: rng.randint(0, 9), bool: rng.random() < 0.5, list: [], dict: {}, str: "x"}
    return made.get(wanted[0], 0)


def walk(
    played: Played, domain: Domain, plan: tuple[PlannedCall, ...], steps: int, rng: random.Random
) -> list[dict[str, Any]]:
    """A walk: calls of the plan, and others of its kinds between them. Plain data, one entry a step."""
    known: list[Plain] = [value for call in plan for value in call.arguments]
    known += words_of(played.environment.goal) + words_of(played.environment.first_observation)
    rest, taken = list(plan), []
    for _ in range(steps):
        if rest and rng.random() < 0.5:
            call = rest.pop(0)
            name, arguments = call.name, list(call.arguments)
        else:
            primitive = rng.choice(domain.primitives)
            name, arguments = primitive.name, some_arguments(primitive, known, rng)
        step = played.call(name, arguments)
        known += words_of(step.observation)[:40]
        taken.append({"call": [name, arguments], **vars(step)})
        if step.success or step.over:
            break
    return taken


def replay(played: Played, recorded: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same calls again, as plain data of the same form."""
    return [{"call": s["call"], **vars(played.call(s["call"][0], s["call"][1]))} for s in recorded]
