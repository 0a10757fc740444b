"""Every primitive of every domain, with right, wrong and idle arguments, along random walks: what is not
possible changes nothing, and says a reason that the text of the prompt lets one foresee."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from learnact.domains import registry
from learnact.domains.alfworld.generation import generated
from learnact.domains.alfworld.task_types import TASK_TYPES
from learnact.domains.base import Domain, Primitive
from learnact.records import DomainSpec, canonical
from tests.domains.alfworld.conftest import cache, needs_extra, real_games  # noqa: F401
from tests.domains.planning.conftest import NAMES, build

FOREIGN = ("", "nobody 7", "nobody7", 3, None, True, ["mug 1"], {"a": 1}, "x" * 500, "two\nlines")
"""Values that name nothing."""


def arguments_of(primitive: Primitive, names: list[str], rng: random.Random) -> Iterator[list[object]]:
    """Argument lists: of names that are there, equal ones, foreign ones, and one too few and too many."""
    count = len(primitive.parameters)
    for _ in range(6):
        yield [rng.choice(names) for _ in range(count)]
    yield [rng.choice(names)] * count
    yield [rng.choice(FOREIGN) if rng.random() < 0.5 else rng.choice(names) for _ in range(count)]
    yield [rng.choice(names) for _ in range(count + 1)]
    if count:
        yield [rng.choice(names) for _ in range(count - 1)]


# Planning
# ------------------------------------------------------------------------------------------------


def required(primitive: Primitive, arguments: list[object]) -> str:
    """What the action's line in the prompt requires of these arguments: its sentences and its kinds."""
    text = primitive.description.partition("Requires: ")[2].partition(" Then:")[0]
    value = dict(zip(primitive.parameters, map(str, arguments), strict=True))
    kinds = "".join(
        f" {value[p]} is a{'n' if k[0] in 'aeiou' else ''} {k}."
        for p, k in zip(primitive.parameters, primitive.kinds, strict=False)
    )
    return re.sub(r"[a-z_][\w-]*", lambda word: value.get(word[0], word[0]), text) + kinds


@pytest.mark.parametrize("equal", ["valid", "invalid"])
@pytest.mark.parametrize("name", NAMES)
def test_a_refused_call_names_what_the_prompt_requires(name, equal):
    domain = build(name, equal_arguments=equal)
    rng, refused = random.Random(name), 0
    task = domain.tasks("train")[0]
    environment = domain.open(task)
    names = sorted(domain.ground(task.content).problem.objects)
    plan = domain.plan(task.content)
    assert plan
    for action, given in plan.calls:
        for primitive in domain.primitives:
            for arguments in arguments_of(primitive, names, rng):
                before = environment._state
                step = environment.call(primitive.name, arguments, {})
                if step.valid:
                    environment._state = before
                    assert equal == "valid" or len({*arguments}) == len(arguments)
                    continue
                refused += 1
                assert environment._state == before
                foreseen(domain, primitive, arguments, step.observation)
        assert environment.call(action.replace("-", "_"), given, {}).valid
    assert refused > 100 and environment.success


def foreseen(domain: Domain, primitive: Primitive, arguments: list[object], told: str) -> None:
    """The reason is one that the prompt speaks of."""
    assert told.startswith("No effect: ") and "\n" not in told and len(told) < 600
    if " requires: " in told:
        reasons = told.partition(" requires: ")[2]
        assert reasons
        possible = required(primitive, arguments)
        for sentence in re.findall(r"[^.]+\.", reasons):
            assert sentence.strip() in possible, (sentence, possible)
    elif " takes " in told:
        assert told.endswith(f" takes {', '.join(primitive.parameters) or 'nothing'}.")
        assert len(arguments) != len(primitive.parameters)
    elif "must all be different" in told:
        assert "The arguments of an action must all be different." in domain.instruction
        assert len({*map(str, arguments)}) < len(arguments)
    else:
        assert told.startswith("No effect: there is no ")


def test_moving_in_place_is_possible_unless_it_is_played_as_published():
    for equal, valid in (("valid", True), ("invalid", False)):
        domain = build("gripper", equal_arguments=equal)
        environment = domain.open(domain.tasks("train")[0])
        here = "rooma" if "you are in rooma" in environment.first_observation else "roomb"
        step = environment.call("move", [here, here], {})
        assert step.valid == valid
        if not valid:
            told = f"No effect: the arguments of move('{here}', '{here}') must all be different."
            assert step.observation == told
    assert domain.version != build("gripper").version


# ALFWorld
# ------------------------------------------------------------------------------------------------

N, K = r"[a-z]+ ?\d+", r"[a-z]+"
REASONS = {
    rf"You are not at {N}\.": r"you are at (recep|using|the place)\b",
    rf"The {N} is closed\.": r"recep is not closed\.",
    rf"There is no {N} in/on the {N}\.": r"obj is in or on recep\.",
    rf"You are already carrying {N}\.": r"you carry nothing\.",
    rf"You are not carrying {N}\.": r"you carry obj\.",
    rf"A {K} cannot be carried\.": r"obj can be carried\.",
    rf"A {K} cannot be put in/on a {K}\.": r"things of this kind can be in or on recep\.",
    rf"The {N} cannot be opened\.|The {N} is already open\.": r"recep is closed\.",
    rf"The {N} cannot be closed\.|The {N} is already closed\.": r"recep is open\.",
    rf"A {K} cannot (clean|heat|cool)\.": r"(recep|using) is a (sinkbasin|microwave|fridge)\.",
    rf"A {K} cannot be (cleaned|heated|cooled)\.": r"obj can be (cleaned|heated|cooled)\.",
    rf"You do not see {N} here\.": r"in or on the place where you are|you are at the place where obj is",
    rf"There is no switch on the {N}\.": r"obj is a desklamp or a floorlamp\.",
    rf"You are carrying {N}\.": r"you are at the place where obj is\.",
    rf"There is no place {N} in this house\.": r"recep is a place of the house\.|you are at (recep|using)\b",
    rf"You are already at {N}\.": r"you are not already at recep\.",
}
"""Reasons of invalid actions, and the requirement in the action's line that lets one foresee each."""
NO_NAME = (r"There is nothing called .*\.", r"\w+ takes .*\.", r"There is no action .*\.")


