"""How actions and names are written: the engine's own commands, calls, two surfaces, and AgentRefine's
perturbations of the interface.

Inside, everything is in the engine's commands of a surface (`take mug 1 from countertop 2`). A `Language`
turns calls and texts of the agent into these, and refuses, with a sentence, whatever is not in its form:
under a perturbation the original form is refused. It turns commands and observations back into what the
agent reads. Perturbations (AgentRefine, arXiv 2501.01702), in any combination: `with-using` (P1), `move-to`
(P2), `from-take` (P3), `no-space` (P4), and `reworded` (P5): the instruction says the same in other words,
and every command stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from learnact.domains.base import Primitive
from learnact.records import Plain

Perturbation = Literal["with-using", "move-to", "from-take", "no-space", "reworded"]
Surface = Literal["published", "new"]
ActionSet = Literal["ours", "published"]
InPlace = Literal["valid", "invalid"]
"""What going to the place where one already is counts as."""

LONGEST_NAME = 80
"""Characters of an argument that an observation repeats; what is longer is no name of anything."""
_NAME = r"[a-z]+ [0-9]+"
_GO_TO = "go to "
_CLOSED_UP = r"[a-z]+[0-9]+"
_NUMBERED = re.compile(r"\b([a-z]+) ([0-9]+)\b")


@dataclass(frozen=True)
class ActionForm:
    """A primitive: the engine's template, and how it is written here. `shown` is the template of the agent's
    text; `order` its parameters as a call."""

    name: str
    template: str
    shown: str
    order: tuple[str, ...]
    description: str
    keyword_only: tuple[str, ...] = ()
    hidden: bool = False


@dataclass(frozen=True)
class EngineCommand:
    """An action that was understood: its name, the engine's command, and its arguments by the action's own
    parameter names."""

    action: str
    engine: str
    arguments: Mapping[str, str]

    @property
    def goes(self) -> bool:
        """Whether it is the action that goes to a place, whatever it is called here."""
        return self.engine.startswith(_GO_TO)


@dataclass(frozen=True)
class NotUnderstood:
    """An action that was not understood, and a sentence that says why."""

    reason: str


_GO = (
    "Requires: recep is a place of the house.{0} Then: you are at recep. you are no longer at any other place. "
    "You see what is in or on recep, unless recep is closed."
)
_ELSEWHERE = " you are not already at recep."
_TAKE = (
    "Requires: you are at recep. recep is not closed. obj is in or on recep. obj can be carried. "
    "you carry nothing. Then: you carry obj. obj is no longer in or on recep."
)
_PUT = (
    "Requires: you are at recep. recep is not closed. you carry obj. things of this kind can be in or on "
    "recep. "
    "Then: obj is in or on recep. you no longer carry obj."
)
_OPEN = "Requires: you are at recep. recep is closed. Then: recep is open. You see what is in recep."
_CLOSE = "Requires: you are at recep. recep is open. Then: recep is closed."
_USE = "Requires: you are at the place where obj is. obj is a desklamp or a floorlamp. Then: obj is on."
_TOGGLE = "Requires: you are at the place where obj is. obj can be switched."
_CLEAN = (
    "Requires: you are at recep. recep is a sinkbasin. you carry obj. obj can be cleaned. Then: obj is clean."
)
_HEAT = (
    "Requires: you are at recep. recep is a microwave. you carry obj. obj can be heated. "
    "Then: obj is hot. obj is no longer cool."
)
_COOL = (
    "Requires: you are at recep. recep is a fridge. you carry obj. obj can be cooled. "
    "Then: obj is cool. obj is no longer hot."
)
_EXAMINE = (
    "Requires: you are at the place thing, or you carry thing, or thing is in or on the place where you are. "
    "Then: You see what thing is like."
)

_LOOK = "Then: You see where you are, but not what is in or on a place."


def _actions(surface: Surface, perturb: frozenset[str], in_place: InPlace) -> tuple[ActionForm, ...]:
    put = "put {obj} in/on {recep}" if surface == "published" else "move {obj} to {recep}"
    take = "from {recep} take {obj}" if "from-take" in perturb else "take {obj} from {recep}"
    taken = ("recep", "obj") if "from-take" in perturb else ("obj", "recep")
    go, goes = ("move_to", "move to {recep}") if "move-to" in perturb else ("goto", "go to {recep}")
    return (
        ActionForm(
            go, "go to {recep}", goes, ("recep",), _GO.format(_ELSEWHERE if in_place == "invalid" else "")
        ),
        ActionForm("take", "take {obj} from {recep}", take, taken, _TAKE),
        ActionForm("put", put, put, ("obj", "recep"), _PUT),
        ActionForm("open", "open {recep}", "open {recep}", ("recep",), _OPEN),
        ActionForm("close", "close {recep}", "close {recep}", ("recep",), _CLOSE),
        ActionForm("use", "use {obj}", "use {obj}", ("obj",), _USE),
        _tool("clean", "sinkbasin", perturb, _CLEAN),
        _tool("heat", "microwave", perturb, _HEAT),
        _tool("cool", "fridge", perturb, _COOL),
        ActionForm("examine", "examine {thing}", "examine {thing}", ("thing",), _EXAMINE),
        ActionForm("look", "look", "look", (), _LOOK),
        ActionForm("inventory", "inventory", "inventory", (), "Then: You see what you carry."),
        ActionForm(
            "slice", "slice {obj} with {knife}", "slice {obj} with {knife}", ("obj", "knife"), "", hidden=True
        ),
    )


TOGGLE = ActionForm("toggle", "toggle {obj}", "toggle {obj}", ("obj",), _TOGGLE)
"""LearnAct's published actions have it beside `use` (and have no `look`); the engine does not know it."""


