"""The words of a family of environments: its `text.yaml`.

    instruction: >-              how the world works, without the list of actions
    possible: ... impossible: ...   what primitives return (base.Profile)
    primitives:
      "put(thing: str, place: str)": what the prompt says after the signature
    function: {source: ..., description: ..., usage: ...}
    domains:
      NAME:
        title: one line
        instruction: >-          what this domain has beside the family's instruction, or nothing
        example:
          content: the task's content
          goal: ...
          observation: ...
          steps:
            - {think: ..., do: "put('mug', 'desk')", observation: ...}

Every observation of an example is what the environment answers (tests/domains/families plays them).
"""

from __future__ import annotations

import ast
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from learnact.domains.base import Example, FunctionExample, Primitive
from learnact.domains.text_file import YamlFile, read_text, read_yaml
from learnact.errors import TaskError

_FORM = ConfigDict(extra="forbid", frozen=True)


class ExampleStepText(BaseModel):
    """One step of a worked example."""

    model_config = _FORM
    think: str = ""
    do: str
    observation: str


class ExampleText(BaseModel):
    """A worked example: a task that can be played, and how it is solved."""

    model_config = _FORM
    content: str = ""
    """The task's content; empty where the domain makes it otherwise."""
    goal: str
    observation: str
    steps: tuple[ExampleStepText, ...]


class DomainText(BaseModel):
    """What one domain of a family says beside the family's words."""

    model_config = _FORM
    title: str
    instruction: str = ""
    primitives: dict[str, str] = Field(default_factory=dict)
    """Primitive actions that only this domain has, after the family's."""
    example: ExampleText
    function: FunctionText | None = None
    """A worked function of this domain in the family's place."""


class FunctionText(BaseModel):
    """The worked example of a learned function (base.FunctionExample)."""

    model_config = _FORM
    source: str
    description: str
    usage: str
    about: str = ""


class FamilyText(BaseModel):
    """All words of a family."""

    model_config = _FORM
    instruction: str
    possible: str = ""
    impossible: str = ""
    primitives: dict[str, str] = Field(default_factory=dict)
    function: FunctionText
    domains: dict[str, DomainText]

    def example(self, name: str) -> Example:
        """The worked example of one of the domains, as prompts show it."""
        kept = self.domains[name].example
        steps = tuple((step.think, step.do, step.observation) for step in kept.steps)
        return Example(kept.goal.strip(), kept.observation.strip(), steps)

    def function_example(self, name: str) -> FunctionExample:
        """The worked function of one of the domains."""
        kept = self.domains[name].function or self.function
        return FunctionExample(kept.source.strip("\n"), kept.description.strip(), kept.usage, kept.about)

    def instruction_of(self, name: str) -> str:
        """How the world of one of the domains works."""
        return "\n".join(
            part for text in (self.instruction, self.domains[name].instruction) if (part := text.strip())
        )

    def primitives_of(self, name: str) -> tuple[Primitive, ...]:
        """The primitive actions of one of the domains, in the order of the file."""
        written = {**self.primitives, **self.domains[name].primitives}
        return tuple(read_primitive(signature, text) for signature, text in written.items())


def read_primitive(signature: str, description: str) -> Primitive:
    """A primitive action from its signature, as Python has it: `put(thing: str, place: str)`.

    Kinds that are types of Python (`str`, `int`, `float`, `bool`, `list[str]`, ...) are checked at each call;
    any other word says what the text names (`thing`). Raises `TaskError` for what is no signature.
    """
    try:
        node = ast.parse(f"def {signature}: ...").body[0]
    except SyntaxError:
        raise TaskError(f"{signature!r} is not a signature; write name(parameter: kind, ...)") from None
    assert isinstance(node, ast.FunctionDef)
    given = node.args.args
    kinds = tuple(ast.unparse(item.annotation) if item.annotation else "" for item in given)
    return Primitive(
        node.name,
        tuple(item.arg for item in given),
        " ".join(description.split()),
        kinds=kinds if any(kinds) else (),
    )


def read_family_text(package: str, file: str = "text.yaml") -> FamilyText:
    """The words of a family from its folder. Raises `TaskError` naming the file, the line and the key."""
    where = f"{package.rpartition('.')[2]}/{file}"
    return parse_family_text(read_text(resources.files(package) / file, where), where)


def parse_family_text(text: str, where: str) -> FamilyText:
    """The words of a family from YAML text; `where` stands for it in errors."""
    found: YamlFile = read_yaml(text, where)
    try:
        return FamilyText.model_validate(found.values)
    except ValidationError as error:
        first = error.errors()[0]
        raise TaskError(f"{found.place(*first['loc'])}: {first['msg']}") from None
