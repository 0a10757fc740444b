"""Finding domains by name, ours and other packages'."""

import tomllib
from pathlib import Path

import pytest

from learnact.domains import registry
from learnact.errors import BadInput
from learnact.records import DomainSpec, canonical

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def fresh():
    registry.forget()
    yield
    registry.forget()


def test_ours_are_found_with_and_without_metadata():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][
        "learnact.domains"
    ]
    assert declared == registry.OURS
    assert set(registry.names()) >= set(registry.OURS)


def test_a_domain_is_built_once_for_each_spec():
    assert registry.build(DomainSpec("gripper")) is registry.build(DomainSpec("gripper"))
    other = registry.build(DomainSpec("gripper", canonical({"seed": 1})))
    assert other is not registry.build(DomainSpec("gripper"))


def test_an_unknown_domain_names_the_nearest():
    with pytest.raises(BadInput, match="no domain 'griper'; did you mean 'gripper'"):
        registry.build(DomainSpec("griper"))


def test_a_wrong_option_is_named_with_what_there_is():
    with pytest.raises(BadInput, match="domain gripper: there is no option bals; did you mean 'balls'"):
        registry.build(DomainSpec("gripper", canonical({"bals": [4, 5]})))


def test_a_wrong_value_is_named():
    with pytest.raises(BadInput, match="domain gripper: option test: Input should be a valid integer"):
        registry.build(DomainSpec("gripper", canonical({"test": "many"})))
    with pytest.raises(
        BadInput, match="domain gripper: train_indices belongs to a source; generated tasks take"
    ):
        registry.build(DomainSpec("gripper", canonical({"train_indices": [0]})))
    with pytest.raises(BadInput, match=r"option balls: .*must be .least, most. within 1 .. 50"):
        registry.build(DomainSpec("gripper", canonical({"balls": 10**9})))
    with pytest.raises(BadInput, match="option train: Input should be less than or equal to 1000"):
        registry.build(DomainSpec("gripper", canonical({"train": 99999999999})))
    with pytest.raises(BadInput, match="option balls: "):
        registry.build(DomainSpec("gripper", canonical({"balls": True})))
    with pytest.raises(BadInput, match="option seed: Input should be less than or equal to"):
        registry.build(DomainSpec("gripper", canonical({"seed": 10**30})))
    with pytest.raises(BadInput, match="options are not JSON"):
        registry.build(DomainSpec("gripper", "{"))


def test_options_are_published_for_checking_job_files():
    model = registry.options_model("gripper")
    assert model is not None
    assert "balls" in model.model_json_schema()["properties"]
