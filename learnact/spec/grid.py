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

from learnact.errors import JobError
from learnact.records import AgentSpec, CodeBounds, DomainSpec, ModelSpec, Rules, canonical
from learnact.spec.axes import LEARNER_MAX_TOKENS, Variant, budgets, models, product
from learnact.spec.schema import (
    DomainPart,
    JobPart,
    LearnerPart,
    LibraryPart,
    MethodPart,
    ModelDefaults,
    RulesPart,
)
from learnact.spec.settings import (
    LEARNER_USES,
    METHODS,
    BudgetChange,
    LearnerSettings,
    MatchBudget,
    Method,
    TrialSpec,
)
from learnact.spec.source import Keys, Source, dotted, nearest

LEARNER_FIELDS = tuple(LearnerPart.model_fields)
RULE_FIELDS = tuple(RulesPart.model_fields)
CODE_RULES = ("failure", "primitive_returns", "show_descriptions", "show_usage_example", "sandbox")
"""Rules that matter only where learned code is run."""


def trials(job: JobPart, source: Source) -> tuple[TrialSpec, ...]:
    """All trials of a job, in the order methods, domains, models, seeds, repeats. Raises `JobError` for impossible combinations."""
    specs: dict[str, TrialSpec] = {}
    for index, entry in enumerate(job.methods):
        for spec in _Expansion(job, source, entry, index).trials():
            known = specs.setdefault(spec.id, spec)
            if known.label != spec.label:
                raise JobError(
                    f"{_at(source, 'methods', index)}: {spec.label!r} is the same as {known.label!r}: "
                    "equal learner, agent and settings; leave one out or change what should differ"
                )
    _check_match_budget(job, source)
    return tuple(specs.values())


def _over(
    above: LearnerPart | RulesPart, below: LearnerPart | RulesPart, fields: tuple[str, ...]
) -> dict[str, Any]:
    return {f: getattr(above if f in above.model_fields_set else below, f) for f in fields}


class _Expansion:
    """The trials of one method entry."""

    def __init__(self, job: JobPart, source: Source, entry: MethodPart, index: int) -> None:
        self.job, self.source, self.entry, self.index = job, source, entry, index
        self.method = self._method()
        self.library = entry.library or self._job_library()
        self.learner = "none" if self.library else self.method.learner
        if self.learner == "none" and not self.library and self._match_budget() is not None:
            self.learner = "best_of"
        self.runs_code = bool(self.library) or self.learner not in ("none", "reflexion", "best_of")
        self.runs_code |= self.method.agent == "code_as_policies"
        self._check()

    def _error(self, message: str, *keys: str) -> JobError:
        place: Keys = ("methods", self.index, *keys)
        return JobError(f"{_at(self.source, *place)}: {self.entry.label or self.entry.name}: {message}")

    def _method(self) -> Method:
        entry, known = self.entry, METHODS.get(self.entry.name)
        if known is None and not (entry.agent and entry.learner):
            raise self._error(
                f"no method {entry.name!r}; {nearest(entry.name, METHODS)} "
                "(a method of your own names its agent and its learner)",
                "name",
            )
        base = known or Method("", "")
        return Method(entry.agent or base.agent, entry.learner or base.learner)

    def _job_library(self) -> str:
        given = self.job.library
        return given if isinstance(given, str) and self.method.learner not in ("none", "reflexion") else ""

    def _check(self) -> None:
        entry, given = self.entry, self.entry.model_fields_set
        uses = LEARNER_USES.get(self.learner, frozenset(LEARNER_FIELDS))
        for field in LEARNER_FIELDS:
            if field in given and field not in uses:
                what = "has no learner" if self.learner == "none" else f"learns with {self.learner}"
                raise self._error(f"{what}, so {field!r} changes nothing; leave it out", field)
        for field in CODE_RULES:
            if field in given and not self.runs_code:
                raise self._error(
                    f"has no learned actions, so {field!r} changes nothing; leave it out", field
                )
        if entry.library and (self.method.learner == "reflexion" or self.method.agent == "code_as_policies"):
            raise self._error(
                "cannot play with a given library; use act, react, learnact or learnact-react", "library"
            )
        if given >= {"sampling", "candidates"} and entry.sampling == (False,) and max(entry.candidates) > 1:
            raise self._error("sampling: false means one candidate; leave 'candidates' out", "candidates")
        if given >= {"learning", "iterations"} and entry.learning == (False,) and max(entry.iterations) > 0:
            raise self._error("learning: false means no iterations; leave 'iterations' out", "iterations")

    def trials(self) -> Iterator[TrialSpec]:
        job = self.job
        parts = itertools.product(
            self._settings(),
            self._rules(),
            self._domains(),
            models(job.models.agent, job.models.agent_defaults, {}),
            models(job.models.learner, job.models.learner_defaults, {"max_tokens": (LEARNER_MAX_TOKENS,)}),
            [Variant(t, f"test {t}" if len(job.test) > 1 else "") for t in job.test],
            job.seed,
            range(job.repeats.learn if self.learner != "none" else 1),
        )
        for settings, rules, domain, agent_model, learner_model, test, seed, repeat in parts:
            learner_tag = learner_model.tag if self.learner != "none" else ""
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
                test_repeats=job.repeats.test * (job.repeats.learn if self.learner == "none" else 1),
                learn_budget=learn_budget if self.learner != "none" else BudgetChange(),
                test_budget=test_budget,
                rules=dataclasses.replace(rules_for(rules.value, learned_domain.name), bounds=self._bounds()),
                test=test.value,
                library=self.library,
                library_hash=library_hash(self.library),
                embedding_model=self._embedding_model(),
                match_budget=self._match_budget(),
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
        uses = LEARNER_USES.get(self.learner, frozenset(LEARNER_FIELDS))
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
                    f"{_at(self.source, *keys, 'action_format')}: {self.entry.label or self.entry.name}: learned actions "
                    "are calls, so action_format: text is for act, react and their Reflexion forms only"
                )
            yield Variant(chosen, tag)

    def _domains(self) -> Iterator[Variant]:
        """(domain, test domains, learn budget, test budget) for each domain and budget."""
        job = self.job
        learned = job.learn_on or job.domains or ()
        for entry in learned:
            spec = domain_spec(job, entry)
            tested: tuple[DomainSpec, ...] = (spec,)
            if job.test_on is not None:
                by_name = isinstance(job.library, str) or "domain" in job.library.match
                tested = tuple(
                    domain_spec(job, t) for t in job.test_on if not by_name or t.name == entry.name
                )
                if not tested:
                    raise JobError(
                        f"{self.source.where('test_on')}: test_on: nothing to test {entry.name!r} on: name it there, "
                        "or leave 'domain' out of library.match to test every library everywhere"
                    )
            for learn, learn_tag in budgets(job.budget.learn, entry.budget.learn):
                for test, test_tag in budgets(job.budget.test, entry.budget.test):
                    tags = [f"learn {learn_tag}" if learn_tag and self.learner != "none" else "", test_tag]
                    yield Variant((spec, tested, learn, test), ", ".join(tag for tag in tags if tag))

    def _embedding_model(self) -> ModelSpec | None:
        entry = self.job.models.embeddings
        if entry is None or self.learner != "voyager":
            return None
        return next(iter(models((entry,), ModelDefaults(), {}))).value  # type: ignore[no-any-return]

    def _match_budget(self) -> MatchBudget | None:
        match = self.job.match_budget
        if match is None or match.to == (self.entry.label or self.entry.name):
            return None
        return MatchBudget(match.to, match.unit)


