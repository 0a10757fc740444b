"""Tyreworld: wheels are changed with tools from the boot (1 to 7 hubs by default, up to 9; also partly
done starts)."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from pydantic import Field

from learnact.domains.planning.composition import GoalKinds
from learnact.domains.planning.domain import Family
from learnact.domains.planning.drawing import Draw, Stratum
from learnact.domains.planning.engine import Grounding
from learnact.domains.planning.options import LevelOptions, Range, within
from learnact.domains.planning.pddl import PddlDomain, PddlProblem, parse_domain, parse_problem, write_problem
from learnact.domains.planning.plans import Player, Stuck, find_plan

BOOT = "boot"


class TyreworldOptions(LevelOptions):
    """Options of tyreworld."""

    hubs: Annotated[Range, within(1, 9)] | None = None
    """Least and most hubs of the car; default: the level's (easy 1 to 4, published 1 to 7)."""
    changes: Annotated[Range, within(1, 9)] | None = None
    """Least and most hubs that the goal speaks of; default: the level's (easy 1 or 2, published 1 to 4)."""
    partly_done: float = Field(default=0.4, ge=0, le=1)
    """Share of the tasks that start in the middle of the work (but for `easy`: with nothing of the goal
    done)."""

    @property
    def sized(self) -> bool:
        """Whether a range of sizes is given."""
        return self.hubs is not None or self.changes is not None


def _strata(*kinds: tuple[int, int, int, int, int]) -> tuple[Stratum, ...]:
    """Tasks with so many hubs, of which so many are changed, atoms of the goal, least and most steps."""
    return tuple(
        Stratum((least, most), {"hubs": hubs, "changes": changes, "goals": goals})
        for hubs, changes, goals, least, most in kinds
    )


LEVELS = {
    "published": _strata(
        *((1, 1, 2, 7, 11), (1, 1, 3, 9, 13), (2, 1, 2, 8, 12), (2, 1, 3, 11, 14), (2, 1, 4, 12, 15)),
        *((3, 1, 4, 12, 15), (3, 2, 3, 14, 20), (3, 2, 3, 14, 20), (4, 2, 5, 17, 28), (7, 4, 12, 34, 60)),
    ),
    "hard": _strata((3, 2, 6, 20, 34), (4, 3, 9, 24, 48), (5, 4, 10, 28, 50), (5, 4, 12, 31, 55)),
    "harder": _strata((5, 4, 14, 40, 70), (6, 5, 17, 48, 85), (7, 6, 20, 55, 100), (8, 7, 24, 65, 120)),
}
"""Hubs, atoms of the goal and plan lengths as the published problems have them, and more."""


def generate(draw: Draw, options: TyreworldOptions) -> str:
    """A car with flat spare wheels in a closed boot; the goal takes some facts of the finished work on a
    few hubs."""
    if options.level != "easy":
        return _levelled(draw, options)
    rng = draw.rng
    numbers = range(1, draw.size(options.hubs or (1, 4)) + 1)
    spares = rng.sample(numbers, len(numbers))
    init = [f"(in {tool} {BOOT})" for tool in ("jack", "pump", "wrench")] + [f"(unlocked {BOOT})"]
    init.append(f"({rng.choice(('closed', 'closed', 'isopen'))} {BOOT})")
    for i in numbers:
        init += [f"(intact r{i})", f"(in r{i} {BOOT})", f"({rng.choice(('not-', 'not-', ''))}inflated r{i})"]
        nut = rng.choice(("tight", "tight", "loose"))
        init += [f"(on w{i} the-hub{i})", f"(on-ground the-hub{i})", f"({nut} nuts{i} the-hub{i})"]
        init.append(f"(fastened the-hub{i})")
    goal: list[str] = []
    for i in rng.sample(numbers, min(draw.some(options.changes or (1, 2)), len(numbers))):
        spare = spares[i - 1]
        facts = [f"(on r{spare} the-hub{i})", f"(inflated r{spare})", f"(in w{i} {BOOT})"]
        goal += rng.sample(facts, rng.choice((1, 2, 3, 3)))
        if f"(on r{spare} the-hub{i})" in goal and rng.random() < 0.25:
            goal.append(f"(tight nuts{i} the-hub{i})")
    text = _problem(numbers, init, goal)
    return _partly_done(draw, text) if rng.random() < options.partly_done else text


def _levelled(draw: Draw, options: TyreworldOptions) -> str:
    """A task of a level: of the facts of the finished work on some hubs, as many as the stratum says."""
    rng = draw.rng
    numbers = range(1, draw.wanted("hubs", options.hubs) + 1)
    changed = rng.sample(numbers, min(draw.wanted("changes", options.changes), len(numbers)))
    spares = rng.sample(numbers, len(numbers))
    first: list[str] = []
    more: list[str] = []
    for i in changed:
        first.append(f"(on r{spares[i - 1]} the-hub{i})")
        more += [f"(inflated r{spares[i - 1]})", f"(in w{i} {BOOT})"]
    count = max(0, draw.wanted("goals", (2, 2 + len(changed)) if options.sized else None) - len(first))
    rest = rng.sample(more, min(count, len(more)))
    tight = [f"(tight nuts{i} the-hub{i})" for i in changed][: count - len(rest)]
    goal = [*first, *rest, *tight]
    init = [f"(in {tool} {BOOT})" for tool in ("jack", "pump", "wrench")] + [f"(unlocked {BOOT})"]
    init.append(f"({rng.choice(('closed', 'closed', 'isopen'))} {BOOT})")
    for i in numbers:
        init += [f"(intact r{i}) (in r{i} {BOOT}) (not-inflated r{i}) (on w{i} the-hub{i})"]
        nut = "loose" if f"(tight nuts{i} the-hub{i})" in goal else "tight"
        init += [f"(on-ground the-hub{i}) ({nut} nuts{i} the-hub{i}) (fastened the-hub{i})"]
    text = _problem(numbers, init, goal)
    return _partly_done(draw, text, nothing_met=True) if rng.random() < options.partly_done else text


