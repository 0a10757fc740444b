"""What a trial is: `TrialSpec`, and the parts that it alone has. Plain frozen data."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Literal

from learnact.errors import TaskError
from learnact.records.identity import digest
from learnact.records.models import ModelSpec
from learnact.records.tasks import DomainSpec
from learnact.records.units import AgentSpec, Budget, LearnerSpec, Opponent, Rules


@dataclass(frozen=True)
class BudgetChange:
    """What a job says about a budget; None where the domain's profile decides. `turns` may be a factor of
    the length of the task's reference plan: `1.5x`.
    """

    turns: int | str | None = None
    history: int | None = None
    primitives_per_call: int | None = None

    @property
    def by_plan(self) -> bool:
        """Whether the turns follow from each task's reference plan."""
        return isinstance(self.turns, str)

    def over(self, budget: Budget, reference: int | None) -> Budget:
        """The budget with what is given here in its place. `reference`: steps of the task's reference plan.

        Raises `TaskError` where the turns follow from a plan and there is none (a check before the run
        refuses such tasks).
        """
        given = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        if isinstance(self.turns, str):
            if reference is None:
                raise TaskError(f"turns: {self.turns} needs a reference plan, and the task has none")
            given["turns"] = scaled(self.turns, reference)
        return dataclasses.replace(budget, **given)


def scaled(factor: str, steps: int) -> int:
    """Turns from a factor such as `1.5x` and the steps of a plan, rounded up; at least one."""
    return max(1, math.ceil(Fraction(factor.removesuffix("x")) * steps))


@dataclass(frozen=True)
class MatchBudget:
    """Give a baseline what learning cost another method: `to` is that method's label, `unit` what is
    matched.
    """

    to: str
    unit: Literal["tokens", "calls"] = "tokens"


@dataclass(frozen=True)
class TrainedTrial:
    """A finished trial of a run, as far as its library can be used elsewhere.

    `options` (the learner's) and `rules` are canonical JSON; models are given by name. `library`: content
    address of the library that it ended with; "" for the empty one.
    """

    run: str
    trial: str
    status: str
    method: str
    label: str
    learner: str
    options: str
    rules: str
    domain: DomainSpec
    agent_model: str
    learner_model: str
    seed: int
    learn_repeat: int
    library: str


@dataclass(frozen=True, kw_only=True)
class TrialSpec:
    """One trial: one method on one domain with one pair of models, learned once and tested.

    method, label       the method's name, and what tables call it
    base_label          the label without what the axes of the grid add to it; `match_budget.to` names it
    agent, learner      who plays, and who learned or learns the library
    learns              whether the library is learned in this trial (False: none, or made elsewhere)
    library             the name of a library made elsewhere (a file or a run), else ""
    library_hash        its content's address; "" until it has been read
    protocol            learn from all training tasks at once, or from one after another (methods/stream.py)
    trained             the trial of a run whose library it has
    test_domains        where it is tested: its own domain unless the job says otherwise (`test_on`)
    learn_repeat        counts from 0
    test_repeats        test episodes for each task; (learn x test) for a method that learns nothing
    opponents           who takes the other seat, with the domain: none where a domain has its own opponent
    version             address of the code, prompts and domain versions that decide its results
    """

    method: str
    label: str
    base_label: str
    agent: AgentSpec
    learner: LearnerSpec
    learns: bool
    domain: DomainSpec
    test_domains: tuple[DomainSpec, ...]
    agent_model: ModelSpec
    learner_model: ModelSpec
    job_seed: int = 0
    learn_repeat: int = 0
    test_repeats: int = 1
    learn_budget: BudgetChange = BudgetChange()
    test_budget: BudgetChange = BudgetChange()
    rules: Rules = field(default_factory=Rules)
    test: Literal["rest", "all"] = "rest"
    library: str = ""
    library_hash: str = ""
    embedding_model: ModelSpec | None = None
    match_budget: MatchBudget | None = None
    protocol: Literal["batch", "stream"] = "batch"
    trained: TrainedTrial | None = None
    opponents: tuple[tuple[DomainSpec, Opponent], ...] = ()
    version: str = ""

    @property
    def learned_by(self) -> str:
        """Name of the model that wrote what the agent is given, here or in another run; "" for nobody."""
        if self.trained is not None:
            return self.trained.learner_model
        return self.learner_model.shown if self.learns else ""

    def against(self, domain: DomainSpec) -> tuple[Opponent | None, ...]:
        """Who takes the other seat on a domain, one after the other; None for the domain itself."""
        return tuple(one for spec, one in self.opponents if spec == domain) or (None,)

    @property
    def first_repeat(self) -> int:
        """The first test repeat, counted over all learning repeats.

        Test repeat t is played with the seed of repeat `first_repeat + t`, so that methods with and without a
        learner meet the same seeds.
        """
        return self.learn_repeat * self.test_repeats

    @cached_property
    def id(self) -> str:
        """Content address of all that can change the results.

        It holds no label, URL, key, price or time, and not how often the trial is tested.
        """
        parts = {
            "method": self.method,
            "agent": self.agent,
            "learner": self.learner,
            "learns": self.learns,
            "domain": self.domain,
            "test_domains": self.test_domains,
            "agent_model": self.agent_model.fingerprint,
            "learner_model": self.learner_model.fingerprint if self.learns else "",
            "embedding_model": self.embedding_model.fingerprint if self.embedding_model else "",
            "seed": self.job_seed,
            "learn_repeat": self.learn_repeat,
            "learn_budget": self.learn_budget,
            "test_budget": self.test_budget,
            "rules": self.rules,
            "test": self.test,
            "library": self.library_hash or self.library,
            "trained_by": self.trained.learner_model if self.trained else "",
            "match_budget": self.match_budget,
            "protocol": self.protocol,
            "version": self.version,
            **({"opponents": [(d, o.identity) for d, o in self.opponents]} if self.opponents else {}),
        }
        return digest("trial", parts)