def domain_spec(job: JobPart, entry: DomainPart) -> DomainSpec:
    """The domain with its own options; the job's `tasks` and `domain_options` stand in where it sets none of its own."""
    options = job.tasks.model_dump(exclude_none=True)
    for family in families(job, entry.name):
        options |= job.domain_options[family]
    return DomainSpec(entry.name, canonical({**options, **(entry.model_extra or {})}))


def families(job: JobPart, domain: str) -> list[str]:
    """Keys of `domain_options` that speak of a domain, the one that wins last: its name, or the beginning of it before a dash."""
    return sorted((f for f in job.domain_options if f"{domain}-".startswith(f"{f}-")), key=len)


def rules_for(chosen: Mapping[str, Any], domain: str) -> Rules:
    """The rules with `published` returns settled: ALFWorld's primitives returned their observation, robotic planning's nothing."""
    returns = chosen.get("primitive_returns")
    if returns == "published":
        returns = "observation" if domain.startswith("alfworld") else "none"
        return Rules(**{**chosen, "primitive_returns": returns})
    return Rules(**chosen)


def library_hash(library: str) -> str:
    """Content address of a library file; "" for none and for a library of a run, whose name is its address."""
    path = Path(library)
    if not library or not path.is_file():
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:24]


def check(job: JobPart, source: Source) -> None:
    """Refuse what contradicts itself before any trial is made."""
    if (
        job.learn_on is not None
        and job.domains is not None
        and not source.where("domains").startswith("preset")
    ):
        raise JobError(f"{source.where('learn_on')}: learn_on: replaces domains; give one of the two")
    if job.learn_on is None and job.domains is None:
        raise JobError(f"{source.where()}: domains: name at least one domain; `learnact domains` lists them")
    if isinstance(job.library, LibraryPart):
        missing = {"repeat", "learner"} - set(job.library.match)
        if missing:
            names = " and ".join(sorted(missing))
            raise JobError(f"{source.where('library.match')}: library.match: {names} always match; add them")
        if job.library != LibraryPart() and job.test_on is None:
            raise JobError(
                f"{source.where('library')}: library: matching needs test_on, where the libraries are tested"
            )


def _check_match_budget(job: JobPart, source: Source) -> None:
    if job.match_budget is not None:
        labels = [entry.label or entry.name for entry in job.methods]
        if job.match_budget.to not in labels:
            raise JobError(
                f"{source.where('match_budget.to')}: match_budget.to: no method is called {job.match_budget.to!r}; "
                f"{nearest(job.match_budget.to, labels)}"
            )


def _at(source: Source, *keys: str | int) -> str:
    """Place of a key, followed by the key."""
    return f"{source.where(keys)}: {dotted(keys)}"
