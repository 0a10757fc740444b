"""Laws: any record that is committed comes back equal, and the view of prompts rebuilds exactly what was
sent.
"""

import asyncio
import dataclasses
import tempfile
import typing
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learnact.records import (
    ActionError,
    Attempt,
    Call,
    EpisodeResult,
    Ignored,
    LearnedAction,
    Library,
    Outcome,
    PrimitiveStep,
    Prompt,
    Reply,
    Seconds,
    Task,
    Tokens,
    Turn,
    UnreadableCause,
    history_entries,
)
from learnact.results.pending import CallJournal
from learnact.results.reader import connect
from learnact.results.store import RunStore
from tests.results import material
from tests.results.reading import load_calls

text = st.text(st.characters(codec="utf-8"), max_size=30)
texts = st.lists(text, max_size=3).map(tuple)
count = st.integers(0, 2**31 - 1)
amount = st.floats(0, 1e9, allow_nan=False)
tokens = st.builds(Tokens, count, count, count, count)
steps = st.lists(st.builds(PrimitiveStep, text, st.booleans(), text), max_size=3).map(tuple)
errors = st.none() | st.builds(ActionError, text, text, text, count, text)
kinds = st.sampled_from(["action", "thought", "unreadable"])
replies = st.builds(
    Reply,
    text=text,
    finish=text,
    reasoning=text,
    tokens=tokens,
    cost=st.none() | amount,
    model=text,
    fingerprint=text,
    parameters=text,
    tries=count,
    latency=amount,
    vectors=st.lists(st.lists(amount, min_size=1, max_size=3).map(tuple), max_size=2).map(tuple),
)
prompts = st.builds(Prompt, text, texts, text, texts, st.integers(0, 40))
actions = st.builds(LearnedAction, text, text, text, text, texts)
libraries = st.builds(Library, st.lists(actions, max_size=2).map(tuple), text, text, texts)


@st.composite
def results(draw):
    made = [
        draw(
            st.builds(
                Turn,
                index=st.just(index),
                kind=kinds,
                raw=text,
                said=text,
                call=text,
                callee=text,
                learned=st.booleans(),
                ok=st.booleans(),
                observation=text,
                progress=amount,
                steps=steps,
                error=errors,
                printed=text,
                returned=text,
                thought=text,
                cause=st.sampled_from(["", *typing.get_args(UnreadableCause)]),
                ignored=st.lists(st.sampled_from(typing.get_args(Ignored)), max_size=3).map(tuple),
            )
        )
        for index in range(draw(st.integers(0, 4)))
    ]
    seconds = st.builds(Seconds, amount, amount, amount, amount)
    return draw(
        st.builds(
            EpisodeResult,
            success=st.booleans(),
            progress=amount,
            goal=text,
            first_observation=text,
            turns=st.just(tuple(made)),
            tokens=tokens,
            cost=st.none() | amount,
            model_returned=text,
            seconds=seconds,
            sandbox_kind=text,
        )
    )


@st.composite
def outcomes(draw):
    """An episode or a request with calls; some histories are those of the turns, some are not."""
    number = draw(st.integers(0, 10**6))
    attempts = tuple(
        Attempt("", n, draw(st.sampled_from(["provider", "harness"])), "lost", draw(amount), draw(text))
        for n in range(draw(st.integers(0, 2)))
    )
    if draw(st.booleans()):
        unit = material.request(number)
        unit = dataclasses.replace(unit, prompt=draw(prompts), texts=draw(texts), attempt=draw(count))
        result = draw(replies)
        calls = [Call(unit.key, 0, unit.purpose, unit.prompt, result)] if draw(st.booleans()) else []
    else:
        task = Task("d", draw(text), draw(text), draw(st.none() | count), {"a": draw(text)})
        unit = material.episode(number, library=draw(libraries), task=0)
        unit = dataclasses.replace(
            unit, task=task, replicate=draw(count), model=draw(st.sampled_from([None, material.MODEL]))
        )
        result = draw(results())
        entries, calls = history_entries(result.turns), []
        for ordinal in range(len(result.turns)):
            prompt = draw(prompts)
            if draw(st.booleans()):
                start = draw(st.integers(0, 2 * ordinal))
                prompt = dataclasses.replace(
                    prompt, history=entries[start : 2 * ordinal], history_start=start
                )
            calls.append(Call(unit.key, ordinal, "act", prompt, draw(replies)))
    attempts = tuple(dataclasses.replace(a, unit=unit.key) for a in attempts)
    return Outcome(unit, result, attempts, tuple(calls), draw(amount), draw(text))


