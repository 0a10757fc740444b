"""What a learner works with: its trial, the training tasks, and ways to ask the learner model and try
libraries.

Everything goes through units of work that are committed before anything depends on them. So a learner is a
deterministic function of committed results: run again, it resumes where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from learnact.domains.base import Domain, PlayableExample
from learnact.errors import LearnactError
from learnact.methods.base import LibraryChooser
from learnact.methods.constrained import FUNCTIONS
from learnact.methods.observations import RETURNED_CHARS
from learnact.methods.prompt_sections import TEMPLATES as AGENT_TEMPLATES
from learnact.methods.prompt_sections import code_rules, instruction_section, primitives_section
from learnact.prompts import PromptTemplates
from learnact.protocols import Journal, Runner
from learnact.records import (
    AgentSpec,
    Budget,
    Candidate,
    DomainSpec,
    Episode,
    EpisodeResult,
    Library,
    ModelSpec,
    Origin,
    Outcome,
    Prompt,
    Purpose,
    Reply,
    Request,
    Rules,
    Task,
    Terms,
    Unit,
    seed_from,
)
from learnact.records.trials import TrialSpec

TEMPLATES = PromptTemplates("learnact.methods", "learner")
T = TypeVar("T")
ASKS_FOR_FUNCTIONS = frozenset({"create"})
"""Purposes whose reply is functions with a usage line and nothing else: what a constraint can say."""


class Blocked(LearnactError):
    """The trial cannot go on, others can: a unit that the learner depends on has no result after its last
    try.
    """


@dataclass(frozen=True)
class PlayedEpisode:
    """A finished episode with the unit that it came from."""

    episode: Episode
    result: EpisodeResult


@dataclass(frozen=True)
class Learned:
    """What a learner leaves.

    `library`: the library to test. `also_test`: further libraries to test, such as the winners of earlier
    iterations (phase `survey`). `choose`: how the library of a test task is chosen; None: every task has the
    whole library.
    """

    library: Library
    also_test: tuple[Library, ...] = ()
    choose: LibraryChooser | None = None


@dataclass(frozen=True)
class Sampling:
    """Sample a reply at a temperature of its own, so that several proposals differ.

    None sends no temperature.
    """

    temperature: float | None

    def of(self, model: ModelSpec) -> ModelSpec:
        """The model at this temperature; unchanged where it is sent no temperature at all."""
        return model if model.temperature is None else replace(model, temperature=self.temperature)


@dataclass
class LearningCost:
    """What learning has cost so far, counted from committed results, so that every resume counts the same."""

    tokens: int = 0
    calls: int = 0
    counted: set[str] = field(default_factory=set)

    def add(self, outcome: Outcome) -> None:
        """Count a unit, once however often it was used."""
        result = outcome.result
        if outcome.key in self.counted:
            return
        self.counted.add(outcome.key)
        if isinstance(result, EpisodeResult):
            asked = isinstance(outcome.unit, Episode) and outcome.unit.model is not None
            self.tokens += result.tokens.prompt + result.tokens.completion
            self.calls += len(result.turns) if asked else 0
        elif isinstance(result, Reply):
            self.tokens += result.tokens.prompt + result.tokens.completion
            self.calls += 1


@dataclass(frozen=True)
class Training:
    """One trial's training tasks and the means to learn from them.

    `allowance`: what learning may cost where the job matches budgets, in the unit of the trial's
    `match_budget`.
    """

    trial: TrialSpec
    domain: Domain
    tasks: tuple[Task, ...]
    runner: Runner
    journal: Journal
    allowance: int | None = None
    spent: LearningCost = field(default_factory=LearningCost)

    @property
    def may_spend(self) -> bool:
        """Whether some of the allowance is left; False where there is none."""
        match = self.trial.match_budget
        if self.allowance is None or match is None:
            return False
        return int(getattr(self.spent, match.unit)) < self.allowance

    async def ask(
        self,
        purpose: Purpose,
        prompt: Prompt,
        *,
        iteration: int = 0,
        candidate: int = 0,
        attempt: int = 0,
        sampling: Sampling | None = None,
    ) -> Reply:
        """The learner model's reply.

        `iteration`, `candidate` and `attempt` tell requests of one purpose apart.

        Raises:
            Blocked: the model could not be reached.
        """
        trial = self.trial
        model = trial.learner_model if sampling is None else sampling.of(trial.learner_model)
        if trial.rules.action_format == "constrained" and purpose in ASKS_FOR_FUNCTIONS:
            prompt = replace(prompt, grammar=FUNCTIONS)
        place = (trial.job_seed, trial.domain.name, trial.learn_repeat)
        seed = seed_from(*place, purpose, iteration, candidate, attempt)
        request = Request(
            trial=trial.id,
            method=trial.label,
            purpose=purpose,
            model=model,
            prompt=prompt,
            seed=seed,
            iteration=iteration,
            candidate=candidate,
            attempt=attempt,
        )
        outcome = (await self.outcomes([request]))[0]
        assert isinstance(outcome.result, Reply)
        return outcome.result

    async def embed(self, texts: tuple[str, ...]) -> tuple[tuple[float, ...], ...] | None:
        """Embedding vectors of texts; None where the job names no embedding model.

        Raises:
            Blocked: the model could not be reached.
        """
        trial = self.trial
        if trial.embedding_model is None:
            return None
        request = Request(
            trial=trial.id,
            method=trial.label,
            purpose="embed",
            model=trial.embedding_model,
            prompt=Prompt("", (), ""),
            seed=0,
            texts=texts,
        )
        result = (await self.outcomes([request]))[0].result
        assert isinstance(result, Reply)
        return result.vectors

    async def play(
        self,
        library: Library,
        replicate: int = 0,
        sampling: Sampling | None = None,
        *,
        tasks: Sequence[Task] | None = None,
    ) -> tuple[PlayedEpisode, ...]:
        """The trial's agent plays every training task, or those given, with a library, in parallel; in order
        of tasks.

        Each replicate has a seed of its own. `sampling`: a temperature of its own for the agent.
        """
        wanted = self.tasks if tasks is None else tasks
        episodes = [self._sampled(task, library, replicate, sampling) for task in wanted]
        outcomes = {o.key: o for o in await self.outcomes(episodes)}
        return tuple(_played(outcomes[e.key]) for e in episodes)

    async def play_task(
        self, task: Task, library: Library, replicate: int = 0, sampling: Sampling | None = None
    ) -> PlayedEpisode:
        """As `play`, one training task only."""
        return _played((await self.outcomes([self._sampled(task, library, replicate, sampling)]))[0])

    def _sampled(self, task: Task, library: Library, replicate: int, sampling: Sampling | None) -> Episode:
        episode = self.episode(task, library, replicate)
        if sampling is None or episode.model is None:
            return episode
        return replace(episode, model=sampling.of(episode.model))

    async def validate(self, program: str, library: Library, task: Task) -> PlayedEpisode:
        """Run a program with a library on a fresh environment of a training task, in the sandbox; asks no
        model, and is no training episode but a check.
        """
        return _played((await self.outcomes([self._check(task, library, program)]))[0])

    async def play_calls(self, calls: Sequence[str], library: Library, task: Task) -> PlayedEpisode:
        """Make calls, each a turn, on a fresh environment of a task, until one is not carried out; a check
        like `validate`.
        """
        agent = AgentSpec("fixed_calls", program="\n".join(calls))
        return _played((await self.outcomes([replace(self._check(task, library), agent=agent)]))[0])

    def example_task(self) -> Task:
        """The task on which usage examples are played: that of the domain's worked example, where it can be
        played; else the first training task.
        """
        return self.domain.example_task if isinstance(self.domain, PlayableExample) else self.tasks[0]

    async def opening(self, domain: Domain, task: Task, spec: DomainSpec) -> tuple[str, str]:
        """Goal and first observation of a task.

        A domain that may block is opened by a worker, as a unit of work.

        Raises:
            Blocked: the task cannot be opened.
        """
        if domain.profile.blocking:
            episode = replace(self._check(task, Library()), domain=spec, versions=domain.version)
            result = _played((await self.outcomes([episode]))[0]).result
            return result.goal, result.first_observation
        try:
            environment = domain.open(task)
        except LearnactError as error:
            raise Blocked(f"task {task.name} cannot be opened: {error}") from error
        opened = environment.goal, environment.first_observation
        environment.close()
        return opened

    def _check(self, task: Task, library: Library, program: str = "") -> Episode:
        """A run of a fixed program, which may do nothing but open the task."""
        agent = AgentSpec("program", program=program)
        return replace(self.episode(task, library), phase="check", agent=agent, model=None, opponent=None)

    def episode(self, task: Task, library: Library, replicate: int = 0) -> Episode:
        """A training episode of the trial's agent. Each replicate has a seed of its own."""
        trial = self.trial
        seed = seed_from(trial.job_seed, trial.domain.name, task.hash, trial.learn_repeat, "learn")
        opponent = trial.against(trial.domain)[0]
        return Episode(
            trial=trial.id,
            method=trial.label,
            phase="learn",
            domain=trial.domain,
            task=task,
            agent=trial.agent,
            library=library,
            model=trial.agent_model,
            budget=trial.learn_budget.over(learn_budget(self.domain), task.reference),
            rules=trial.rules,
            seed=seed_from(seed, replicate) if replicate else seed,
            prompts=AGENT_TEMPLATES.hash,
            versions=self.domain.version,
            learn_repeat=trial.learn_repeat,
            replicate=replicate,
            learner_model=trial.learner_model.name,
            opponent=opponent.beside(library) if opponent else None,
        )

    async def outcomes(self, units: Sequence[Unit]) -> list[Outcome]:
        """All outcomes, sorted by key: nothing that a learner decides depends on the order of completion."""
        found = [o async for o in self.runner.run(units)]
        for outcome in found:
            if outcome.result is None:
                last = outcome.attempts[-1] if outcome.attempts else None
                why = f"{last.boundary}: {last.error}" if last else "no result"
                raise Blocked(f"a unit of learning has no result ({why})")
            self.spent.add(outcome)
        return sorted(found, key=lambda o: o.key)

    def keep(
        self,
        number: int,
        library: Library,
        parent: Library,
        origin: Origin,
        terms: Terms | None = None,
        *,
        problem: str = "",
    ) -> None:
        """Record what a learner without a selector made in a round.

        `terms`: of the training episodes that were played with it; None where none was, and then it has no
        score. `problem` says why it made nothing.
        """
        terms = terms or Terms()
        self.journal.library(self.trial.id, library)
        self.journal.candidate(
            Candidate(
                trial=self.trial.id,
                iteration=number,
                candidate=0,
                library=library.id,
                parent=parent.id,
                origin=origin,
                terms=terms,
                score=terms.success,
                selected=not problem,
                uncreated=problem,
            )
        )

    def scene(self) -> str:
        """Instruction and primitive actions, as the learner is shown them."""
        return instruction_section(self.domain, self.trial.rules) + primitives_section(self.domain)

    @property
    def function_rules(self) -> str:
        """The rules for learned functions, as every prompt that asks for functions states them."""
        trial = self.trial
        played = (
            (trial.learn_budget, learn_budget(self.domain)),
            (trial.test_budget, test_budget(self.domain)),
        )
        limit = min(change.primitives_per_call or own.primitives_per_call for change, own in played)
        return function_rules(self.domain, trial.rules, limit)


