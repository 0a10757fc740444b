"""What is said about an option that a domain does not have or whose value does not fit."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

from learnact.errors import suggestion


def option_fault(error: ValidationError, model: type[BaseModel]) -> str:
    """The first fault that pydantic found, naming the option and, for an unknown one, the nearest."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        return f"there is no option {place}; {suggestion(place, model.model_fields)}"
    said = first["msg"].removeprefix("Value error, ")
    return f"option {place}: {said}" if place else said
