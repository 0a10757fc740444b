"""The form of a job file: pydantic models with strict types, unknown keys refused.

A setting written as `Axis` takes one value or a list of values; a list is an axis of the grid. What is not
given has the paper's value. Does not cover what follows from a job (job.py) nor a domain's own options,
which pass through unread.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_serializer,
)

from learnact.domains.levels import Level
from learnact.job.fields import Axis, BaseUrl, ListAxis, Money, NameOr, StrictConfig, Turns
from learnact.methods.base import Positive, Temperature
from learnact.models.constraints import ConstraintForm
from learnact.records import CodeBounds, Rules

Match = Literal["domain", "repeat", "learner"]
AnyPositive = Annotated[int, Field(ge=1)]
AnyCount = Annotated[int, Field(ge=0)]
MATCHES: tuple[Match, ...] = ("domain", "repeat", "learner")
_RULES = Rules()
_BOUNDS = CodeBounds()


class OpenConfig(BaseModel):
    """Base of mappings that take the options of methods or domains too; these are checked by their owners."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, use_attribute_docstrings=True)

    @property
    def given(self) -> dict[str, Any]:
        """The options that were written, unchecked."""
        return dict(self.model_extra or {})


class LearnerConfig(OpenConfig):
    """Options for all methods that have them; `learnact methods NAME` lists a method's."""


class RulesConfig(StrictConfig):
    """Rules of execution, the same for every method; each may be a list."""

    code_only: ClassVar[frozenset[str]] = frozenset(
        {
            "failure",
            "empty_call",
            "call_observation",
            "show_returns",
            "unreadable",
            "usage_example",
            "learner_example",
            "primitive_returns",
            "show_descriptions",
            "show_usage_example",
            "sandbox",
        }
    )
    """Rules that matter only where learned code is run."""

    failure: Axis[Literal["any_primitive", "last_observation"]] = (_RULES.failure,)
    """A learned call failed when any primitive was invalid, or when its last observation was (published)."""
    call_observation: Axis[Literal["told", "published"]] = (_RULES.call_observation,)
    """What the agent observes after a learned call. told: how many of its primitives had no effect, and the
    first. published: a failure shows only where the last primitive failed (ALFWorld: the last failure,
    without its call)."""
    invalid_actions: Axis[Literal["reason", "bare"]] = (_RULES.invalid_actions,)
    """An invalid primitive action says why it is invalid, or only that it is (published)."""
    unreadable: Axis[Literal["apart", "action"]] = (_RULES.unreadable,)
    """Turns whose reply cannot be read stand apart, or count as action turns in the call ratio and the call
    share (published)."""
    usage_example: Axis[Literal["played", "written"]] = (_RULES.usage_example,)
    """A library's usage example. played: the model proposes calls, the environment answers, it stands last.
    written: the model writes the observations too, and it stands first (published)."""
    learner_example: Axis[Literal["other_world", "same_domain"]] = (_RULES.learner_example,)
    """What a learner is shown before it writes functions: a function of another world, or a function and a
    worked trajectory of the same domain (published)."""
    show_turns: Axis[bool] = (_RULES.show_turns,)
    """Tell the agent how many turns it has and how many are left, and the learner why an attempt ended
    (published: false)."""
    show_returns: Axis[bool] = (_RULES.show_returns,)
    """Show the agent what a learned action returned and printed (published: false)."""
    empty_call: Axis[Literal["failed", "successful"]] = (_RULES.empty_call,)
    """A learned call that made no primitive action failed, and a library of nothing else cannot win; or it
    was successful (published)."""
    primitive_returns: Axis[Literal["observation", "none", "published"]] = (_RULES.primitive_returns,)
    """What primitives return to learned code; published: the observation in ALFWorld, else nothing."""
    action_format: Axis[Literal["call", "text", "tools", "constrained"]] = (_RULES.action_format,)
    """Actions as function calls in text, as the engine's own text (for agents without learned actions), as
    tools of the chat API, or as calls in text that the endpoint's decoder is constrained to."""
    reply: Axis[Literal["whole", "first_line"]] = (_RULES.reply,)
    """What is read of an agent's reply: all, or (published) its first line, so that a thought uses a turn."""
    show_descriptions: Axis[bool] = (_RULES.show_descriptions,)
    """Show the descriptions of learned actions to the agent."""
    show_usage_example: Axis[bool] = (_RULES.show_usage_example,)
    """Show the library's usage example to the agent."""
    sandbox: Axis[Literal["confined", "trusted"]] = (_RULES.sandbox,)
    """How learned code runs; trusted is for debugging code that you wrote."""


