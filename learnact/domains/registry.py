"""Finding domains by name: ours, and those that other packages add through the entry points of
`learnact.domains`.

An entry point's value is a callable `(options: dict) -> Domain`. It may carry `options_model`, a pydantic
model, so that job files are checked before anything starts. Ours are found even where the package's metadata
are missing (a checkout on the path). One that cannot be imported does not affect the others: it is listed
with the reason.
"""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import BaseModel

from learnact.domains.base import Domain
from learnact.domains.checks import check_domain
from learnact.errors import BadInput, LearnactError
from learnact.plugins import PluginRegistry
from learnact.records import DomainSpec

DomainFactory: TypeAlias = Callable[[dict[str, Any]], Domain]

SCIENCEWORLD = {
    "boil": "T1_1",
    "change-the-state-of-matter-of": "T1_4",
    "chemistry-mix": "T6_1",
    "chemistry-mix-paint-secondary-color": "T6_2",
    "chemistry-mix-paint-tertiary-color": "T6_3",
    "find-animal": "T4_4",
    "find-living-thing": "T4_1",
    "find-non-living-thing": "T4_2",
    "find-plant": "T4_3",
    "freeze": "T1_3",
    "grow-fruit": "T5_2",
    "grow-plant": "T5_1",
    "identify-life-stages-1": "T8_1",
    "identify-life-stages-2": "T8_2",
    "inclined-plane-determine-angle": "T9_1",
    "inclined-plane-friction-named-surfaces": "T9_2",
    "inclined-plane-friction-unnamed-surfaces": "T9_3",
    "lifespan-longest-lived": "T7_1",
    "lifespan-longest-lived-then-shortest-lived": "T7_3",
    "lifespan-shortest-lived": "T7_2",
    "measure-melting-point-known-substance": "T2_2",
    "measure-melting-point-unknown-substance": "T2_3",
    "melt": "T1_2",
    "mendelian-genetics-known-plant": "T10_1",
    "mendelian-genetics-unknown-plant": "T10_2",
    "power-component": "T3_1",
    "power-component-renewable-vs-nonrenewable-energy": "T3_2",
    "test-conductivity": "T3_3",
    "test-conductivity-of-unknown-substances": "T3_4",
    "use-thermometer": "T2_1",
}
"""The kinds of tasks of ScienceWorld, and the numbers that its authors gave them."""

OURS: dict[str, str] = {
    "gripper": "learnact.domains.planning.gripper:FAMILY",
    "blockworld": "learnact.domains.planning.blockworld:FAMILY",
    "barman": "learnact.domains.planning.barman:FAMILY",
    "tyreworld": "learnact.domains.planning.tyreworld:FAMILY",
    "alfworld-put": "learnact.domains.alfworld.domain:PUT",
    "alfworld-clean": "learnact.domains.alfworld.domain:CLEAN",
    "alfworld-heat": "learnact.domains.alfworld.domain:HEAT",
    "alfworld-cool": "learnact.domains.alfworld.domain:COOL",
    "alfworld-examine": "learnact.domains.alfworld.domain:EXAMINE",
    "alfworld-puttwo": "learnact.domains.alfworld.domain:PUTTWO",
    "babyai-goto": "learnact.domains.babyai.domain:GOTO",
    "babyai-open": "learnact.domains.babyai.domain:OPEN",
    "babyai-pickup": "learnact.domains.babyai.domain:PICKUP",
    "babyai-unlock": "learnact.domains.babyai.domain:UNLOCK",
    "babyai-seq": "learnact.domains.babyai.domain:SEQ",
    "games-nim": "learnact.domains.games.domain:NIM",
    "games-connect_four": "learnact.domains.games.domain:CONNECT_FOUR",
    "games-hex": "learnact.domains.games.domain:HEX",
    "games-leduc_poker": "learnact.domains.games.domain:LEDUC_POKER",
    "games-bargaining": "learnact.domains.games.domain:BARGAINING",
    "games-tiny_hanabi": "learnact.domains.games.domain:TINY_HANABI",
    "mcp": "learnact.domains.mcp.domain:MCP",
    "gym": "learnact.domains.gym.domain:GYM",
    "hotpotqa": "learnact.domains.hotpotqa.domain:HOTPOTQA",
    "tools-files": "learnact.domains.tools.domain:FILES",
    "tools-vehicle": "learnact.domains.tools.domain:VEHICLE",
    "tools-trading": "learnact.domains.tools.domain:TRADING",
    "tools-travel": "learnact.domains.tools.domain:TRAVEL",
    "tools-messages": "learnact.domains.tools.domain:MESSAGES",
    "tools-tickets": "learnact.domains.tools.domain:TICKETS",
    "dojo-workspace": "learnact.domains.dojo.domain:WORKSPACE",
    "dojo-travel": "learnact.domains.dojo.domain:TRAVEL",
    "dojo-banking": "learnact.domains.dojo.domain:BANKING",
    "dojo-slack": "learnact.domains.dojo.domain:SLACK",
    "textworld-cooking": "learnact.domains.textworld.domain:COOKING",
    "textworld-treasure": "learnact.domains.textworld.domain:TREASURE",
    "textworld-coin": "learnact.domains.textworld.domain:COIN",
    "jericho": "learnact.domains.jericho.domain:JERICHO",
    **{
        f"scienceworld-{task}": f"learnact.domains.scienceworld.domain:{n}"
        for task, n in SCIENCEWORLD.items()
    },
}
"""The same as in pyproject.toml (a test compares them)."""


