"""Ferry: an example of a learnact domain in a package of its own."""

from importlib import resources
from itertools import pairwise
from typing import Annotated

from learnact.domains.planning.domain import Family
from learnact.domains.planning.drawing import Draw
from learnact.domains.planning.options import PlanningOptions, Range, within
from learnact.domains.planning.plans import Player

SHORES = ("north", "island", "south")


class FerryOptions(PlanningOptions):
    """Options of ferry."""

    cars: Annotated[Range, within(1, 9)] = (1, 4)
    """Least and most cars."""


def generate(draw: Draw, options: FerryOptions) -> str:
    """Three shores in a row; every car starts on one and must be on another."""
    rng = draw.rng
    cars = [f"car{i}" for i in range(1, draw.size(options.cars) + 1)]
    init = [f"(links {a} {b}) (links {b} {a})" for a, b in pairwise(SHORES)]
    init += ["(deck-empty)", f"(berthed {rng.choice(SHORES)})"]
    goal = []
    for car in cars:
        start, end = rng.sample(SHORES, 2)
        init.append(f"(parked {car} {start})")
        goal.append(f"(parked {car} {end})")
    return (
        f"(define (problem p) (:domain ferry) (:objects {' '.join(cars)} - car {' '.join(SHORES)} - shore) "
        f"(:init {' '.join(init)}) (:goal (and {' '.join(goal)})))"
    )


def plan(player: Player) -> None:
    """Fetch one car after another and bring it where it belongs."""
    for _, car, end in player.goals("parked"):
        if not player.holds("aboard", car):
            start = next(place for _, name, place in player.facts("parked") if name == car)
            _sail(player, start)
            player.do("board", car, start)
        _sail(player, end)
        player.do("debark", car, end)


def _sail(player: Player, end: str) -> None:
    while not player.solved and not player.holds("berthed", end):
        here = SHORES.index(player.facts("berthed")[0][1])
        step = 1 if SHORES.index(end) > here else -1
        player.do("sail", SHORES[here], SHORES[here + step])


FAMILY = Family("ferry", FerryOptions, generate, plan, files=resources.files("learnact_ferry"))
