"""Where a difference comes from: every account adds up to it, each item is what a reader of the two trajectories would say."""

import asyncio
import dataclasses
import random
import re
from pathlib import Path

import pytest

from learnact.errors import ResultsError
from learnact.records import ActionError, Candidate, Library, PrimitiveStep, Terms, Turn, canonical
from learnact.report import sheet
from learnact.report.causes import cause_sheets
from learnact.report.divergence import CAUSES, Move, cause, parting, spent
from learnact.report.lineage import Choice, parted
from learnact.report.pairs import moves
from learnact.report.trajectory import show_pair
from learnact.results.reader import connect_folders, dictionaries
from learnact.results.store import RunStore
from tests.results import material

TURNS = 6
QUERY = Path(__file__).parents[2] / "learnact" / "results" / "queries" / "causes.sql"
KINDS = {
    "L": "learned call",
    "f": "failed call",
    "p": "primitive action",
    "i": "invalid action",
    "t": "thought",
    "u": "unreadable",
}


def play(text):
    """Moves as letters: L a learned call of three steps, f one that failed, p and i primitive actions, t a thought, u unreadable."""
    return [Move(KINDS[c], f"{c}{n}", c, 3 if c == "L" else 1, "seen") for n, c in enumerate(text)]


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
def test_the_cause_is_the_kind_of_turn_that_the_loser_had_most_more_of(winner, loser, expected):
    assert cause(play(winner), play(loser), TURNS) == expected


def test_every_turn_is_accounted_for_once():
    used = spent(play("LLfpit"))
    assert (used.valid, used.failed, used.invalid, used.idle) == (3, 1, 1, 1)
    assert used.saved == 4  # two learned calls of three steps each


def test_episodes_part_where_the_call_or_its_effect_differs():
    assert parting(play("ppf"), play("ppi")) == 2
    assert parting(play("pp"), play("pp")) is None
    assert parting(play("ppp"), play("pp")) == 2
    other = [dataclasses.replace(m, seen="something else") for m in play("pp")]
    assert parting(play("pp"), other) == 0


def line(*steps):
    """A lineage as (library, origin) by iteration; the candidate's number follows the origin where it matters."""
    return [Choice(n, library, origin, number) for n, (library, origin, number) in enumerate(steps)]


def test_lineages_part_at_the_first_step_that_left_them_with_other_libraries():
    full = line(("a", "create", 0), ("b", "update", 2), ("c", "note", 1))
    assert parted(full, full) == ("-", "-", "-")
    kept = line(("a", "create", 0), ("a", "incumbent", 0), ("a", "incumbent", 0))
    assert parted(kept, full) == ("iteration 1", "kept", "update")
    assert parted(full[:1], full) == ("iteration 1", "stopped", "update")
    assert parted(line(("x", "create", 0)), line(("a", "create", 3))) == (
        "create",
        "first proposal",
        "later proposal",
    )
    later = line(("x", "create", 1))
    assert parted(later, line(("y", "create", 1)))[1:] == ("later proposal", "later proposal")
    assert parted(later, line(("y", "create", 2)))[1:] == ("later proposal", "another later one")
    assert parted(full, []) == ("-", "learned", "no library")


# From the results -----------------------------------------------------------------------------------------------------

FULL, BARE = material.LIBRARY, dataclasses.replace(material.LIBRARY, usage_example="")
METHODS = {
    "act": ("none", Library(), {}, {}),
    "learnact": ("learnact", FULL, {}, {}),
    "no notes": ("learnact", BARE, {"notes": False}, {}),
    "no descriptions": ("learnact", FULL, {}, {"show_descriptions": False}),
}
PLAYED = {
    # by task: the moves, and S where it was solved
    "act": ("pppp S", "pppppp", "pppppp", "ppppp S"),
    "learnact": ("fffppp", "Lppp S", "pppp S", "pppp S"),
    "no notes": ("fffppp", "Lppp S", "pppppp", "piippi"),
    "no descriptions": ("fffppp", "Lppp S", "pppp S", "pppp S"),
}


def turns(text):
    for index, move in enumerate(play(text)):
        ok, action = (
            move.kind in ("learned call", "primitive action"),
            move.kind not in ("thought", "unreadable"),
        )
        step = PrimitiveStep(f"pick(ball{index})", ok, move.seen)
        yield Turn(
            index,
            "action" if action else move.kind,
            move.what,
            move.what,
            move.what if action else "",
            "carry" if "call" in move.kind else "pick",
            "call" in move.kind,
            ok,
            move.seen,
            0.1,
            (step,) * move.steps if action else (),
            ActionError("KeyError", "'left'") if move.kind == "failed call" else None,
        )