def run(folder, coroutine_of):
    async def session():
        store = RunStore.open(folder, "r" * 24, "law", {}, {}, {})
        try:
            return await coroutine_of(store)
        finally:
            await store.close()

    return asyncio.run(session())


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(st.lists(outcomes(), min_size=1, max_size=4, unique_by=lambda outcome: outcome.key))
def test_records_come_back_equal(made):
    with tempfile.TemporaryDirectory() as folder:
        run(folder, lambda store: asyncio.gather(*(store.commit(outcome) for outcome in made)))

        async def found(store):
            return [store.find(outcome.key) for outcome in made]

        for outcome, got in zip(made, run(folder, found), strict=True):
            assert dataclasses.replace(got, calls=outcome.calls) == outcome
        with connect(folder) as connection:
            for outcome in made:
                calls = load_calls(connection, outcome.key)
                if outcome.calls:
                    assert calls == outcome.calls
                rebuilt = connection.execute(
                    'SELECT system, "user" FROM prompts WHERE unit = ? ORDER BY ordinal', [outcome.key]
                ).fetchall()
                assert rebuilt == [whole(call.prompt) for call in calls]
            sent, right = connection.execute(
                "SELECT count(*), count(*) FILTER ("
                "sha256(system || chr(10) || chr(10) || user)[:24] = request)"
                " FROM prompts"
            ).fetchone()
            assert sent == right == sum(len(load_calls(connection, outcome.key)) for outcome in made)
        assert not list(Path(folder).glob("*/.tmp-*"))


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4), prompts, replies), max_size=12), st.data()
)
def test_a_journal_gives_back_the_calls_of_the_last_try(rows, data):
    """Histories that continue each other, as an agent's do, and such that do not."""
    told = tuple(data.draw(text) for _ in range(8))
    with tempfile.TemporaryDirectory() as folder:
        pending, kept = CallJournal(Path(folder), lambda unit: False), {"a": [], "b": []}
        for unit, ordinal, prompt, reply in rows:
            if data.draw(st.booleans()):
                start = data.draw(st.integers(0, 4))
                end = data.draw(st.integers(start, 8))
                prompt = dataclasses.replace(prompt, history=told[start:end], history_start=start)
            call = Call(unit, ordinal, "act", prompt, reply)
            pending.record(call)
            kept[unit] = [*(c for c in kept[unit] if c.ordinal < ordinal), call]
            if data.draw(st.booleans()):
                pending.store(pending.take())
        pending.store(pending.take())
        again = CallJournal(Path(folder), lambda unit: unit == "b")
        assert again.of("a") == pending.of("a") == tuple(kept["a"])
        assert again.of("b") == ()
        assert CallJournal(Path(folder), lambda unit: False).of("a") == tuple(kept["a"])


def whole(prompt):
    return prompt.system, prompt.messages()[-1].content


def test_text_that_is_no_unicode_is_kept_with_replacement_characters(tmp_path):
    unit = material.request(1)
    broken = Outcome(unit, Reply("half a pair: \ud800"))
    run(tmp_path, lambda store: store.commit(broken))

    async def found(store):
        return store.find(unit.key)

    assert run(tmp_path, found).result.text == "half a pair: ?"
