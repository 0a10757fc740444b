"""What a run's page and tables say of numbers that mean something else than they seem to."""

import asyncio
import dataclasses
import io
import json
import shlex

import pytest
from rich.console import Console

from learnact.methods.selector import IDLE
from learnact.records import Candidate, Library, Turn, canonical
from learnact.report import result_table
from learnact.report.data import ReportData
from learnact.report.paper import make_tables
from learnact.report.summary import page_json, render_page, run_page
from learnact.report.trajectory import show_episode, show_library
from learnact.results.reader import connect_folders
from learnact.results.store import RunStore
from tests.cli.conftest import learnact
from tests.report.conftest import write
from tests.results import material


def options(learner="none", **more):
    domain = {"name": "gripper", "options": "{}"}
    known = {"learner": learner, "domain": domain, "test_domains": [domain], "test": "rest", "settings": {}}
    return {**known, **more}


def trial_row(method, learner="none", told=None, **more):
    return {
        "method": method,
        "domain": "gripper",
        "agent_model": "sim-strong",
        "learner_model": "" if learner == "none" else "sim-strong",
        "test_repeats": 1,
        "test_episodes": 3,
        "status": "done",
        "options": canonical(told or options(learner)),
        **more,
    }


def episode(number, trial, method, **more):
    unit = material.episode(
        number, trial, method, task=number, library=Library(), phase="test", domain="gripper"
    )
    domain = material.DomainSpec("gripper", "{}")
    return dataclasses.replace(unit, **{"domain": domain, "learner_model": "", **more})


def store_run(folder, fill, name="odd"):
    """A run that `fill(store)` writes; it returns the commits to wait for."""

    async def write():
        store = RunStore.open(folder, name.ljust(24, "0"), name, {}, {}, {})
        await asyncio.gather(*fill(store))
        await store.close()
        return store.folder

    return asyncio.run(write())


def rows_of(folder, table="2", number=1):
    with connect_folders([folder]) as connection:
        return result_table.as_plain(make_tables(ReportData(connection), table)[number])["rows"]


def told(folder):
    """All that the page of a run says."""
    console = Console(width=400, file=io.StringIO())
    console.print(render_page(run_page(folder, ["my job.yaml"])))
    return console.file.getvalue()


def notes_of(folder, table="2"):
    with connect_folders([folder]) as connection:
        return " ".join(make_tables(ReportData(connection), table)[0].notes)


# Setups -----------------------------------------------------------------------------------------------------


def test_episodes_of_one_trial_made_with_other_prompts_are_not_pooled(tmp_path):
    def fill(store):
        store.trial("t", trial_row("act"))
        for number in range(6):
            unit = episode(number % 3, "t", "act", prompts="b" * 24 if number > 2 else "a" * 24)
            done = material.outcome(unit, 6, number > 2)
            yield store.commit(dataclasses.replace(done, finished=1.7e9 + number))

    folder = store_run(tmp_path, fill)
    rows = {row["method"]: row for row in rows_of(folder)}
    assert {m: (r["success"]["mean"], r["episodes"], r["unfinished"]) for m, r in rows.items()} == {
        "act [prompts aaaaaa]": (0.0, 3, 0),
        "act [prompts bbbbbb]": (1.0, 3, 0),
    }
    assert "different setups" in told(folder)
    assert "'act'" in notes_of(folder)


def test_a_trial_that_goes_on_with_another_setup_has_the_rest_to_play(tmp_path):
    def fill(store):
        store.trial("t", trial_row("act", status="unfinished"))
        for number, version in ((0, "1"), (1, "1"), (0, "2")):
            unit = episode(number, "t", "act", versions=version)
            done = material.outcome(unit, 6, True)
            yield store.commit(dataclasses.replace(done, finished=1.7e9 + int(version)))

    rows = {row["method"]: row for row in rows_of(store_run(tmp_path, fill))}
    assert {m: (r["episodes"], r["unfinished"]) for m, r in rows.items()} == {
        "act [versions 1]": (2, 0),
        "act [versions 2]": (1, 2),
    }


