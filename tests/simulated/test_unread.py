"""Lines of prompts that the simulated model cannot read are counted and said."""

from __future__ import annotations

from pathlib import Path

import pytest

from learnact.domains.base import Domain
from learnact.models.embedded import Embedded
from learnact.records import Library
from learnact.simulated.replies import reply_to
from tests.simulated.lamps_prompt import LAMPS
from tests.simulated.playing import domain, function, lamps, play, play_with_library
from tests.simulated.server import ask, get, serving
from tests.simulated.test_honesty import CARRY

REVIEWED = sorted((Path(__file__).parents[1] / "prompts").rglob("*.txt"))
WORLDS = [domain(name, test=1, seed=101) for name in ("gripper", "blockworld", "barman", "tyreworld")]


def unread(prompt: str) -> tuple[str, ...]:
    return reply_to("sim-perfect", [("user", prompt)], 0).unread


@pytest.mark.parametrize("path", REVIEWED, ids=lambda p: p.stem)
def test_every_line_of_every_reviewed_prompt_is_read(path: Path) -> None:
    """All methods, all domains, all purposes (tests/golden.py)."""
    prompts = [part.partition("[user]\n")[2] for part in path.read_text().split("[system]\n")[1:]]
    assert prompts
    assert [line for prompt in prompts for line in unread(prompt)] == []


@pytest.mark.parametrize("world", [*WORLDS, lamps(test=1)], ids=lambda w: w.name)
def test_every_line_of_a_whole_episode_is_read(world: Domain) -> None:
    """Also what follows failed and unreadable actions."""
    (task,) = world.tasks("test")
    failing = play(world, task, "sim-weak", turns=15, rewrite=lambda p: p.replace(" you are in place.", ""))
    assert failing.unread == ()
    assert play(world, task, "sim-weak", turns=4, back=lambda _: "what now?").unread == ()


@pytest.mark.parametrize(
    ("written", "instead", "line"),
    [
        (
            "- take(thing, spot_): Requires:",
            "- take(thing, spot_): Preconditions:",
            "- take(thing, spot_): Pre",
        ),
        ("Then: lamp_ glows.", "Effects: lamp_ glows.", "- fix(lamp_, bulb_, spot_): Requires:"),
        ("- walk(from_, to): Req", "* walk(from_, to): Req", "* walk(from_, to): Requires:"),
        ("- walk(from_, to): Req", "- walk from_ to\nReq", "Requires: from_ is a spot."),
        ("Goal: lamp1 glows. lamp2 glows.", "Goal: lamp1 glows, lamp2 glows", "Goal: lamp1 glows, lamp2"),
        ("Facts that never change:", "Fixed facts:", "Fixed facts: hall is a spot."),
        ("Now: you stand", "State: you stand", "State: you stand on hall."),
        ("- object: attic,", "objects = attic,", "objects = attic, bulb1"),
        ("## Your task", "## Task", "## Task"),
    ],
)
def test_a_line_in_another_form_is_counted(written: str, instead: str, line: str) -> None:
    assert unread(LAMPS) == ()
    assert written in LAMPS
    found = unread(LAMPS.replace(written, instead))
    assert any(each.startswith(line) for each in found), found


def test_an_observation_in_another_form_is_counted() -> None:
    entry = "Action: walk('hall', 'kitchen')\nObservation: {}\n\n"
    head, request = LAMPS.split("## Your answer")

    def with_history(observation: str) -> str:
        return f"{head}## So far\n{entry.format(observation)}## Your answer{request}"

    assert unread(with_history("Now: you stand on kitchen.")) == ()
    assert unread(with_history("The state is: you stand on kitchen.")) != ()
    assert unread(with_history("Impossible: walk needs: a path leads hall kitchen.")) != ()


def test_the_server_counts_it_and_says_it_once() -> None:
    changed = LAMPS.replace("- take(thing, spot_): Requires:", "- take(thing, spot_): Preconditions:")
    with serving() as url:
        for seed in (1, 2):
            ask(url, changed, seed=seed)
        assert get(f"{url}/stats")["unread lines"] == 2


async def test_a_run_is_told_at_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    changed = LAMPS.replace("- take(thing, spot_): Requires:", "- take(thing, spot_): Preconditions:")
    embedded = Embedded(tmp_path, processes=1)
    ask((await embedded.url()).removesuffix("/v1"), changed)
    embedded.close()
    (told,) = [r.getMessage() for r in caplog.records if r.name == "learnact.models.embedded"]
    assert "this line of a prompt cannot be read: - take(thing, spot_): Preconditions:" in told


FAULTY = """def carry(obj, start, end, hand):
    print('on the way')
    pick(obj, start, hand)
    pick(obj, start, hand)
    seen = move(start, end)
    if 'you are in' in seen:
        raise ValueError('tired: of carrying')"""


async def test_what_a_learned_call_says_is_read() -> None:
    """Failures, printed text and errors in the observations of learned calls (`play_with_library` checks)."""
    options: dict[str, object] = {"test": 2, "seed": 103}
    tasks = domain("gripper", **options).tasks("test")
    library = Library((function(FAULTY, CARRY[1]),))
    results = await play_with_library("gripper", options, tasks, "sim-perfect", library)
    assert any("tired: of carrying" in turn.observation for r in results for turn in r.turns)
