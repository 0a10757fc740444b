"""Field types of a job file: strict mappings, and values that may stand alone, in a list, or as a bare
name.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")


class Listed:
    """Reads one value or a list of values as a tuple; writes a single value as itself."""

    def __init__(self, of_lists: bool) -> None:
        self.of_lists = of_lists

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            self._tuple,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(self._plain),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        listed = handler(schema)
        return {"anyOf": [listed["items"], {"type": "array", "items": listed["items"], "minItems": 1}]}

    def _tuple(self, value: Any) -> Any:
        many = isinstance(value, list | tuple)
        if many and self.of_lists and not any(isinstance(item, list | tuple) for item in value):
            many = False
        values = tuple(value) if many else (value,)
        if many and not values:
            raise ValueError("an empty list leaves nothing to run")
        return tuple(tuple(v) if isinstance(v, list) else v for v in values) if self.of_lists else values

    def _plain(self, value: tuple[Any, ...]) -> Any:
        items = [list(item) if isinstance(item, tuple) else item for item in value]
        items = [
            i.model_dump(mode="json", exclude_unset=True) if isinstance(i, BaseModel) else i for i in items
        ]
        return items[0] if len(items) == 1 else items


Axis: TypeAlias = Annotated[tuple[T, ...], Listed(of_lists=False)]
ListAxis: TypeAlias = Annotated[tuple[tuple[T, ...], ...], Listed(of_lists=True)]
Money = Annotated[float, Field(ge=0)]


def _askable(url: str) -> str:
    from learnact.models.client import wrong_url  # loads openai: only where a job names an endpoint

    if problem := wrong_url(url):
        raise ValueError(problem.removeprefix("base_url "))
    return url


_FACTOR = re.compile(r"(\d{1,3}(?:\.\d{1,3})?) ?x")
_MOST_TURNS = 10_000


def _turns(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= _MOST_TURNS:
            raise ValueError(f"must be 1 to {_MOST_TURNS} turns")
        return value
    match = _FACTOR.fullmatch(value) if isinstance(value, str) else None
    if match is None or not float(match[1]):
        raise ValueError(
            "must be a number of turns, or a factor of the task's reference plan such as 1.5x (at most 999x)"
        )
    return f"{float(match[1]):g}x"


Turns = Annotated[
    int | str,
    PlainValidator(_turns, json_schema_input_type=int | str),
]
"""Turns of an episode: a number, or a factor of the length of the task's reference plan (`1.5x`)."""

BaseUrl = Annotated[str, AfterValidator(_askable)]
"""Of an OpenAI-compatible endpoint."""


class StrictConfig(BaseModel):
    """Base of every mapping of a job file: frozen, typed strictly, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


def named(value: Any) -> Any:
    """A name alone stands for a mapping with a name."""
    if isinstance(value, list | tuple):
        return [named(item) for item in value]
    return {"name": value} if isinstance(value, str) else value


class NameOr:
    """Reads a bare name as `{name: ...}`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(named, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler(schema)]}
