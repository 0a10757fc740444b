"""A generated encyclopaedia of invented places, people, companies and films, and questions over two (or more)
of its articles. Invented, so that no model can know an answer.

The kinds of questions are HotpotQA's: bridge (the answer is about a thing that must be found first) and
comparison (two things are compared), yes or no among them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from learnact.domains.hotpotqa.content import Article, QuestionContent
from learnact.domains.levels import Level

ARTICLES: dict[str, tuple[int, int]] = {
    "easy": (4, 5),
    "published": (10, 10),
    "hard": (20, 24),
    "harder": (40, 48),
}
"""Least and most articles of a level; HotpotQA's distractor setting has 10."""
HOPS: dict[str, tuple[int, ...]] = {"easy": (2,), "published": (2, 2, 2, 3), "hard": (3, 4), "harder": (4, 5)}
"""Articles that an answer needs, by level."""

_SYLLABLES = (
    "ba", "ber", "bor", "cal", "dan", "dor", "el", "fen", "gar", "hal", "ith", "jor", "kel", "lam", "mar",
    "nor", "ol", "pel", "quin", "ros", "sel", "tam", "ul", "ver", "wen", "yor",
)  # fmt: skip
_GIVEN = (
    "Ada", "Bram", "Cora", "Dov", "Edda", "Finn", "Gale", "Hedy", "Ivo", "Jana", "Kip", "Lena", "Milo",
    "Nora", "Otto", "Pia", "Rolf", "Tove",
)  # fmt: skip
_FILMS = ("House", "Light", "Road", "Song", "Winter")
_TRADES = ("architect", "botanist", "cartographer", "composer", "engineer", "painter", "poet", "surgeon")
_GOODS = ("bicycles", "clocks", "glass", "lamps", "paper", "rope", "stoves", "violins")


def generated(rng: random.Random, level: Level) -> QuestionContent:
    """A question with its articles, in random order."""
    names = _Names(rng)
    hops = rng.choice(HOPS[level])
    count = rng.randint(*ARTICLES[level])
    kinds: list[Callable[[random.Random, _Names, int], _Asked]] = [_bridge]
    if hops == 2:
        kinds += [_compare_years, _same_town]
    question = rng.choice(kinds)(rng, names, hops)
    articles = list(question.articles)
    while len(articles) < count:
        articles.append(_distractor(rng, names, question.words))
    rng.shuffle(articles)
    supporting = tuple(article.title for article in question.articles[:hops])
    return QuestionContent(
        question=question.text, answer=question.answer, supporting=supporting, articles=tuple(articles)
    )


@dataclass(frozen=True)
class _Asked:
    text: str
    answer: str
    articles: tuple[Article, ...]
    words: tuple[str, ...]


