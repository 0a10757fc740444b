"""What tables group by and count: rows, trials, the episodes of a group, the numbers of a row."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from learnact.methods.registry import learns
from learnact.statistics.intervals import Interval, clustered_mean

ALL = "all"
"""The domain of rows over all domains."""


class RowKey(NamedTuple):
    """What a row of a table is about."""

    domain: str
    method: str
    agent_model: str
    learner_model: str


@dataclass(frozen=True)
class TrialRow:
    """A trial, with what the tables use of its options (`settings`, `rules`, ...)."""

    trial: str
    runs: tuple[str, ...]
    """Runs that hold it: trials of equal content have the same id."""
    method: str
    domain: str
    agent_model: str
    learner_model: str
    test_repeats: int
    test_episodes: int | None
    """Test episodes that it is to play; None where the run did not say."""
    status: str
    library: str
    learner: str
    agent: str
    """The agent with its options, as JSON; "" where the run did not say."""
    settings: Mapping[str, Any]
    rules: Mapping[str, Any]
    domain_options: str
    test_domains: tuple[tuple[str, str], ...]
    """Name and options of each domain that it is tested on."""
    tests: str
    """What decides which tasks are tested: trials with equal `tests` are tested on the same."""
    matched_to: str
    """The method whose budget it was given (`match_budget`); "" without a match."""
    label: str = ""
    """What the tables call the domain that it learns on."""

    @property
    def row_key(self) -> RowKey:
        """The row that it counts in where trials are counted, not episodes."""
        return RowKey(self.label, self.method, self.agent_model, self.learner_model)

    @property
    def learns(self) -> bool:
        """Whether it has a learner, or a library that was learned elsewhere."""
        return learns(self.learner)


@dataclass(frozen=True)
class EpisodeSample:
    """The episodes of a group. Sequences hold one value for each, in a fixed order; numbers are sums."""

    trials: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    learned: tuple[str, ...] = ()
    """The trial in which the library was learned; "" for a method that learns nothing."""
    seeds: tuple[int, ...] = ()
    """The seed of the repeat: methods of one job meet the same."""
    tasks: tuple[str, ...] = ()
    """The clusters of all intervals: hashes of tasks, which hold their domain."""
    success: tuple[bool, ...] = ()
    progress: tuple[float, ...] = ()
    learned_calls: tuple[int, ...] = ()
    learned_calls_ok: tuple[int, ...] = ()
    action_turns: tuple[int, ...] = ()
    turns: tuple[int, ...] = ()
    primitive_steps: tuple[int, ...] = ()
    prompt_tokens: tuple[int | None, ...] = ()
    """None where the server counted none: a prompt is never empty."""
    completion_tokens: tuple[int | None, ...] = ()
    cost: tuple[float | None, ...] = ()
    """US dollars; None where a price is not known."""
    model_seconds: tuple[float | None, ...] = ()
    unreadable_turns: int = 0
    simulated: bool = False

    def __len__(self) -> int:
        return len(self.tasks)

    def __add__(self, other: EpisodeSample) -> EpisodeSample:
        values = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return EpisodeSample(**{**values, "simulated": self.simulated or other.simulated})

    @property
    def tokens(self) -> tuple[int | None, ...]:
        """Tokens of each episode, in and out; None where the server counted none."""
        both = zip(self.prompt_tokens, self.completion_tokens, strict=True)
        return tuple(None if i is None or o is None else i + o for i, o in both)

    @property
    def call_frequency(self) -> Interval:
        """Share of turns that called a learned action, a mean over episodes."""
        calls = zip(self.tasks, self.learned_calls, self.action_turns, strict=True)
        return clustered_mean((task, called / turns) for task, called, turns in calls if turns)

    @property
    def call_correctness(self) -> Interval:
        """Share of the calls of learned actions that succeeded, a mean over episodes with such a call."""
        calls = zip(self.tasks, self.learned_calls_ok, self.learned_calls, strict=True)
        return clustered_mean((task, ok / called) for task, ok, called in calls if called)

    def outcomes(self, values: Sequence[float]) -> list[tuple[str, str, int, float]]:
        """(task, trial that learned, seed, value) of each episode, as `paired_difference` takes it."""
        about = zip(self.tasks, self.learned, self.seeds, values, strict=True)
        return [(task, learned, seed, float(value)) for task, learned, seed, value in about]

    def by_library(self, values: Sequence[float]) -> list[tuple[str, str, float]]:
        """(task, trial that learned, value) of each episode, as `method_mean` takes it."""
        return [(t, g, float(v)) for t, g, v in zip(self.tasks, self.learned, values, strict=True)]


def join_samples(samples: Iterable[EpisodeSample]) -> EpisodeSample:
    """All episodes of several groups."""
    return sum(samples, EpisodeSample())


@dataclass(frozen=True)
class Score:
    """The numbers of one row. `worst` and `best`: success if all unfinished episodes failed, or succeeded."""

    key: RowKey
    simulated: bool
    success: Interval
    success_of_method: Interval
    """Success with other libraries and on other tasks; `success` is of these libraries."""
    progress: Interval
    trials: int
    unfinished: int
    worst: float
    best: float
    unreadable: float
    """Share of turns whose reply could not be read."""
    all_turns: int
    """Model turns of all its episodes."""
    turns: Interval
    """Model turns an episode."""
    primitive_steps: Interval
    """Primitive steps an episode."""


def over_all_domains(keys: Iterable[RowKey]) -> dict[RowKey, list[RowKey]]:
    """The row over all domains of each method and pair of models with several domains, and the rows in it."""
    rows: dict[RowKey, list[RowKey]] = defaultdict(list)
    for key in keys:
        rows[key._replace(domain=ALL)].append(key)
    return {key: parts for key, parts in rows.items() if len(parts) > 1}


def trial_row(row: Mapping[str, Any], method: str) -> TrialRow:
    """A trial from its row in `trials`; `method`: what the tables call its method."""
    options = json.loads(row["options"] or "{}")
    tested = options.get("test_domains") or []
    own = (row["domain"], (options.get("domain") or {}).get("options", "{}"))
    return TrialRow(
        trial=row["trial"],
        runs=tuple(row["runs"]),
        method=method,
        domain=row["domain"],
        agent_model=row["agent_model"] or "",
        learner_model=row["learner_model"] or "",
        test_repeats=row["test_repeats"] or 1,
        test_episodes=row["test_episodes"],
        status=row["status"] or "",
        library=row["library"] or "",
        learner=options.get("learner") or "",
        agent=json.dumps(options["agent"], sort_keys=True) if options.get("agent") else "",
        settings=options.get("settings") or {},
        rules=options.get("rules") or {},
        domain_options=own[1],
        test_domains=tuple(dict.fromkeys((one["name"], one["options"]) for one in tested)) or (own,),
        tests=json.dumps((row["domain"], options.get("domain"), tested, options.get("test")), sort_keys=True),
        matched_to=(options.get("match_budget") or {}).get("to", ""),
    )
