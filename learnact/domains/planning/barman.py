"""Barman: ingredients and shaken cocktails are served in shot glasses (4 to 9 shots, 3 to 7 cocktails,
goals of 1 to 3 drinks)."""

from __future__ import annotations

import itertools
from typing import Annotated

from learnact.domains.planning.composition import GoalKinds
from learnact.domains.planning.domain import Family
from learnact.domains.planning.drawing import Draw, Stratum
from learnact.domains.planning.options import LevelOptions, Range, within
from learnact.domains.planning.pddl import Atom, PddlProblem
from learnact.domains.planning.plans import Player, Stuck

HANDS = ("left", "right")
MARKS = ("l0", "l1", "l2")
"""The marks of the shaker, from empty to full."""


class BarmanOptions(LevelOptions):
    """Options of barman."""

    shots: Annotated[Range, within(2, 20)] | None = None
    """Least and most shot glasses; there is at least one more than there are drinks. Default: the level's
    (easy and published 4 to 9)."""
    cocktails: Annotated[Range, within(1, 20)] | None = None
    """Least and most cocktails that have a recipe; default: the level's (easy and published 3 to 7)."""
    ingredients: Annotated[Range, within(2, 9)] = (3, 3)
    """Least and most ingredients, each with a dispenser of its own."""
    drinks: Annotated[Range, within(1, 9)] | None = None
    """Least and most drinks in a goal; default: the level's (easy and published 1 to 3)."""

    @property
    def sized(self) -> bool:
        """Whether a range of sizes is given."""
        given = (self.shots, self.cocktails, self.drinks)
        return self.ingredients != (3, 3) or any(size is not None for size in given)


def _stratum(drinks: tuple[int, int], shots: int, cocktails: int, steps: tuple[int, int]) -> Stratum:
    """Goals of so many drinks, of which so many are cocktails."""
    sizes = {"drinks": drinks[0], "mixed": drinks[1], "shots": shots, "cocktails": cocktails}
    return Stratum(steps, sizes)


_PUBLISHED = (
    *((1, 0, (2, 4)),),
    *((2, 0, (4, 8)),) * 5,
    *((1, 1, (9, 13)),) * 6,
    *((2, 1, (12, 20)),) * 4,
    *((3, 1, (14, 24)),) * 2,
    *((2, 2, (10, 32)),) * 2,
)
"""Drinks, cocktails among them, plan lengths."""
_BAR = (
    *((4, 3),) * 5,
    *((5, 3),) * 3,
    *((5, 4),) * 4,
    *((6, 4),) * 2,
    *((6, 5),) * 2,
    *((7, 5), (8, 6), (9, 6), (9, 7)),
)
"""Shot glasses and cocktails."""
LEVELS = {
    "published": tuple(
        _stratum(drinks[:2], *_BAR[7 * i % len(_BAR)], drinks[2]) for i, drinks in enumerate(_PUBLISHED)
    ),
    "hard": tuple(_stratum((n, n), 7, 6, (18, 60)) for n in (2, 3, 3, 4)),
    "harder": tuple(_stratum((n, n - 1), 10, 9, (36, 150)) for n in (5, 6, 7, 8)),
}
"""Glasses, cocktails, drinks and plan lengths as the published problems have them, and more."""


def generate(draw: Draw, options: BarmanOptions) -> str:
    """Everything clean and on the table. `easy`: each drink of the goal is a cocktail (three in four) or an
    ingredient; other levels: so many are cocktails."""
    rng, easy = draw.rng, options.level == "easy"
    drinks = draw.size(options.drinks or (1, 3)) if easy else draw.wanted("drinks", options.drinks)
    glasses = draw.some(options.shots or (4, 9)) if easy else draw.wanted("shots", options.shots)
    shots = [f"shot{i}" for i in range(1, max(glasses, drinks + 1) + 1)]
    ingredients = [f"ingredient{i}" for i in range(1, draw.some(options.ingredients) + 1)]
    recipes = draw.some(options.cocktails or (3, 7)) if easy else draw.wanted("cocktails", options.cocktails)
    cocktails = [f"cocktail{i}" for i in range(1, recipes + 1)]
    taps = [i.replace("ingredient", "dispenser") for i in ingredients]
    init = [f"(handempty {hand})" for hand in HANDS]
    init += [f"(ontable {v}) (clean {v}) (empty {v})" for v in ["shaker1", *shots]]
    init += [f"(dispenses {tap} {i})" for tap, i in zip(taps, ingredients, strict=True)]
    init += [f"(next {a} {b})" for a, b in itertools.pairwise(MARKS)]
    init += [f"(shaker-empty-level shaker1 {MARKS[0]}) (shaker-level shaker1 {MARKS[0]})"]
    for cocktail in cocktails:
        first, second = rng.sample(ingredients, 2)
        init.append(f"(cocktail-part1 {cocktail} {first}) (cocktail-part2 {cocktail} {second})")
    served = [rng.choice(cocktails if rng.random() < 0.75 else ingredients) for _ in range(drinks)]
    if not easy and draw.stratum and options.drinks is None:
        mixed = draw.stratum.sizes["mixed"]
        served = [rng.choice(cocktails if i < mixed else ingredients) for i in range(drinks)]
        rng.shuffle(served)
    goal = [f"(contains {shot} {drink})" for shot, drink in zip(shots, served, strict=False)]
    return (
        f"(define (problem p) (:domain barman) (:objects shaker1 - shaker {' '.join(HANDS)} - hand "
        f"{' '.join(shots)} - shot {' '.join(ingredients)} - ingredient {' '.join(cocktails)} - cocktail "
        f"{' '.join(taps)} - dispenser {' '.join(MARKS)} - level) "
        f"(:init {' '.join(init)}) (:goal (and {' '.join(goal)})))"
    )


