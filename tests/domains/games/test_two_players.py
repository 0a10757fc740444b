"""Games between two agents: a second model on the other seat, and the players of a job among themselves."""

from __future__ import annotations

import asyncio
import hashlib
import random

import pytest
from aiohttp import web

import learnact
from learnact.again.fork import ForkChange, fork
from learnact.again.replay import replay
from learnact.domains import registry
from learnact.domains.environments import AsyncEnvironment
from learnact.domains.two_seats import SharedTask
from learnact.errors import BadInput, JobError
from learnact.records import DomainSpec, canonical
from learnact.report.data import ReportData
from learnact.report.result_table import as_plain
from learnact.report.tournament import tournament_tables
from learnact.results.reader import connect, dictionaries
from learnact.training.records import record_of
from tests.domains.games.boards import NimServer
from tests.models.server import FaultServer, completion, error, good

pytest.importorskip("pyspiel", reason="needs learnact[games]")

PRICES = {"prompt": 1.0, "completion": 1.0}
BEST = '''
def best_move():
    """Makes the move that leaves an even nim sum."""
    words = state().split()
    piles = [int(words[n + 1]) for n, word in enumerate(words) if word == "has"]
    for pile, stones in enumerate(piles):
        for taken in range(1, stones + 1):
            left = piles[:pile] + [stones - taken] + piles[pile + 1:]
            total = 0
            for each in left:
                total ^= each
            if (total == 0 if max(left) > 1 else sum(left) % 2 == 1):
                return play(f"{taken} from {pile + 1}")
    return play(legal_moves().split(", ")[0])
'''
WORST = BEST.replace("best_move", "first_move").replace("if (total == 0", "if False and (total == 0")


def job(url: str, opponent: object, **changes: object) -> dict:
    """Three games of nim; `greedy` is the agent."""
    models = {
        "agent": {"name": "greedy", "base_url": url, "prices": PRICES},
        "learner": {"name": "greedy", "base_url": url},
        "opponent": {"name": "winning", "base_url": url, "prices": {"prompt": 2.0, "completion": 2.0}},
    }
    domain = {"name": "games-nim", "test": 3, "train": 1, "opponent": opponent}
    return {
        "name": "two", "domains": [domain], "methods": ["act"], "models": models, "repeats": {"learn": 1},
        "cluster": {"in_flight": 1}, **changes,
    }  # fmt: skip


async def run(given: dict, results):
    return await asyncio.to_thread(learnact.run, given, results=results, address="local", check=False)


def asked_sql(results, query: str) -> list[dict]:
    with connect(results) as connection:
        return dictionaries(connection, query)


async def test_a_second_model_plays_and_its_calls_are_counted_like_all(tmp_path):
    """Also: a second run asks nothing, a replay is identical, and prompts are kept as they were sent."""
    nim = NimServer()
    async with FaultServer(always=nim) as server:
        given = job(server.url, {"model": "winning"})
        bound = learnact.plan(given, results=tmp_path)
        summary = await run(given, tmp_path)
        first = dict(nim.asked)
        assert (await run(given, tmp_path)).executed == 0
    assert dict(nim.asked) == first
    assert summary.done and all(first.values())
    assert sum(first.values()) <= bound.total.calls
    assert bound.total.calls == 2 * 3 * 40
    made = asked_sql(
        tmp_path, "SELECT purpose, count(*) AS n, sum(cost) AS cost FROM calls GROUP BY ALL ORDER BY purpose"
    )
    assert {row["purpose"]: row["n"] for row in made} == {
        "act": first["greedy"],
        "opponent": first["winning"],
    }
    assert [row["cost"] for row in made] == pytest.approx([110e-6 * made[0]["n"], 220e-6 * made[1]["n"]])
    spent = asked_sql(tmp_path, "SELECT purpose, dollars, prompt_tokens FROM cost ORDER BY purpose")
    assert [row["dollars"] for row in spent] == pytest.approx([row["cost"] for row in made])
    episodes = asked_sql(tmp_path, "SELECT * FROM episodes")
    assert {(e["opponent"], e["opponent_model"], e["opponent_library"]) for e in episodes} == {
        ("act", "winning", "")
    }
    assert all(e["progress"] + e["opponent_progress"] == 1 for e in episodes)
    assert sum(e["prompt_tokens"] for e in episodes) == 100 * first["greedy"]
    for row in asked_sql(tmp_path, 'SELECT system, "user", request FROM prompts'):
        sent = f"{row['system']}\n\n{row['user']}".encode()
        assert hashlib.sha256(sent).hexdigest()[:24] == row["request"]
    with connect(tmp_path) as connection:
        record = record_of(connection, episodes[0]["key"])
    prompts = {text for name, text in nim.prompts if name == "greedy"}
    assert all(turn.prompt[-1].content in prompts for turn in record.turns)
    again = await asyncio.to_thread(replay, "two", results=tmp_path)
    assert (again.identical, again.episodes) == (True, 3)
    with pytest.raises(BadInput, match="played against a second model"):
        await asyncio.to_thread(fork, "two", episodes[0]["key"], 0, ForkChange(), results=tmp_path)