@pytest.mark.parametrize(
    ("first", "second", "labels"),
    [
        (
            {"settings": {"updates": True}},
            {"settings": {"updates": False}},
            ("updates true", "updates false"),
        ),
        ({"settings": {"candidates": 1}}, {"settings": {"candidates": 4}}, ("candidates 1", "candidates 4")),
        ({"agent": {"name": "act"}}, {"agent": {"name": "react"}}, ("agent name act", "agent name react")),
        ({"rules": {"failure": "last"}}, {"rules": {"failure": "any"}}, ("failure last", "failure any")),
    ],
)
@pytest.mark.parametrize("table", ["2", "cost", "robustness", "causes"])
def test_entries_of_a_job_with_one_label_are_not_pooled(first, second, labels, table, tmp_path):
    def fill(store):
        for trial, more in ("one", first), ("two", second):
            store.trial(trial, trial_row("learnact", "learnact", options("learnact", **more)))
            for number in range(3):
                unit = episode(
                    number, trial, "learnact", learner_model="sim-strong", library=material.LIBRARY
                )
                yield store.commit(material.outcome(unit, 6, trial == "one"))

    folder = store_run(tmp_path, fill)
    with connect_folders([folder]) as connection:
        tables = [result_table.as_plain(t) for t in make_tables(ReportData(connection), table)]
    methods = {row[name] for t in tables for row in t["rows"] for name in ("method", "minus") if name in row}
    assert methods == {f"learnact [{label}]" for label in labels}
    for t in tables:
        for row in t["rows"]:
            assert row.get("episodes", 3) == 3


def test_models_of_one_name_with_other_parameters_are_not_pooled(tmp_path):
    def fill(store):
        for trial, temperature in ("cold", 0.0), ("warm", 1.0):
            store.trial(trial, trial_row("act"))
            model = dataclasses.replace(material.MODEL, temperature=temperature)
            for number in range(3):
                yield store.commit(material.outcome(episode(number, trial, "act", model=model), 6, True))

    assert [row["method"] for row in rows_of(store_run(tmp_path, fill))] == [
        "act [model temperature 0.0]",
        "act [model temperature 1.0]",
    ]


def test_a_model_is_called_by_its_label_everywhere(tmp_path):
    def fill(store):
        store.trial("t", trial_row("act", agent_model="warm"))
        for number in range(2):
            yield store.commit(material.outcome(episode(number, "t", "act"), 6, True))

    folder = store_run(tmp_path, fill)
    (row,) = rows_of(folder)
    assert (row["agent model"], row["episodes"], row["unfinished"]) == ("warm", 2, 1)
    with connect_folders([folder]) as connection:
        assert all(table.simulated for table in make_tables(ReportData(connection), "2"))


def test_what_is_told_apart_anyway_and_what_adds_tests_only_is_no_setup(tmp_path):
    def fill(store):
        for trial, more in ("one", {}), ("two", {"settings": {"test_each_iteration": True}, "test": "all"}):
            store.trial(trial, trial_row("learnact", "learnact", options("learnact", **more)))
            for number in range(3):
                yield store.commit(material.outcome(episode(number, trial, "learnact"), 6, True))

    assert {row["method"] for row in rows_of(store_run(tmp_path, fill))} == {"learnact"}


# Nothing learned, nothing read, nothing finished
# --------------------------------------------------------------


def test_trials_that_learned_nothing_are_told_with_the_reasons(tmp_path):
    def fill(store):
        for trial, library in ("one", ""), ("two", material.LIBRARY.id):
            store.trial(trial, trial_row("learnact", "learnact", library=library))
            for number in range(3):
                why = "SyntaxError: invalid syntax" if number else "unreadable"
                uncreated = Candidate(trial, 0, number, "", "", "create", uncreated="" if library else why)
                store.candidate(uncreated)
                yield store.commit(material.outcome(episode(number, trial, "learnact"), 6, True))

    folder = store_run(tmp_path, fill)
    for text in told(folder), notes_of(folder), notes_of(folder, "7"):
        assert "1 of 2 trials of learnact on gripper learned nothing" in text
        assert (
            "3 of 3 candidates could not be created (2 x SyntaxError: invalid syntax; 1 x unreadable)" in text
        )
    assert any("learned nothing" in one for one in json.loads(page_json(run_page(folder)))["findings"])


