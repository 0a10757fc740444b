"""Playing tasks with the simulated model in this process: a loop of our own for primitives, the real
worker for learned actions."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from learnact.domains import registry
from learnact.domains.base import Domain
from learnact.domains.planning.domain import Family
from learnact.domains.planning.drawing import Draw
from learnact.domains.planning.options import PlanningOptions
from learnact.methods import prompt_sections
from learnact.methods.action_replies import ParsedCall, read
from learnact.methods.episode import UNREADABLE
from learnact.records import (
    AgentSpec,
    Budget,
    DomainSpec,
    Episode,
    EpisodeResult,
    Exchange,
    LearnedAction,
    Library,
    ModelSpec,
    Prompt,
    Reply,
    Rules,
    Task,
    canonical,
)
from learnact.runners.worker import Worker
from learnact.simulated.replies import reply_to

LAMPS = Path(__file__).parent / "lamps"
AS_TURNS = functools.partial(prompt_sections.example_as_turns, thoughts=False)


def lamps_problem(draw: Draw, options: PlanningOptions) -> str:
    """A row of spots with bulbs and dark lamps."""
    spots = [f"spot-{i}" for i in range(4)]
    lamps = [f"lantern-{i}" for i in range(draw.rng.randint(1, 3))]
    bulbs = [f"glass-{i}" for i in range(len(lamps) + 1)]
    init = [f"(spot {s})" for s in spots] + ["(bag-empty)", f"(stands {draw.rng.choice(spots)})"]
    for one, other in itertools.pairwise(spots):
        init += [f"(path {one} {other})", f"(path {other} {one})"]
    init += [f"(lies {b} {draw.rng.choice(spots)})" for b in bulbs]
    init += [f"(hangs {x} {draw.rng.choice(spots)}) (dark {x})" for x in lamps]
    goal = " ".join(f"(glows {x})" for x in lamps)
    return (
        f"(define (problem p) (:domain lamps) (:objects {' '.join(spots + lamps + bulbs)}) "
        f"(:init {' '.join(init)}) (:goal (and {goal})))"
    )


def lamps(**options: object) -> Domain:
    """A domain of the tests only."""
    return Family("lamps", PlanningOptions, lamps_problem, files=LAMPS)(dict(options))


def spec_of(name: str, options: Mapping[str, object]) -> DomainSpec:
    """The domain, at the level `easy` where nothing is said."""
    return DomainSpec(name, canonical({"level": "easy", **options}))


def domain(name: str, **options: object) -> Domain:
    """One of ours, with the tasks that the simulated model was calibrated on."""
    return registry.build(spec_of(name, options))


@dataclass(frozen=True)
class PlayedTask:
    """The result of a task; `said` are the calls, `seen` the observations, `unread` the lines of the prompts
    that the model could not read."""

    success: bool
    progress: float
    said: tuple[str, ...]
    seen: tuple[str, ...]
    unread: tuple[str, ...] = ()

    @property
    def turns(self) -> int:
        return len(self.said)


def play(
    where: Domain,
    task: Task,
    model: str,
    seed: int = 0,
    *,
    library: Library = Library(),
    rewrite: Callable[[str], str] = str,
    back: Callable[[str], str] = str,
    turns: int = 30,
) -> PlayedTask:
    """One episode of primitives. `rewrite` changes what the model reads, `back` its reply."""
    environment = where.open(task)
    head = prompt_sections.context_sections(where, library, Rules(), 100, AS_TURNS)
    head += prompt_sections.task_section(environment.goal, environment.first_observation)
    request = prompt_sections.TEMPLATES.fill("act")
    said: list[str] = []
    seen: list[str] = []
    unread: list[str] = []
    while len(said) < turns and not environment.success:
        entries = [f"Action: {c}\nObservation: {o}\n" for c, o in zip(said, seen, strict=True)][-10:]
        prompt = head + ("## So far\n" + "".join(entries) + "\n" if entries else "")
        reply = reply_to(model, [("user", rewrite(prompt) + request)], seed)
        unread += reply.unread
        found = read(back(reply.text), {p.name for p in where.primitives}, False)
        if not isinstance(found, ParsedCall):
            said.append(" ".join(reply.text.split()))
            seen.append(UNREADABLE)
            continue
        step = environment.call(found.call.name, list(found.call.args), dict(found.call.kwargs))
        said.append(found.call.text)
        seen.append(step.observation)
    return PlayedTask(environment.success, environment.progress, tuple(said), tuple(seen), tuple(unread))


class InProcess:
    """The simulated model as a chat model of this process; `unread`: lines that it could not read."""

    def __init__(self) -> None:
        self.unread: list[str] = []

    async def complete(self, model: ModelSpec, prompt: Prompt, seed: int, affinity: str) -> Exchange:
        messages = [(m.role, m.content) for m in prompt.messages()]
        reply = reply_to(model.name, messages, seed)
        self.unread += reply.unread
        return Exchange(prompt, Reply(reply.text, model=model.name))

    async def embed(self, model: ModelSpec, texts: tuple[str, ...]) -> Reply:
        raise NotImplementedError


async def play_with_library(
    name: str, options: dict[str, object], tasks: Sequence[Task], model: str, library: Library
) -> list[EpisodeResult]:
    """Episodes through the real worker, learned actions in their sandbox; every line of their prompts is
    read."""
    spec = spec_of(name, options)
    results = []
    chat = InProcess()
    async with Worker(chat) as worker:
        for number, task in enumerate(tasks):
            episode = Episode(
                trial="t",
                method="m",
                phase="test",
                domain=spec,
                task=task,
                agent=AgentSpec("act"),
                library=library,
                model=ModelSpec(model),
                budget=Budget(),
                rules=Rules(),
                seed=number,
                prompts="p",
                versions="v",
            )
            outcome = await worker.execute(episode)
            assert isinstance(outcome.result, EpisodeResult), outcome.attempts
            results.append(outcome.result)
    assert chat.unread == []
    return results


def function(source: str, description: str) -> LearnedAction:
    """A learned action from its source and description."""
    name, inside = re.match(r"def (\w+)\((.*)\):", source).groups()  # type: ignore[union-attr]
    return LearnedAction(name, f"{name}({inside})", source, description)


def share(played: Sequence[PlayedTask]) -> float:
    """Share of solved tasks."""
    return sum(p.success for p in played) / len(played)
