"""Identity of units: content in, key out."""

import dataclasses
import pickle

from hypothesis import given
from hypothesis import strategies as st

from learnact.records import LearnedAction, Library, ModelSpec, Prompt, canonical, digest, seed_from

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(plain)
def test_equal_content_has_one_address(value):
    assert digest(value) == digest(pickle.loads(pickle.dumps(value)))
    assert canonical(value) == canonical(value)


def test_order_of_keys_does_not_count():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


@given(st.integers(), st.text())
def test_seeds_are_accepted_everywhere(number, text):
    assert 0 <= seed_from(number, text) < 2**31


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
