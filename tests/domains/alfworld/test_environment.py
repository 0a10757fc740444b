"""Playing: reasons of invalid actions, what is valid, success, perturbed interfaces over all admissible
commands."""

from __future__ import annotations

import asyncio
import random
import re
from pathlib import Path

import pytest

from learnact.domains.alfworld.domain import AlfworldDomain, AlfworldOptions
from learnact.domains.alfworld.game_files import read_game
from learnact.domains.alfworld.generation import generated
from learnact.domains.alfworld.language import EngineCommand, Language, NotUnderstood
from learnact.domains.alfworld.task_types import TASK_TYPES
from learnact.domains.engine_process import EnginePool
from learnact.errors import TaskError
from learnact.records import DomainSpec
from tests.domains.alfworld.conftest import needs_extra
from tests.domains.alfworld.test_generated import SEED, a_domain, walkthrough, win
from tests.domains.alfworld.test_language import COMBINATIONS, heard

pytestmark = needs_extra


def admissible_commands(environment) -> list[str]:
    """The engine's commands that are possible now, without `help`."""
    return sorted(c for c in environment._game.commands() if c != "help")


@pytest.fixture
def kitchen(cache):
    """A heat game at its start, with its walkthrough."""
    (path,) = generated(TASK_TYPES["heat"], "valid_unseen", SEED, 1)
    environment = a_domain("heat").open(a_domain("heat").read(str(path)))
    yield environment, walkthrough(path)
    environment.close()


def test_the_first_observation_lists_the_places(kitchen):
    environment, _ = kitchen
    assert environment.first_observation.startswith(
        "You are in the middle of a room. Looking quickly around you, you see a "
    )
    assert "microwave 1" in environment.first_observation


def test_looking_examining_and_the_inventory_are_valid(kitchen):
    environment, _ = kitchen
    looked = environment.call("look", [], {})
    assert looked.valid and looked.observation == environment.first_observation
    assert environment.call("inventory", [], {}).observation == "You are not carrying anything."
    step = environment.call("goto", ["microwave 1"], {})
    assert step.valid and step.observation == "The microwave 1 is closed."
    assert environment.call("examine", ["microwave 1"], {}).valid


def sharing_places(environment) -> tuple[str, str] | None:
    """Two places that are reached from one point; None where there are none."""
    reached: dict[str, str] = {}
    for place, location in environment._game.facts_named("receptacleatlocation"):
        if location in reached:
            return reached[location], place
        reached[location] = place
    return None


@pytest.mark.parametrize("surface", ["published", "new"])
@pytest.mark.parametrize("perturb", [(), ("move-to", "no-space")])
def test_every_place_that_is_listed_can_be_gone_to(cache, surface, perturb):
    go = "move_to" if perturb else "goto"
    found = 0
    for kind in ("put", "puttwo", "heat"):
        (path,) = generated(TASK_TYPES[kind], "valid_unseen", SEED, 1)
        domain = a_domain(kind, surface=surface, perturb=list(perturb))
        task = a_domain(kind).read(str(path))
        environment = domain.open(task)
        shared = sharing_places(environment)
        listed = environment.first_observation.partition("you see a ")[2].rstrip(".").replace("and a ", "a ")
        for place in listed.split(", a "):
            step = environment.call(go, [place], {})
            assert step.valid, (kind, place, step.observation)
            assert ("You arrive at" in step.observation) == (surface == "new")
            again = environment.call(go, [place], {})
            assert again.valid
            seen = step.observation.removeprefix(f"You arrive at {place}. ")
            assert again.observation == f"You are already at {place}. {seen}"
        environment.close()
        if shared:
            found += 1
            environment = domain.open(task)
            one, other = (place.replace(" ", "") if perturb else place for place in shared)
            text = environment.call(go, [one], {}).observation
            assert environment.call(go, [other], {}).observation.endswith(
                environment.call("examine", [other], {}).observation
            )
            assert environment.call(go, [one], {}).observation == text
            environment.close()
    assert found, "no generated house has two places that are reached from one point"


def test_an_object_in_sight_is_no_place_to_go_to(kitchen):
    environment, _ = kitchen
    for place in sorted(environment._places):
        environment.call("goto", [place], {})
        seen = environment.call("examine", [place], {}).observation
        if (match := re.search(r"you see a ([a-z]+ \d+)", seen)) is not None:
            step = environment.call("goto", [match[1]], {})
            assert not step.valid
            assert step.observation == f"Nothing happens. There is no place {match[1]} in this house."
            return
    pytest.fail("no object was seen")


