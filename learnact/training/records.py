"""One neutral record of an episode, of which every format is a projection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from learnact.pages.episodes import EpisodeView, SentPrompt, episode_view, prompts_of_turns, sent_prompts
from learnact.records import Turn
from learnact.results.reader import Connection
from learnact.training.error_kinds import ErrorKind, error_kind

TrainingSource = Literal["engine", "synthesized"]
Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class TrainingMessage:
    """A message of a conversation. `weight`: whether a reply is trained on (1) or stays as context (0); 0 for
    all others.
    """

    role: Role
    content: str
    weight: int = 0


@dataclass(frozen=True)
class TrainingTurn:
    """A turn with the prompt exactly as it was sent. `good`: the reply was carried out; `error`: what kind of
    mistake it was, "" where it was none.
    """

    prompt: tuple[TrainingMessage, ...]
    request: str
    reply: str
    good: bool
    error: ErrorKind
    observation: str
    progress: float


@dataclass(frozen=True)
class TrainingRecord:
    """An episode as training data.

    `reward` is 1 for success, else the progress. `split` is train for a training task. `refinements` counts
    mistakes that a later reply repaired. `source`: an engine played it and knows the mistakes, or a model
    wrote it and verification checked it (docs/synthesis.md); `episode` is then the example's key.
    """

    episode: str
    run: str
    domain: str
    task: str
    task_hash: str
    split: Literal["train", "test"]
    seed: int
    method: str
    model: str
    simulated: bool
    success: bool
    progress: float
    turns: tuple[TrainingTurn, ...]
    source: TrainingSource = "engine"

    @property
    def reward(self) -> float:
        """1 for success, else the progress, in 0 .. 1."""
        return 1.0 if self.success else self.progress

    @property
    def refinements(self) -> int:
        """How many mistakes were followed by a good reply (AgentRefine wants two or more)."""
        pairs = zip(self.turns, self.turns[1:], strict=False)
        return sum(not turn.good and after.good for turn, after in pairs)

    @property
    def messages(self) -> tuple[TrainingMessage, ...]:
        """The episode as a conversation: the first prompt, then replies and observations by turns. A reply is
        weighted 1 if it was carried out; mistakes stay as context (AgentRefine).
        """
        found = list(self.turns[0].prompt) if self.turns else []
        for number, turn in enumerate(self.turns):
            found.append(TrainingMessage("assistant", turn.reply, int(turn.good)))
            if number < len(self.turns) - 1:
                found.append(TrainingMessage("user", f"Observation: {turn.observation}"))
        return tuple(found)


def record_of(connection: Connection, key: str) -> TrainingRecord:
    """An episode as a record. Raises `ResultsError` if there is none."""
    view = episode_view(connection, key)
    return _record(view, prompts_of_turns(view, sent_prompts(connection, view)))


def _record(view: EpisodeView, sent: Mapping[int, SentPrompt]) -> TrainingRecord:
    row: Mapping[str, Any] = view.row
    turns = [
        _turn(turn, sent[number])
        for number, turn in enumerate(view.result.turns)
        if number in sent  # a turn of a fork that was taken over has no call
    ]
    return TrainingRecord(
        episode=row["key"],
        run=row["run"],
        domain=row["domain"],
        task=row["task"],
        task_hash=row["task_hash"],
        split="test" if row["phase"] == "test" else "train",
        seed=row["seed"],
        method=row["method"],
        model=row["model"],
        simulated=bool(row["simulated"]),
        success=view.result.success,
        progress=view.result.progress,
        turns=tuple(turns),
    )


def _turn(turn: Turn, sent: SentPrompt) -> TrainingTurn:
    prompt = (TrainingMessage("system", sent.system), TrainingMessage("user", sent.user))
    return TrainingTurn(
        prompt=tuple(message for message in prompt if message.content),
        request=sent.request,
        reply=turn.raw,
        good=turn.ok,
        error="" if turn.ok else error_kind(turn),
        observation=turn.observation,
        progress=turn.progress,
    )
