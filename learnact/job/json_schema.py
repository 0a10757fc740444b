"""JSON Schema of a job file, for editors: the schema of `JobConfig` with the options of all methods."""

from __future__ import annotations

from typing import Any

from learnact.job.options import axes_of
from learnact.job.schema import JobConfig
from learnact.methods import registry


def json_schema() -> dict[str, Any]:
    """The schema of a job file, with the options of every method that is installed."""
    schema = JobConfig.model_json_schema(by_alias=True)
    options = _options()
    for part in ("LearnerConfig", "MethodConfig"):
        definition = schema["$defs"][part]
        definition["properties"] = {**definition.get("properties", {}), **options}
        definition["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "learnact job"}


def _options() -> dict[str, Any]:
    """The schema of each option; where several learners define it differently, any of them."""
    found: dict[str, Any] = {}
    for name, models in registry.known_options().items():
        forms: list[Any] = []
        for model in models:
            form = axes_of(model).model_json_schema()["properties"][name]
            if form not in forms:
                forms.append(form)
        found[name] = forms[0] if len(forms) == 1 else {"anyOf": forms}
    return found
