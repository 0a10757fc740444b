"""Bradley-Terry ratings: what they say of known chances, and what must hold of any games."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.statistics.ratings import MEAN, RatedGame, ratings


def played(chances: dict[tuple[int, int], float], games: int, seed: int = 0) -> list[RatedGame]:
    rng = random.Random(seed)
    return [
        RatedGame(first, second, float(rng.random() < chance), (first, second, number))
        for (first, second), chance in chances.items()
        for number in range(games)
    ]


def test_three_wins_to_one_are_191_points():
    games = [RatedGame(0, 1, float(number % 4 > 0), number) for number in range(4000)]
    strong, weak = ratings(2, games, resamples=50)
    assert strong.rating - weak.rating == pytest.approx(400 * math.log10(3), abs=1)
    assert strong.rating + weak.rating == pytest.approx(2 * MEAN)
    assert (strong.points, strong.games, strong.clusters) == (3000, 4000, 4000)
    assert strong.low < strong.rating < strong.high < strong.low + 60


def test_strengths_are_recovered_also_of_players_that_never_met():
    """0 met only 1, 1 only 2: 2 : 1 twice makes 4 : 1 between 0 and 2."""
    found = ratings(3, played({(0, 1): 2 / 3, (1, 2): 2 / 3}, 4000), resamples=0)
    assert found[0].rating - found[2].rating == pytest.approx(400 * math.log10(4), abs=25)
    assert math.isnan(found[0].low)


def test_who_wins_every_game_has_a_finite_rating_and_a_draw_says_nothing():
    winner, loser = ratings(2, [RatedGame(0, 1, 1.0, n) for n in range(10)], resamples=50)
    assert 200 < winner.rating - loser.rating < 1200
    even = ratings(3, [RatedGame(0, 1, 0.5, 0), RatedGame(1, 2, 0.5, 1)], resamples=50)
    assert [round(one.rating, 3) for one in even] == [MEAN] * 3
    assert [one.rating for one in ratings(2, [], resamples=50)] == [MEAN, MEAN]


def test_games_of_one_cluster_are_drawn_together():
    """The same wins, once as one task and once as many: only many tasks say something."""
    one_task = ratings(2, [RatedGame(0, 1, float(n % 3 > 0), "task") for n in range(60)], resamples=100)
    tasks = ratings(2, [RatedGame(0, 1, float(n % 3 > 0), n) for n in range(60)], resamples=100)
    few = ratings(2, [RatedGame(0, 1, float(n % 3 > 0), n % 6 // 2) for n in range(60)], resamples=100)
    assert math.isnan(one_task[0].low)
    assert one_task[0].rating == tasks[0].rating
    assert tasks[0].high > tasks[0].rating > tasks[0].low
    assert few[0].rating == pytest.approx(tasks[0].rating)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([0.0, 0.5, 1.0])), max_size=30)
)
def test_names_and_order_do_not_matter(rows):
    games = [RatedGame(a, b, score, n) for n, (a, b, score) in enumerate(rows) if a != b]
    found = [one.rating for one in ratings(4, games, resamples=0)]
    turned = [RatedGame(3 - g.second, 3 - g.first, 1 - g.score, g.cluster) for g in reversed(games)]
    renamed = [one.rating for one in ratings(4, turned, resamples=0)]
    assert found == pytest.approx(renamed[::-1], abs=0.5)
    assert sum(found) / 4 == pytest.approx(MEAN)
