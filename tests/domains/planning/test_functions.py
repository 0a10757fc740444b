"""The worked function of each domain, and what primitives are said to return."""

from __future__ import annotations

import pytest

from learnact.domains import registry
from learnact.library.calls import parse_call
from learnact.records import DomainSpec

NAMES = ("gripper", "blockworld", "barman", "tyreworld")


@pytest.mark.parametrize("name", NAMES)
def test_the_worked_function_is_possible_in_the_worked_example_and_does_what_it_says(name):
    domain = registry.build(DomainSpec(name))
    function = domain.own_function_example
    environment = domain.open(domain.example_task)
    before = environment.first_observation
    steps = []
    primitives = {p.name: call(environment, p.name, steps) for p in domain.primitives}
    exec(function.source, primitives)
    used = parse_call(function.usage)
    primitives[used.name](*used.args)
    assert len(steps) > 1
    assert all(step.valid for step in steps), [step.observation for step in steps]
    signature = function.source.split("def ")[1].split(":")[0]
    named = dict(zip(signature[signature.index("(") + 1 : -1].split(", "), used.args, strict=True))
    requires, then = function.description.split(" Does: ")[0].split(" Then: ")
    for sentence in requires.removeprefix("Requires: ").split(". "):
        assert filled(sentence, named) in before
    for sentence in then.split(". "):
        gone = " no longer" in sentence
        said = filled(sentence.replace(" no longer", ""), named)
        assert (said in steps[-1].observation) != gone, sentence
    # The answers have the forms that writers of code are told.
    assert all(step.observation.startswith("Now:") for step in steps)
    assert '"Now:"' in domain.profile.possible
    again = environment.call(steps[0].command.split("(")[0], parse_call(steps[0].command).args, {})
    assert not again.valid
    assert again.observation.startswith("No effect:")
    assert '"No effect:"' in domain.profile.impossible


def call(environment, name, steps):
    def made(*args):
        steps.append(environment.call(name, args, {}))
        return steps[-1].observation

    return made


def filled(sentence, named):
    return " ".join(named.get(word, word) for word in sentence.rstrip(".").split(" "))
