"""Causes of a difference: every account adds up to it, and each item is what the trajectories show."""

import asyncio
import dataclasses
import random
import re

import pytest

from learnact.errors import ResultsError
from learnact.records import ActionError, Candidate, Library, PrimitiveStep, Terms, Turn, canonical
from learnact.report import result_table
from learnact.report.causes import CAUSES, cause_tables, compare_episodes, first_difference
from learnact.report.data import ReportData
from learnact.report.trajectory import show_pair
from learnact.results.reader import connect_folders
from learnact.results.store import RunStore
from tests.results import material

TURNS = 6
KINDS = {
    "L": "learned call",
    "f": "failed call",
    "p": "primitive action",
    "i": "invalid action",
    "t": "thought",
    "u": "unreadable",
}


def moves(text):
    """Turns as letters.

    L: a learned call of three steps; f: one that failed; p, i: primitive actions; t: a thought;
    u: unreadable.
    """
    return [(KINDS[c], f"{c}{n}", 3 if c == "L" else 1) for n, c in enumerate(text)]


FULL, BARE = material.LIBRARY, dataclasses.replace(material.LIBRARY, usage_example="")
METHODS = {
    "act": ("none", Library(), {}, {}),
    "learnact": ("learnact", FULL, {}, {}),
    "no notes": ("learnact", BARE, {"notes": False}, {}),
    "no descriptions": ("learnact", FULL, {}, {"show_descriptions": False}),
}
EPISODES = {
    # by task: the moves, and S where it was solved
    "act": ("pppp S", "pppppp", "pppppp", "ppppp S"),
    "learnact": ("fffppp", "Lppp S", "pppp S", "pppp S"),
    "no notes": ("fffppp", "Lppp S", "pppppp", "piippi"),
    "no descriptions": ("fffppp", "Lppp S", "pppp S", "pppp S"),
}


def turns(text):
    for index, (kind, said, steps) in enumerate(moves(text)):
        ok, action = kind in ("learned call", "primitive action"), kind not in ("thought", "unreadable")
        step = PrimitiveStep(f"pick(ball{index})", ok, "seen")
        yield Turn(
            index=index,
            kind="action" if action else kind,
            raw=said,
            said=said,
            call=said if action else "",
            callee="carry" if "call" in kind else "pick",
            learned="call" in kind,
            ok=ok,
            observation="seen",
            progress=0.1,
            steps=(step,) * steps if action else (),
            error=ActionError("KeyError", "'left'") if kind == "failed call" else None,
        )


def outcome(unit, text):
    solved, moved = text.endswith("S"), tuple(turns(text.split()[0]))
    done = material.outcome(unit, len(moved), solved, streamed=True)
    return dataclasses.replace(done, result=dataclasses.replace(done.result, turns=moved))


