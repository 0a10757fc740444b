"""What is wrong with a job file, in words: pydantic's errors as one `JobError` that names file, line, key
and the nearest valid ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from learnact.errors import JobError, suggestion
from learnact.job.file import JobFile, Key, Keys, dotted
from learnact.job.schema import JobConfig

SHOWN = 8
"""Problems shown at once."""

_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "none_required": "null",
}


def job_error(
    error: ValidationError,
    source: JobFile,
    prefix: Keys = (),
    model: type[BaseModel] = JobConfig,
) -> JobError:
    """The problems of a validation, one line for each place.

    `prefix`: where the checked `model` stands in the job.
    """
    found: dict[tuple[Key, ...], list[str]] = {}
    for detail in error.errors(include_url=False):
        keys = written((*prefix, *detail["loc"]), source.values)
        text = _words(detail, model)
        if detail["type"] == "extra_forbidden":
            keys = (*keys, detail["loc"][-1]) if not keys or keys[-1] != detail["loc"][-1] else keys
        if text not in found.setdefault(keys, []):
            found[keys].append(text)
    deepest = [keys for keys in found if not any(k[: len(keys)] == keys and k != keys for k in found)]
    lines = [f"{source.where(keys)}: {dotted(keys) or 'job'}: {_joined(found[keys])}" for keys in deepest]
    more = [f"... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return JobError("\n".join(lines[:SHOWN] + more))


def written(loc: Sequence[Key], values: Any) -> tuple[Key, ...]:
    """The part of a pydantic location that stands in the file (names of union members and the index of a
    lone value do not).
    """
    keys: list[Key] = []
    here: Any = values
    for key in loc:
        if isinstance(here, dict) and key in here:
            here = here[key]
        elif isinstance(here, list) and isinstance(key, int) and key < len(here):
            here = here[int(key)]
        else:
            continue
        keys.append(key)
    return tuple(keys)


def _words(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, given = detail["type"], detail.get("input")
    if kind == "extra_forbidden":
        return f"unknown key; {suggestion(str(detail['loc'][-1]), valid_keys(detail['loc'][:-1], model))}"
    if kind == "missing":
        return f"key {str(detail['loc'][-1])!r} is missing"
    if kind == "literal_error":
        expected = [name.strip(" '") for name in detail["ctx"]["expected"].replace(" or ", ",").split(",")]
        return f"{given!r} is not one of {', '.join(expected)}" + _near(given, expected)
    if kind in _TYPES:
        return f"must be {_TYPES[kind]}, not {given!r}"
    if kind == "string_pattern_mismatch":
        return f"{given!r} holds other characters than letters, digits and _ . + -"
    message = detail["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    return f"{message}, not {given!r}" if "must be" in message else message


def _near(given: Any, expected: list[str]) -> str:
    words = suggestion(str(given), expected)
    return f"; {words}" if words.startswith("did you") else ""


def _joined(texts: list[str]) -> str:
    """Alternatives of one place as one sentence."""
    if len(texts) > 1 and all(text.startswith("must be ") for text in texts):
        kinds = [text.removeprefix("must be ").split(", not ")[0] for text in texts]
        return f"must be {' or '.join(kinds)}, not {texts[0].split(', not ', 1)[1]}"
    return "; ".join(texts)


def valid_keys(loc: Sequence[Key], model: type[BaseModel]) -> list[str]:
    """The keys that may stand at a location below a model."""
    part = model
    for key in loc:
        field = part.model_fields.get(str(key)) if isinstance(key, str) else None
        if field is not None:
            part = next(_parts(field.annotation), part)
    return [field.alias or name for name, field in part.model_fields.items()]


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts(argument)