async def test_an_interrupted_game_asks_nothing_twice(tmp_path):
    """The run ends in the middle of a game when its calls are used up, again and again."""
    whole, cut = NimServer(), NimServer()
    async with FaultServer(always=whole) as server:
        at_once = await run(job(server.url, {"model": "winning"}), tmp_path / "whole")
    sessions = 0
    async with FaultServer(always=cut) as server:
        for calls in (2, 5, 9, 14, 10_000):
            given = job(server.url, {"model": "winning"}, limits={"calls": calls})
            sessions += not (await run(given, tmp_path / "cut")).done
    assert sessions >= 3
    assert cut.asked == whole.asked
    query = "SELECT key, success, progress, opponent_progress, turns FROM episodes ORDER BY key"
    assert asked_sql(tmp_path / "cut", query) == asked_sql(tmp_path / "whole", query)
    assert at_once.done


@pytest.mark.slow
async def test_a_fault_of_the_second_models_server_changes_no_result(tmp_path):
    faults = iter([error(500), error(500)])
    nim = NimServer()

    async def answer(request, body):
        behaviour = next(faults, nim) if body["model"] == "winning" else nim
        return await behaviour(request, body)

    async with FaultServer(always=answer) as server:
        assert (await run(job(server.url, {"model": "winning"}), tmp_path)).done
    assert asked_sql(tmp_path, "SELECT sum(tries) - count(*) AS more FROM calls")[0]["more"] == 2


@pytest.mark.slow
async def test_who_makes_no_move_gives_up(tmp_path):
    """The second player writes nothing readable: it has as many turns as the agent, who has won then."""
    async with FaultServer(always=NimServer(winning=good("I think about it"))) as server:
        given = job(
            server.url, {"model": "winning"}, budget={"test": {"turns": 4}}, limits={"unreadable": None}
        )
        assert (await run(given, tmp_path / "other")).done
    won = asked_sql(tmp_path / "other", "SELECT success, progress, opponent_progress FROM episodes")
    assert [tuple(row.values()) for row in won] == [(True, 1.0, 0.0)] * 3
    said = asked_sql(tmp_path / "other", "SELECT DISTINCT observation FROM turns")
    said += asked_sql(tmp_path / "other", "SELECT first_observation AS observation FROM episodes")
    assert any("The opponent gave up. You won." in row["observation"] for row in said)
    async with FaultServer(always=NimServer(greedy=good("play('no move')"))) as server:
        given = job(server.url, {"model": "winning"}, budget={"test": {"turns": 4}})
        assert (await run(given, tmp_path / "own")).done
    lost = asked_sql(tmp_path / "own", "SELECT success, progress, opponent_progress FROM episodes")
    assert [tuple(row.values()) for row in lost] == [(False, 0.0, 1.0)] * 3


