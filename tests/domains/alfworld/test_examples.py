"""The worked examples are what the engine says, and what prompts say of answers is so."""

from __future__ import annotations

import re

import pytest

from learnact.domains import registry
from learnact.library.calls import parse_call
from learnact.records import DomainSpec, canonical
from tests.domains.alfworld.conftest import needs_extra

KINDS = ("put", "clean", "heat", "cool", "examine", "puttwo")


def a_domain(kind: str, **options: object):
    return registry.build(DomainSpec(f"alfworld-{kind}", canonical(options)))


@needs_extra
@pytest.mark.parametrize("kind", KINDS)
def test_the_worked_example_is_what_its_game_says(kind):
    domain = a_domain(kind)
    environment = domain.open(domain.example_task)
    assert environment.first_observation == domain.example.first_observation
    assert environment.goal.rstrip(".") == domain.example.goal.rstrip(".")
    for _, action, observation in domain.example.steps:
        call = parse_call(action)
        step = environment.call(call.name, call.args, call.kwargs)
        assert (step.valid, step.observation) == (True, observation)
    assert environment.success
    environment.close()


@needs_extra
@pytest.mark.parametrize("options", [{}, {"surface": "new", "perturb": ["move-to", "no-space"]}])
def test_answers_have_the_forms_that_writers_of_code_are_told(options):
    domain = a_domain("cool", **options)
    go = "move_to" if options else "goto"
    environment = domain.open(domain.example_task)
    places = re.findall(r"an? ([a-z]+ ?\d+)", environment.first_observation)
    seen = [environment.call(go, [place], {}).observation for place in places]
    for place in places:
        environment.call(go, [place], {})
        environment.call("open", [place], {})
        seen.append(environment.call(go, [place], {}).observation)
    environment.close()
    name = r"[a-z]+ ?\d+"
    listed = rf"you see (?:nothing|an? {name}(?:, (?:and )?an? {name})*)\."
    forms = (
        rf"On the {name}, {listed}",
        rf"The {name} is closed\.",
        rf"The {name} is open\. In it, {listed}",
    )
    for form in forms:
        assert any(re.search(form, text) for text in seen), form
        assert any(re.search(form, told) for told in re.findall(r'"(.*?)"', domain.profile.possible)), form
    assert all(any(re.search(form, text) for form in forms) for text in seen)
    away = domain.open(domain.example_task)
    refused = away.call("open", [re.search(name, domain.profile.impossible.split("not at ")[1])[0]], {})
    away.close()
    assert f'"{refused.observation}"' in domain.profile.impossible
    assert refused.observation.startswith(domain.profile.invalid)


@needs_extra
def test_the_function_of_the_same_domain_does_what_it_says():
    domain = a_domain("heat")
    environment = domain.open(domain.example_task)
    steps = []

    def do(name):
        return lambda *args: steps.append(environment.call(name, args, {}))

    functions = {p.name: do(p.name) for p in domain.primitives}
    exec(domain.own_function_example.source, functions)
    functions["bring"]("lettuce 1", "countertop 1", "countertop 2")
    assert [step.valid for step in steps] == [True] * 4
    environment.call("goto", ["countertop 1"], {})
    assert "lettuce 1" in environment.call("goto", ["countertop 2"], {}).observation
    environment.close()


WORDS = re.compile(
    r"'[a-z]+ ?\d+'|\"[^\"]+\"|\b(?:sinkbasin|microwave|fridge|desklamp|clean|hot|cool|closed|recep)"
)
"""What an instruction says that a player must know by name."""


@needs_extra
@pytest.mark.parametrize("others", [[], ["no-space", "move-to"]], ids=str)
def test_a_reworded_instruction_names_the_same_and_shares_no_sentence(others):
    plain, reworded = a_domain("heat", perturb=others), a_domain("heat", perturb=[*others, "reworded"])
    assert set(WORDS.findall(reworded.instruction)) == set(WORDS.findall(plain.instruction))
    sentences = [set(re.split(r"[.;:]\s+|\n", d.instruction.lower())) for d in (plain, reworded)]
    assert sentences[0] & sentences[1] == set()
    longest = [
        " ".join(words[at : at + 6])
        for words in [plain.instruction.lower().split()]
        for at in range(len(words) - 5)
    ]
    assert [run for run in longest if run in " ".join(reworded.instruction.lower().split())] == []
    for part in ("primitives", "example", "function_example", "text_forms", "profile", "curated_library"):
        assert getattr(reworded, part) == getattr(plain, part), part
    assert reworded.version != plain.version