def test_reasons(kitchen):
    environment, _ = kitchen
    told = lambda name, *args: environment.call(name, list(args), {}).observation  # noqa: E731
    assert told("open", "microwave 1") == "Nothing happens. You are not at microwave 1."
    assert told("goto", "pool 1") == "Nothing happens. There is no place pool 1 in this house."
    told("goto", "microwave 1")
    assert told("take", "mug 1", "microwave 1") == "Nothing happens. The microwave 1 is closed."
    assert told("close", "microwave 1") == "Nothing happens. The microwave 1 is already closed."
    assert told("heat", "mug 1", "microwave 1") == "Nothing happens. You are not carrying mug 1."
    assert (
        told("clean", "mug 1", "microwave 1")
        == "Nothing happens. A microwave cannot clean. You are not carrying mug 1."
    )
    assert told("examine", "fridge 1") == "Nothing happens. You are not at fridge 1."
    assert told("use", "desklamp 9") == "Nothing happens. You do not see desklamp 9 here."
    told("goto", "countertop 1")
    assert told("open", "countertop 1") == "Nothing happens. The countertop 1 cannot be opened."
    assert (
        told("take", "sofa 9", "countertop 1")
        == "Nothing happens. There is no sofa 9 in/on the countertop 1."
    )


def test_a_name_in_the_original_form_is_called_by_what_was_said(cache):
    (path,) = generated(TASK_TYPES["heat"], "valid_unseen", SEED, 1)
    environment = a_domain("heat", perturb=["no-space"]).open(a_domain("heat").read(str(path)))
    told = environment.call("goto", ["fridge 1"], {}).observation
    assert told == "Nothing happens. There is nothing called fridge 1."
    assert environment.call("open", ["fridge1"], {}).observation == "Nothing happens. You are not at fridge1."
    environment.close()


def test_an_invalid_action_changes_nothing_and_help_is_no_action(kitchen):
    environment, _ = kitchen
    before = admissible_commands(environment)
    for text in ("help", "take mug 1", "GO TO fridge 1", "go to fridge 1.", ""):
        step = environment.text(text)
        assert not step.valid and step.observation.startswith("Nothing happens. There is no such command.")
    assert admissible_commands(environment) == before


def test_success_latches_and_progress_only_rises(kitchen):
    environment, commands = kitchen
    seen = []
    for command in commands:
        seen.append(environment.text(command).progress)
    assert environment.success and seen == sorted(seen) and seen[-1] == 1 and 0 < seen[-2] < 1
    thing, place = commands[-1].removeprefix("put ").split(" in/on ")
    step = environment.call("take", [thing, place], {})
    assert step.valid and step.success and step.progress == 1


def test_carrying_one_thing_only(kitchen):
    environment, commands = kitchen
    taken = next(i for i, c in enumerate(commands) if c.startswith("take "))
    for command in commands[: taken + 1]:
        environment.text(command)
    thing, place = commands[taken].removeprefix("take ").split(" from ")
    step = environment.call("take", [thing, place], {})
    assert (
        step.observation
        == f"Nothing happens. There is no {thing} in/on the {place}. You are already carrying {thing}."
    )


@pytest.mark.parametrize("surface", ["published", "new"])
def test_both_surfaces_are_played(cache, surface):
    (path,) = generated(TASK_TYPES["put"], "valid_unseen", SEED, 1)
    win(a_domain("put", surface=surface), "put", path)


@pytest.mark.parametrize(
    "perturb",
    [("with-using",), ("move-to",), ("from-take",), ("no-space",), ("reworded",), COMBINATIONS[-1]],
    ids="+".join,
)
def test_perturbed_games_are_won_in_their_own_form(cache, perturb):
    (path,) = generated(TASK_TYPES["heat"], "valid_unseen", SEED, 1)
    win(a_domain("heat", perturb=list(perturb)), "heat", path)


def round_trip(path: Path, kind: str, steps: int) -> int:
    """Every admissible command along a random walk, in every interface: back as it was, no two alike, the
    original refused."""
    domain = a_domain(kind)
    environment, rng, compared = domain.open(domain.read(str(path))), random.Random(str(path)), 0
    languages = [Language("published", c) for c in COMBINATIONS]  # type: ignore[arg-type]
    plain = Language()
    for _ in range(steps):
        admissible = [c for c in admissible_commands(environment) if not c.startswith("slice ")]
        for language in languages:
            texts = [language.as_text(c) for c in admissible]
            calls = [language.as_call(c) for c in admissible]
            assert len(set(texts)) == len(set(calls)) == len(admissible)
            for command, text, call in zip(admissible, texts, calls, strict=True):
                said, called = language.from_text(text), heard(language, call)
                assert isinstance(said, EngineCommand) and said.engine == command
                assert isinstance(called, EngineCommand) and called.engine == command
                if text != command:
                    assert isinstance(language.from_text(command), NotUnderstood)
                if call != plain.as_call(command):
                    original = heard(language, plain.as_call(command))
                    assert isinstance(original, NotUnderstood) or original.engine not in admissible
            compared += len(admissible)
        near = [c for c in admissible if not c.startswith("go to ")]
        environment.text(rng.choice(near if rng.random() < 0.6 else admissible))
    environment.close()
    return compared