async def test_libraries_play_each_other_and_are_rated_by_their_games(tmp_path):
    """Two libraries and an agent without one: each plays each from both seats."""
    (tmp_path / "best.py").write_text(BEST)
    (tmp_path / "worst.py").write_text(WORST)

    async def by_library(request, body):
        text = body["messages"][-1]["content"]
        known = [name for name in ("best_move", "first_move") if f"- {name}(" in text]
        return await good(f"{known[0]}()" if known else "play('1 from 1')")(request, body)

    methods = [
        {"name": "act", "label": "best", "library": str(tmp_path / "best.py")},
        {"name": "act", "label": "first", "library": str(tmp_path / "worst.py")},
        {"name": "act", "label": "alone"},
    ]
    async with FaultServer(always=by_library) as server:
        given = job(server.url, "players", methods=methods, name="players")
        given["domains"][0]["test"] = 2
        given["cluster"] = {"in_flight": 8}
        given["budget"] = {"test": {"turns": 6}}
        del given["models"]["opponent"]
        summary = await run(given, tmp_path / "r")
        assert summary.done and [t.episodes for t in summary.trials] == [4, 4, 4]
    pairs = asked_sql(
        tmp_path / "r",
        "SELECT method, opponent, count(*) AS n, count(DISTINCT task) AS tasks FROM episodes GROUP BY ALL",
    )
    assert {(p["method"], p["opponent"]) for p in pairs} == {
        (a, b) for a in ("best", "first", "alone") for b in ("best", "first", "alone") if a != b
    }
    assert {(p["n"], p["tasks"]) for p in pairs} == {(2, 2)}
    with connect(tmp_path / "r") as connection:
        rated, against = (as_plain(t) for t in tournament_tables(ReportData(connection)))
    assert rated["rows"][0]["method"] == "best"
    assert {row["meetings"] for row in rated["rows"]} == {8}
    assert [bool(row["library"]) for row in rated["rows"] if row["method"] == "alone"] == [False]
    assert any("in each game that one played against the other" in note for note in rated["notes"])
    best = next(row for row in against["rows"] if row["method"] == "best")
    first = next(row for row in against["rows"] if row["method"] == "first")
    names = {name.partition(": ")[2]: name for name in best if ": " in name}
    assert best[names["first"]] + first[names["best"]] == pytest.approx(1)


def learner(request_number: list[int]):
    """A model that learns a good strategy at its first request for functions, and a bad one at later ones,
    and calls what it has."""

    async def answer(request, body):
        text = body["messages"][-1]["content"]
        if "Write a description" in text:
            said = "Moves by a rule."
        elif "usage example" in text.split("## Your answer")[-1]:
            said = "Action: best_move()" if "best_move" in text else "Action: first_move()"
        elif "general Python functions" in text:
            request_number[0] += 1
            code, name = (BEST, "best_move") if request_number[0] == 1 else (WORST, "first_move")
            said = f"```python{code}```\nUsage: {name}()"
        elif "Find out why" in text:
            said = "Reason: it lost.\nNote: Use it early."
        else:
            said = next(
                (f"{n}()" for n in ("best_move", "first_move") if f"- {n}(" in text), "play('1 from 1')"
            )
        return web.json_response(completion(said))

    return answer


@pytest.mark.slow
async def test_the_libraries_of_a_run_play_each_other(tmp_path):
    """What was learned against the built-in opponent, by two repeats, meets in a job of its own."""
    async with FaultServer(always=learner([0])) as server:
        endpoint = {"name": "m", "base_url": server.url}
        learned = {
            "name": "learned",
            "domains": [{"name": "games-nim", "train": 1, "test": 1}],
            "methods": ["learnact"],
            "models": {"agent": endpoint, "learner": endpoint},
            "repeats": {"learn": 2},
            "learner": {"candidates": 1, "iterations": 0},
            "budget": {"learn": {"turns": 4}, "test": {"turns": 6}},
            "cluster": {"in_flight": 1},
        }
        assert (await run(learned, tmp_path)).done
        given = {
            **learned,
            "name": "cup",
            "library": "learned",
            "domains": [{"name": "games-nim", "train": 1, "test": 4, "opponent": "players"}],
            "methods": ["act", "learnact"],
        }
        summary = await run(given, tmp_path)
    assert summary.done
    with connect(tmp_path, "cup") as connection:
        rated, _ = (as_plain(t) for t in tournament_tables(ReportData(connection)))
    best = rated["rows"][0]
    assert (best["method"], bool(best["library"]), best["learner"]) == ("learnact", True, "m")
    assert sorted(row["method"] for row in rated["rows"]) == ["act", "learnact", "learnact"]
    assert len({row["library"] for row in rated["rows"]}) == 3


@pytest.mark.slow
async def test_an_agent_plays_against_its_own_library(tmp_path):
    """Self-play: the second player has the library that the agent has, in its own sandbox."""
    (tmp_path / "best.py").write_text(BEST)
    async with FaultServer(always=good("best_move()")) as server:
        opponent = {"model": "greedy", "library": "same"}
        methods = [{"name": "act", "label": "best", "library": str(tmp_path / "best.py")}]
        assert (await run(job(server.url, opponent, methods=methods), tmp_path / "r")).done
        (library,) = asked_sql(tmp_path / "r", "SELECT DISTINCT library, opponent_library AS o FROM episodes")
        assert library["library"] == library["o"] != ""
        named = {"model": "winning", "library": f"two:{library['library']}"}
        assert (await run(job(server.url, named, methods=methods, name="named"), tmp_path / "r")).done
    rows = asked_sql(
        tmp_path / "r", "SELECT progress + opponent_progress AS both, learned_calls FROM episodes"
    )
    assert len(rows) == 6
    assert all(row["both"] == 1 and row["learned_calls"] for row in rows)