def test_libraries_that_did_nothing_are_told_as_the_reason(tmp_path):
    def fill(store):
        store.trial("one", trial_row("learnact", "learnact", library=""))
        for number in range(2):
            row = Candidate("one", 0, number, "x", "", "create", score=1.0, excluded=IDLE)
            store.candidate(row)
        yield store.commit(material.outcome(episode(0, "one", "learnact"), 6, True))

    assert f"2 of 2 candidates could not win (2 x {IDLE})." in told(store_run(tmp_path, fill))


def unreadable(unit, finish, text, reasoning=""):
    """An episode of five replies without an action."""
    turns = tuple(
        Turn(
            n,
            "unreadable",
            text,
            said=text,
            call="",
            callee="",
            learned=False,
            ok=False,
            observation="No action.",
            progress=0.0,
            cause="no_call",
        )
        for n in range(5)
    )
    done = material.outcome(unit, 5, False)
    calls = tuple(
        dataclasses.replace(
            call,
            reply=dataclasses.replace(
                call.reply, text=text, finish=finish, reasoning=reasoning, parameters='{"max_tokens":512}'
            ),
        )
        for call in done.calls
    )
    return dataclasses.replace(done, result=dataclasses.replace(done.result, turns=turns), calls=calls)


@pytest.mark.parametrize(
    ("finish", "text", "said"),
    [
        ("length", "Let me think", ("15 of 15 replies were cut at max_tokens 512", "Raise max_tokens")),
        ("length", "", ("15 of 15 replies were cut at max_tokens 512", "Raise max_tokens")),
        ("tool_calls", "", ("tool calls without text", "turn tool calling off")),
        ("stop", "", ("were empty", "learnact check-model")),
        (
            "stop",
            "I would rather not.",
            ("does not answer in the form", "(most often: no call)", "see learnact show odd00000000"),
        ),
    ],
)
def test_replies_that_cannot_be_read_are_told_with_cause_and_way_out(finish, text, said, tmp_path):
    def fill(store):
        store.trial("t", trial_row("act"))
        for number in range(3):
            yield store.commit(unreadable(episode(number, "t", "act"), finish, text))

    folder = store_run(tmp_path, fill)
    for where in told(folder), notes_of(folder):
        assert (
            "act with sim-strong solved 0 of 3 test episodes, and 100% of its replies held no action" in where
        )
        assert all(part in where for part in said)


def failing(unit, error, boundary="provider"):
    outcome = material.failed(unit, boundary)
    return dataclasses.replace(
        outcome, attempts=tuple(dataclasses.replace(a, error=error) for a in outcome.attempts)
    )


def test_failed_episodes_are_told_with_distinct_causes_and_the_way_out(tmp_path):
    def fill(store):
        store.trial("t", trial_row("act", status="unfinished", test_episodes=4))
        for number in range(3):
            yield store.commit(failing(episode(number, "t", "act"), "401: wrong key\nmore of it"))
        yield store.commit(failing(episode(3, "t", "act"), "could not connect to http://127.0.0.1:9"))

    text = told(store_run(tmp_path, fill))
    assert (
        "4 episodes failed in every try: 3 x provider: 401: wrong key; 1 x provider: could not connect"
        in text
    )
    assert "learnact check-model" in text
    assert "learnact run 'my job.yaml'" in text


