"""The viewer's pages: runs, a run, its episodes, one episode, two side by side, trials, libraries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from learnact.errors import ResultsError
from learnact.pages.code import difference, highlighted, library_source
from learnact.pages.episodes import episode_view, sent_prompts
from learnact.pages.html import render
from learnact.pages.learned import candidate_views
from learnact.records import ACT, Turn
from learnact.report.failed import why_failed
from learnact.report.result_table import SIMULATED
from learnact.report.trajectory import descent
from learnact.results.location import Location
from learnact.results.overview import overviews
from learnact.results.reader import load_library
from learnact.results.rows import library_from
from learnact.viewer.reading import PAGE, EpisodeFilter, RunReader, RunReaders

REFRESH = 5
"""Seconds after which a page is loaded again, where its reader asked for that."""
RUNNING = frozenset({"started", "resumed"})
FILTERS = ("method", "domain", "phase", "outcome", "model", "task", "library", "text")
MOST_CHARS = 400
"""Characters of a filter."""
RunPageMaker = Callable[[RunReader, web.Request, str], str]


class ViewerPages:
    """All pages over one results folder."""

    def __init__(self, results: Location) -> None:
        self._readers = RunReaders(results)

    def routes(self) -> list[web.RouteDef]:
        """Addresses and what answers them; each page is made in a thread of its own."""
        run = "/{token}/run/{run}"
        made: dict[str, RunPageMaker] = {
            f"{run}/": run_view,
            f"{run}/episodes": episodes_view,
            f"{run}/episode/{{key}}": one_episode_view,
            f"{run}/episode/{{key}}/call/{{ordinal:\\d{{1,6}}}}": call_view,
            f"{run}/pair": pair_view,
            f"{run}/trial/{{trial}}": trial_view,
            f"{run}/libraries": libraries_view,
            f"{run}/library/{{library}}": library_view,
            f"{run}/library-pair": library_pair_view,
        }
        routes = [web.get("/{token}/", self._runs)]
        return [*routes, *(web.get(path, partial(self._run_page, make)) for path, make in made.items())]

    async def _runs(self, request: web.Request) -> web.Response:
        found = await asyncio.to_thread(overviews, self._readers.results)
        page = render("view_runs.html", runs=found, results=self._readers.results, running=RUNNING)
        return _response(page, request)

    async def _run_page(self, make: RunPageMaker, request: web.Request) -> web.Response:
        base = f"/{request.match_info['token']}/"
        return _response(await asyncio.to_thread(self._made, make, request, base), request)

    def _made(self, make: RunPageMaker, request: web.Request, base: str) -> str:
        with self._readers.open(request.match_info["run"]) as reader:
            return make(reader, request, base)


def _response(page: str, request: web.Request) -> web.Response:
    headers = {"Refresh": str(REFRESH)} if request.query.get("live") == "1" else None
    return web.Response(text=page, content_type="text/html", headers=headers)


def _shared(reader: RunReader, base: str) -> dict[str, Any]:
    """What every page of a run uses."""
    return {
        "base": base,
        "run": f"{base}run/{reader.folder.name}",
        "title": reader.name,
        "simulated": SIMULATED,
    }


def run_view(reader: RunReader, request: web.Request, base: str) -> str:
    """State, scores so far, trials."""
    about, scores = reader.about(), reader.scores()
    return render(
        "view_run.html",
        about=about,
        scores=scores,
        any_simulated=any(row["simulated"] for row in scores),
        trials=reader.trials(),
        running=about["state"] in RUNNING,
        live=request.query.get("live") == "1",
        refresh=REFRESH,
        **_shared(reader, base),
    )


def episodes_view(reader: RunReader, request: web.Request, base: str) -> str:
    """The episodes that fit the filters, a page at a time."""
    wanted = EpisodeFilter(**{name: request.query.get(name, "")[:MOST_CHARS] for name in FILTERS})
    page = _number(request.query.get("page", "1"))
    given = {name: value for name, value in asdict(wanted).items() if value}
    shown: dict[str, Any] = {"wanted": wanted, "choices": reader.choices(), "search": None, "first": ""}
    if wanted.text:
        shown["rows"], found = reader.search(wanted, request.query.get("after", "")[:MOST_CHARS])
        shown["search"] = found
        shown["following"] = urlencode({**given, "after": found.following}) if found.following else ""
        shown["first"] = urlencode(given) if request.query.get("after") else ""
    else:
        shown["rows"], count = reader.episodes(wanted, page)
        pages = max(1, -(-count // PAGE))
        shown |= {"count": count, "page": page, "pages": pages}
        shown["previous"] = urlencode({**given, "page": page - 1}) if page > 1 else ""
        shown["following"] = urlencode({**given, "page": page + 1}) if page < pages else ""
    return render("view_episodes.html", **shown, **_shared(reader, base))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 9 and int(text)):
        raise ResultsError(f"there is no page {text[:40]!r}; pages are numbered from 1")
    return int(text)


def one_episode_view(reader: RunReader, request: web.Request, base: str) -> str:
    """An episode turn by turn, with what each call took."""
    view = episode_view(reader.connection, request.match_info["key"])
    calls = reader.calls(view.row["trial"], view.row["key"])
    own = [call for call in calls if call["purpose"] == ACT]
    of_turn = dict(enumerate(own)) if len(own) == len(view.result.turns) else {}
    others = [call for call in calls if not of_turn or call["purpose"] != ACT]
    return render(
        "view_episode.html",
        episode=view,
        first_failure=view.first_failure,
        why=why_failed(reader.connection, view.row, view.result),
        calls=others,
        call_of=of_turn,
        others=reader.same_task(view.row),
        text=request.query.get("text", "")[:MOST_CHARS],
        **_shared(reader, base),
    )


def call_view(reader: RunReader, request: web.Request, base: str) -> str:
    """One call of a model: the messages exactly as sent, the reply, parameters, tokens, time."""
    view = episode_view(reader.connection, request.match_info["key"])
    ordinal = int(request.match_info["ordinal"])
    calls = {call["ordinal"]: call for call in reader.calls(view.row["trial"], view.row["key"])}
    prompt = sent_prompts(reader.connection, view).get(ordinal)
    if ordinal not in calls or prompt is None:
        raise ResultsError(f"this episode made {len(calls)} calls; they are numbered from 0")
    return render(
        "view_call.html",
        episode=view,
        call=calls[ordinal],
        prompt=prompt,
        last=max(calls),
        **_shared(reader, base),
    )


def pair_view(reader: RunReader, request: web.Request, base: str) -> str:
    """Two episodes of a task side by side, turn by turn."""
    views = [episode_view(reader.connection, request.query.get(name, "")) for name in ("a", "b")]
    if views[0].row["task_hash"] != views[1].row["task_hash"]:
        raise ResultsError("these episodes are of different tasks; only the same task can be compared")
    turns = list(zip_longest(*(view.result.turns for view in views)))
    differ = next((place for place, pair in enumerate(turns) if _differ(*pair)), None)
    why = [why_failed(reader.connection, view.row, view.result) for view in views]
    return render(
        "view_pair.html", episodes=views, why=why, turns=turns, differ=differ, **_shared(reader, base)
    )


def _differ(one: Turn | None, two: Turn | None) -> bool:
    """Whether two turns are different moves, or the same with another outcome."""
    if one is None or two is None:
        return True
    return (one.kind, one.call or one.said, one.observation) != (
        two.kind,
        two.call or two.said,
        two.observation,
    )


def trial_view(reader: RunReader, request: web.Request, base: str) -> str:
    """How a trial learned, candidate by candidate."""
    wanted = request.match_info["trial"]
    found = reader.rows("SELECT * FROM trials WHERE starts_with(trial, ?) LIMIT 1", [wanted])
    if not found:
        raise ResultsError(f"there is no trial {wanted!r} in {reader.name}")
    rows = reader.rows(
        "SELECT * FROM candidates WHERE trial = ? ORDER BY iteration, candidate", [found[0]["trial"]]
    )
    needed = {row[name] for row in rows for name in ("library", "parent") if row[name]}
    libraries = {
        row["library"]: library_from(row)
        for row in reader.rows(
            "SELECT DISTINCT ON (library) * FROM libraries WHERE library IN (SELECT unnest(?::TEXT[]))",
            [sorted(needed)],
        )
    }
    return render(
        "view_trial.html",
        trial=found[0],
        candidates=list(candidate_views(rows, libraries)),
        **_shared(reader, base),
    )


def libraries_view(reader: RunReader, request: web.Request, base: str) -> str:  # noqa: ARG001 - as all pages
    """All libraries, to open or to compare."""
    return render("view_libraries.html", libraries=reader.libraries(), **_shared(reader, base))


def library_view(reader: RunReader, request: web.Request, base: str) -> str:
    """A library with code, descent, and where it was a candidate."""
    library = load_library(reader.connection, request.match_info["library"])
    rows = reader.rows(
        "SELECT * FROM candidates WHERE library = ? ORDER BY trial, iteration, candidate", [library.id]
    )
    return render(
        "view_library.html",
        library=library,
        code=highlighted(library_source(library)),
        rows=rows,
        descent=descent(reader.connection, library.id),
        **_shared(reader, base),
    )


def library_pair_view(reader: RunReader, request: web.Request, base: str) -> str:
    """Two libraries side by side, and what differs."""
    names = [request.query.get(name, "") for name in ("a", "b")]
    if not all(names):
        raise ResultsError("choose two libraries to compare")
    found = [load_library(reader.connection, name) for name in names]
    sources = [library_source(library) for library in found]
    return render(
        "view_library_pair.html",
        libraries=found,
        codes=[highlighted(source) for source in sources],
        changed=difference(sources[0], sources[1]),
        **_shared(reader, base),
    )
