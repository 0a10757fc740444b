"""Axes of the grid: every combination of listed values, for settings, budgets and models."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from learnact.job.schema import BudgetConfig, ModelConfig, ModelDefaults
from learnact.models.local.weights import is_local
from learnact.records import EndpointLimits, ModelSpec, Prices, canonical
from learnact.records.trials import BudgetChange

OPENAI = "https://api.openai.com/v1"
LEARNER_MAX_TOKENS = 2048
"""A proposal is several functions with a usage line; an agent's turn is one call."""


class Variant(NamedTuple):
    """One value of an axis and, where there are several, the words that tell it apart."""

    value: Any
    tag: str = ""


def product(values: Mapping[str, tuple[Any, ...]]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each combination of listed values, with words for those that vary."""
    varied = [name for name, options in values.items() if len(options) > 1]
    for combination in itertools.product(*values.values()):
        chosen = dict(zip(values, combination, strict=True))
        yield chosen, ", ".join(f"{name.replace('_', ' ')} {shown(chosen[name])}" for name in varied)


def shown(value: Any) -> str:
    """A value as labels show it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return "+".join(str(item) for item in value) or "default"
    return "default" if value is None else str(value)


def budgets(below: BudgetConfig, above: BudgetConfig) -> Iterator[tuple[BudgetChange, str]]:
    """Every listed budget, with words for what varies; `above` wins where it says something."""
    axes = {f: getattr(above if f in above.model_fields_set else below, f) for f in BudgetConfig.model_fields}
    for chosen, tag in product(axes):
        yield BudgetChange(**chosen), tag


def models(
    entries: tuple[ModelConfig, ...], defaults: ModelDefaults, other: dict[str, Any]
) -> Iterator[Variant]:
    """Every model of a list with every combination of its listed parameters.

    `other`: defaults that stand behind those of the job. Entries of one name without a label are told apart
    by the parameters in which they differ.
    """
    parameters = [_parameters(entry, defaults, other) for entry in entries]
    names = [entry.label or entry.name for entry in entries]
    for index, entry in enumerate(entries):
        values = dict(parameters[index])
        same = [parameters[i] for i, name in enumerate(names) if name == names[index]]
        differing = [] if entry.label else _differing(values, same)
        urls = values.pop("base_url")
        simulated = entry.simulated
        if simulated is None:
            simulated = urls is None and entry.name.startswith("sim-")
        local = not simulated and urls is None and is_local(entry.name)
        if urls is None:
            urls = () if simulated or local else (os.environ.get("OPENAI_BASE_URL") or OPENAI,)
        axes = {f: values.pop(f) for f in list(values) if isinstance(values[f], tuple)}
        values |= {
            "extra": canonical(values["extra"]),
            "prices": Prices(**values["prices"].model_dump()),
            "limits": EndpointLimits(**values["limits"].model_dump()),
        }
        for chosen, tag in product(axes):
            words = [*differing, *([tag] if tag else [])]
            model = ModelSpec(
                entry.name, urls, simulated=simulated, local=local, label=entry.label, **values, **chosen
            )
            yield Variant(model, ", ".join(words))


def _parameters(entry: ModelConfig, defaults: ModelDefaults, other: dict[str, Any]) -> dict[str, Any]:
    """Every parameter of a model: its own, else the job's default, else `other`, else the schema's."""
    values: dict[str, Any] = {}
    for field in ModelDefaults.model_fields:
        if field in entry.model_fields_set:
            values[field] = getattr(entry, field)
        elif field in defaults.model_fields_set:
            values[field] = getattr(defaults, field)
        else:
            values[field] = other.get(field, getattr(entry, field))
    return values


NOT_IDENTITY = frozenset({"base_url", "api_key_env", "prices", "timeout", "limits"})
"""Parameters that change no reply, so that they cannot tell two models apart."""


def _differing(values: dict[str, Any], same: list[dict[str, Any]]) -> list[str]:
    """The parameters in which a model differs from others of its name, in words; lists are told value by
    value.
    """
    words = []
    for name, value in values.items():
        if name in NOT_IDENTITY or all(other[name] == value for other in same):
            continue
        if not isinstance(value, tuple):
            words.append(f"{name.replace('_', ' ')} {canonical(value)}")
        elif len(value) == 1:
            words.append(f"{name.replace('_', ' ')} {shown(value[0])}")
    return words