async def together(*work: Coroutine[Any, Any, T]) -> list[T]:
    """Run all at once and all to their end, so that paid work is kept when one fails.

    Then raise the first error.
    """
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


def learn_budget(domain: Domain) -> Budget:
    """The domain's budget for a training episode."""
    return Budget(turns=domain.profile.learn_turns, history=domain.profile.history)


def test_budget(domain: Domain) -> Budget:
    """The domain's budget for a test episode."""
    return Budget(turns=domain.profile.test_turns, history=domain.profile.history)


def function_rules(domain: Domain, rules: Rules, limit: int) -> str:
    """What functions may do, when a call of one counts as failed, and what of it the agent is shown; `limit`
    bounds the primitive actions of a call.
    """
    empty = f" {TEMPLATES.fill('failure_empty')}" if rules.empty_call == "failed" else ""
    return TEMPLATES.fill(
        "function_rules",
        code_rules=code_rules(domain, rules, limit),
        failure=TEMPLATES.fill(f"failure_{rules.failure}") + empty,
        shown=f" {TEMPLATES.fill('shown_to_agent', limit=RETURNED_CHARS)}" if rules.show_returns else "",
    )


def learner_prompt(*blocks: str, answer: str, system: str = "system") -> Prompt:
    """A learner's prompt: system message (name of its prompt file), sections in order, and what is asked
    for.
    """
    return Prompt(TEMPLATES.fill(system), tuple(b for b in blocks if b), answer)


def _played(outcome: Outcome) -> PlayedEpisode:
    assert isinstance(outcome.unit, Episode)
    assert isinstance(outcome.result, EpisodeResult)
    return PlayedEpisode(outcome.unit, outcome.result)