class MethodConfig(RulesConfig):
    """A method: a name, or a name with options and rules of its own (any of `learner` and `rules`)."""

    model_config = ConfigDict(extra="allow")

    name: str
    """A method (`learnact methods` lists them), or a name of your own with agent and learner."""
    label: str = ""
    """What tables call it; the name when left out."""
    agent: str | None = None
    """Name of the agent, instead of the method's."""
    learner: str | None = None
    """Name of the learner, instead of the method's; none for no learning."""
    library: str = ""
    """A library to play with instead of learning one: a file, RUN:LIBRARY, or RUN for what this method
    learned there.
    """

    @property
    def given(self) -> dict[str, Any]:
        """The options of agent and learner that were written, unchecked."""
        return dict(self.model_extra or {})


class BudgetConfig(StrictConfig):
    """Bounds of an episode; what is left out is the domain's (docs/method.md: 30 turns, 20 entries;
    ALFWorld 20, 50).
    """

    turns: Axis[Turns | None] = (None,)
    """Replies of the model at most: a number, or a factor of the task's reference plan (1.5x, rounded up)."""
    history: Axis[Positive | None] = (None,)
    """Entries shown; an action and an observation are one each."""
    primitives_per_call: Axis[Positive | None] = (None,)
    """Primitive steps in one learned call at most."""


class BudgetsConfig(StrictConfig):
    """Budgets of the two phases."""

    learn: BudgetConfig = BudgetConfig()
    """Training episodes (10 turns unless given)."""
    test: BudgetConfig = BudgetConfig()
    """Test episodes."""


class DomainConfig(OpenConfig):
    """A domain: a name, or a name with a budget and the domain's own options (`learnact domains` lists
    them).
    """

    name: str
    """A registered domain: gripper, blockworld, barman, tyreworld, alfworld-put ..."""
    budget: BudgetsConfig = BudgetsConfig()
    """Budgets of this domain, over the job's."""


class PricesConfig(StrictConfig):
    """US dollars per million tokens. Without prices a run has no cost (null, not zero)."""

    prompt: Money | None = None
    """A million prompt tokens."""
    cached: Money | None = None
    """A million cached prompt tokens; the prompt's price when left out."""
    completion: Money | None = None
    """A million completion tokens, reasoning included."""


class EndpointLimitsConfig(StrictConfig):
    """What each endpoint of a model may be asked, by all workers together. Changes no result."""

    requests_per_minute: AnyPositive | None = None
    """Requests in any minute."""
    tokens_per_minute: AnyPositive | None = None
    """Tokens of prompts and replies in any minute."""
    in_flight: AnyPositive | None = None
    """Requests in flight at most; `limits.requests` when left out. Fewer where the server bears fewer."""


class ModelDefaults(StrictConfig):
    """Parameters of a model; each may be a list."""

    base_url: Axis[BaseUrl] | None = None
    """OpenAI-compatible endpoint; a list is replicas of one model, not an axis.

    Default: OPENAI_BASE_URL, else OpenAI's.
    """
    api_key_env: str = "OPENAI_API_KEY"
    """Name of the environment variable that holds the key."""
    temperature: Axis[Temperature] = (0.0,)
    """Sampling temperature; null sends none."""
    top_p: Axis[Annotated[float, Field(gt=0, le=1)] | None] = (1.0,)
    """Nucleus; null sends none."""
    max_tokens: Axis[AnyPositive | None] = (1024,)
    """Tokens of a reply at most; the learner's default is 2048."""
    stop: ListAxis[str] = ((),)
    """Stop strings; none by default: the reply is cut after the first complete call."""
    context: Axis[AnyPositive | None] = (None,)
    """Tokens of context; the oldest turns are dropped to keep within it. null: the endpoint decides."""
    effort: Axis[str | None] = (None,)
    """Reasoning effort, for models that take it."""
    constraint: Axis[ConstraintForm | None] = (None,)
    """How the endpoint takes a constraint (`action_format: constrained`); null: it is found out by trying."""
    send_seed: Axis[bool] = (True,)
    """Send a seed with each request."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Further fields of the request, as they are."""
    prices: PricesConfig = PricesConfig()
    """What tokens cost."""
    timeout: Annotated[float, Field(gt=0)] = 120.0
    """Seconds that a reply may take."""
    limits: EndpointLimitsConfig = EndpointLimitsConfig()
    """Of each of its endpoints: requests and tokens a minute, requests in flight."""


