"""Scripts of worlds that a person's words ask for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.plays.heeding import HeededRules
from learnact.simulated.prompt import ParsedPrompt

PLACES = ("attic", "barn", "cabin", "harbour", "kitchen", "meadow", "office", "orchard", "porch", "studio")
THINGS = (
    *("apron", "basket", "bell", "brush", "bucket", "candle", "chisel", "compass", "kettle", "ladle"),
    *("ledger", "mirror", "needle", "ribbon", "rope", "saddle", "scarf", "spade", "trowel", "violin"),
)
GOES, TAKES, PUTS = (
    ("walk to", "travel to", "hurry to"),
    ("fetch", "collect", "grab"),
    ("leave", "lay", "set"),
)


def script(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """A script by the rules that are heeded."""
    rules = HeededRules(prompt, reader, "Rules of the script")
    places = _some(reader, "places", PLACES, 3 + reader.draw("how many places", 2))
    things = _some(reader, "things", THINGS, 4 + reader.draw("how many things", 3))
    environment = {
        place: [t for i, t in enumerate(things) if i % len(places) == n] for n, place in enumerate(places)
    }
    goals = [(things[0], places[1]), (things[-1], places[0])][: 1 + reader.draw("how many goals", 2)]
    goals = [(thing, place) for thing, place in goals if thing not in environment[place]]
    goals = goals or [(things[0], places[1])]
    conditions = [f"the {thing} is in the {place}" for thing, place in goals]
    made: dict[str, Any] = {
        "Environment": environment,
        "Goal": f"See to it that {' and '.join(conditions)}.",
        "Completion Conditions": conditions,
        "Available Actions": _actions(rules, reader, places, things),
    }
    return _with_slips(made, rules, reader)


def _some(reader: NoisyReader, what: str, of: Sequence[str], count: int) -> list[str]:
    left = list(of)
    return [left.pop(reader.draw(f"{what} {n}", len(left))) for n in range(count)]


def _actions(
    rules: HeededRules, reader: NoisyReader, places: list[str], things: list[str]
) -> dict[str, dict[str, Any]]:
    goes, takes, puts = (words[reader.draw("verb", len(words))] for words in (GOES, TAKES, PUTS))
    group = r"([a-z]+)" if rules.heeds("repeats no group") else r"((?:[a-z]+)+)"
    pattern, parameters = "verification code", "parameters"
    found = {
        f"{goes} {{place}}": {pattern: rf"\s*{goes} {group}\s*", parameters: {"place": places}},
        f"{takes} {{thing}}": {pattern: rf"\s*{takes} ([a-z]+)\s*", parameters: {"thing": things}},
        f"{puts} {{thing}} in {{place}}": {
            pattern: rf"\s*{puts} ([a-z]+) in ([a-z]+)\s*",
            parameters: {"thing": things, "place": places},
        },
    }
    if not rules.heeds("with one group for each"):
        wrong = (rf"{takes} [a-z]+", rf"{takes} ([a-z]+", r"hold ([a-z]+)")
        found[f"{takes} {{thing}}"][pattern] = wrong[reader.draw("which pattern", len(wrong))]
    if not rules.heeds('"parameters" is an object'):
        lists: tuple[dict[str, list[str]], ...] = ({}, {"thing": []}, {"thing": [*things, things[0]]})
        found[f"{takes} {{thing}}"][parameters] = lists[reader.draw("which values", len(lists))]
    if not rules.heeds('the keys "verification code"'):
        action = found[f"{goes} {{place}}"]
        action["regex"] = action.pop(pattern)
    return found


def _with_slips(made: dict[str, Any], rules: HeededRules, reader: NoisyReader) -> str:
    """The script as written, with what follows from the rules that were overlooked."""
    if not rules.heeds("Its keys are"):
        if reader.draw("which key", 2):
            made["Title"] = "A day's work"
        else:
            del made["Goal"]
    if not rules.heeds('"Environment" is an object'):
        made["Environment"] = f"There are {', '.join(made['Environment'])}."
    if not rules.heeds('"Completion Conditions" is a list'):
        made["Completion Conditions"] = made["Completion Conditions"] * 2
    if not rules.heeds('"Available Actions" is an object'):
        made["Available Actions"] = {}
    if made.get("Goal") and not rules.heeds('"Goal" is text'):
        made["Goal"] = ""
    written = json.dumps(made)
    if rules.heeds("one JSON object and nothing else"):
        return written
    slips = (f"Here is the script:\n{written}", written[: len(written) * 2 // 3], written[:-1])
    return slips[reader.draw("which end", len(slips))]
