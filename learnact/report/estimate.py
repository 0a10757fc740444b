"""What a job would do at most, before anything is spent: episodes, calls, tokens, dollars for each method
and domain. Asks no model.

Every number is an upper bound: all turns of all episodes are used, every proposal takes all its tries, no
learner stops early, every reply is as long as `max_tokens` allows. Runs usually stay far below. Prompts are
measured on the first test task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from learnact.domains import registry
from learnact.domains.base import Domain
from learnact.methods.base import WorkBound
from learnact.methods.prompt_sections import context_sections, task_section
from learnact.methods.registry import find_agent, find_learner
from learnact.methods.training import learn_budget, test_budget
from learnact.records import Budget, EndpointLimits, Library, ModelSpec, Opponent, Tokens
from learnact.records.trials import TrialSpec
from learnact.report.ceilings import Ceiling, ceilings
from learnact.trial import budget_key, test_tasks

CHARS_PER_TOKEN = 3
"""English text and code have about four characters a token; three makes a bound."""
LIBRARY_CHARS = 4000
"""What a library adds to an agent's prompt: signatures, descriptions, notes and usage example of a few
functions.
"""
REPLY_TOKENS = 1024
"""Bound of a reply where the job sets no `max_tokens`."""


@dataclass(frozen=True)
class Amount:
    """Counts of one kind of work, at most."""

    episodes: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.episodes + other.episodes,
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True)
class Estimate:
    """A trial's bounds: learning (episodes of the agent and requests to the learner model) and testing.

    `bounded` is False where the learner knows no bound of its work: then learning is unknown. `dollars` is
    None without prices, or without a bound.
    """

    trial: TrialSpec
    learning: Amount
    requests: Amount
    testing: Amount
    bounded: bool = True
    opposing: tuple[tuple[ModelSpec, Amount], ...] = ()
    """What second players are asked, by model; their episodes are those of learning and testing."""

    @property
    def total(self) -> Amount:
        """All together; without learning where that is not bounded."""
        return sum((amount for _, amount in self.opposing), self.learning + self.requests + self.testing)

    @property
    def dollars(self) -> float | None:
        """US dollars at most; None where a model that is asked has no price, or learning has no bound."""
        work = [
            (self.trial.agent_model, self.learning + self.testing),
            (self.trial.learner_model, self.requests),
            *self.opposing,
        ]
        costs = [_cost(model, amount) for model, amount in work]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if self.bounded and len(known) == len(costs) else None


@dataclass(frozen=True)
class JobEstimate:
    """What a job would do at most: `trials` holds the bounds of each trial; `run` is the id of the run."""

    run: str
    name: str
    trials: tuple[Estimate, ...]

    @property
    def ceilings(self) -> tuple[Ceiling, ...]:
        """For each tested domain and budget: how many plans are longer than an episode."""
        return ceilings([one.trial for one in self.trials])

    @property
    def total(self) -> Amount:
        """Episodes, calls and tokens of all trials."""
        return sum((one.total for one in self.trials), Amount())

    @property
    def dollars(self) -> float | None:
        """US dollars at most; None where a model has no price."""
        costs = [one.dollars for one in self.trials]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    @property
    def least_seconds(self) -> float | None:
        """How long so much work takes at least at the limits of the endpoints; None where none is stated."""
        found = [seconds for seconds in _endpoint_seconds(self.trials).values() if seconds]
        return max(found, default=None)

    @property
    def bounded(self) -> bool:
        """Whether every learner knows a bound of its work; if not, totals leave learning out."""
        return all(one.bounded for one in self.trials)

    def __repr__(self) -> str:
        total, dollars = self.total, self.dollars
        if not self.bounded:
            return f"<plan of {self.name}: {len(self.trials)} trials, no bound known>"
        cost = "cost unknown" if dollars is None else f"${dollars:,.2f}"
        return (
            f"<plan of {self.name}: {len(self.trials)} trials, at most {total.episodes:,} episodes, "
            f"{total.calls:,} calls, {cost}>"
        )


def _endpoint_seconds(estimates: Sequence[Estimate]) -> dict[tuple[str, tuple[str, ...]], float]:
    """For each model and its endpoints: seconds that all its work takes at their limits a minute."""
    work: dict[tuple[str, tuple[str, ...]], Amount] = {}
    limits: dict[tuple[str, tuple[str, ...]], EndpointLimits] = {}
    for one in estimates:
        for model, amount in (
            (one.trial.agent_model, one.learning + one.testing),
            (one.trial.learner_model, one.requests),
            *one.opposing,
        ):
            key = (model.name, model.base_urls)
            work[key] = work.get(key, Amount()) + amount
            limits[key] = model.limits
    found = {}
    for key, amount in work.items():
        tokens = amount.prompt_tokens + amount.completion_tokens
        needs = ((amount.calls, limits[key].requests_per_minute), (tokens, limits[key].tokens_per_minute))
        minutes = max((need / limit for need, limit in needs if limit is not None), default=0.0)
        found[key] = 60.0 * minutes / max(1, len(key[1]))
    return found


def estimate(trials: Sequence[TrialSpec]) -> list[Estimate]:
    """Bounds for each trial. Raises what building a domain raises.

    A matched budget (`match_budget`) is a bound in its own unit only: with tokens, the calls are those that
    learning made with as many.
    """
    found = [_one(trial) for trial in trials]
    measures = {
        budget_key(e.trial, e.trial.base_label): e
        for e in found
        if e.trial.learns and not e.trial.match_budget
    }
    return [_matched(one, measures) for one in found]


def _matched(own: Estimate, measures: Mapping[tuple[object, ...], Estimate]) -> Estimate:
    """With the cost of the method that its budget is matched to: its last round may begin just before that
    is spent.
    """
    match = own.trial.match_budget
    measure = measures.get(budget_key(own.trial, match.to)) if match else None
    if measure is None:
        return own
    spent = measure.learning + measure.requests
    bounded = own.bounded and measure.bounded
    if own.learning.episodes:
        return replace(own, learning=own.learning + spent, bounded=bounded)
    return replace(own, requests=own.requests + replace(spent, episodes=0), bounded=bounded)


def work_of(trial: TrialSpec, tasks: int) -> WorkBound | None:
    """What a trial's learner does at most with that many training tasks; None where it knows no bound."""
    learner = find_learner(trial.learner.name)
    return learner.bound(learner.options_of(trial.learner), tasks) if trial.learns else WorkBound()


