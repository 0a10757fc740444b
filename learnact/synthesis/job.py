"""The job file of a synthesis: what is made, by which model, within which limits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field, ValidationError

from learnact.errors import JobError
from learnact.job.axes import models
from learnact.job.fields import Money, StrictConfig
from learnact.job.file import JobFile, from_mapping, override, read
from learnact.job.messages import job_error
from learnact.job.schema import AnyPositive, ClusterConfig, ModelConfig, ModelDefaults, ModelEntry
from learnact.job.shipped import job_path
from learnact.methods.base import Positive, code_version
from learnact.records import ModelSpec, Plain, digest
from learnact.records.text_files import read_text
from learnact.synthesis.generation import TEMPLATES

SHIPPED = "shipped"
"""The personas of the package."""
PERSONA_CHARS = 2000
"""Characters of a persona at most."""
MOST_PERSONAS = 1_000_000
_FILE_BYTES = 512 << 20
_OTHER = {"max_tokens": (4096,), "temperature": (1.0,)}
"""Parameters of the model where the job sets none: a trajectory is long, and examples should differ."""
_CODE = (
    "learnact.records.synthesis",
    "learnact.synthesis.generation",
    "learnact.synthesis.verification",
    "learnact.synthesis.scripts",
    "learnact.synthesis.trajectories",
    "learnact.synthesis.patterns",
    "learnact.synthesis.reading",
    "learnact.synthesis.rules",
)
"""The modules that decide what an example is and whether it is accepted."""


class SynthesisLimits(StrictConfig):
    """Where a run stops or holds back. Changes no result, only how much of it there is."""

    requests: Positive = 64
    """Requests in flight at the model's endpoint at most; a model's `limits.in_flight` wins."""
    tries: Positive = 4
    """Tries of a request after failures that are not the model's."""
    reply_seconds: Annotated[float, Field(gt=0)] = 3600.0
    """Wall-clock bound of one try of a request."""
    dollars: Money | None = None
    """US dollars that the run may cost, all its sessions together; it goes on when this is raised."""
    tokens: AnyPositive | None = None
    """Tokens that the run may use (prompts and replies), likewise."""
    calls: AnyPositive | None = None
    """Calls of the model that the run may make, likewise."""
    hours: Annotated[float, Field(gt=0, le=100_000)] | None = None
    """Wall-clock hours that one session of the run may take; the same command then goes on."""


class SynthesisConfig(StrictConfig):
    """A synthesis: trajectories with mistakes that are repaired, written by a model and verified."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$", max_length=80)
    """Names the run; letters, digits and _ . + - only."""
    seed: int = 0
    """All seeds follow from it."""
    trajectories: Annotated[int, Field(ge=1, le=1_000_000)]
    """Verified trajectories that are wanted."""
    examples: AnyPositive | None = None
    """Examples that are begun at most; default: twice as many as trajectories are wanted, and ten more."""
    personas: str = SHIPPED
    """shipped, or a file: one person a line, as text or as JSON with the key persona."""
    model: ModelEntry = ModelConfig(name="sim-strong")
    """Writes scripts and trajectories: a name, or a name with an endpoint, prices and parameters."""
    script_calls: Annotated[int, Field(ge=1, le=100)] = 4
    """Calls for one script at most."""
    trajectory_calls: Annotated[int, Field(ge=1, le=100)] = 4
    """Calls for one trajectory at most."""
    pattern_seconds: Annotated[float, Field(ge=0.05, le=60)] = 1.0
    """CPU seconds that patterns of a script may take in the sandbox."""
    at_once: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Examples under way at once."""
    cluster: ClusterConfig = ClusterConfig()
    """Where it runs."""
    limits: SynthesisLimits = SynthesisLimits()
    """Where it stops."""


@dataclass(frozen=True)
class SynthesisJob:
    """A job file, checked, with its persons and its model."""

    config: SynthesisConfig
    source: JobFile
    personas: tuple[str, ...]
    model: ModelSpec

    @property
    def most_examples(self) -> int:
        """Examples that are begun at most."""
        wanted = self.config.trajectories
        return max(self.config.examples or 2 * wanted + 10, wanted)

    @cached_property
    def content(self) -> str:
        """Address of all that decides an example: persons, model, settings, prompts, rules."""
        config = self.config
        settings = (config.seed, config.script_calls, config.trajectory_calls, config.pattern_seconds)
        code = [code_version(name) for name in _CODE]
        return digest("synthesis", self.personas, self.model.fingerprint, settings, TEMPLATES.hash, code)

    @property
    def run(self) -> str:
        """Id of the run. More trajectories or examples continue it."""
        return digest("synthesis run", self.content)

    def given(self) -> dict[str, Plain]:
        """What was written."""
        return cast("dict[str, Plain]", self.source.values)

    def resolved(self) -> dict[str, Plain]:
        """The whole job as plain data, defaults filled in."""
        return cast("dict[str, Plain]", self.config.model_dump(mode="json"))


def load_synthesis(job: str | Path | Mapping[str, Any], overrides: Sequence[str] = ()) -> SynthesisJob:
    """A synthesis from a file, the name of a shipped one, or a mapping, with `key=value` overrides.

    Raises `JobError` before anything starts.
    """
    source = from_mapping(job) if isinstance(job, Mapping) else read(job_path(job))
    source = override(source, overrides)
    if "methods" in source.values or "domains" in source.values:
        raise JobError(f"{source.name}: this job plays domains; run it with `learnact run`")
    try:
        config = SynthesisConfig.model_validate(source.values)
    except ValidationError as error:
        raise job_error(error, source, model=SynthesisConfig) from None
    found = [variant.value for variant in models((config.model,), ModelDefaults(), _OTHER)]
    if len(found) > 1:
        raise JobError(f"{source.at('model')}: a synthesis has one model; give each parameter one value")
    made = SynthesisJob(config, source, _personas(config.personas, source), found[0])
    _check_price(made)
    return made


def _check_price(job: SynthesisJob) -> None:
    model = job.model
    priced = None not in (model.prices.prompt, model.prices.completion)
    if job.config.limits.dollars is not None and not (model.simulated or model.local or priced):
        raise JobError(
            f"{job.source.at('limits', 'dollars')}: model {model.name} has no prices (prompt, completion), "
            "so its cost cannot be bounded"
        )


def _personas(name: str, source: JobFile) -> tuple[str, ...]:
    """Persons, one a line. Raises `JobError` naming the place."""
    if name == SHIPPED:
        text = (files("learnact.synthesis") / "personas.txt").read_text(encoding="utf-8")
    else:
        try:
            text = read_text(Path(name), JobError, most=_FILE_BYTES)
        except FileNotFoundError:
            raise JobError(
                f"{source.at('personas')}: there is no file {name}; name one, or write `shipped`"
            ) from None
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            found.append(_persona(line.strip(), f"{source.at('personas')}: {name}:{number}"))
    if not found or len(found) > MOST_PERSONAS:
        bounds = f"1 to {MOST_PERSONAS:,} can be used"
        raise JobError(f"{source.at('personas')}: {name} holds {len(found)} persons; {bounds}")
    return tuple(dict.fromkeys(found))


def _persona(line: str, place: str) -> str:
    if line.startswith("{"):
        try:
            line = json.loads(line)["persona"]
        except (ValueError, KeyError, TypeError):
            raise JobError(f"{place}: this line is no JSON object with the key persona") from None
    if not isinstance(line, str) or not 0 < len(line.strip()) <= PERSONA_CHARS:
        raise JobError(f"{place}: a persona is text of 1 to {PERSONA_CHARS} characters")
    return line.strip()