def test_the_limit_that_ended_a_run_is_named_and_no_failure(tmp_path):
    limit = "the job's limit of $0.05 is used up ($0.0512 spent; limits.dollars): raise it to go on"

    def fill(store):
        blocked = f"a unit of learning has no result (harness: {limit})"
        store.trial("t", trial_row("act", status="unfinished", reason=limit))
        store.trial("u", trial_row("act", status="blocked", reason=blocked, test_episodes=0))
        for number in range(3):
            yield store.commit(failing(episode(number, "t", "act"), limit, "harness"))

    text = told(store_run(tmp_path, fill))
    assert f"The run stopped at a limit, with 3 test episodes not finished: {limit}" in text
    assert text.count("The run stopped at a limit") == 1
    assert "failed in every try" not in text


def test_commands_can_be_copied_from_a_narrow_terminal(tmp_path):
    def fill(store):
        store.trial("t", trial_row("act", status="unfinished", test_episodes=4))
        yield store.commit(failing(episode(0, "t", "act"), "could not connect"))
        yield store.commit(unreadable(episode(1, "t", "act"), "stop", "No."))

    page = run_page(store_run(tmp_path, fill), ["it's my job.yaml", "--set", "methods=[act, learnact]"])
    console = Console(width=40, file=io.StringIO())
    console.print(render_page(page), crop=False)
    shown = [line.strip() for line in console.file.getvalue().splitlines()]
    for command in page.commands:
        assert command in shown
        assert shlex.split(command)[0] == "learnact"
    assert shlex.split(page.commands[0])[2:5] == ["it's my job.yaml", "--set", "methods=[act, learnact]"]
    assert any("see learnact show odd00000000" in line and str(tmp_path) in line for line in shown)


def test_a_sound_run_has_no_findings(folder):
    page = run_page(folder)
    assert [one for one in page.findings if "learned nothing" not in one] == []


# Text of models
# -----------------------------------------------------------------------------------------------

EVIL = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m"


def test_what_models_wrote_cannot_control_the_terminal(tmp_path):
    action = dataclasses.replace(material.LIBRARY.actions[0], description=EVIL, notes=(f"note {EVIL}",))
    library = dataclasses.replace(material.LIBRARY, actions=(action,), lessons=(EVIL,))

    def fill(store):
        store.trial("t", trial_row("learnact", "learnact", library=library.id, reason=EVIL, status="blocked"))
        store.library("t", library)
        store.candidate(Candidate("t", 0, 0, library.id, "", "create", reason=EVIL, failed_call=EVIL))
        for number in range(3):
            done = unreadable(episode(number, "t", "learnact", library=library), "stop", EVIL)
            yield store.commit(done)
        yield store.commit(failing(episode(4, "t", "learnact", library=library), EVIL))

    folder = store_run(tmp_path, fill)
    with connect_folders([folder]) as connection:
        key = connection.execute("SELECT key FROM episodes").fetchone()[0]
        shown = [told(folder), show_episode(connection, key), show_library(connection, library.id)]
        for which in ("2", "causes"):
            for one in make_tables(ReportData(connection), which):
                shown.append(result_table.to_markdown(one))
    for text in shown:
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)


def test_a_table_in_csv_holds_no_formula(tmp_path):
    column = result_table.Column("failures")
    table = result_table.ResultTable("t", (column,), (("=HYPERLINK(1)",), (f"a{EVIL}",)))
    assert "'=HYPERLINK(1)" in result_table.to_csv(table)
    assert "\x1b" not in result_table.to_csv(table)


# Damaged files
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["episodes", "turns", "candidates"])
def test_a_damaged_file_of_a_run_is_named_with_the_way_out(table, tmp_path):
    folder = asyncio.run(write(tmp_path))
    for path in folder.glob(f"{table}.*.parquet"):
        content = bytearray(path.read_bytes())
        content[4 : len(content) // 3] = bytes(byte ^ 0x5A for byte in content[4 : len(content) // 3])
        path.write_bytes(content)
    name = folder.name
    commands = (["table", "2", name], ["table", "causes", name], ["show", name], ["show", name, "--failed"])
    for command in commands:
        told = learnact(*command, "--results", str(tmp_path))
        assert "Traceback" not in told.err
        assert told.code in (0, 2)
        assert told.code == 0 or str(folder / table) in told.err
