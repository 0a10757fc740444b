"""What a trial is told: a learner's settings and `TrialSpec`. Plain frozen data, ready for every floor above."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from learnact.records import AgentSpec, Budget, DomainSpec, ModelSpec, Rules, digest

Term = Literal["success", "progress", "step_correctness", "call_ratio", "call_share"]


@dataclass(frozen=True)
class LearnerSettings:
    """How a learner learns. A setting that the learner of a trial does not use has its default here."""

    candidates: int = 4
    """K: new candidate libraries in each iteration."""
    iterations: int = 2
    """I: rounds of improvement after the first choice."""
    create_tries: int = 4
    """Tries of one proposal, the first included, before it counts as not created."""
    score: tuple[Term, ...] = ()
    """Terms of the selector, added up; empty for the domain profile's."""
    updates: bool = True
    """The learner may rewrite functions."""
    notes: bool = True
    """The learner may add notes."""
    sampling: bool = True
    """False exactly when `candidates` is 1."""
    learning: bool = True
    """False exactly when `iterations` is 0: sampling only."""
    proposal_temperature: float | None = 0.7
    """Temperature of proposals (create, update or note). With the agent's 0 a deterministic server gives K equal proposals; 0.7 makes
    them differ and still gives code that parses nearly always. None sends none."""
    vary_prompt: bool = False
    """Number the proposals in the prompt and ask for a different decomposition each time: for models that take neither a temperature nor a
    seed."""
    uncreated: Literal["drop", "empty"] = "drop"
    """A candidate that could not be created is dropped, or (published) plays with no actions and can win."""
    incumbent: Literal["keep", "replay"] = "keep"
    """The previous best keeps its score, or (published) plays the training tasks again in each iteration."""
    learn_from: Literal["failed_calls", "failed_tasks"] = "failed_calls"
    """Episodes in which a failure is looked for: all, or (published) only those of tasks that were not solved."""
    stop: Literal["no_failed_call", "all_solved"] = "no_failed_call"
    """Learning ends when no learned call failed, or (published) when every training task is solved."""
    reflexion_iterations: int = 2
    """Lessons at most (Reflexion)."""
    voyager_rounds: int = 4
    """Rounds of code, feedback and verdict for a training task (Voyager)."""
    voyager_top: int = 5
    """Skills that the agent is given at test (Voyager)."""
    test_each_iteration: bool = False
    """Test the winner of each iteration, not the last one only."""
    test_every_candidate: bool = False
    """Test all candidates of all iterations."""


LEARNACT_USES = frozenset(
    {
        "candidates",
        "iterations",
        "create_tries",
        "score",
        "updates",
        "notes",
        "sampling",
        "learning",
        "proposal_temperature",
        "vary_prompt",
        "uncreated",
        "incumbent",
        "learn_from",
        "stop",
        "test_each_iteration",
        "test_every_candidate",
    }
)

LEARNER_USES: dict[str, frozenset[str]] = {
    "none": frozenset(),
    "learnact": LEARNACT_USES,
    "reflexion": frozenset({"reflexion_iterations", "test_each_iteration"}),
    "best_of": frozenset({"proposal_temperature"}),
    "voyager": frozenset({"voyager_rounds", "voyager_top", "proposal_temperature"}),
}
"""Settings that can change what a learner does. A learner of another package is taken to use all of them."""


@dataclass(frozen=True)
class BudgetChange:
    """What a job says about a budget; None where the domain's profile decides."""

    turns: int | None = None
    history: int | None = None
    primitives_per_call: int | None = None

    def over(self, budget: Budget) -> Budget:
        """The budget with what is given here in its place."""
        given = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        return dataclasses.replace(budget, **given)


@dataclass(frozen=True)
class MatchBudget:
    """Give a baseline what learning cost another method: `to` is that method's label, `unit` what is matched."""

    to: str
    unit: Literal["tokens", "calls"] = "tokens"


@dataclass(frozen=True)
class TrainedTrial:
    """A trial of a run that learned, as far as its library can be handed on. `settings` and `rules` are canonical JSON; models by name."""

    run: str
    trial: str
    status: str
    method: str
    label: str
    learner: str
    settings: str
    rules: str
    domain: DomainSpec
    agent_model: str
    learner_model: str
    seed: int
    learn_repeat: int
    library: str
    """Content address of the library that it ended with; "" for the empty one."""


@dataclass(frozen=True)
class TrialSpec:
    """One trial: one method on one domain with one pair of models, learned once and tested.

    `test_domains` are where it is tested: its own domain unless the job says otherwise (`test_on`). `learn_repeat` counts from 0.
    `test_repeats` is the number of test episodes for each task; a method that learns nothing has no learning repeats, so it is tested
    (learn x test) times. `library` is the name of a library that was handed in (a file or a run), else ""; `library_hash` is its content's
    address, "" until it has been read. `taught` is the trial of a run whose library it has; then `learner` is none and `settings` are those
    it was learned with.
    """

    method: str
    label: str
    agent: AgentSpec
    learner: str
    settings: LearnerSettings
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
    taught: TrainedTrial | None = None
    entry: str = ""
    """The label that the job gives the method, without what the axes of the grid add to it; `match_budget.to` names it."""

    @property
    def learns(self) -> bool:
        """Whether there is a learner."""
        return self.learner != "none"

    @property
    def learned_by(self) -> str:
        """Name of the model that wrote what the agent is given, in this trial or in the run that its library is from; else ""."""
        if self.taught is not None:
            return self.taught.learner_model
        return self.learner_model.name if self.learns else ""

    @property
    def first_repeat(self) -> int:
        """The first test repeat, counted over all learning repeats: test repeat t is played with the seed of repeat `first_repeat + t`, so that
        methods with and without a learner meet the same seeds."""
        return self.learn_repeat * self.test_repeats

    @cached_property
    def id(self) -> str:
        """Content address of all that can change the trial's results: no label, URL, key, price or time, nor how often it is tested."""
        return digest(
            "trial",
            self.method,
            self.agent,
            self.learner,
            self.settings,
            self.domain,
            self.test_domains,
            self.agent_model.fingerprint,
            self.learner_model.fingerprint if self.learns else "",
            self.embedding_model.fingerprint if self.embedding_model else "",
            self.job_seed,
            self.learn_repeat,
            self.learn_budget,
            self.test_budget,
            self.rules,
            self.test,
            self.library_hash or self.library,
            self.match_budget,
            *([self.taught.learner, self.taught.learner_model] if self.taught else []),
        )