def reasons_fit(domain: Domain, primitive: Primitive, told: str) -> None:
    """The observation says at least one reason, and the action's line requires what each says is missing."""
    assert told.startswith("Nothing happens. ") and len(told) < 400, (primitive.signature, told)
    rest = told.removeprefix("Nothing happens. ")
    if any(re.fullmatch(pattern, rest) for pattern in NO_NAME):
        return
    if primitive.name == "toggle":
        assert rest == "There is no command toggle in this house."
        return
    while rest:
        found = next(((p, r) for p, r in REASONS.items() if re.match(p, rest)), None)
        assert found, (primitive.signature, told)
        assert re.search(found[1], primitive.description), (primitive.description, told)
        rest = re.sub(rf"^(?:{found[0]}) ?", "", rest)


def walk(domain: Domain, environment, steps: int, seed: str) -> None:
    """A random walk; at each step every primitive with all kinds of arguments that the engine refuses."""
    game, language, rng = environment._game, domain._language, random.Random(seed)
    show = language.show
    things = [name for name, _ in game.facts_named("objecttype")]
    for _ in range(steps):
        here = {at for _, at in game.facts_named("atlocation")}
        near = [r for r, at in game.facts_named("receptacleatlocation") if at in here]
        seen = [o for o, r in game.facts_named("inreceptacle") if r in near]
        held = [o for _, o in game.facts_named("holds")]
        names = [*map(show, (*near, *near, *near, *seen, *held, *held, *rng.sample(things, 3)))]
        names += map(show, rng.sample(sorted(environment._places), 3))
        for primitive in domain.primitives:
            for arguments in arguments_of(primitive, names, rng):
                keywords = {}
                if primitive.keyword_only and len(arguments) == len(primitive.parameters):
                    keywords = {primitive.parameters[-1]: arguments.pop()}
                before = set(game.facts) if rng.random() < 0.1 else None
                place = environment._place
                step = environment.call(primitive.name, arguments, keywords)
                assert "\n" not in step.observation
                if not step.valid:
                    assert before is None or set(game.facts) == before
                    reasons_fit(domain, primitive, step.observation)
                elif primitive.name in ("goto", "move_to") and place == game_name(arguments[0]):
                    assert step.observation.startswith(f"You are already at {arguments[0]}. ")
        possible = sorted(c for c in game.commands() if c != "help" and not c.startswith("slice "))
        moving = [c for c in possible if c.startswith("go to ")]
        other = [c for c in possible if not c.startswith(("go to ", "examine", "look", "inventory"))]
        environment.text(language.as_text(rng.choice(other or moving)))
        if rng.random() < 0.5:
            environment.text(language.as_text(rng.choice(moving)))


def game_name(shown: object) -> str:
    """A name as the engine has it."""
    return re.sub(r"^([a-z]+)(\d+)$", r"\1 \2", str(shown))


def household(kind: str, **options: object) -> Domain:
    """A household domain with one generated game of each split."""
    given = {"seed": 3, "train": 1, "test": 1} | options
    return registry.build(DomainSpec(f"alfworld-{kind}", canonical(given)))


@needs_extra
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("heat", {}),
        ("examine", {"perturb": ["no-space", "move-to"]}),
        ("clean", {"in_place": "invalid", "perturb": ["with-using"]}),
        ("examine", {"actions": "published", "in_place": "invalid", "surface": "new"}),
    ],
    ids=str,
)
def test_a_refused_household_action_says_what_its_line_requires(cache, kind, options):  # noqa: F811
    domain = household(kind, **options)
    (path,) = generated(TASK_TYPES[kind], "valid_unseen", 3, 1)
    environment = domain.open(domain.read(str(path)))
    try:
        walk(domain, environment, 8, kind)
    finally:
        environment.close()


@pytest.mark.slow
@needs_extra
def test_a_refused_action_says_what_its_line_requires_in_real_houses(cache, real_games):  # noqa: F811
    kinds = {kind.folder: kind.name for kind in TASK_TYPES.values()}
    for path in real_games:
        domain = household(kinds[path.parts[-3].split("-")[0]])
        environment = domain.open(domain.read(str(path)))
        walk(domain, environment, 25, str(path.parts[-3]))
        environment.close()


@needs_extra
def test_going_to_where_one_is_shows_the_place_unless_it_is_played_as_published(cache):  # noqa: F811
    (path,) = generated(TASK_TYPES["heat"], "valid_unseen", 3, 1)
    for in_place in ("valid", "invalid"):
        domain = household("heat", in_place=in_place)
        environment = domain.open(domain.read(str(path)))
        assert environment.call("look", [], {}).observation == environment.first_observation
        shown = environment.call("goto", ["countertop 1"], {}).observation
        again = environment.call("goto", ["countertop 1"], {})
        assert again.valid == (in_place == "valid")
        ours = f"You are already at countertop 1. {shown}"
        published = "Nothing happens. You are already at countertop 1."
        assert again.observation == (ours if in_place == "valid" else published)
        assert ("you are not already at recep." in domain.primitives[0].description) == (not again.valid)
        environment.close()