class ModelConfig(ModelDefaults):
    """A model: a name, or a name with an endpoint and parameters."""

    name: str
    """As the endpoint calls it. Without a base_url, sim-strong and sim-weak are the embedded simulated model;
    smollm2, gemma3 and a FILE.gguf are served by the run itself (extra `local`)."""
    label: str = ""
    """What tables call it; the name when left out. Needed where two entries have one name."""
    simulated: bool | None = None
    """Played by the embedded simulated model; default: a name that begins with sim- and has no base_url."""


DomainEntry: TypeAlias = Annotated[DomainConfig, NameOr()]
MethodEntry: TypeAlias = Annotated[MethodConfig, NameOr()]
ModelEntry: TypeAlias = Annotated[ModelConfig, NameOr()]


class ModelsConfig(StrictConfig):
    """Who acts and who learns. A list is an axis of the grid."""

    agent: Axis[ModelEntry] = (ModelConfig(name="sim-strong"),)
    """Plays the episodes."""
    learner: Axis[ModelEntry] = (ModelConfig(name="sim-strong"),)
    """Writes learned actions and lessons."""
    opponent: Axis[ModelEntry] | None = None
    """Models that only play against the agent, where a domain names them (docs/games.md). No axis."""
    embeddings: ModelEntry | None = None
    """Endpoint with /v1/embeddings for Voyager's retrieval; BM25 when left out."""
    agent_defaults: ModelDefaults = ModelDefaults()
    """Parameters of every agent model that does not set them."""
    learner_defaults: ModelDefaults = ModelDefaults()
    """Parameters of every learner model that does not set them."""

    @field_serializer("agent_defaults", "learner_defaults")
    def _as_given(self, defaults: ModelDefaults) -> dict[str, Any]:
        """Only what was set: a default that is not set gives way to the model's own."""
        return defaults.model_dump(mode="json", exclude_unset=True)


class RepeatsConfig(StrictConfig):
    """Repeats; means are reported with intervals."""

    learn: Positive = 3
    """Times that learning is repeated from the start."""
    test: Positive = 1
    """Times that each library plays each test task. A method without a learner plays learn x test times."""


class TasksConfig(StrictConfig):
    """Tasks of every domain that does not set its own."""

    train: Positive | None = None
    """How many tasks to learn from."""
    test: Positive | None = None
    """How many tasks to test on."""
    level: Level | None = None
    """Level of generated tasks, for the domains that have levels: easy, published, hard, harder."""


class ClusterConfig(StrictConfig):
    """Where it runs. Changes no result."""

    runner: Literal["ray", "local"] = "ray"
    """ray: a cluster or this machine's cores; local: one process, for debugging."""
    address: str | None = None
    """Ray address (auto, ray://...); null starts Ray on this machine."""
    workers: Positive | None = None
    """Worker processes; default one for each core."""
    in_flight: Positive = 32
    """Episodes in flight in each worker."""


class LimitsConfig(StrictConfig):
    """Where a run stops or holds back. Changes no result, only how much of it there is."""

    requests: Positive = 64
    """Requests in flight at one endpoint of a model at most; a model's `limits.in_flight` wins."""
    tries: Positive = 4
    """Tries of a unit of work after failures that are not the agent's."""
    episode_seconds: Annotated[float, Field(gt=0)] = 3600.0
    """Wall-clock bound of one try; missing it is the harness's failure, never the agent's."""
    episode_tokens: AnyPositive | None = None
    """Tokens that the calls of one episode may use. It then ends without a result, and goes on when this
    is raised."""
    episode_dollars: Money | None = None
    """US dollars that the calls of one episode may cost, likewise."""
    dollars: Money | None = None
    """US dollars that the run may cost, all its sessions together. It ends between two calls of each episode,
    keeps what it has paid for, and goes on when this is raised."""
    tokens: AnyPositive | None = None
    """Tokens that the run may use (prompts and replies), likewise."""
    calls: AnyPositive | None = None
    """Calls of models that the run may make, likewise."""
    hours: Annotated[float, Field(gt=0, le=100_000)] | None = None
    """Wall-clock hours that one session of the run may take; the same command then goes on."""
    unreadable: Positive | None = 20
    """The run ends when none of so many first replies of an agent model could be read; null: it goes on."""


