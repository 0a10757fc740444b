"""Identity of units: content in, key out."""

import dataclasses
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnact.records import LearnedAction, Library, ModelSpec, Prompt, canonical, digest, seed_from

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def turned(value):
    """The same content, each dictionary's keys put in from the last to the first."""
    match value:
        case dict():
            return {key: turned(value[key]) for key in reversed(list(value))}
        case list():
            return [turned(item) for item in value]
    return value


@given(plain)
def test_a_canonical_text_holds_the_whole_content_whatever_the_order_of_keys(value):
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(turned(value)) == text
    assert digest(turned(value)) == digest(pickle.loads(pickle.dumps(value))) == digest(value)


@given(plain, plain)
def test_other_content_has_another_address(one, other):
    assert (digest(one) == digest(other)) == (canonical(one) == canonical(other))


@pytest.mark.parametrize(
    ("one", "other"), [(1, "1"), (1, True), (0, None), ([], {}), ("", None), ([1], [[1]])]
)
def test_values_that_look_alike_have_different_addresses(one, other):
    assert canonical(one) != canonical(other)
    assert digest(one) != digest(other)


@given(st.integers(), st.text())
def test_a_seed_is_small_and_depends_on_each_of_its_causes(number, text):
    seed = seed_from(number, text)
    assert 0 <= seed < 2**31
    assert seed == seed_from(number, text)
    assert (
        len({seed, seed_from(number + 1, text), seed_from(number, text + "."), seed_from(text, number)}) == 4
    )


def test_a_url_is_no_part_of_a_model():
    model = ModelSpec("m", base_urls=("http://one",))
    assert model.fingerprint == dataclasses.replace(model, base_urls=("http://two",)).fingerprint
    assert model.fingerprint != dataclasses.replace(model, temperature=0.5).fingerprint


def test_the_empty_library_has_no_id():
    assert Library().id == ""
    assert Library(actions=(LearnedAction("f", "f()", "def f(): pass"),)).id != ""


def test_a_prompt_is_the_sum_of_its_parts():
    prompt = Prompt("sys", ("a", "b"), "ask", ("h1", "h2"))
    assert [m.content for m in prompt.messages()] == ["sys", "abh1h2ask"]