async def write(folder, played=EPISODES, repeats=1, trials=1, budget=TURNS, lineages=None):
    """Each method's episodes, task by task: `repeats` of each, spread over `trials` of a method that learns.

    None: an episode that never finished.
    """
    store = RunStore.open(folder, "c" * 24, "causes", {}, {}, {})
    work = []
    for method, (learner, library, settings, rules) in METHODS.items():
        told = {"learner": learner, "settings": settings, "rules": rules, "test": "rest"}
        told |= {"domain": {"name": "gripper", "options": "{}"}, "test_budget": {"turns": budget}}
        row = {"method": method, "domain": "gripper", "agent_model": "sim-strong", "status": "done"}
        row |= {"learner_model": "" if learner == "none" else "sim-strong", "library": library.id}
        names = [f"{method} {number}" for number in range(trials if library.actions else 1)]
        for name in names:
            store.trial(name, {**row, "options": canonical(told)})
            if lineages is not None:
                write_lineage(store, name, lineages.get(name, ()))
            elif library.actions:
                learn(store, name, library)
        for number, text in enumerate(played[method]):
            task, repeat = divmod(number, repeats)
            trial = names[repeat * len(names) // repeats]
            unit = material.episode(
                number, trial, method, task=task, library=library, phase="test", domain="gripper"
            )
            unit = dataclasses.replace(
                unit, learner_model=row["learner_model"], test_repeat=repeat, learn_repeat=0
            )
            work += [store.commit(outcome(unit, text))] if text else []
    await asyncio.gather(*work)
    await store.close()
    return store.folder


def write_lineage(store, trial, winners):
    for iteration, (library, origin, number) in enumerate(winners):
        store.library(trial, library)
        store.candidate(
            Candidate(
                trial,
                iteration,
                number,
                library=library.id,
                parent="",
                origin=origin,
                terms=Terms(),
                score=1.0,
                selected=True,
            )
        )


def learn(store, trial, library):
    """A first proposal without a usage example; a note on it, where the trial ends with more than that."""
    store.library(trial, library)
    store.candidate(
        Candidate(
            trial, 0, 0, library=BARE.id, parent="", origin="create", terms=Terms(), score=1.0, selected=True
        )
    )
    if library is not BARE:
        store.candidate(
            Candidate(
                trial,
                1,
                1,
                library=library.id,
                parent=BARE.id,
                origin="note",
                terms=Terms(),
                score=2.0,
                selected=True,
            )
        )


def pairs(folder, columns):
    """Columns of `report_pairs` (causes.sql) for LearnAct against Act, by task."""
    with connect_folders([folder]) as connection:
        compare_episodes(ReportData(connection))
        return connection.execute(
            f"SELECT {columns} FROM report_pairs WHERE method = 'learnact' AND minus = 'act' ORDER BY "
            "first.key"
        ).fetchall()


@pytest.mark.parametrize(
    ("winner", "loser", "expected"),
    [
        ("pppp", "ffpfpp", "failed calls"),
        ("pppp", "pipipp", "invalid actions"),
        ("pppp", "ptptpp", "no action"),
        ("pppp", "pupupp", "no action"),
        ("LLp", "pppppp", "fewer steps a turn"),
        ("ppp", "pppppp", "detours"),
        ("ppp", "LLLLLL", "detours"),
        ("pppppp", "pppppp", "detours"),
        ("pppp", "fipppp", "failed calls"),
        ("LLLLL", "pppp", "ended early"),
    ],
)
def test_the_cause_is_the_kind_of_turn_that_the_loser_had_most_more_of(winner, loser, expected, tmp_path):
    for outcome, sides in ("won", (f"{winner} S", loser)), ("lost", (loser, f"{winner} S")):
        made = {**dict.fromkeys(METHODS, ()), "learnact": sides[:1], "act": sides[1:]}
        folder = asyncio.run(write(tmp_path / outcome, made))
        assert pairs(folder, "outcome, cause") == [(outcome, expected)]


def test_every_turn_is_accounted_for_once(tmp_path):
    made = {**dict.fromkeys(METHODS, ()), "learnact": ("LLfpit",), "act": ("p",)}
    counts = pairs(
        asyncio.run(write(tmp_path, made)),
        "first.valid, first.failed, first.invalid, first.idle, first.saved",
    )
    assert counts == [(3, 1, 1, 1, 4)]  # saved: two learned calls of three steps each


def test_episodes_differ_where_the_call_or_the_end_does(tmp_path):
    made = {"learnact": ("ppf", "pp", "ppp", "pp"), "act": ("ppi", "pp", "pp", "ppi")}
    folder = asyncio.run(write(tmp_path, {**dict.fromkeys(METHODS, ()), **made}))
    found = pairs(folder, "first.key, second.key, parted_turn, same_play")
    with connect_folders([folder]) as connection:
        for first, second, parted, same in found:
            shown = first_difference(connection, first, second)
            assert (shown is None) == (parted is None) == same
            assert shown is None or shown + 1 == parted
    assert sorted((parted or 0) for *_, parted, _ in found) == [0, 3, 3, 3]


A, B, C = (
    dataclasses.replace(material.LIBRARY, usage_example=text) for text in ("do a()", "do b()", "do c()")
)
CREATED = [(A, "create", 0)]
FULL_LINE = [*CREATED, (B, "update", 2), (C, "note", 1)]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (FULL_LINE, FULL_LINE, ("-", "-", "-")),
        ([*CREATED, *[(A, "incumbent", 0)] * 2], FULL_LINE, ("iteration 1", "kept", "update")),
        (CREATED, FULL_LINE, ("iteration 1", "stopped", "update")),
        ([(B, "create", 0)], [(A, "create", 3)], ("create", "first proposal", "later proposal")),
        ([(A, "create", 1)], [(B, "create", 1)], ("create", "later proposal", "later proposal")),
        ([(A, "create", 1)], [(B, "create", 2)], ("create", "later proposal", "another later one")),
        (FULL_LINE, [], ("-", "learned", "no library")),
    ],
)
def test_libraries_parted_at_the_first_step_that_left_them_different(first, second, expected, tmp_path):
    """The winners of the iterations of two trials, as (library, origin, number of the candidate)."""
    lineages = {"learnact 0": first, "act 0": second}
    made = {**dict.fromkeys(METHODS, ()), "learnact": ("pp",), "act": ("pp",)}
    folder = asyncio.run(write(tmp_path, made, lineages=lineages))
    assert pairs(folder, "parted_at, first_step, second_step") == [expected]