@pytest.mark.slow
def test_the_simulated_model_plays_the_simulated_model(tmp_path):
    """It cannot read games; the run ends, and asks nothing when it is begun again."""
    given = job("", {"model": "sim-weak", "method": "react"}, methods=["act", "learnact"])
    given["models"] = {"agent": "sim-strong", "learner": "sim-strong", "opponent": "sim-weak"}
    given |= {"learner": {"candidates": 2, "iterations": 1}, "limits": {"unreadable": None}}
    given["budget"] = {"test": {"turns": 6}, "learn": {"turns": 4}}
    summary = learnact.run(given, results=tmp_path, address="local")
    assert summary.done
    calls = asked_sql(tmp_path, "SELECT purpose, count(*) AS n FROM calls GROUP BY ALL")
    assert {row["purpose"] for row in calls} >= {"act", "opponent", "create"}
    assert learnact.run(given, results=tmp_path, address="local").executed == 0


@pytest.mark.parametrize(
    ("opponent", "changes", "reason"),
    [
        ({"model": "strong"}, {}, "the job has no model 'strong'.*models.opponent"),
        ({"model": "winning", "method": "nobody"}, {}, "nobody"),
        ({"model": "winning", "method": "code_as_policies"}, {}, "before it has seen a move"),
        ({"model": "winning", "library": "nothing"}, {}, "no RUN:LIBRARY"),
        ({"model": "winning", "library": "missing.py"}, {}, "missing.py"),
        ({"name": "winning"}, {}, "opponent"),
        ("players", {}, "the only player"),
        ("players", {"methods": ["act", "learnact"]}, "learns in this job"),
        ({"model": "winning"}, {"budget": {"test": {"turns": "2x"}}}, "needs a reference plan"),
    ],
)
def test_an_opponent_that_cannot_play_is_refused_before_anything_starts(tmp_path, opponent, changes, reason):
    given = job("http://127.0.0.1:9/v1", opponent, **changes)
    with pytest.raises((JobError, BadInput), match=reason):
        learnact.plan(given, results=tmp_path)


@pytest.mark.parametrize("name", ["nim", "connect_four", "hex", "leduc_poker", "bargaining", "tiny_hanabi"])
async def test_two_random_players_end_each_game_with_one_result(name):
    """Each sees its own side; what one wins the other loses, and partners share."""
    domain = registry.build(DomainSpec(f"games-{name}", canonical({"test": 6, "opponent": "players"})))
    for number, task in enumerate(domain.tasks("test")):
        seats = domain.open_seats(task)

        async def play(environment: AsyncEnvironment, seed: int = number) -> None:
            rng, over = random.Random(seed), False
            while not (over or environment.success):
                moves = (await environment.call("legal_moves", [], {})).observation.split(", ")
                step = await environment.call("play", [rng.choice(moves)], {})
                assert step.valid and step.observation, step
                over = step.over

        shared = await SharedTask.open(seats, play)
        await play(shared, seed=100 + number)
        own, other = shared.progress, shared.finish()
        await shared.close()
        if name in ("nim", "connect_four", "hex"):
            assert own + other == pytest.approx(1)
        elif name == "leduc_poker":
            assert (own == 1) == (other < 0.5) or own == other == 0.5
        elif name == "tiny_hanabi":
            assert own == other
        assert shared.success == (own == 1)


@pytest.mark.parametrize(
    ("name", "own", "other"), [("nim", 0, 1), ("leduc_poker", 12 / 26, 1), ("bargaining", 0, 0)]
)
def test_a_game_that_is_given_up_is_judged(name, own, other):
    domain = registry.build(DomainSpec(f"games-{name}", canonical({"opponent": "players"})))
    first, second = domain.open_seats(domain.tasks("test")[0])
    mover, waiter = (second, first) if first.waits else (first, second)
    mover.give_up()
    waiter.give_up()  # has no effect any more
    assert (mover.progress, waiter.progress) == (pytest.approx(own), pytest.approx(other))
    assert (mover.success, waiter.success) == (False, other > 0)
