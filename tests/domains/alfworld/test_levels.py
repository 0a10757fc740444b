"""Levels of houses: `published` is filled as the published games are; the others are larger."""

from __future__ import annotations

import pytest

from learnact.domains.alfworld.generation import folder, generated
from learnact.domains.alfworld.task_types import TASK_TYPES
from learnact.errors import JobError
from tests.domains.alfworld.conftest import needs_extra
from tests.domains.alfworld.test_generated import SEED, a_domain, win
from tests.level_figures import found_within, house_spreads, houses, published_houses

pytestmark = needs_extra


def test_published_houses_are_filled_as_the_published_games_are(cache, real_games):
    real = published_houses(real_games)
    theirs, ours = house_spreads(real), house_spreads(houses("published"))
    for name in ("places", "objects in or on places", "kinds of these", "with a door", "most in one place"):
        assert ours[name].median == pytest.approx(theirs[name].median, rel=0.15), name
    assert ours["empty"].median == pytest.approx(theirs["empty"].median, rel=0.35)
    easy = house_spreads(houses("easy"))
    assert easy["empty"].median < 0.6 * theirs["empty"].median, "what the level was made for"
    assert abs(found_within(houses("published")) - found_within(real)) < 0.15


def test_levels_grow_until_a_search_without_mistakes_fails(cache):
    each = {level: houses(level) for level in ("published", "hard", "harder")}
    places = [house_spreads(found)["places"].median for found in each.values()]
    won = [found_within(found) for found in each.values()]
    assert places == sorted(places) and won == sorted(won, reverse=True)
    assert won[-1] < 0.25


@pytest.mark.parametrize(
    ("kind", "level"), [("heat", "published"), ("puttwo", "harder"), ("examine", "hard")]
)
def test_games_of_every_level_are_won_by_their_walkthroughs(cache, kind, level):
    domain = a_domain(kind, level=level)
    (path,) = generated(TASK_TYPES[kind], "valid_unseen", SEED, 1, level)
    win(domain, kind, path)
    (task,) = domain.tasks("test")
    assert task.labels["level"] == level and task.reference
    assert folder(SEED, level) in path.parents and folder(SEED) not in path.parents


def test_easy_games_are_those_of_the_time_before_levels(cache):
    easy, published = (a_domain("put", level=level).tasks("test")[0] for level in ("easy", "published"))
    assert easy.hash == EASY and easy.hash != published.hash


EASY = "279e76cced44398c9c69410e"
"""Of `alfworld-put`, seed 3, the first test game, as it was made before there were levels."""


def test_a_level_of_published_games_or_a_misspelt_one_is_refused():
    from learnact.domains.alfworld.domain import PUT

    with pytest.raises(JobError, match="level is of generated games"):
        PUT({"source": "env", "level": "hard"})
    with pytest.raises(JobError, match="there is no level 'hrder'; did you mean 'harder'"):
        PUT({"level": "hrder"})
