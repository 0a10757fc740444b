"""Options of planning domains, and ranges of sizes."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from learnact.domains.levels import Level

GENERATED = "generated"
CLEAR = "clear"


def _pair(value: object) -> object:
    return (value, value) if isinstance(value, int) and not isinstance(value, bool) else value


Range: TypeAlias = Annotated[tuple[int, int], BeforeValidator(_pair)]
"""A range of sizes, least and most, both included; one number stands for both."""


def within(low: int, high: int) -> AfterValidator:
    """A validator for a field: its range must lie in low .. high."""

    def check(value: tuple[int, int]) -> tuple[int, int]:
        if not low <= value[0] <= value[1] <= high:
            raise ValueError(f"must be [least, most] within {low} .. {high}, not {list(value)}")
        return value

    return AfterValidator(check)


class PlanningOptions(BaseModel):
    """Options that all planning domains share."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    source: str = GENERATED
    """`generated`, or the folder of published problems (AgentBoard's layout: NAME.pddl beside
    NAME/*.pddl)."""
    text: str = CLEAR
    """`clear`, or a YAML file with another table of sentences."""
    seed: int = Field(default=0, ge=-(2**63), le=2**63 - 1)
    """Seed of generated tasks."""
    train: int = Field(default=3, ge=1, le=1000)
    """How many training tasks are generated."""
    test: int = Field(default=20, ge=0, le=100_000)
    """How many test tasks are generated."""
    train_indices: tuple[int, ...] | None = None
    """With a source: which problems train (places in the sorted list of files); default: the published
    ones."""
    equal_arguments: Literal["valid", "invalid"] = "valid"
    """An action with one thing for two of its parameters (`move('rooma', 'rooma')`): `valid` where its
    requirements hold; `invalid` as in the published environment."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.source == GENERATED and self.train_indices is not None:
            raise ValueError("train_indices belongs to a source; generated tasks take train and test")
        return self


class LevelOptions(PlanningOptions):
    """Options of a planning domain that has levels. Its ranges of sizes are None unless they are given: then
    they replace the level's."""

    level: Level = "published"
    """Difficulty of generated tasks: `easy`, `published` (like the published ones), `hard`, `harder`."""
    composition: bool = False
    """Training tasks with goals of one kind each, in turn, and test tasks that combine kinds (barman:
    ingredients and cocktails; tyreworld: wheels put on, inflated, put away). Plans of training tasks are
    shorter than the level says."""

    @property
    def sized(self) -> bool:
        """Whether a range of sizes is given, so that the level's plan lengths do not hold."""
        own = set(type(self).model_fields) - set(LevelOptions.model_fields)
        return any(getattr(self, name) is not None for name in own)

    @model_validator(mode="after")
    def _levelled(self) -> Self:
        for name in ("level", "composition"):
            if self.source != GENERATED and name in self.model_fields_set:
                raise ValueError(f"{name} is of generated tasks; those of a source are as they are")
        return self
