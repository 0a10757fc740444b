"""Plain data that crosses layers, processes and files. No behaviour beyond identity (keys) and rendering.

Everything here is a frozen dataclass of plain values: picklable, comparable and, where it is work,
addressed by its content.

    identity    canonical text, content addresses, seeds
    tasks       domains by name and options, tasks
    libraries   what a learner makes, candidates
    models      chat models, prompts, replies, calls
    units       episodes and requests
    outcomes    steps, turns, results, failed tries

Does not cover: the job file (spec), file formats (results).
"""

from learnact.records.endpoints import ENDPOINT_VALUES, METRICS, EndpointName, EndpointState
from learnact.records.identity import DIGEST_CHARS, Plain, canonical, digest, seed_from
from learnact.records.libraries import (
    EXAMPLES_APART,
    Candidate,
    LearnedAction,
    Library,
    Origin,
    ScoreTerm,
    Terms,
)
from learnact.records.models import (
    ACT,
    OPPONENT,
    Call,
    EndpointLimits,
    Exchange,
    Message,
    ModelSpec,
    Prices,
    Prompt,
    Purpose,
    Reply,
    Tokens,
    ToolCall,
    message_entry,
)
from learnact.records.outcomes import (
    ActionError,
    Attempt,
    EpisodeResult,
    Ignored,
    Outcome,
    PrimitiveStep,
    ReplyForm,
    Seconds,
    Step,
    Turn,
    TurnKind,
    UnreadableCause,
    history_entries,
)
from learnact.records.tasks import DomainSpec, Task
from learnact.records.units import (
    AgentSpec,
    Budget,
    CodeBounds,
    Episode,
    LearnerSpec,
    Opponent,
    Phase,
    Request,
    Rules,
    Unit,
)

__all__ = [
    "ACT",
    "DIGEST_CHARS",
    "ENDPOINT_VALUES",
    "EXAMPLES_APART",
    "METRICS",
    "OPPONENT",
    "ActionError",
    "AgentSpec",
    "Attempt",
    "Budget",
    "Call",
    "Candidate",
    "CodeBounds",
    "DomainSpec",
    "EndpointLimits",
    "EndpointName",
    "EndpointState",
    "Episode",
    "EpisodeResult",
    "Exchange",
    "Ignored",
    "LearnedAction",
    "LearnerSpec",
    "Library",
    "Message",
    "ModelSpec",
    "Opponent",
    "Origin",
    "Outcome",
    "Phase",
    "Plain",
    "Prices",
    "PrimitiveStep",
    "Prompt",
    "Purpose",
    "Reply",
    "ReplyForm",
    "Request",
    "Rules",
    "ScoreTerm",
    "Seconds",
    "Step",
    "Task",
    "Terms",
    "Tokens",
    "ToolCall",
    "Turn",
    "TurnKind",
    "Unit",
    "UnreadableCause",
    "canonical",
    "digest",
    "history_entries",
    "message_entry",
    "seed_from",
]
