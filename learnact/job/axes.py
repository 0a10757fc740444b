"""Axes of the grid: every combination of listed values, for settings, budgets and models."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from learnact.job.schema import BudgetConfig, ModelConfig, ModelDefaults
from learnact.records import ModelSpec, Prices, canonical
from learnact.records.trials import BudgetChange

OPENAI = "https://api.openai.com/v1"
LEARNER_MAX_TOKENS = 2048
"""A proposal is several functions with a usage line; an agent's turn is one call."""


class Variant(NamedTuple):
    """One point of the grid of a part: its value and, where there are several, what tells it apart."""

    value: Any
    tag: str = ""


def product(values: Mapping[str, tuple[Any, ...]]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each combination of listed values, with words for those that vary."""
    varied = [name for name, options in values.items() if len(options) > 1]
    for combination in itertools.product(*values.values()):
        chosen = dict(zip(values, combination, strict=True))
        yield chosen, ", ".join(f"{name.replace('_', ' ')} {_shown(chosen[name])}" for name in varied)


def _shown(value: Any) -> str:
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
    """Every model of a list with every combination of its listed parameters."""
    for entry in entries:
        values: dict[str, Any] = {}
        for field in ModelDefaults.model_fields:
            if field in entry.model_fields_set:
                values[field] = getattr(entry, field)
            elif field in defaults.model_fields_set:
                values[field] = getattr(defaults, field)
            else:
                values[field] = other.get(field, getattr(entry, field))
        urls = values.pop("base_url")
        simulated = entry.simulated
        if simulated is None:
            simulated = urls is None and entry.name.startswith("sim-")
        if urls is None:
            urls = () if simulated else (os.environ.get("OPENAI_BASE_URL") or OPENAI,)
        axes = {f: values.pop(f) for f in list(values) if isinstance(values[f], tuple)}
        values |= {"extra": canonical(values["extra"]), "prices": Prices(**values["prices"].model_dump())}
        for chosen, tag in product(axes):
            yield Variant(ModelSpec(entry.name, urls, simulated=simulated, **values, **chosen), tag)