def tables_of(folder):
    with connect_folders([folder]) as connection:
        return [result_table.as_plain(found)["rows"] for found in cause_tables(ReportData(connection))]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return tables_of(asyncio.run(write(tmp_path_factory.mktemp("results"))))


def of(rows, method, minus):
    return [row for row in rows if (row["method"], row["minus"]) == (method, minus)]


def test_variants_are_compared_with_learnact_in_full_and_that_with_the_other_methods(tables):
    compared = [(row["method"], row["minus"]) for row in tables[1]]
    assert compared == [("no notes", "learnact"), ("no descriptions", "learnact"), ("learnact", "act")]


def test_each_pair_is_won_or_lost_by_what_its_trajectories_show(tables):
    items = {(row["outcome"], row["cause"]): row for row in of(tables[2], "learnact", "act")}
    assert {item: row["pairs"] for item, row in items.items()} == {
        ("won", "fewer steps a turn"): 1,
        ("won", "detours"): 1,
        ("lost", "failed calls"): 1,
    }
    assert [row["calling what differs"] for row in items.values()] == [1, 0, 1]
    assert items["lost", "failed calls"]["loser's failures"] == "carry: KeyError (3 of 3)"
    assert items["lost", "failed calls"]["most often there"] == "failed call | primitive action (1 of 1)"
    lost = {row["cause"]: row["pairs"] for row in of(tables[2], "no notes", "learnact")}
    assert lost == {"invalid actions": 1, "detours": 1}


def test_an_account_by_libraries_names_the_step_and_what_is_left_of_it(tables):
    (notes,) = of(tables[0], "no notes", "learnact")
    assert (notes["parted at"], notes["method's step"], notes["other's step"]) == (
        "iteration 1",
        "stopped",
        "note",
    )
    assert notes["libraries in the end"] == "other words"
    assert (notes["won"], notes["lost"], notes["difference"]) == (0.0, 0.5, -0.5)
    (shown,) = of(tables[0], "no descriptions", "learnact")
    assert (shown["parted at"], shown["libraries in the end"]) == ("-", "same, shown otherwise")
    assert shown["same play"] == 1.0


def test_the_example_of_an_item_is_a_pair_that_can_be_opened(tmp_path):
    folder = asyncio.run(write(tmp_path))
    row = next(r for r in of(tables_of(folder)[2], "learnact", "act") if r["outcome"] == "lost")
    first, second = row["example"].split()
    with connect_folders([folder]) as connection:
        found = connection.execute(
            "SELECT method, success FROM episodes WHERE starts_with(key, ?) OR starts_with(key, ?) ORDER BY "
            "method",
            [first, second],
        ).fetchall()
    assert found == [("act", True), ("learnact", False)]
    assert (EPISODES["learnact"][0], EPISODES["act"][0]) == ("fffppp", "pppp S")


def test_a_pair_is_shown_side_by_side_from_the_turn_in_which_it_differs(tmp_path):
    folder = asyncio.run(write(tmp_path))
    query = """SELECT key FROM episodes
        WHERE task = ? AND method IN ('act', 'learnact', 'no descriptions') ORDER BY method"""
    with connect_folders([folder]) as connection:
        act, full, shown_less = (key for (key,) in connection.execute(query, ["gripper-001"]).fetchall())
        other = connection.execute("SELECT key FROM episodes WHERE task = 'gripper-002'").fetchone()[0]
        text = show_pair(connection, (full[:8], act[:8]))
        assert "The two episodes are the same." in show_pair(connection, (full, shown_less))
        with pytest.raises(ResultsError, match="gripper-001 and gripper gripper-002"):
            show_pair(connection, (act, other))
    assert "They differ from turn 1:" in text
    assert re.search(r"1\. Action: L0 \[10%\] +\|   1\. Action: p0", text)
    assert max(map(len, text.splitlines())) <= 116
    assert text.count("not solved") == 1