def plan(player: Player) -> None:
    """Cocktails first, one after another, with a glass that serves no drink; then the plain ingredients."""
    bar = _Bar(player)
    bar.free_hands()
    goals = [(shot, drink) for _, shot, drink in player.goals("contains")]
    mixed = [(shot, drink) for shot, drink in goals if drink in bar.cocktails]
    for drink in dict.fromkeys(drink for _, drink in mixed):
        bar.serve_cocktail(drink, [shot for shot, wanted in mixed if wanted == drink])
    for shot, drink in goals:
        if drink not in bar.cocktails and not player.holds("contains", shot, drink):
            bar.make_clean(shot)
            bar.hold(shot)
            bar.fill(shot, drink)
    bar.free_hands()


class _Bar:
    """The barman's skills over a player: each ends with what it is for, whatever the state was."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.cocktails = set(player.objects("cocktail"))
        self.hand, self.other = player.objects("hand")[:2]
        self.shaker = player.objects("shaker")[0]
        facts = player.grounding.facts
        self.taps = {a[2]: a[1] for a in facts if a[0] == "dispenses"}
        self.parts = {
            c: [a[2] for kind in ("cocktail-part1", "cocktail-part2") for a in facts if a[:2] == (kind, c)]
            for c in self.cocktails
        }
        self.up = {a[1]: a[2] for a in facts if a[0] == "next"}
        self.bottom = next(a[2] for a in facts if a[:2] == ("shaker-empty-level", self.shaker))
        served = {a[1] for a in player.goals("contains")}
        self.helpers = [s for s in player.objects("shot") if s not in served] or player.objects("shot")[-1:]

    def free_hands(self) -> None:
        for _, hand, vessel in self.player.facts("holding"):
            self.player.do("leave", hand, vessel)

    def hold(self, vessel: str) -> None:
        """Have the vessel in the first hand and the second hand free."""
        for _, hand, held in self.player.facts("holding"):
            if (hand, held) != (self.hand, vessel):
                self.player.do("leave", hand, held)
        if not self.player.holds("holding", self.hand, vessel):
            self.player.do("grasp", self.hand, vessel)

    def make_clean(self, shot: str) -> None:
        """Empty and clean a glass."""
        player = self.player
        inside = [a[2] for a in player.facts("contains") if a[1] == shot]
        if inside or not player.holds("clean", shot):
            self.hold(shot)
        for drink in inside:
            player.do("empty-shot", self.hand, shot, drink)
        for _, _, drink in [a for a in player.facts("used") if a[1] == shot]:
            player.do("clean-shot", shot, drink, self.hand, self.other)

    def fill(self, shot: str, drink: str) -> None:
        """Fill an empty glass that is in the first hand."""
        action = "refill-shot" if self.player.holds("used", shot, drink) else "fill-shot"
        self.player.do(action, shot, drink, self.hand, self.other, self.taps[drink])

    def serve_cocktail(self, drink: str, shots: list[str]) -> None:
        """Mix as often as the glasses need; what is left in the shaker is poured away before another is
        mixed."""
        player = self.player
        for shot in [shot for shot in shots if not player.holds("contains", shot, drink)]:
            for _, vessel, inside in player.facts("contains"):
                if vessel == shot and inside != drink:
                    self.make_clean(shot)
            if not player.holds("contains", self.shaker, drink) or self.level() == self.bottom:
                self.mix(drink)
            if not player.holds("clean", shot):
                self.make_clean(shot)
            self.hold(self.shaker)
            level = self.level()
            below = next(low for low, high in self.up.items() if high == level)
            player.do("pour-shaker-to-shot", *(drink, shot, self.hand, self.shaker, level, below))

    def mix(self, drink: str) -> None:
        """Shake a cocktail, starting from a clean shaker."""
        player = self.player
        self.clean_shaker()
        parts = self.parts[drink]
        helper = self.helpers[0]
        used = [a[2] for a in player.facts("used") if a[1] == helper]
        for part in sorted(parts, key=lambda part: part not in used):
            self.hold(helper)
            if any(a[1] == helper for a in player.facts("contains")) or (
                not player.holds("clean", helper) and not player.holds("used", helper, part)
            ):
                self.make_clean(helper)
            self.fill(helper, part)
            level = self.level()
            action = "pour-shot-to-clean-shaker" if level == self.bottom else "pour-shot-to-used-shaker"
            player.do(action, *(helper, part, self.shaker, self.hand, level, self.up[level]))
        self.hold(self.shaker)
        player.do("shake", drink, *parts, self.shaker, self.hand, self.other)

    def clean_shaker(self) -> None:
        player = self.player
        inside = [a[2] for a in player.facts("contains") if a[1] == self.shaker]
        if not inside and player.holds("clean", self.shaker):
            return
        if not player.holds("shaked", self.shaker) and inside:
            raise Stuck("what is in the shaker is not shaken")
        self.hold(self.shaker)
        for drink in inside:
            player.do("empty-shaker", self.hand, self.shaker, drink, self.level(), self.bottom)
        player.do("clean-shaker", self.hand, self.other, self.shaker)

    def level(self) -> str:
        return next(a[2] for a in self.player.facts("shaker-level") if a[1] == self.shaker)


def _drink(atom: Atom, problem: PddlProblem) -> str:
    """The kind of a fact of a goal: what the glass contains."""
    return problem.objects[atom[2]][0]


FAMILY = Family(
    "barman",
    BarmanOptions,
    generate,
    plan,
    indices=(8, 7, 13),
    levels=LEVELS,
    goal_kinds=GoalKinds(("ingredient", "cocktail"), _drink),
)
