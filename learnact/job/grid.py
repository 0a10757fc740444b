"""From a job to its grid of trials: method x domain x agent model x learner model x learning repeat x
listed values.

An option that cannot change a trial (a learner's option for a method without a learner) makes no trials of
its own: such trials are equal and kept once.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from learnact.errors import JobError
from learnact.job.axes import Variant, budgets, product, shown
from learnact.job.domains import learned_here, learned_in
from learnact.job.endpoint_limits import agent_models, embedding_model, learner_models
from learnact.job.file import JobFile, Keys
from learnact.job.matching import kind_of, match, named_by
from learnact.job.options import chosen_axes, method_of
from learnact.job.schema import JobConfig, MethodConfig, RulesConfig
from learnact.methods import registry
from learnact.methods.base import Learner, Method, MethodOptions, OptionConflict
from learnact.methods.no_learning import NO_LEARNING
from learnact.records import AgentSpec, CodeBounds, DomainSpec, ModelSpec, Rules, canonical
from learnact.records.trials import BudgetChange, MatchBudget, TrainedTrial, TrialSpec

MAX_TRIALS = 100_000
"""Trials of one job at most: more is a slip of the keyboard."""
EMPTY = "empty"
"""Stands for the address of the empty library."""


def trials(
    job: JobConfig, source: JobFile, trained: Mapping[str, tuple[TrainedTrial, ...]] | None = None
) -> tuple[TrialSpec, ...]:
    """All trials of a job, in the order methods, domains, models, seeds, repeats.

    `trained`: the finished trials of the runs whose libraries the job names; without them such trials stand
    for themselves, unread.

    Raises:
        JobError: a combination is impossible, two entries are the same, or two setups would share a label.
    """
    specs: dict[str, TrialSpec] = {}
    labels = _labels(job, source)
    for index, entry in enumerate(job.methods):
        for spec in _Expansion(job, source, entry, index, labels[index], trained or {}).trials():
            known = specs.setdefault(spec.id, spec)
            if known.label != spec.label:
                raise JobError(
                    f"{source.at('methods', index)}: {spec.label!r} is the same as {known.label!r}: "
                    "equal learner, agent and settings; leave one out or change what should differ"
                )
            if len(specs) > MAX_TRIALS:
                raise JobError(f"{source.where()}: more than {MAX_TRIALS:,} trials; shorten the lists")
    found = tuple(specs.values())
    _check_setups(found, source)
    return found


# Labels


def _labels(job: JobConfig, source: JobFile) -> list[str]:
    """The label of each method entry.

    Entries of one name without a label are told apart by what was written.
    """
    names = [entry.label or entry.name for entry in job.methods]
    labels = []
    for index, entry in enumerate(job.methods):
        label = names[index]
        if names.count(label) > 1:
            first = names.index(label)
            if entry.label and job.methods[first].label and first < index:
                raise JobError(
                    f"{source.at('methods', index, 'label')}: {label!r} is the label of methods.{first} too; "
                    "each entry needs a label of its own"
                )
            if not entry.label:
                label = ", ".join([label, *_written(entry)])
        labels.append(label)
    return labels


def _written(entry: MethodConfig) -> list[str]:
    """What an entry sets, in words; lists of values are left out, since each value is told where it is
    used.
    """
    fields = [name for name in type(entry).model_fields if name in entry.model_fields_set]
    values = {name: getattr(entry, name) for name in fields if name not in ("name", "label")}
    words = []
    for name, value in {**values, **entry.given}.items():
        if isinstance(value, list | tuple):
            if len(value) != 1 or name in entry.given:
                continue
            value = value[0]
        words.append(f"{name.replace('_', ' ')} {shown(value)}")
    return words


class _Group(NamedTuple):
    """What tables tell apart: rows that agree in all of it are pooled."""

    label: str
    domain: str
    tested: tuple[str, ...]
    agent_model: str
    learner_model: str


def _check_setups(specs: tuple[TrialSpec, ...], source: JobFile) -> None:
    """Refuse trials that tables would pool although they differ in more than seed and repeat."""
    first: dict[_Group, TrialSpec] = {}
    for spec in specs:
        learner = spec.learner_model.shown if spec.learns else ""
        tested = tuple(f"{d.name} {d.options}" for d in spec.test_domains)
        domain = f"{spec.domain.name} {spec.domain.options}"
        group = _Group(spec.label, domain, tested, spec.agent_model.shown, learner)
        known = first.setdefault(group, spec)
        different = _difference(known, spec)
        if different:
            raise JobError(
                f"{source.where('methods')}: two setups would be pooled as {spec.label!r} with model "
                f"{spec.agent_model.shown!r}: they differ in {different}; give each a label of its own"
            )


def _difference(one: TrialSpec, other: TrialSpec) -> str:
    """The parts in which two trials of one label differ, in words; "" when only seed and repeat do."""
    parts: dict[str, Callable[[TrialSpec], object]] = {
        "agent": lambda t: t.agent,
        "learner": lambda t: t.learner,
        "rules": lambda t: t.rules,
        "agent model": lambda t: t.agent_model.fingerprint,
        "learner model": lambda t: t.learner_model.fingerprint if t.learns else "",
        "budget.learn": lambda t: t.learn_budget,
        "budget.test": lambda t: t.test_budget,
        "test": lambda t: t.test,
        "library": lambda t: t.library,
        "match_budget": lambda t: t.match_budget,
    }
    return ", ".join(name for name, part in parts.items() if part(one) != part(other))


# Trials of one entry


class _Expansion:
    """The trials of one method entry."""

    def __init__(
        self,
        job: JobConfig,
        source: JobFile,
        entry: MethodConfig,
        index: int,
        label: str,
        trained: Mapping[str, tuple[TrainedTrial, ...]],
    ) -> None:
        self.job, self.source, self.entry, self.index, self.label = job, source, entry, index, label
        self.run = next((n for n in (entry.library, named_by(job).library) if n and kind_of(n) == "run"), "")
        self.trained = trained.get(self.run)
        self.method = self._method()
        self.library = entry.library or self._job_library()
        self.from_run = bool(self.library) and kind_of(self.library) == "run"
        self.learner = self._learner()
        self.learns = self.learner.learns and not self.library
        self.repeats = job.repeats.learn if self.learner.learns else 1
        one = bool(self.library) and not self.from_run
        self.runs_code = one or self.learner.writes_code or self.method.agent.writes_code
        self._check()

    def _error(self, message: str, *keys: str) -> JobError:
        place: Keys = ("methods", self.index, *keys)
        return JobError(f"{self.source.at(*place)}: {self.entry.label or self.entry.name}: {message}")

    def _method(self) -> Method:
        method = method_of(self.entry, ("methods", self.index), self.source)
        sampled = method.learner.with_budget
        if sampled is not None and any(
            t.method == self.entry.name and t.learner == sampled.name for t in self.trained or ()
        ):
            return Method(method.name, method.agent, sampled)
        return method

    def _job_library(self) -> str:
        """The job's library, for methods that can use it: of a run, those that learn; of a file, those with
        code.
        """
        named = named_by(self.job).library
        learner = self.method.learner
        usable = learner.learns if named and kind_of(named) == "run" else learner.writes_code
        return named if usable else ""

    def _learner(self) -> Learner[Any]:
        """Who learned the library (in a run that the job names) or learns it here."""
        if self.library:
            return self.method.learner if self.from_run else NO_LEARNING
        if self._match_budget() is not None and self.method.learner.with_budget is not None:
            return self.method.learner.with_budget
        return self.method.learner

    def _models(self) -> tuple[type[MethodOptions], ...]:
        return (self.learner.options, self.method.agent.options)

    def _check(self) -> None:
        entry, method = self.entry, self.method
        no_effect = self.learner.learning_only if self.from_run else frozenset()
        for option in entry.given:
            used = any(option in model.model_fields for model in self._models())
            if not used or option in no_effect:
                what = f"learns with {self.learner.name}" if self.learner.learns else "has no learner"
                what = f"has its library from {self.library}" if self.from_run else what
                raise self._error(f"{what}, so {option!r} changes nothing; leave it out", option)
        for rule in RulesConfig.code_only:
            if rule in entry.model_fields_set and not self.runs_code:
                raise self._error(f"has no learned actions, so {rule!r} changes nothing; leave it out", rule)
        if self.from_run and not method.learner.learns:
            raise self._error(
                f"learns nothing, so run {self.library} has no library of it; name a method that learned "
                "there, or one library with RUN:LIBRARY",
                "library",
            )
        lessons_only = method.learner.learns and not method.learner.writes_code
        if entry.library and not self.from_run and (lessons_only or not method.agent.accepts_library):
            able = [m.name for m in registry.OWN if _plays_with_library(m)]
            raise self._error(f"cannot play with a given library; use {', '.join(able)}", "library")

    def trials(self) -> Iterator[TrialSpec]:
        """Its trials, each with the trial of a run whose library it has."""
        for trial in self._combinations():
            if self.from_run and self.trained is not None:
                try:
                    found = match(self.library, trial, self.trained)
                except JobError as error:
                    raise self._error(f"{error}", *(["library"] if self.entry.library else [])) from None
                trial = dataclasses.replace(trial, trained=found, library_hash=found.library or EMPTY)
            yield trial

    def _combinations(self) -> Iterator[TrialSpec]:
        job = self.job
        axes = [
            list(self._learner_options()),
            list(self._agent_options()),
            list(self._rules()),
            list(self._domains()),
            agent_models(job, self.source),
            learner_models(job, self.source, asked=self.learner.learns),
            [Variant(t, f"test {t}" if len(job.test) > 1 else "") for t in job.test],
        ]
        number = math.prod(map(len, axes)) * len(job.seed) * self.repeats
        if number > MAX_TRIALS:
            raise self._error(f"{number:,} trials are more than {MAX_TRIALS:,}; shorten the lists")
        for options, agent_options, rules, domain, agent_model, learner_model, test in itertools.product(
            *axes
        ):
            learner_tag = learner_model.tag if self.learner.learns else ""
            tags = (
                options.tag,
                agent_options.tag,
                rules.tag,
                domain.tag,
                agent_model.tag,
                learner_tag,
                test.tag,
            )
            learned_domain, test_domains, learn_budget, test_budget = domain.value
            agent = AgentSpec(self.method.agent.name, _plain(agent_options.value))
            learner = self.learner.spec(options.value)
            trial = TrialSpec(
                method=self.entry.name,
                label=", ".join([self.label, *dict.fromkeys(tag for tag in tags if tag)]),
                base_label=self.label,
                agent=agent,
                learner=learner,
                learns=self.learns,
                domain=learned_domain,
                test_domains=test_domains,
                agent_model=self.method.agent.model(agent_model.value),
                learner_model=learner_model.value,
                test_repeats=job.repeats.test * (1 if self.learner.learns else job.repeats.learn),
                learn_budget=learn_budget if self.learner.learns else BudgetChange(),
                test_budget=test_budget,
                rules=self._rules_for(rules.value, learned_domain),
                test=test.value,
                library=self.library,
                library_hash=library_hash(self.library),
                embedding_model=self._embedding_model(),
                match_budget=self._match_budget(),
                protocol=job.protocol if self.learns else "batch",
                version=registry.version(agent, learner),
            )
            for seed, repeat in itertools.product(job.seed, range(self.repeats)):
                yield dataclasses.replace(trial, job_seed=seed, learn_repeat=repeat)

    def _learner_options(self) -> Iterator[Variant]:
        given = frozenset(self.entry.given)
        for chosen, tag in product(
            chosen_axes(self.learner.options, self.job.learner.given, self.entry.given)
        ):
            try:
                options = self.learner.combined(self.learner.options(**chosen), given)
            except OptionConflict as conflict:
                raise self._error(str(conflict), conflict.option) from None
            yield Variant(options, tag)

    def _agent_options(self) -> Iterator[Variant]:
        model = self.method.agent.options
        for chosen, tag in product(chosen_axes(model, self.job.learner.given, self.entry.given)):
            yield Variant(model(**chosen), tag)

    def _rules(self) -> Iterator[Variant]:
        entry, below = self.entry, self.job.rules
        axes = {
            name: getattr(entry if name in entry.model_fields_set else below, name)
            for name in RulesConfig.model_fields
            if self.runs_code or name not in RulesConfig.code_only
        }
        for chosen, tag in product(axes):
            self._check_format(chosen["action_format"])
            yield Variant(chosen, tag)

    def _check_format(self, form: str) -> None:
        """Raises `JobError` where the method cannot give its actions in this form."""
        formats = self.method.agent.action_formats
        if form in formats and not (form == "text" and self.runs_code):
            return
        why = f"its agent takes {' or '.join(sorted(formats))}"
        if form == "text":
            why = (
                "learned actions are calls, so action_format: text is for act, react and their Reflexion "
                "forms only"
            )
        entry = self.entry
        own = "action_format" in entry.model_fields_set
        keys: Keys = ("methods", self.index) if own else ("rules",)
        where = self.source.at(*keys, "action_format")
        raise JobError(f"{where}: {entry.label or entry.name}: {why}; it cannot play with {form!r}")

    def _rules_for(self, chosen: Mapping[str, Any], domain: DomainSpec) -> Rules:
        bounds = CodeBounds(**self.job.bounds.model_dump()) if self.runs_code else CodeBounds()
        return dataclasses.replace(rules_for(chosen, domain.name), bounds=bounds)

    def _domains(self) -> Iterator[Variant]:
        """(domain, test domains, learn budget, test budget) for each domain and budget."""
        job = self.job
        plans = (
            learned_in(self.run, self.trained, job, self.source)
            if self.run
            else learned_here(job, self.source)
        )
        for spec, tested, budget in plans:
            for learn, learn_tag in budgets(job.budget.learn, budget.learn):
                for test, test_tag in budgets(job.budget.test, budget.test):
                    learn_words = f"learn {learn_tag}" if learn_tag and self.learner.learns else ""
                    tags = [tag for tag in (learn_words, test_tag) if tag]
                    yield Variant((spec, tested, learn, test), ", ".join(tags))

    def _embedding_model(self) -> ModelSpec | None:
        return embedding_model(self.job) if self.learner.uses_embeddings else None

    def _match_budget(self) -> MatchBudget | None:
        given = self.job.match_budget
        if given is None or self.library or given.to in (self.label, self.entry.label or self.entry.name):
            return None
        if not self.method.learner.accepts_budget:
            return None
        return MatchBudget(given.to, given.unit)


def _plays_with_library(method: Method) -> bool:
    learner = method.learner
    return method.agent.accepts_library and (learner.writes_code or not learner.learns)


def _plain(options: MethodOptions) -> str:
    return canonical(options.model_dump(mode="json"))


def rules_for(chosen: Mapping[str, Any], domain: str) -> Rules:
    """The rules with `published` returns settled: ALFWorld's primitives returned observations, the others
    nothing.
    """
    returns = chosen.get("primitive_returns")
    if returns == "published":
        returns = "observation" if domain.startswith("alfworld") else "none"
        return Rules(**{**chosen, "primitive_returns": returns})
    return Rules(**chosen)


def library_hash(library: str) -> str:
    """Content address of a library file; "" for none and for a library of a run, which has to be read
    first.
    """
    path = Path(library)
    if not library or not path.is_file():
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:24]
