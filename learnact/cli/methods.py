"""`learnact methods`: the methods that a job can compare, with their options."""

from __future__ import annotations

import json as json_format
from typing import Annotated, Any

import typer

from learnact.cli.output import console, say, say_json, table
from learnact.methods import registry
from learnact.methods.base import Method


def methods(
    name: Annotated[str | None, typer.Argument(help="Show all of one method.", show_default=False)] = None,
    json: Annotated[bool, typer.Option("--json", help="One line of JSON for each method.")] = False,
) -> None:
    """List the methods that a job can compare; with a name, its options.

    learnact methods

    learnact methods learnact
    """
    if name is not None:
        _show(registry.METHODS.find(name), json)
        return
    known = [*registry.OWN, *registry.installed()]
    if json:
        for method in known:
            say_json(_plain(method))
        return
    shown = table("", "method", "agent", "learner", "what it does")
    for method in known:
        shown.add_row(method.name, method.agent.name, method.learner.name, method.summary)
    console().print(shown)
    say("\nlearnact methods NAME shows its options; docs/methods.md says what each computes.")


def _show(method: Method, json: bool) -> None:
    if json:
        say_json(_plain(method))
        return
    agent, learner = method.agent, method.learner
    say(f"{method.name}: {method.summary}\n")
    say(f"agent {agent.name} ({type(agent).__module__}), learner {learner.name} ({type(learner).__module__})")
    asked = ", ".join(sorted(learner.asks_for)) or "nothing"
    say(f"asks the learner model for: {asked}")
    code = "yes, in the sandbox" if agent.writes_code or learner.writes_code else "no"
    say(f"runs code that a model writes: {code}\n")
    options = _options(method)
    if not options:
        say("No options of its own.")
        return
    say("Options (in a job file in the method's entry, or under `learner` for all methods)")
    for option, facts in options.items():
        meaning = " ".join(str(facts["meaning"]).split())
        say(f"  {option} = {json_format.dumps(facts['default'])}: {meaning}")


def _options(method: Method) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for model in method.option_models():
        defaults = model().model_dump(mode="json")
        for name, field in model.model_fields.items():
            found[name] = {"default": defaults[name], "meaning": field.description or ""}
    return found


def _plain(method: Method) -> dict[str, Any]:
    return {
        "name": method.name,
        "summary": method.summary,
        "agent": method.agent.name,
        "learner": method.learner.name,
        "asks_for": sorted(method.learner.asks_for),
        "options": _options(method),
    }
