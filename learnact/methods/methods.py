"""Methods by name: our own, and those of other packages through the entry-point group `learnact.methods` (name -> `Method`)."""

from __future__ import annotations

from typing import NamedTuple

from learnact.errors import JobError
from learnact.plugins import PluginRegistry


class Method(NamedTuple):
    """A method is a learner (perhaps none) with an agent, each by registered name."""

    agent: str
    learner: str


METHODS: dict[str, Method] = {
    "act": Method("act", "none"),
    "react": Method("react", "none"),
    "act+reflexion": Method("act", "reflexion"),
    "react+reflexion": Method("react", "reflexion"),
    "code_as_policies": Method("code_as_policies", "none"),
    "voyager": Method("act", "voyager"),
    "learnact": Method("act", "learnact"),
    "learnact-react": Method("react", "learnact"),
}
"""Methods that a job names without saying more."""

REGISTERED: PluginRegistry[Method] = PluginRegistry("method", "learnact.methods", METHODS)


def find(name: str) -> Method | None:
    """The method of that name, ours or another package's; None when there is none.

    Raises:
        JobError: another package's method cannot be loaded, or is none.
    """
    if name not in REGISTERED.names():
        return None
    method = REGISTERED.find(name)
    if not isinstance(method, Method):
        raise JobError(
            f"the method {name!r} of another package is no learnact.methods.methods.Method but {method!r}"
        )
    return method