def outcome(unit, text):
    solved, moved = text.endswith("S"), tuple(turns(text.split()[0]))
    done = material.outcome(unit, len(moved), solved, streamed=True)
    return dataclasses.replace(done, result=dataclasses.replace(done.result, turns=moved))


async def write(folder, played=PLAYED, repeats=1, trials=1, budget=TURNS):
    """Each method's episodes, task by task: `repeats` of each, spread over `trials` of a method that learns. None never finished."""
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
            if library.actions:
                learn(store, name, library)
        for number, text in enumerate(played[method]):
            task, repeat = divmod(number, repeats)
            trial = names[repeat * len(names) // repeats]
            unit = material.episode(number, trial, method, task, library, "test", "gripper")
            unit = dataclasses.replace(
                unit, learner_model=row["learner_model"], test_repeat=repeat, learn_repeat=0
            )
            work += [store.commit(outcome(unit, text))] if text else []
    await asyncio.gather(*work)
    await store.close()
    return store.folder


def learn(store, trial, library):
    """A first proposal without a usage example; a note on it, where the trial ends with more than that."""
    store.library(trial, library)
    store.candidate(Candidate(trial, 0, 0, BARE.id, "", "create", Terms(), 1.0, True))
    if library is not BARE:
        store.candidate(Candidate(trial, 1, 1, library.id, BARE.id, "note", Terms(), 2.0, True))


def sheets_of(folder):
    with connect_folders([folder]) as connection:
        return [sheet.as_plain(found)["rows"] for found in cause_sheets(connection)]


@pytest.fixture(scope="module")
def sheets(tmp_path_factory):
    return sheets_of(asyncio.run(write(tmp_path_factory.mktemp("results"))))


def of(rows, method, minus):
    return [row for row in rows if (row["method"], row["minus"]) == (method, minus)]


def test_variants_are_compared_with_learnact_in_full_and_that_with_the_other_methods(sheets):
    compared = [(row["method"], row["minus"]) for row in sheets[1]]
    assert compared == [("no notes", "learnact"), ("no descriptions", "learnact"), ("learnact", "act")]


def test_each_pair_is_won_or_lost_by_what_its_trajectories_show(sheets):
    items = {(row["outcome"], row["cause"]): row for row in of(sheets[2], "learnact", "act")}
    assert {item: row["pairs"] for item, row in items.items()} == {
        ("won", "fewer steps a turn"): 1,
        ("won", "detours"): 1,
        ("lost", "failed calls"): 1,
    }
    assert [row["calling what differs"] for row in items.values()] == [1, 0, 1]
    assert items["lost", "failed calls"]["loser's failures"] == "carry: KeyError (3 of 3)"
    assert items["lost", "failed calls"]["most often there"] == "failed call | primitive action (1 of 1)"
    lost = {row["cause"]: row["pairs"] for row in of(sheets[2], "no notes", "learnact")}
    assert lost == {"invalid actions": 1, "detours": 1}


def test_an_account_by_libraries_names_the_step_and_what_is_left_of_it(sheets):
    (notes,) = of(sheets[0], "no notes", "learnact")
    assert (notes["parted at"], notes["method's step"], notes["other's step"]) == (
        "iteration 1",
        "stopped",
        "note",
    )
    assert notes["libraries in the end"] == "other words"
    assert (notes["won"], notes["lost"], notes["difference"]) == (0.0, 0.5, -0.5)
    (shown,) = of(sheets[0], "no descriptions", "learnact")
    assert (shown["parted at"], shown["libraries in the end"]) == ("-", "same, shown otherwise")
    assert shown["same play"] == 1.0


def test_the_example_of_an_item_is_a_pair_that_can_be_opened(tmp_path):
    folder = asyncio.run(write(tmp_path))
    row = next(r for r in of(sheets_of(folder)[2], "learnact", "act") if r["outcome"] == "lost")
    first, second = row["example"].split()
    with connect_folders([folder]) as connection:
        known = moves(connection)
        found = connection.execute(
            "SELECT method, success FROM episodes WHERE starts_with(key, ?) OR starts_with(key, ?) ORDER BY method",
            [first, second],
        ).fetchall()
    assert found == [("act", True), ("learnact", False)]
    assert any(
        len(m) == 6 and m[0].kind == "failed call" for key, m in known.items() if key.startswith(first)
    )


def test_a_pair_is_shown_side_by_side_from_the_turn_in_which_it_parts(tmp_path):
    folder = asyncio.run(write(tmp_path))
    query = "SELECT key FROM episodes WHERE task = ? AND method IN ('act', 'learnact', 'no descriptions') ORDER BY method"
    with connect_folders([folder]) as connection:
        act, full, shown_less = (key for (key,) in connection.execute(query, ["gripper-001"]).fetchall())
        other = connection.execute("SELECT key FROM episodes WHERE task = 'gripper-002'").fetchone()[0]
        text = show_pair(connection, (full[:8], act[:8]))
        assert "The two episodes are the same." in show_pair(connection, (full, shown_less))
        with pytest.raises(ResultsError, match="gripper-001 and gripper gripper-002"):
            show_pair(connection, (act, other))
    assert "They part in turn 1:" in text
    assert re.search(r"1\. Action: L0 \[10%\] +\|   1\. Action: p0", text)
    assert max(map(len, text.splitlines())) <= 116
    assert text.count("not solved") == 1


def pairs_of(made, method, minus, repeats):
    """Whether each side solved the task, by task, where both episodes finished."""
    tasks = {}
    for number, (one, two) in enumerate(zip(made[method], made[minus], strict=True)):
        if one and two:
            tasks.setdefault(number // repeats, []).append((one.endswith("S"), two.endswith("S")))
    return tasks


@pytest.mark.parametrize("seed", range(5))
def test_every_account_adds_up_to_the_difference_exactly(seed, tmp_path):
    """Whatever was played: 6 tasks of 4 repeats in two trials, moves and successes at random, every fifth episode never finished."""
    rng = random.Random(seed)

    def episode():
        length = rng.randint(2, TURNS)
        moved = "".join(rng.choice("LfppptiuL") for _ in range(length))
        return rng.choice((f"{moved} S", moved)) if rng.random() < 0.8 else None

    made = {method: [episode() for _ in range(24)] for method in METHODS}
    libraries, turns_, items = sheets_of(asyncio.run(write(tmp_path, made, repeats=4, trials=2)))
    for row in turns_:
        method, minus = row["method"], row["minus"]
        played = pairs_of(made, method, minus, 4)
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
    programs = {**PLAYED, "act": ("pp", *PLAYED["act"][1:])}
    programs["learnact"] = ("ppppp S", *PLAYED["learnact"][1:])
    for budget in (TURNS, None):
        folder = asyncio.run(write(tmp_path / str(budget), programs, budget=budget))
        items = of(sheets_of(folder)[2], "learnact", "act")
        with connect_folders([folder]) as connection:
            asked = dictionaries(connection, QUERY.read_text())
        assert [row["won"] for row in asked if (row["minus"], row["cause"]) == ("act", "ended early")] == [1]
        assert {row["cause"]: row["pairs"] for row in items} == {
            "ended early": 1,
            "fewer steps a turn": 1,
            "detours": 1,
        }


def test_the_query_of_the_cookbook_gives_the_same_account(tmp_path):
    rng = random.Random(11)
    made = {
        method: [
            "".join(rng.choice("Lfppti") for _ in range(TURNS)) + rng.choice(("", " S")) for _ in range(24)
        ]
        for method in METHODS
    }
    folder = asyncio.run(write(tmp_path, made, repeats=2))
    with connect_folders([folder]) as connection:
        asked = dictionaries(connection, QUERY.read_text())
    told = {(row["minus"], row["cause"]): (row["won"], row["lost"]) for row in asked}
    items = of(sheets_of(folder)[2], "learnact", "act")
    assert items
    for row in items:
        assert told["act", row["cause"]][row["outcome"] == "lost"] == row["pairs"]
    assert sum(row["pairs"] for row in asked if row["minus"] == "act") == 24


def test_an_episode_without_a_finished_partner_is_counted_and_left_out(tmp_path):
    short = {**PLAYED, "act": PLAYED["act"][:3]}
    row = of(sheets_of(asyncio.run(write(tmp_path, short)))[1], "learnact", "act")[0]
    assert (row["pairs"], row["unpaired"]) == (3, 1)
    assert row["difference"]["mean"] == pytest.approx(1 / 3)


def test_repeats_of_one_method_that_differ_show_what_chance_does(tmp_path):
    twice = dict.fromkeys(METHODS, ("pp S", "pppppp", "pp S", "pp S"))
    row = of(sheets_of(asyncio.run(write(tmp_path, twice, repeats=2)))[1], "learnact", "act")[0]
    assert (row["same play"], row["repeats differ"]) == (1.0, 0.5)