def _problem(numbers: range, init: list[str], goal: list[str]) -> str:
    names = {
        kind: " ".join(f"{word}{i}" for i in numbers) for kind, word in (("hub", "the-hub"), ("nut", "nuts"))
    }
    return (
        f"(define (problem p) (:domain tyreworld) (:objects {names['hub']} - hub {names['nut']} - nut "
        f"{BOOT} - container "
        f"{' '.join(f'r{i} w{i}' for i in numbers)} - wheel) (:init {' '.join(init)}) (:goal (and "
        f"{' '.join(goal)})))"
    )


def _partly_done(draw: Draw, text: str, nothing_met: bool = False) -> str:
    """The same task after the first steps of a plan for it; the last two steps are always left to do, and
    where it is asked for all steps from the first that reaches an atom of the goal."""
    rules = _rules()
    problem = parse_problem(text, rules)
    grounding = Grounding(rules, problem)
    found = find_plan(grounding, plan)
    if found is None or len(found.calls) < 3:
        return text
    state = grounding.start
    for call in found.calls[: draw.rng.randint(1, len(found.calls) - 2)]:
        after = grounding.actions[call].after(state)
        if nothing_met and after & grounding.goal:
            break
        state = after
    atoms = frozenset(grounding.atoms[i] for i in grounding.true(state))
    return write_problem(PddlProblem(problem.objects, atoms, problem.goal), rules)


@cache
def _rules() -> PddlDomain:
    return parse_domain(FAMILY.file(".pddl"), "tyreworld.pddl")


def plan(player: Player) -> None:
    """Inflate what must be, change wheel after wheel, then tighten nuts and tidy up."""
    garage = _Garage(player)
    for _, wheel in player.goals("inflated"):
        garage.inflate(wheel)
    hub_of = {wheel: hub for _, wheel, hub in player.facts("on")}
    change = {hub: wheel for _, wheel, hub in player.goals("on")}
    off = [hub_of[a[1]] for a in player.goals("in") if a[1] in hub_of and hub_of[a[1]] not in change]
    for hub in [*change, *off]:
        garage.change(hub, change.get(hub))
    for _, nut, hub in player.goals("tight"):
        garage.tighten(nut, hub)
    for _, hub in player.goals("on-ground"):
        garage.lower(hub)
    for _, item in player.goals("have"):
        garage.have(item)
    for _, item, box in player.goals("in"):
        if not player.holds("in", item, box):
            garage.have(item)
            garage.open(box)
            player.do("put-away", item, box)
    for _, box in player.goals("closed"):
        if player.holds("isopen", box):
            player.do("close", box)


class _Garage:
    """A mechanic's skills over a player: each ends with what it is for, whatever the state was."""

    def __init__(self, player: Player) -> None:
        self.player = player

    def open(self, box: str) -> None:
        if not self.player.holds("isopen", box):
            self.player.do("open", box)

    def have(self, item: str) -> None:
        player = self.player
        if player.holds("have", item) or player.solved:
            return
        for _, inside, box in player.facts("in"):
            if inside == item:
                self.open(box)
                player.do("fetch", item, box)
                return
        jacked = player.facts("not-on-ground")
        if item == "jack" and jacked:
            player.do("jack-down", jacked[0][1])
            return
        raise Stuck(f"{item} is nowhere to fetch from")

    def inflate(self, wheel: str) -> None:
        if not self.player.holds("inflated", wheel):
            self.have("pump")
            self.player.do("inflate", wheel)

    def lower(self, hub: str) -> None:
        if self.player.holds("not-on-ground", hub):
            self.player.do("jack-down", hub)

    def lift(self, hub: str) -> None:
        if not self.player.holds("not-on-ground", hub):
            self.have("jack")
            self.player.do("jack-up", hub)

    def change(self, hub: str, wheel: str | None) -> None:
        """Take off what is on the hub, and put a wheel on unless there is none to put on."""
        player = self.player
        if wheel is not None and player.holds("on", wheel, hub):
            return
        self.unfasten(hub)
        self.lift(hub)
        for _, old, where in player.facts("on"):
            if where == hub:
                player.do("remove-wheel", old, hub)
        if wheel is not None:
            self.have(wheel)
            player.do("put-on-wheel", wheel, hub)

    def unfasten(self, hub: str) -> None:
        player = self.player
        if player.holds("unfastened", hub):
            return
        for _, nut, where in player.facts("tight"):
            if where == hub:
                self.lower(hub)
                self.have("wrench")
                player.do("loosen", nut, hub)
        self.lift(hub)
        for _, nut, where in player.facts("loose"):
            if where == hub:
                self.have("wrench")
                player.do("undo", nut, hub)

    def tighten(self, nut: str, hub: str) -> None:
        player = self.player
        if player.holds("tight", nut, hub):
            return
        self.have("wrench")
        if not player.holds("loose", nut, hub):
            self.lift(hub)
            self.have(nut)
            player.do("do-up", nut, hub)
        self.lower(hub)
        player.do("tighten", nut, hub)


FAMILY = Family(
    "tyreworld",
    TyreworldOptions,
    generate,
    plan,
    indices=(8, 4, 0),
    levels=LEVELS,
    goal_kinds=GoalKinds(("on", "inflated", "in")),
)