class _Names:
    """Invented names, each once."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._used: set[str] = set()

    def place(self) -> str:
        return self._new(lambda: self._word(2, 3))

    def person(self) -> str:
        return self._new(lambda: f"{self._rng.choice(_GIVEN)} {self._word(2, 3)}")

    def namesake(self, name: str) -> str:
        """A person whose last word is that of another name."""
        return self._new(lambda: f"{self._rng.choice(_GIVEN)} {self._word(1, 1)[0]}. {name.split()[-1]}")

    def film(self) -> str:
        return self._new(lambda: f"The {self._rng.choice(_FILMS)} of {self._word(2, 2)}")

    def company(self) -> str:
        return self._new(lambda: f"{self._word(2, 2)} {self._rng.choice(('Brothers', 'Works', 'and Sons'))}")

    def _word(self, least: int, most: int) -> str:
        return "".join(
            self._rng.choice(_SYLLABLES) for _ in range(self._rng.randint(least, most))
        ).capitalize()

    def _new(self, make: Callable[[], str]) -> str:
        while (name := make()) in self._used:
            pass
        self._used.add(name)
        return name


def _article(title: str, *sentences: str) -> Article:
    return Article(title=title, sentences=sentences)


def _film(rng: random.Random, name: str, director: str) -> Article:
    return _article(
        name,
        f"{name} is a film of {rng.randint(1921, 1999)}.",
        f"It was directed by {director}.",
        f"It runs for {rng.randint(70, 160)} minutes.",
    )


def _person(rng: random.Random, name: str, town: str, born: int | None = None) -> Article:
    year = born if born is not None else rng.randint(1880, 1960)
    return _article(
        name,
        f"{name} (born {year}) was a film director and {rng.choice(_TRADES)}.",
        f"{name.split()[0]} grew up in {town}.",
        f"The best known work took {rng.randint(2, 9)} years.",
    )


def _town(rng: random.Random, name: str, river: str) -> Article:
    return _article(
        name,
        f"{name} is a town of {rng.randint(2, 90)},000 people.",
        f"It lies on the river {river}.",
        f"It was first named in {rng.randint(900, 1500)}.",
    )


def _river(rng: random.Random, name: str, company: str) -> Article:
    return _article(
        name,
        f"The {name} is a river of {rng.randint(40, 900)} kilometres.",
        f"Its largest bridge was built by {company}.",
        f"It is frozen for {rng.randint(1, 5)} months of the year.",
    )


def _company(rng: random.Random, name: str) -> tuple[Article, str]:
    goods = rng.choice(_GOODS)
    article = _article(
        name,
        f"{name} is a company founded in {rng.randint(1790, 1900)}.",
        f"Before it built bridges, it made {goods}.",
        f"It has {rng.randint(2, 30)} workshops.",
    )
    return article, goods


def _bridge(rng: random.Random, names: _Names, hops: int) -> _Asked:
    """Film, director, town, river, company: the answer is so many articles away."""
    film, director, town, river, company = (
        names.film(), names.person(), names.place(), names.place(), names.company()
    )  # fmt: skip
    last, goods = _company(rng, company)
    chain = (
        _film(rng, film, director), _person(rng, director, town), _town(rng, town, river),
        _river(rng, river, company), last,
    )  # fmt: skip
    asked = {
        2: (f"In which town did the director of {film} grow up?", town),
        3: (f"On which river lies the town in which the director of {film} grew up?", river),
        4: (
            f"The director of {film} grew up in a town on a river. Who built the largest bridge of that "
            "river?",
            company,
        ),
        5: (
            f"The director of {film} grew up in a town on a river. What did the company that built the "
            "largest bridge of that river make before it built bridges?",
            goods,
        ),
    }
    text, answer = asked[hops]
    return _Asked(text, answer, chain[:hops], (film, director))


def _compare_years(rng: random.Random, names: _Names, hops: int) -> _Asked:  # noqa: ARG001  always two
    first, second = names.person(), names.person()
    years = rng.sample(range(1880, 1961), 2)
    articles = tuple(
        _person(rng, name, names.place(), year) for name, year in zip((first, second), years, strict=True)
    )
    older = first if years[0] < years[1] else second
    return _Asked(f"Who was born first, {first} or {second}?", older, articles, (first, second))


def _same_town(rng: random.Random, names: _Names, hops: int) -> _Asked:  # noqa: ARG001  always two
    first, second = names.person(), names.person()
    town, same = names.place(), rng.random() < 0.5
    articles = (
        _person(rng, first, town),
        _person(rng, second, town if same else names.place()),
    )
    text = f"Did {first} and {second} grow up in the same town?"
    return _Asked(text, "yes" if same else "no", articles, (first, second))


def _distractor(rng: random.Random, names: _Names, words: tuple[str, ...]) -> Article:
    """An article that the answer does not need; some share a word of a name with those that it does."""
    kind = rng.randrange(4)
    if kind == 0:
        return _film(rng, names.film(), names.person())
    if kind == 1:
        name = names.namesake(rng.choice(words)) if rng.random() < 0.5 else names.person()
        return _person(rng, name, names.place())
    if kind == 2:
        return _town(rng, names.place(), names.place())
    return _river(rng, names.place(), names.company())