def _one(trial: TrialSpec) -> Estimate:
    domain = registry.build(trial.domain)
    bound = work_of(trial, len(domain.tasks("train")))
    work = bound or WorkBound()
    learning = requests = Amount()
    opposing: list[tuple[ModelSpec, Amount]] = []

    def oppose(opponent: Opponent | None, domain: Domain, number: int, budget: Budget) -> None:
        if opponent is not None:
            other = replace(trial, agent=opponent.agent, agent_model=opponent.model)
            opposing.append((opponent.model, replace(_episodes(other, domain, number, budget), episodes=0)))

    if trial.learns:
        learning = _episodes(trial, domain, work.episodes, _longest(trial, domain))
        requests = _requests(trial, domain, work.requests)
        oppose(trial.against(trial.domain)[0], domain, work.episodes, _longest(trial, domain))
    testing = Amount()
    for spec in trial.test_domains:
        tested = registry.build(spec)
        own = test_budget(tested)
        budgets = Counter(trial.test_budget.over(own, task.reference) for task in test_tasks(trial, spec))
        for budget, tasks in budgets.items():
            number = tasks * trial.test_repeats * (1 + work.other_libraries)
            for opponent in trial.against(spec):
                testing += _episodes(trial, tested, number, budget)
                oppose(opponent, tested, number, budget)
    bounded = bound is not None
    return Estimate(trial, learning, requests, testing, bounded=bounded, opposing=tuple(opposing))


def _longest(trial: TrialSpec, domain: Domain) -> Budget:
    """The largest budget of a training episode."""
    budgets = (trial.learn_budget.over(learn_budget(domain), t.reference) for t in domain.tasks("train"))
    return max(budgets, key=lambda budget: budget.turns)


def _episodes(trial: TrialSpec, domain: Domain, number: int, budget: Budget) -> Amount:
    turns = find_agent(trial.agent.name).turns(budget)
    fixed, entry = _measure(trial, domain)
    entries = sum(min(2 * turn, budget.history) for turn in range(turns))
    tokens = (turns * fixed + entries * entry) // CHARS_PER_TOKEN
    model = trial.agent_model
    if model.context is not None:
        tokens = min(tokens, turns * model.context)
    return Amount(
        number, number * turns, number * tokens, number * turns * (model.max_tokens or REPLY_TOKENS)
    )


def _requests(trial: TrialSpec, domain: Domain, number: int) -> Amount:
    fixed, entry = _measure(trial, domain)
    budget = _longest(trial, domain)
    model = trial.learner_model
    tokens = (fixed + 2 * budget.turns * entry + LIBRARY_CHARS) // CHARS_PER_TOKEN
    tokens = min(tokens, model.context) if model.context is not None else tokens
    return Amount(0, number, number * tokens, number * (model.max_tokens or REPLY_TOKENS))


def first_prompt_chars(trial: TrialSpec, domain: Domain) -> int:
    """Characters of the first prompt of an episode, without learned actions."""
    return _measure(trial, domain)[0] - (LIBRARY_CHARS if trial.learns or trial.library else 0)


def _measure(trial: TrialSpec, domain: Domain) -> tuple[int, int]:
    """Characters of the fixed part of the agent's prompt, and of one entry of its history."""
    goal, first = domain.example.goal, domain.example.first_observation
    if not domain.profile.blocking:  # an engine that may block is never opened here
        environment = domain.open(domain.tasks("test")[0])
        goal, first = environment.goal, environment.first_observation
        environment.close()
    library = LIBRARY_CHARS if trial.learns or trial.library else 0
    agent = find_agent(trial.agent.name)
    text = context_sections(domain, Library(), trial.rules, 0, agent.show_example)
    shown = [observation for _, _, observation in domain.example.steps]
    entry = (max(map(len, [first, *shown])) + 80) // 2
    return len(text) + len(task_section(goal, first)) + library, entry


def _cost(model: ModelSpec, amount: Amount) -> float | None:
    if not amount.calls:
        return 0.0
    return cost(model, Tokens(amount.prompt_tokens, 0, amount.completion_tokens, 0))


def cost(model: ModelSpec, tokens: Tokens) -> float | None:
    """US dollars for tokens at a model's prices; nothing for a simulated model, None without prices."""
    if model.simulated:
        return 0.0
    prices = model.prices
    if prices.prompt is None or prices.completion is None:
        return None
    return (tokens.prompt * prices.prompt + tokens.completion * prices.completion) / 1e6