class BoundsConfig(StrictConfig):
    """What one call of learned code may use; the defaults are far above need.

    Passing one is the agent's failure.
    """

    cpu_seconds: Annotated[float, Field(gt=0)] = _BOUNDS.cpu_seconds
    """CPU seconds of the confined process; waiting for a primitive does not count."""
    memory_mb: Annotated[int, Field(ge=64)] = _BOUNDS.memory_mb
    """Megabytes of memory."""
    recursion: Annotated[int, Field(ge=50)] = _BOUNDS.recursion
    """Depth of Python calls."""
    source_bytes: Annotated[int, Field(ge=1024)] = _BOUNDS.source_bytes
    """Bytes of a library, and of the code of a call."""
    output_bytes: AnyCount = _BOUNDS.output_bytes
    """Characters of printed text that are kept."""
    message_bytes: Annotated[int, Field(ge=4096)] = _BOUNDS.message_bytes
    """Bytes of one message between the code and the evaluator."""


class LibraryConfig(StrictConfig):
    """Which library is tested where: with `learn_on` and `test_on`, or with the libraries of another run."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    source: str = Field(default="learn", alias="from", min_length=1)
    """learn: the libraries that this job learns; RUN: those that a run of the same results folder learned;
    or one: RUN:LIBRARY, or a file.
    """
    match: list[Match] = Field(default_factory=lambda: list(MATCHES))
    """domain: a library is tested on test domains of the name it was learned on; without it, on all of
    them. repeat and learner always match.
    """


class MatchBudgetConfig(StrictConfig):
    """Give every other method what learning cost this one."""

    to: str
    """Label of the method whose learning is the measure."""
    unit: Literal["tokens", "calls"] = "tokens"
    """What is matched."""


class JobConfig(StrictConfig):
    """A job: which methods learn and play which domains with which models, how often, and where."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", max_length=80)
    """Names the run; letters, digits and _ . + - only."""
    preset: Axis[str] | None = None
    """Settings to start from: paper, robotic_planning, alfworld; later ones win, and the job wins over all.
    """
    seed: Axis[int] = (0,)
    """All seeds follow from it."""
    domains: Axis[DomainEntry] | None = None
    """What is played."""
    learn_on: Axis[DomainEntry] | None = None
    """Transfer: learn on these, instead of `domains`."""
    test_on: Axis[DomainEntry] | None = None
    """Transfer: test on these."""
    domain_options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Options of all domains of a name, or of names that begin with it and a dash (alfworld: all six); a
    domain's own win.
    """
    methods: Axis[MethodEntry] = (MethodConfig(name="act"), MethodConfig(name="learnact"))
    """What is compared."""
    models: ModelsConfig = ModelsConfig()
    """Agent and learner models."""
    repeats: RepeatsConfig = RepeatsConfig()
    """How often."""
    tasks: TasksConfig = TasksConfig()
    """How many tasks."""
    test: Axis[Literal["rest", "all"]] = ("rest",)
    """Test on the tasks that were not learned from, or on all of them (published)."""
    budget: BudgetsConfig = BudgetsConfig()
    """Bounds of episodes."""
    learner: LearnerConfig = LearnerConfig()
    """How the learners learn."""
    rules: RulesConfig = RulesConfig()
    """Rules of execution."""
    library: LibraryConfig | str = LibraryConfig()
    """Libraries to play with instead of learning (a file, RUN:LIBRARY, or RUN for all that it learned), or
    how they are matched to `test_on`.
    """
    protocol: Literal["batch", "stream"] = "batch"
    """Learn from all training tasks at once, or (`stream`) from one after another: each is played before it
    is learned from, and all so far after it."""
    match_budget: MatchBudgetConfig | None = None
    """Give the baselines the budget of learning."""
    bounds: BoundsConfig = BoundsConfig()
    """Bounds of learned code; how many primitives a call may make is `budget`'s."""
    cluster: ClusterConfig = ClusterConfig()
    """Where it runs."""
    limits: LimitsConfig = LimitsConfig()
    """Where it stops."""
