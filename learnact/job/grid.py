"""From a job to its grid of trials: method x domain x agent model x learner model x learning repeat, and every setting that is a list.

A setting that cannot change a trial (a learner's setting for a method without a learner) makes no trials of its own: such trials are equal
and kept once.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from learnact.errors import JobError, suggestion
from learnact.job.axes import LEARNER_MAX_TOKENS, Variant, budgets, models, product
from learnact.job.domains import learned_here, learned_in
from learnact.job.file import JobFile, Keys
from learnact.job.matching import SURVEYS, kind_of, match, named_by
from learnact.job.schema import JobConfig, LearnerConfig, MethodConfig, ModelDefaults, RulesConfig
from learnact.methods.methods import REGISTERED, Method, find
from learnact.records import AgentSpec, CodeBounds, ModelSpec, Rules
from learnact.records.trials import (
    LEARNER_USES,
    BudgetChange,
    LearnerSettings,
    MatchBudget,
    TrainedTrial,
    TrialSpec,
)

LEARNER_FIELDS = tuple(LearnerConfig.model_fields)
RULE_FIELDS = tuple(RulesConfig.model_fields)
CODE_RULES = ("failure", "primitive_returns", "show_descriptions", "show_usage_example", "sandbox")
"""Rules that matter only where learned code is run."""
SPENDS_NO_MORE = frozenset({"learnact"})
"""Learners whose cost follows from their settings: more of a budget would change nothing."""
EMPTY = "empty"
"""Stands for the address of the empty library."""


def trials(
    job: JobConfig, source: JobFile, taught: Mapping[str, tuple[TrainedTrial, ...]] | None = None
) -> tuple[TrialSpec, ...]:
    """All trials of a job, in the order methods, domains, models, seeds, repeats. `taught`: what the runs have learned whose libraries the
    job names; without it their trials stand for themselves, unread. Raises `JobError` for impossible combinations."""
    specs: dict[str, TrialSpec] = {}
    for index, entry in enumerate(job.methods):
        for spec in _Expansion(job, source, entry, index, taught or {}).trials():
            known = specs.setdefault(spec.id, spec)
            if known.label != spec.label:
                raise JobError(
                    f"{source.at('methods', index)}: {spec.label!r} is the same as {known.label!r}: "
                    "equal learner, agent and settings; leave one out or change what should differ"
                )
    return tuple(specs.values())


def _over(
    above: LearnerConfig | RulesConfig, below: LearnerConfig | RulesConfig, fields: tuple[str, ...]
) -> dict[str, Any]:
    return {f: getattr(above if f in above.model_fields_set else below, f) for f in fields}


class _Expansion:
    """The trials of one method entry."""

    def __init__(
        self,
        job: JobConfig,
        source: JobFile,
        entry: MethodConfig,
        index: int,
        taught: Mapping[str, tuple[TrainedTrial, ...]],
    ) -> None:
        self.job, self.source, self.entry, self.index = job, source, entry, index
        self.origin = next(
            (n for n in (entry.library, named_by(job).library) if n and kind_of(n) == "run"), ""
        )
        self.taught = taught.get(self.origin)
        self.method = self._method()
        self.library = entry.library or self._job_library()
        self.from_run = bool(self.library) and kind_of(self.library) == "run"
        self.learner = "none" if self.library else self.method.learner
        if self.learner == "none" and self._match_budget() is not None:
            self.learner = "best_of"
        self.taught_by = self.method.learner if self.from_run else self.learner
        self.repeats = job.repeats.learn if self.taught_by != "none" else 1
        one = bool(self.library) and not self.from_run
        self.runs_code = one or self.taught_by not in ("none", "reflexion", "best_of")
        self.runs_code |= self.method.agent == "code_as_policies"
        self._check()

    def _error(self, message: str, *keys: str) -> JobError:
        place: Keys = ("methods", self.index, *keys)
        return JobError(f"{self.source.at(*place)}: {self.entry.label or self.entry.name}: {message}")

    def _method(self) -> Method:
        entry = self.entry
        try:
            known = find(entry.name)
        except JobError as error:
            raise self._error(f"{error}", "name") from None
        if known is None and not (entry.agent and entry.learner):
            raise self._error(
                f"no method {entry.name!r}; {suggestion(entry.name, REGISTERED.names())} "
                "(a method of your own names its agent and its learner)",
                "name",
            )
        base = known or Method("", "")
        method = Method(entry.agent or base.agent, entry.learner or base.learner)
        sampled = any(t.method == entry.name and t.learner == "best_of" for t in self.taught or ())
        return method._replace(learner="best_of") if method.learner == "none" and sampled else method

    def _job_library(self) -> str:
        given = named_by(self.job).library
        without = ("none",) if given and kind_of(given) == "run" else ("none", "reflexion")
        return given if self.method.learner not in without else ""

    def _check(self) -> None:
        entry, given = self.entry, self.entry.model_fields_set
        uses = self._uses()
        for field in LEARNER_FIELDS:
            if field in given and field not in uses:
                what = "has no learner" if self.learner == "none" else f"learns with {self.learner}"
                what = f"has its library from {self.library}" if self.from_run else what
                raise self._error(f"{what}, so {field!r} changes nothing; leave it out", field)
        for field in CODE_RULES:
            if field in given and not self.runs_code:
                raise self._error(
                    f"has no learned actions, so {field!r} changes nothing; leave it out", field
                )
        if self.from_run and self.method.learner == "none":
            raise self._error(
                f"learns nothing, so run {self.library} has no library of it; name a method that learned there, or one library with "
                "RUN:LIBRARY",
                "library",
            )
        one = entry.library and not self.from_run
        if one and (self.method.learner == "reflexion" or self.method.agent == "code_as_policies"):
            raise self._error(
                "cannot play with a given library; use act, react, learnact or learnact-react", "library"
            )
        if given >= {"sampling", "candidates"} and entry.sampling == (False,) and max(entry.candidates) > 1:
            raise self._error("sampling: false means one candidate; leave 'candidates' out", "candidates")
        if given >= {"learning", "iterations"} and entry.learning == (False,) and max(entry.iterations) > 0:
            raise self._error("learning: false means no iterations; leave 'iterations' out", "iterations")

    def _uses(self) -> frozenset[str]:
        """The settings that can change what this method does; where its library is a run's, also those that made the library."""
        uses = LEARNER_USES.get(self.taught_by, frozenset(LEARNER_FIELDS))
        return uses - SURVEYS if self.from_run else uses

    def trials(self) -> Iterator[TrialSpec]:
        """Its trials, each with the trial of a run whose library it has."""
        for trial in self._untaught():
            if self.from_run and self.taught is not None:
                try:
                    found = match(self.library, trial, self.taught)
                except JobError as error:
                    raise self._error(f"{error}", *(["library"] if self.entry.library else [])) from None
                trial = dataclasses.replace(trial, taught=found, library_hash=found.library or EMPTY)
            yield trial

    def _untaught(self) -> Iterator[TrialSpec]:
        job = self.job
        parts = itertools.product(
            self._settings(),
            self._rules(),
            self._domains(),
            models(job.models.agent, job.models.agent_defaults, {}),
            models(job.models.learner, job.models.learner_defaults, {"max_tokens": (LEARNER_MAX_TOKENS,)}),
            [Variant(t, f"test {t}" if len(job.test) > 1 else "") for t in job.test],
            job.seed,
            range(self.repeats),
        )
        for settings, rules, domain, agent_model, learner_model, test, seed, repeat in parts:
            learner_tag = learner_model.tag if self.taught_by != "none" else ""
            tags = (settings.tag, rules.tag, domain.tag, agent_model.tag, learner_tag, test.tag)
            label = self.entry.label or self.entry.name
            learned_domain, test_domains, learn_budget, test_budget = domain.value
            yield TrialSpec(
                method=self.entry.name,
                label=", ".join([label, *dict.fromkeys(tag for tag in tags if tag)]),
                agent=AgentSpec(self.method.agent),
                learner=self.learner,
                settings=settings.value,
                domain=learned_domain,
                test_domains=test_domains,
                agent_model=self._agent_model(agent_model.value),
                learner_model=learner_model.value,
                job_seed=seed,
                learn_repeat=repeat,
                test_repeats=job.repeats.test * (job.repeats.learn if self.taught_by == "none" else 1),
                learn_budget=learn_budget if self.taught_by != "none" else BudgetChange(),
                test_budget=test_budget,
                rules=dataclasses.replace(rules_for(rules.value, learned_domain.name), bounds=self._bounds()),
                test=test.value,
                library=self.library,
                library_hash=library_hash(self.library),
                embedding_model=self._embedding_model(),
                match_budget=self._match_budget(),
                entry=label,
            )

    def _agent_model(self, model: ModelSpec) -> ModelSpec:
        """A program is written in one reply: a stop string, or a bound meant for one call, would cut it short."""
        if self.method.agent != "code_as_policies":
            return model
        tokens = None if model.max_tokens is None else max(model.max_tokens, LEARNER_MAX_TOKENS)
        return dataclasses.replace(model, stop=(), max_tokens=tokens)

    def _bounds(self) -> CodeBounds:
        return CodeBounds(**self.job.bounds.model_dump()) if self.runs_code else CodeBounds()

    def _settings(self) -> Iterator[Variant]:
        uses = self._uses()
        axes = {f: v for f, v in _over(self.entry, self.job.learner, LEARNER_FIELDS).items() if f in uses}
        for chosen, tag in product(axes):
            settings = LearnerSettings(**chosen)
            if "sampling" in uses:
                settings = self._consistent(settings)
            yield Variant(settings, tag)

    def _consistent(self, settings: LearnerSettings) -> LearnerSettings:
        """`sampling: false` and `candidates: 1` are one thing, so are `learning: false` and `iterations: 0`."""
        candidates = settings.candidates if settings.sampling else 1
        iterations = settings.iterations if settings.learning else 0
        if iterations and not (settings.updates or settings.notes):
            raise self._error(
                "with neither updates nor notes nothing can be learned; use learning: false", "updates"
            )
        return dataclasses.replace(
            settings,
            candidates=candidates,
            sampling=candidates > 1,
            iterations=iterations,
            learning=iterations > 0,
        )

    def _rules(self) -> Iterator[Variant]:
        axes = _over(self.entry, self.job.rules, RULE_FIELDS)
        if not self.runs_code:
            axes = {name: values for name, values in axes.items() if name not in CODE_RULES}
        for chosen, tag in product(axes):
            if chosen["action_format"] == "text" and self.runs_code:
                place = "methods" if "action_format" in self.entry.model_fields_set else "rules"
                keys: Keys = ("methods", self.index) if place == "methods" else ("rules",)
                raise JobError(
                    f"{self.source.at(*keys, 'action_format')}: {self.entry.label or self.entry.name}: learned actions "
                    "are calls, so action_format: text is for act, react and their Reflexion forms only"
                )
            yield Variant(chosen, tag)

    def _domains(self) -> Iterator[Variant]:
        """(domain, test domains, learn budget, test budget) for each domain and budget."""
        job = self.job
        stages = (
            learned_in(self.origin, self.taught, job, self.source)
            if self.origin
            else learned_here(job, self.source)
        )
        for spec, tested, budget in stages:
            for learn, learn_tag in budgets(job.budget.learn, budget.learn):
                for test, test_tag in budgets(job.budget.test, budget.test):
                    tags = [f"learn {learn_tag}" if learn_tag and self.taught_by != "none" else "", test_tag]
                    yield Variant((spec, tested, learn, test), ", ".join(tag for tag in tags if tag))

    def _embedding_model(self) -> ModelSpec | None:
        entry = self.job.models.embeddings
        if entry is None or self.taught_by != "voyager":
            return None
        return next(iter(models((entry,), ModelDefaults(), {}))).value  # type: ignore[no-any-return]

    def _match_budget(self) -> MatchBudget | None:
        given = self.job.match_budget
        if given is None or self.library or given.to == (self.entry.label or self.entry.name):
            return None
        if self.method.learner in SPENDS_NO_MORE:
            return None
        return MatchBudget(given.to, given.unit)


def rules_for(chosen: Mapping[str, Any], domain: str) -> Rules:
    """The rules with `published` returns settled: ALFWorld's primitives returned their observation, robotic planning's nothing."""
    returns = chosen.get("primitive_returns")
    if returns == "published":
        returns = "observation" if domain.startswith("alfworld") else "none"
        return Rules(**{**chosen, "primitive_returns": returns})
    return Rules(**chosen)


def library_hash(library: str) -> str:
    """Content address of a library file; "" for none and for a library of a run, which has to be read first."""
    path = Path(library)
    if not library or not path.is_file():
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:24]