def test_every_admissible_command_survives_every_perturbation(cache):
    for kind in ("heat", "examine"):
        for path in generated(TASK_TYPES[kind], "valid_unseen", SEED, 1):
            assert round_trip(path, kind, 6) > 100


@pytest.mark.slow
def test_round_trip_over_50_games(cache, real_games):
    names = {kind.folder: kind.name for kind in TASK_TYPES.values()}
    for path in real_games:
        round_trip(path, names[path.parts[-3].split("-")[0]], 10)
    for kind in TASK_TYPES:
        for path in generated(TASK_TYPES[kind], "valid_unseen", SEED, 7):
            round_trip(path, kind, 10)


def won_by_the_planner(path: Path) -> None:
    """Plan a published game (it has no walkthrough of its own) with the engine's planner, and play that
    through our environment."""
    from learnact.domains.alfworld.content import unpack
    from learnact.domains.alfworld.engine import Game, planned
    from learnact.domains.alfworld.translation import parse, translate

    task = read_game(path, {})
    content = unpack(task.content, "x")
    plan = planned(parse(content.problem, False)[1], parse(content.problem, True)[1])
    game = Game("published", translate(content.problem))
    commands = [game.command_of(operator) for operator in plan or []]
    game.close()
    environment = a_domain(content.kind).open(task)
    steps = [environment.text(c) for c in commands]
    assert steps and all(step.valid for step in steps)
    assert environment.success and environment.progress == 1 and not steps[-2].success
    environment.close()


def test_a_real_game_is_won_by_the_planners_walkthrough(cache, real_games):
    won_by_the_planner(next(p for p in real_games if "look_at_obj" in str(p)))


@pytest.mark.slow
def test_all_real_games_are_won_by_the_planners_walkthroughs(cache, real_games):
    for path in real_games:
        won_by_the_planner(path)


def test_the_published_actions_are_played(cache):
    (path,) = generated(TASK_TYPES["examine"], "valid_unseen", SEED, 1)
    domain = a_domain("examine", actions="published")
    win(domain, "examine", path)
    environment = domain.open(domain.read(str(path)))
    step = environment.call("use", ["desklamp 7"], {})
    assert step.observation == "Nothing happens. You do not see desklamp 7 here." and not step.valid
    step = environment.call("toggle", ["desklamp 1"], {})
    assert step.observation == "Nothing happens. There is no command toggle in this house." and not step.valid
    assert not environment.call("look", [], {}).valid
    environment.close()


def test_a_game_of_another_type_is_sent_to_its_domain(cache):
    (path,) = generated(TASK_TYPES["heat"], "valid_unseen", SEED, 1)
    with pytest.raises(TaskError, match="play it with alfworld-heat"):
        a_domain("put").read(str(path))


def test_published_training_games_come_from_the_indices(cache, real_games):
    source = str(real_games[0].parents[4])
    options = AlfworldOptions(source=source, split="valid_seen", train_indices=(1,))
    domain = AlfworldDomain(TASK_TYPES["cool"], options)
    (train,), both = domain.tasks("train"), domain.tasks("test")
    (test,) = [task for task in both if task != train]
    assert len(both) == 2
    assert AlfworldDomain(TASK_TYPES["cool"], options.model_copy(update={"test": 5})).tasks("test") == [test]
    assert (
        train.name.startswith("pick_cool_then_place_in_recep-Apple-None-GarbageCan")
        and train.name > test.name
    )
    with pytest.raises(TaskError, match=r"train_indices \[2\] are not among the 2 games of valid_seen"):
        AlfworldDomain(TASK_TYPES["cool"], options.model_copy(update={"train_indices": (2,)})).tasks("train")


async def test_opening_a_new_game_stalls_nobody(cache, tmp_path, monkeypatch):
    """While a game is translated for the first time, another episode on the same engine goes on at its own
    pace."""
    (known,) = generated(TASK_TYPES["put"], "valid_unseen", SEED, 1)
    (new,) = generated(TASK_TYPES["heat"], "valid_unseen", SEED, 1)
    monkeypatch.setenv("LEARNACT_CACHE", str(tmp_path))
    domain, spec = a_domain("put"), DomainSpec("alfworld-put")
    async with EnginePool() as pool:
        playing = await pool.open(spec, domain.read(str(known)))
        opening = asyncio.create_task(pool.open(spec, read_game(new, {})))
        steps = 0
        while not opening.done():
            assert (await playing.call("look", [], {})).valid
            steps += 1
        assert (await (await opening).call("goto", ["microwave 1"], {})).valid
        assert all((pool._engine, pool._preparer))
    assert steps > 2
