"""What the extra `dojo` brings: AgentDojo's package, for its tasks, tools, data and attacks.

The package needs the clients of four providers of models, which only its own agents import. So it is
installed without its dependencies, and its agents' modules are kept out of its imports: of them its tasks
need no more than how an answer of a tool is written.
"""

from __future__ import annotations

import datetime
import importlib.util
import sys
from collections.abc import Mapping
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any, Literal

from learnact.domains.extra_packages import ExtraPackages
from learnact.errors import BadInput

SUITES = ("workspace", "travel", "banking", "slack")
"""The suites, as the package calls them."""
BENCHMARK = "v1.2.2"
"""The package's version of its tasks."""
PACKAGES = ExtraPackages(
    "dojo",
    modules=("agentdojo", "docstring_parser", "deepdiff", "email_validator"),
    distributions=("agentdojo",),
    install="pip install 'learnact[dojo]' && pip install --no-deps agentdojo==0.1.35",
    note="without its dependencies: nothing here imports them",
)
_AGENTS = "agentdojo.agent_pipeline"
_NO_FUNCTION = "<empty-function>"
"""What one client calls a call without a name; the package's own constant lies in that client's module."""

Attack = Literal["direct", "ignore_previous", "system_message", "injecagent", "important_instructions"]
"""How an injected instruction is worded: the package's attacks of these names."""
_NAMED = {"important_instructions": "important_instructions_no_model_name"}
"""Where the package has a form that does not name the model attacked."""


@cache
def _prepared() -> None:
    """Put empty modules in the place of those that import clients of models."""
    spec = importlib.util.find_spec("agentdojo")
    if spec is None or spec.submodule_search_locations is None:
        raise BadInput(f"agentdojo is not installed: {PACKAGES.command}")
    (folder, *_) = spec.submodule_search_locations
    for name, path in ((_AGENTS, [f"{folder}/agent_pipeline"]), (f"{_AGENTS}.llms", [])):
        module = ModuleType(name)
        vars(module)["__path__"] = path
        sys.modules.setdefault(name, module)
    client = ModuleType(f"{_AGENTS}.llms.google_llm")
    vars(client)["EMPTY_FUNCTION_NAME"] = _NO_FUNCTION
    sys.modules.setdefault(client.__name__, client)


@cache
def suite(name: str) -> Any:
    """A suite of the package: tools, user tasks, injection tasks and data. Imports it (about a second)."""
    _prepared()
    from agentdojo.default_suites.v1.tools import cloud_drive_client, email_client
    from agentdojo.task_suite.load_suites import get_suite

    for module in (cloud_drive_client, email_client):
        module.datetime = SimpleNamespace(datetime=_StoppedClock)
    return get_suite(BENCHMARK, name)


class _StoppedClock:
    """What two of the package's tools ask for the time of what they make: the same in every episode."""

    @staticmethod
    def now() -> datetime.datetime:
        """The day that the suites' calendar says it is."""
        return datetime.datetime(2024, 5, 15, 9, 0)


def begun(name: str, worded: Mapping[str, str]) -> Any:
    """The state that tasks of a suite begin in, with text at places of its data. The same as the package's
    `load_and_inject_default_environment`, with the fast reader of YAML."""
    import yaml
    from agentdojo.task_suite.task_suite import read_suite_file

    found = suite(name)
    text = read_suite_file(name, "environment.yaml", found.data_path)
    filled = text.format(**{**found.get_injection_vector_defaults(), **worded})
    reader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return found.environment_type.model_validate(yaml.load(filled, Loader=reader))


@cache
def injections(name: str, user_task: str, injection_task: str, attack: Attack) -> dict[str, str]:
    """What stands at the places of the data that the user task reads, as the package's attack words it.
    Raises `BadInput` for a task that reads none."""
    _prepared()
    from agentdojo.attacks import load_attack

    found = suite(name)
    # The name of a model that the package knows, which the forms used here do not tell.
    made = load_attack(_NAMED.get(attack, attack), found, SimpleNamespace(name="gpt-4o-2024-05-13"))
    try:
        worded: dict[str, str] = made.attack(
            found.user_tasks[user_task], found.injection_tasks[injection_task]
        )
    except ValueError as error:
        raise BadInput(f"{name} {user_task}: {error}") from None
    return worded