class _ImportedWhenUsed(Mapping[str, DomainFactory]):
    """Our domains by name; a module is imported when its domain is asked for, because some need an extra."""

    def __getitem__(self, name: str) -> DomainFactory:
        module, _, attribute = OURS[name].partition(":")
        factory: DomainFactory = getattr(importlib.import_module(module), attribute)
        return factory

    def __contains__(self, name: object) -> bool:
        return name in OURS

    def __iter__(self) -> Iterator[str]:
        return iter(OURS)

    def __len__(self) -> int:
        return len(OURS)


_FACTORIES: PluginRegistry[DomainFactory] = PluginRegistry("domain", "learnact.domains", _ImportedWhenUsed())
_built: dict[DomainSpec, Domain] = {}
_lock = threading.RLock()


@dataclass(frozen=True)
class DomainListing:
    """A domain's line in `learnact domains`. `problem` says why it cannot be used here; "" when it can."""

    name: str
    title: str
    problem: str = ""


def names() -> tuple[str, ...]:
    """Every registered domain, whether it can be imported here or not; ours first."""
    return (*OURS, *(name for name in _FACTORIES.names() if name not in OURS))


def listed() -> tuple[DomainListing, ...]:
    """Every registered domain with its title, or with the reason why it cannot be used here."""
    return tuple(_listing(name) for name in names())


def factory(name: str) -> DomainFactory:
    """The callable that builds a domain. Raises `BadInput` for an unknown name, `MissingExtra` for a
    missing package."""
    try:
        found = _FACTORIES.find(name)
    except LearnactError:
        raise
    except Exception as error:  # one of ours, where the installation is damaged
        raise BadInput(f"the domain {name!r} cannot be loaded: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise BadInput(
            f"the domain {name!r} is not a callable that takes options, but {type(found).__name__}"
        )
    return found


def options_model(name: str) -> type[BaseModel] | None:
    """The model of a domain's options, for checking job files; None when the domain does not publish one."""
    model = getattr(factory(name), "options_model", None)
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def has_levels(name: str) -> bool:
    """Whether a domain has an option `level`; False for one that cannot be found or imported."""
    try:
        model = options_model(name)
    except LearnactError:
        return False
    return model is not None and "level" in model.model_fields


def build(spec: DomainSpec) -> Domain:
    """The domain of a spec, its names and examples checked; one for each spec and process.

    Raises `BadInput` for a bad name, bad options, or a domain that cannot be played.
    """
    with _lock:
        if spec not in _built:
            try:
                options = json.loads(spec.options)
            except json.JSONDecodeError as error:
                raise BadInput(f"domain {spec.name}: options are not JSON: {error}") from None
            _built[spec] = _checked(spec.name, options)
        return _built[spec]


def _checked(name: str, options: dict[str, Any]) -> Domain:
    try:
        domain = factory(name)(options)
        check_domain(domain)
    except LearnactError:
        raise
    except Exception as error:  # another package's code: reported as its own fault
        raise BadInput(f"domain {name} cannot be built: {type(error).__name__}: {error}") from error
    return domain


def forget() -> None:
    """Forget what was found and built: for tests, and after installing a package into a running process."""
    _FACTORIES.forget()
    with _lock:
        _built.clear()


def _listing(name: str) -> DomainListing:
    try:
        return DomainListing(name, build(DomainSpec(name)).title)
    except LearnactError as error:
        return DomainListing(name, name, str(error))