def solved_pairs(made, method, minus, repeats):
    """Whether each side solved the task, by task, where both episodes finished."""
    tasks = {}
    for number, (one, two) in enumerate(zip(made[method], made[minus], strict=True)):
        if one and two:
            tasks.setdefault(number // repeats, []).append((one.endswith("S"), two.endswith("S")))
    return tasks


@pytest.mark.parametrize("seed", range(5))
def test_every_account_adds_up_to_the_difference_exactly(seed, tmp_path):
    """Whatever was played: 6 tasks of 4 repeats in two trials, moves and successes at random, every fifth
    episode never finished."""
    rng = random.Random(seed)

    def episode():
        length = rng.randint(2, TURNS)
        moved = "".join(rng.choice("LfppptiuL") for _ in range(length))
        return rng.choice((f"{moved} S", moved)) if rng.random() < 0.8 else None

    made = {method: [episode() for _ in range(24)] for method in METHODS}
    libraries, turns_, items = tables_of(asyncio.run(write(tmp_path, made, repeats=4, trials=2)))
    for row in turns_:
        method, minus = row["method"], row["minus"]
        played = solved_pairs(made, method, minus, 4)
        each = [sum(one - two for one, two in pairs) / len(pairs) for pairs in played.values()]
        difference = row["difference"]["mean"]
        assert difference == pytest.approx(sum(each) / len(each), abs=1e-12)
        shares = {name: value for name, value in row.items() if name.startswith(("won: ", "lost: "))}
        signed = [value if name.startswith("won") else -value for name, value in shares.items()]
        assert sum(signed) == pytest.approx(difference, abs=1e-12)
        assert sum(r["difference"] for r in of(libraries, method, minus)) == pytest.approx(
            difference, abs=1e-12
        )
        listed = [r["share"]["mean"] * (1 if r["outcome"] == "won" else -1) for r in of(items, method, minus)]
        assert sum(listed) == pytest.approx(difference, abs=1e-12)
        assert sum(r["pairs"] for r in of(libraries, method, minus)) == row["pairs"]
        assert row["pairs"] == sum(map(len, played.values())) < 24
        assert {name.split(": ")[1] for name in shares} <= set(CAUSES)


def test_a_program_that_ended_is_told_from_turns_used_up_whoever_sets_the_budget(tmp_path):
    """Where the job leaves the budget to the domain, the turns that others used show it."""
    programs = {**EPISODES, "act": ("pp", *EPISODES["act"][1:])}
    programs["learnact"] = ("ppppp S", *EPISODES["learnact"][1:])
    for budget in (TURNS, None):
        folder = asyncio.run(write(tmp_path / str(budget), programs, budget=budget))
        items = of(tables_of(folder)[2], "learnact", "act")
        assert {row["cause"]: row["pairs"] for row in items} == {
            "ended early": 1,
            "fewer steps a turn": 1,
            "detours": 1,
        }


def test_an_episode_without_a_finished_partner_is_counted_and_left_out(tmp_path):
    short = {**EPISODES, "act": EPISODES["act"][:3]}
    row = of(tables_of(asyncio.run(write(tmp_path, short)))[1], "learnact", "act")[0]
    assert (row["pairs"], row["unpaired"]) == (3, 1)
    assert row["difference"]["mean"] == pytest.approx(1 / 3)


def test_repeats_of_one_method_that_differ_show_what_chance_does(tmp_path):
    twice = dict.fromkeys(METHODS, ("pp S", "pppppp", "pp S", "pp S"))
    row = of(tables_of(asyncio.run(write(tmp_path, twice, repeats=2)))[1], "learnact", "act")[0]
    assert (row["same play"], row["repeats differ"]) == (1.0, 0.5)