def _tool(name: str, tool: str, perturb: frozenset[str], description: str) -> ActionForm:
    template = f"{name} {{obj}} with {{recep}}"
    if "with-using" not in perturb:
        return ActionForm(name, template, template, ("obj", "recep"), description)
    return ActionForm(
        name,
        template,
        f"{name} {{obj}} using {{recep}}",
        ("obj", "using"),
        re.sub(r"\brecep\b", "using", description) + f" Write it so: {name}('mug 1', using='{tool} 1').",
        ("using",),
    )


class Language:
    """The form of one interface: a surface and a set of perturbations. Immutable."""

    def __init__(
        self,
        surface: Surface = "published",
        perturb: Sequence[str] = (),
        actions: ActionSet = "ours",
        in_place: InPlace = "valid",
    ) -> None:
        self.surface = surface
        self.perturb = frozenset(perturb)
        self.in_place = in_place
        self.actions = _actions(surface, self.perturb, in_place)
        if actions == "published":
            self.actions = (*(a for a in self.actions if a.name != "look"), TOGGLE)
        self._by_name = {action.name: action for action in self.actions if not action.hidden}
        name = _CLOSED_UP if "no-space" in self.perturb else _NAME
        self._readers = [(a, _reader(a.shown, name)) for a in self.actions if not a.hidden]
        self._engine_readers = [(a, _reader(a.template, _NAME)) for a in self.actions]
        self._own_name = re.compile(name)

    @cached_property
    def primitives(self) -> tuple[Primitive, ...]:
        """The primitive actions as calls."""
        return tuple(
            Primitive(a.name, a.order, self.show(a.description), a.keyword_only)
            for a in self._by_name.values()
        )

    @cached_property
    def forms(self) -> tuple[tuple[str, str], ...]:
        """The primitive actions as text: (form, description), e.g. `take obj from recep`."""
        blank = re.compile(r"\{(\w+)\}")
        return tuple((blank.sub(r"\1", a.shown), _plain(a.description)) for a in self._by_name.values())

    # What the agent writes

    def from_call(
        self, name: str, arguments: Sequence[Plain], keywords: Mapping[str, Plain]
    ) -> EngineCommand | NotUnderstood:
        """The command of a call, or why it is none."""
        action = self._by_name.get(name)
        if action is None:
            return NotUnderstood(f"There is no action {shortened(name)}.")
        positional = [p for p in action.order if p not in action.keyword_only]
        given = dict(zip(positional, arguments, strict=False)) | {**keywords}
        repeated = set(positional[: len(arguments)]) & set(keywords)
        if len(arguments) > len(positional) or repeated or set(given) != set(action.order):
            return NotUnderstood(f"{name} takes {self._parameters(action)}.")
        return self._understood(action, given)

    def from_text(self, text: str) -> EngineCommand | NotUnderstood:
        """The command of a text, or why it is none. The form must be exact, as the engine's own is."""
        for action, reader in self._readers:
            found = reader.fullmatch(text.strip())
            if found:
                return self._understood(action, found.groupdict())
        forms = ", ".join(form for form, _ in self.forms)
        return NotUnderstood(f"There is no such command. The commands are: {forms}.")

    def _understood(self, action: ActionForm, given: Mapping[str, Plain]) -> EngineCommand | NotUnderstood:
        arguments: dict[str, str] = {}
        for parameter, value in given.items():
            if not isinstance(value, str):
                return NotUnderstood(
                    f"{action.name} takes names such as '{self.show('mug 1')}', not {shortened(repr(value))}."
                )
            if not self._own_name.fullmatch(value.strip()):
                return NotUnderstood(f"There is nothing called {shortened(value)}.")
            arguments["recep" if parameter == "using" else parameter] = self.unshow(value.strip())
        return EngineCommand(action.name, action.template.format(**arguments), arguments)

    def _parameters(self, action: ActionForm) -> str:
        shown = [f"{p} (by name: {p}=...)" if p in action.keyword_only else p for p in action.order]
        return ", ".join(shown) or "no arguments"

    # What the agent reads

    def show(self, text: str) -> str:
        """A text with names as this interface has them."""
        return _NUMBERED.sub(r"\1\2", text) if "no-space" in self.perturb else text

    def unshow(self, name: str) -> str:
        """A name as the engine has it."""
        return re.sub(r"^([a-z]+)([0-9]+)$", r"\1 \2", name) if "no-space" in self.perturb else name

    def as_text(self, engine: str) -> str:
        """The engine's command as this interface's text."""
        action, arguments = self._read_engine(engine)
        return self.show(action.shown.format(**arguments))

    def as_call(self, engine: str) -> str:
        """The engine's command as this interface's call."""
        action, arguments = self._read_engine(engine)
        return self.format_call(action.name, arguments)

    def format_call(self, name: str, arguments: Mapping[str, str]) -> str:
        """A call in canonical form, from arguments by the action's own parameter names."""
        action = next(a for a in self.actions if a.name == name)
        values = []
        for parameter in action.order:
            value = repr(self.show(arguments["recep" if parameter == "using" else parameter]))
            values.append(f"{parameter}={value}" if parameter in action.keyword_only else value)
        return f"{name}({', '.join(values)})"

    def _read_engine(self, engine: str) -> tuple[ActionForm, dict[str, str]]:
        for action, reader in self._engine_readers:
            found = reader.fullmatch(engine)
            if found:
                return action, found.groupdict()
        raise ValueError(f"{engine!r} is no command of the engine")

    def code(self, source: str) -> str:
        """Python code that calls primitives in their original form (`goto(x)`, `take(a, b)`, `heat(a,
        b)`), in this interface's form."""
        if "move-to" in self.perturb:
            source = re.sub(r"\bgoto\(", "move_to(", source)
        if "from-take" in self.perturb:
            source = re.sub(r"\btake\((\w+), (\w+)\)", r"take(\2, \1)", source)
        if "with-using" in self.perturb:
            source = re.sub(r"\b(clean|heat|cool)\((\w+), (\w+)\)", r"\1(\2, using=\3)", source)
        return source


def shortened(text: str) -> str:
    """What an agent wrote as an observation repeats it: on one line, and bounded."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 3] + "..."


def _plain(description: str) -> str:
    """A description without what concerns calls only; a command's form names the place `recep`, also where
    a call's keyword is `using`."""
    return re.sub(r"\busing\b", "recep", description.split(" Write it so: ")[0])


def _reader(template: str, name: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", lambda m: f"(?P<{m.group(1)}>{name})", re.escape(template)))
