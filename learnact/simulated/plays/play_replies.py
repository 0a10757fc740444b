"""Plays in a world: the turns of a player, who makes mistakes on purpose, and of a game master, who marks
them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from learnact.simulated.noisy_reader import NoisyReader
from learnact.simulated.plays.heeding import HeededRules
from learnact.simulated.plays.worlds import ScriptWorld, WorldState, read_world
from learnact.simulated.prompt import ParsedPrompt

MOST_TURNS = 120
MISTAKES = ("form", "value", "place", "logic")
UNKNOWN = ("hammock", "telescope", "umbrella")
_WHERE = re.compile(r"You are in the (\w+)\.")
ODD = ("ask for", "think about", "paint")


@dataclass
class _Play:
    """A play that is being written."""

    world: ScriptWorld
    rules: HeededRules
    reader: NoisyReader
    state: WorldState
    turns: list[dict[str, Any]] = field(default_factory=list)
    first: int = 1
    repaired: int = 0
    failed: bool = False

    @property
    def number(self) -> int:
        return self.first + len(self.turns)

    def draw(self, what: str, among: int) -> int:
        return self.reader.draw(f"{what} {self.number}", among)


def play(prompt: ParsedPrompt, reader: NoisyReader) -> str:
    """The turns of a whole play, or of the rest of one, by the rules that are heeded."""
    world = read_world(prompt.body("Script"))
    if world is None or not world.playable:
        return ""
    start = world.places[reader.draw("where the play begins", len(world.places))]
    found = _Play(
        world, HeededRules(prompt, reader, "Rules of the play"), reader, WorldState(start, dict(world.things))
    )
    before = _turns_so_far(prompt.body("Turns so far"))
    _take_over(found, before)
    if not before:
        _open(found)
    wanted = 2 if found.rules.heeds("makes at least two mistakes") else reader.draw("how many mistakes", 2)
    _go_on(found, max(0, wanted - found.repaired))
    return _with_slips(found)


def _turns_so_far(body: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(body) if body.strip() else []
    except ValueError:
        return []
    return [turn for turn in found if isinstance(turn, dict)]


def _take_over(found: _Play, before: list[dict[str, Any]]) -> None:
    """Bring the world to where the turns so far have brought it."""
    action = ""
    for turn in before:
        if turn.get("role") == "Player":
            action = str(turn.get("Action", ""))
            continue
        at = _WHERE.match(str(turn.get("Observation", "")))
        if at and at[1] in found.world.places:
            found.state.at = at[1]
        marked = any(turn.get(f"{kind}_error") for kind in ("parameter", "place", "logic"))
        if action and not marked:
            _judge(found, action)
            found.repaired += found.failed
        found.failed, action = marked, ""
    found.first = len(before) + 1
    found.state.update(found.world)
    if action:
        _answer(found, action)


def _open(found: _Play) -> None:
    here = [thing for thing, place in found.state.where.items() if place == found.state.at]
    there = f" You see: {', '.join(here)}." if here else ""
    seen = f"You are in the {found.state.at}.{there}"
    wrong = "logic" if not found.rules.heeds("marks no error") else ""
    _master(found, seen, wrong, "The play begins.")


def _go_on(found: _Play, mistakes: int) -> None:
    """Turns until the goal is reached, with so many mistakes on the way."""
    state, world = found.state, found.world
    while len(state.met) < len(world.goals) and len(found.turns) < MOST_TURNS:
        right, ends = _right_action(found)
        if mistakes and not found.failed and (ends or found.draw("a mistake", 2)):
            mistakes -= 1
            action = _mistake(found)
        elif mistakes and ends:
            action = _elsewhere(found)
        else:
            action = right
        _player(found, action)
        _answer(found, action)


def _right_action(found: _Play) -> tuple[str, bool]:
    """What brings the next goal nearer, and whether it reaches the last one."""
    state, shapes = found.state, found.world.shapes
    open_goals = [g for g in found.world.goals if g[0] not in state.met]
    _, thing, place = next((g for g in open_goals if g[1] == state.held), open_goals[0])
    if state.held and state.held != thing:
        return shapes["put"].written(thing=state.held, place=state.at), False
    if not state.held:
        if state.where[thing] != state.at:
            return shapes["go"].written(place=state.where[thing]), False
        return shapes["take"].written(thing=thing), False
    if state.at != place:
        return shapes["go"].written(place=place), False
    return shapes["put"].written(thing=thing, place=place), len(open_goals) == 1


def _elsewhere(found: _Play) -> str:
    others = [place for place in found.world.places if place != found.state.at]
    return found.world.shapes["go"].written(place=others[found.draw("elsewhere", len(others))])


def _mistake(found: _Play) -> str:
    state, shapes = found.state, found.world.shapes
    kind = MISTAKES[found.draw("kind of mistake", len(MISTAKES))]
    far = [thing for thing, place in state.where.items() if place not in ("", state.at)]
    loose = [thing for thing in state.where if thing != state.held]
    if kind == "value":
        return shapes["take"].written(thing=UNKNOWN[found.draw("which", len(UNKNOWN))])
    if kind == "place" and far and not state.held:
        return shapes["take"].written(thing=far[found.draw("which", len(far))])
    if kind == "logic" and loose:
        return shapes["put"].written(thing=loose[found.draw("which", len(loose))], place=state.at)
    return f"{ODD[found.draw('which', len(ODD))]} {next(iter(state.where))}"


def _judge(found: _Play, action: str) -> tuple[str, str]:
    """What is wrong with an action ("" for nothing, and then it is done), and what the player observes."""
    world = found.world
    for does in ("put", "go", "take"):
        given = world.shapes[does].read(action)
        if given is None:
            continue
        thing, place = given.get("thing", ""), given.get("place", "")
        unknown = [v for v, known in ((thing, world.things), (place, world.places)) if v and v not in known]
        if unknown:
            return "parameter", f"There is no {unknown[0]} in this world."
        wrong = _forbidden(found, does, thing, place)
        if wrong[0]:
            return wrong
        return "", _done(found, does, thing, place)
    return "parameter", f"{action!r} is none of the actions."


def _forbidden(found: _Play, does: str, thing: str, place: str) -> tuple[str, str]:
    state = found.state
    if does == "go" and place == state.at:
        return "logic", f"You are in the {place} already."
    if does == "take" and state.held:
        return "logic", f"You hold the {state.held}, and can hold nothing else."
    if does == "take" and state.where[thing] != state.at:
        return "place", f"The {thing} is not here."
    if does == "put" and state.held != thing:
        return "logic", f"You do not hold the {thing}."
    if does == "put" and place != state.at:
        return "place", f"That can only be done in the {place}."
    return "", ""


def _done(found: _Play, does: str, thing: str, place: str) -> str:
    state = found.state
    if does == "go":
        state.at = place
        here = [t for t, p in state.where.items() if p == place]
        seen = f"You are in the {place}." + (f" You see: {', '.join(here)}." if here else "")
    elif does == "take":
        state.held, state.where[thing] = thing, ""
        seen = f"You hold the {thing}."
    else:
        state.held, state.where[thing] = "", place
        seen = f"The {thing} is in the {place} now."
    state.update(found.world)
    return seen


def _answer(found: _Play, action: str) -> None:
    wrong, seen = _judge(found, action)
    found.failed = bool(wrong)
    _master(found, seen, wrong, f"The action is wrong: {wrong}." if wrong else "That can be done.")


def _player(found: _Play, action: str) -> None:
    thought = "That was not possible; I do it otherwise." if found.failed else "This brings me on."
    turn = {"turn": found.number, "role": "Player", "Thought": thought, "Action": action}
    if not found.rules.heeds("A turn of the Player has the keys") and found.draw("no thought", 3) == 0:
        del turn["Thought"]
    found.turns.append(turn)


def _master(found: _Play, seen: str, wrong: str, thought: str) -> None:
    rules, marked = found.rules, wrong
    if wrong == "parameter" and not rules.heeds('"parameter_error" is true exactly'):
        marked = ""
    if not wrong and found.turns and not rules.heeds('"parameter_error" is true exactly'):
        marked = "parameter" if found.draw("marked for nothing", 4) == 0 else ""
    if wrong in ("place", "logic") and found.turns and not rules.heeds('"place_error" is true when'):
        marked = ""
    completed = list(found.state.met)
    if wrong and not rules.heeds("changes nothing in the world and completes nothing"):
        completed = completed or [found.world.conditions[0]]
    if completed and not rules.heeds("hold after the turn, word for word"):
        completed = [said.removeprefix("the ") for said in completed]
    turn: dict[str, Any] = {"turn": found.number, "role": "DM", "Thought": thought, "Observation": seen}
    turn |= {f"{kind}_error": kind == marked for kind in ("parameter", "place", "logic")}
    turn["completed"] = completed
    if not rules.heeds("A turn of the DM has the keys") and found.draw("no mark", 3) == 0:
        del turn["logic_error"]
    found.turns.append(turn)


def _with_slips(found: _Play) -> str:
    """The turns as written, with what follows from the rules of the whole that were overlooked."""
    turns, rules, reader = found.turns, found.rules, found.reader
    if not rules.heeds("ends with the turn of the DM"):
        if reader.draw("which end of the play", 2):
            turns = turns[:-2]
        else:
            number = found.number
            turns.append(
                {"turn": number, "role": "Player", "Thought": "It is done.", "Action": _elsewhere(found)}
            )
    if not rules.heeds("Turns are numbered from 1") and turns:
        turns[reader.draw("which number", len(turns))]["turn"] += 1
    written = "[" + ",\n".join(map(json.dumps, turns)) + "]"
    if rules.heeds("one JSON list of turns and nothing else"):
        return written
    slips = (
        f"{written}\nThe play is over.",
        written[: len(written) * 3 // 4],
        f"Here is the play.\n{written}",
    )
    return slips[reader.draw("which end", len(slips))]
