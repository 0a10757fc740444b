"""Scripts: read from a model's reply, and the rules that a script must keep to."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from learnact.records import canonical
from learnact.records.synthesis import ScriptAction, SynthesisScript
from learnact.synthesis.patterns import PatternReport
from learnact.synthesis.reading import ReadReply
from learnact.synthesis.rules import VerificationRule

ENVIRONMENT, GOAL = "Environment", "Goal"
CONDITIONS, ACTIONS = "Completion Conditions", "Available Actions"
KEYS = (ENVIRONMENT, GOAL, CONDITIONS, ACTIONS)
PATTERN, PARAMETERS = "verification code", "parameters"
_PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class ReadScript:
    """A reply as it was read (`reply`), the script as far as it could be made of it, and what is known of the
    patterns, in the order of its actions.
    """

    reply: ReadReply
    script: SynthesisScript
    reports: tuple[PatternReport, ...]

    @property
    def raw(self) -> Mapping[str, Any]:
        """The object that was read."""
        return self.reply.value  # type: ignore[no-any-return]

    @property
    def actions(self) -> Mapping[str, Any]:
        """The actions as they were read."""
        found = self.raw.get(ACTIONS)
        return found if isinstance(found, dict) else {}


def script_from(raw: Mapping[str, Any]) -> SynthesisScript:
    """A script from an object, whatever is in it: what does not fit is left out."""
    conditions, actions = raw.get(CONDITIONS), raw.get(ACTIONS)
    return SynthesisScript(
        environment=_environment(raw.get(ENVIRONMENT)),
        goal=_text(raw.get(GOAL)),
        conditions=_texts(conditions),
        actions=tuple(
            _action(name, content) for name, content in (actions if isinstance(actions, dict) else {}).items()
        ),
    )


def script_as_json(script: SynthesisScript) -> str:
    """The script as a prompt shows it: the object that a model writes, without what verification drops."""
    actions = {
        action.name: {
            PATTERN: action.pattern,
            PARAMETERS: {name: list(values) for name, values in action.parameters},
        }
        for action in script.actions
    }
    whole = {
        ENVIRONMENT: json.loads(script.environment),
        GOAL: script.goal,
        CONDITIONS: list(script.conditions),
        ACTIONS: actions,
    }
    return json.dumps(whole, ensure_ascii=False)


def _environment(value: Any) -> str:
    try:
        return canonical(value if isinstance(value, dict) else {})
    except ValueError:  # a number that is no JSON
        return "{}"


def _action(name: str, content: Any) -> ScriptAction:
    content = content if isinstance(content, dict) else {}
    parameters = content.get(PARAMETERS)
    given = parameters if isinstance(parameters, dict) else {}
    places = list(dict.fromkeys(_PLACE.findall(name)))
    order = [*(place for place in places if place in given), *(key for key in given if key not in places)]
    return ScriptAction(name, _text(content.get(PATTERN)), tuple((key, _texts(given[key])) for key in order))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


# Rules ------------------------------------------------------------------------------------------------------


def _whole_json(read: ReadScript) -> str:
    return read.reply.problem


def _keys(read: ReadScript) -> str:
    return _other_keys(read.raw, KEYS)


def _other_keys(given: Mapping[str, Any], wanted: Sequence[str]) -> str:
    missing, more = [k for k in wanted if k not in given], [k[:80] for k in given if k not in wanted]
    if not missing and not more:
        return ""
    told = f"lacks {', '.join(missing)}" if missing else f"also has {', '.join(more)[:200]}"
    return f"it {told}; its keys are {', '.join(wanted)}"


def _types(read: ReadScript) -> str:
    wanted = {ENVIRONMENT: (dict, "an object"), GOAL: (str, "text"), CONDITIONS: (list, "a list of texts")}
    wanted[ACTIONS] = (dict, "an object")
    for key, (kind, words) in wanted.items():
        value = read.raw.get(key)
        if key in read.raw and not isinstance(value, kind):
            return f"{key} must be {words}"
    conditions = read.raw.get(CONDITIONS)
    if isinstance(conditions, list) and not all(isinstance(c, str) for c in conditions):
        return f"{CONDITIONS} must be a list of texts"
    return ""


def _goal(read: ReadScript) -> str:
    return "the goal is empty" if isinstance(read.raw.get(GOAL), str) and not read.script.goal.strip() else ""


def _conditions(read: ReadScript) -> str:
    if not isinstance(read.raw.get(CONDITIONS), list):
        return ""
    conditions = read.script.conditions
    if not any(condition.strip() for condition in conditions):
        return "there is no completion condition"
    twice = next((c for c in conditions if conditions.count(c) > 1), "")
    return f"the condition {twice[:80]!r} stands twice" if twice else ""


def _some_action(read: ReadScript) -> str:
    return "there is no action" if isinstance(read.raw.get(ACTIONS), dict) and not read.actions else ""


def _action_keys(read: ReadScript) -> str:
    for name, content in read.actions.items():
        if not isinstance(content, dict):
            return f"the action {name[:80]!r} must be an object"
        if problem := _other_keys(content, (PATTERN, PARAMETERS)):
            return f"the action {name[:80]!r}: {problem}"
        if not isinstance(content[PATTERN], str) or not isinstance(content[PARAMETERS], dict):
            return f"the action {name[:80]!r}: {PATTERN} must be text, and {PARAMETERS} an object of lists"
    return ""


def _placeholders(read: ReadScript) -> str:
    for action in read.script.actions:
        places, names = _PLACE.findall(action.name), [name for name, _ in action.parameters]
        if sorted(places) != sorted(names):
            return (
                f"the action {action.name[:80]!r} has the places {', '.join(places) or 'none'} "
                f"and values for {', '.join(names)[:200] or 'none'}"
            )
    return ""


def _values(read: ReadScript) -> str:
    for name, content in read.actions.items():
        given = content.get(PARAMETERS) if isinstance(content, dict) else None
        for parameter, values in (given if isinstance(given, dict) else {}).items():
            where = f"the action {name[:80]!r}, parameter {parameter[:80]!r}"
            if not isinstance(values, list) or not values:
                return f"{where}: there is no list of values"
            if not all(isinstance(value, str) and value.strip() for value in values):
                return f"{where}: every value must be text"
            if len(set(values)) < len(values):
                return f"{where}: a value stands twice"
    return ""


def _compiles(read: ReadScript) -> str:
    return next((f"{_pattern(a)} is no pattern: {r.error}" for a, r in _pairs(read) if r.error), "")


def _quick(read: ReadScript) -> str:
    return next((f"{_pattern(a)} takes too long" for a, r in _pairs(read) if r.slow), "")


def _groups(read: ReadScript) -> str:
    for action, report in _pairs(read):
        if not report.error and not report.slow and report.groups != len(_PLACE.findall(action.name)):
            places = len(_PLACE.findall(action.name))
            return f"{_pattern(action)} has {report.groups} groups, and the action {places} places"
    return ""


def _fits(read: ReadScript) -> str:
    for action, report in _pairs(read):
        usable = not report.error and not report.slow and report.groups == len(action.parameters)
        if usable and (report.values is None or not _given_back(action, report.values)):
            return f"{_pattern(action)} does not give back the values of its own action"
    return ""


def _given_back(action: ScriptAction, found: Sequence[str]) -> bool:
    firsts = [values[0] for _, values in action.parameters if values]
    return len(firsts) < len(action.parameters) or list(found) == firsts


def _pairs(read: ReadScript) -> Sequence[tuple[ScriptAction, PatternReport]]:
    return list(zip(read.script.actions, read.reports, strict=True))


def _pattern(action: ScriptAction) -> str:
    return f"{PATTERN} {action.pattern[:120]!r} of the action {action.name[:80]!r}"


SCRIPT_RULES: tuple[VerificationRule[ReadScript], ...] = (
    VerificationRule("json", "the reply is one JSON object and nothing else, no key twice", _whole_json),
    VerificationRule("keys", f"the keys are {', '.join(KEYS)}", _keys),
    VerificationRule("types", "each part has its type", _types),
    VerificationRule("goal", "the goal says something", _goal),
    VerificationRule("conditions", "there are completion conditions, none twice", _conditions),
    VerificationRule("some_action", "there are actions", _some_action),
    VerificationRule("action_keys", f"an action has a {PATTERN} and {PARAMETERS}", _action_keys),
    VerificationRule(
        "placeholders", "each place of an action's name has values, and the reverse", _placeholders
    ),
    VerificationRule("values", "each parameter has values, all texts, none twice", _values),
    VerificationRule("compiles", "each pattern is a regular expression", _compiles),
    VerificationRule("quick", "each pattern matches within its bound on CPU time", _quick),
    VerificationRule("groups", "a pattern has a group for each place", _groups),
    VerificationRule("fits", "a pattern matches its own action and gives back its values", _fits),
)
"""In the order in which they are asked."""
