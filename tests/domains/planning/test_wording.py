"""The controlled English: sentences to atoms and back, observations that lose nothing, rules that can be
read back."""

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.domains.planning.pddl import parse_domain
from learnact.domains.planning.wording import NAME, Wording
from learnact.errors import TaskError

from .conftest import NAMES, build


def parse_sentence(wording: Wording, sentence: str):
    """The atom of a sentence and whether it holds; None for a sentence that is not the domain's."""
    for predicate, holds, order, pattern in wording._patterns:
        if match := pattern.fullmatch(sentence):
            arguments = dict(zip(order, match.groups(), strict=True))
            return (predicate, *[arguments[i] for i in range(len(order))]), holds
    return None


names = st.from_regex(NAME, fullmatch=True)


@pytest.mark.parametrize("domain", NAMES)
@given(data=st.data())
@settings(max_examples=60)
def test_a_sentence_says_one_atom_and_an_atom_one_sentence(domain, data):
    built = build(domain)
    predicate = data.draw(st.sampled_from(sorted(built.rules.predicates)))
    word = names.filter(lambda name: name not in built.wording.words)
    atom = (predicate, *[data.draw(word) for _ in range(built.rules.predicates[predicate])])
    sentence = built.wording.sentence(atom)
    assert parse_sentence(built.wording, sentence) == (atom, True)
    gone = built.wording.sentence(atom, holds=False)
    if gone != sentence:
        assert parse_sentence(built.wording, gone) == (atom, False)
        assert gone.replace("no longer ", "") == sentence
    readings = [p for p, _, _, pattern in built.wording._patterns if pattern.fullmatch(sentence)]
    assert set(readings) == {predicate}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_the_domains_is_not_understood(name):
    wording = build(name).wording
    assert parse_sentence(wording, "the weather is fine.") is None
    assert parse_sentence(wording, "") is None


def facts(wording: Wording, text: str) -> set[tuple[str, ...]]:
    heard = [parse_sentence(wording, s.strip()) for s in re.findall(r"[^.]+\.", text)]
    assert all(item is not None and item[1] for item in heard), text
    return {item[0] for item in heard}


@pytest.mark.parametrize("name", NAMES)
def test_every_state_on_the_way_is_recovered_from_its_observation(name):
    domain = build(name, test=3)
    for task in domain.tasks("test"):
        grounding = domain.ground(task.content)
        environment = domain.open(task)
        first = environment.first_observation
        now = first.split("Now: ")[1]
        never = re.search(r"^Facts that never change: (.*)$", first, re.M)
        static = facts(domain.wording, never[1]) if never else set()
        assert facts(domain.wording, now) | static == grounding.problem.init
        assert facts(domain.wording, environment.goal) == set(grounding.problem.goal)
        state = grounding.start
        for action, arguments in domain.plan(task.content).calls:
            step = environment.call(action.replace("-", "_"), arguments, {})
            state = grounding.actions[action, arguments].after(state)
            told = facts(domain.wording, step.observation.removeprefix("Now: "))
            assert told | static == {grounding.atoms[i] for i in grounding.true(state)}


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_are_recovered_from_the_prompt(name):
    """Conditions and effects of every action, up to the names of its parameters, follow from its one line."""
    domain = build(name)
    for primitive, schema in zip(domain.primitives, domain.rules.schemas, strict=True):
        match = re.fullmatch(r"(?:Requires: (.*) )?Then: (.*)", primitive.description)
        rename = dict(zip(primitive.parameters, schema.parameters, strict=True))

        def atoms(text: str | None, holds: bool, rename: dict[str, str] = rename) -> set[tuple[str, ...]]:
            heard = [parse_sentence(domain.wording, s.strip()) for s in re.findall(r"[^.]+\.", text or "")]
            assert None not in heard
            return {(a[0], *[rename.get(t, t) for t in a[1:]]) for a, positive in heard if positive is holds}

        assert atoms(match[1], True) == set(schema.requires)
        assert atoms(match[1], False) == set()
        assert atoms(match[2], True) == set(schema.adds)
        assert atoms(match[2], False) == set(schema.deletes) - set(schema.adds)
        assert primitive.kinds == (schema.types if domain.rules.typed else ())


@pytest.mark.parametrize("name", NAMES)
def test_every_object_is_listed_under_each_of_its_kinds(name):
    domain = build(name)
    task = domain.tasks("train")[0]
    first = domain.open(task).first_observation
    listed = {m[1]: m[2].split(", ") for m in re.finditer(r"^- (\S+): (.*)\.$", first, re.M)}
    grounding = domain.ground(task.content)
    for kind, members in listed.items():
        assert set(members) == {n for n, kinds in grounding.kinds.items() if kind in kinds}
    assert {kind for schema in domain.rules.schemas for kind in schema.types} <= set(listed)


@pytest.mark.parametrize("name", NAMES)
def test_no_name_is_a_word_of_a_sentence(name):
    domain = build(name)
    assert not {p for primitive in domain.primitives for p in primitive.parameters} & domain.wording.words
    for task in domain.tasks("test"):
        assert not set(domain.ground(task.content).problem.objects) & domain.wording.words
    word = min(domain.wording.words)
    kind = {"barman": " - shot", "tyreworld": " - container"}.get(name, "")
    text = domain.tasks("train")[0].content.replace("(:objects", f"(:objects {word}{kind}")
    with pytest.raises(TaskError, match=f"object {word} is a word of the sentences of {name}"):
        domain.task(text, "x", {})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("carry: ", "cary: ", "g.yaml:10: sentences: there is none for carry; did you mean 'cary'"),
        ("{1} [no longer] holds {0}.", "{1} [no longer] holds.", r"sentences.carry: expected \{0\} to \{1\}"),
        ("{1} [no longer] holds {0}.", "{1} holds {0}.", r"sentences.carry: pick|drop deletes it"),
        ("[obj, place, hand]", "[obj, room, hand]", "parameters.pick: room is a word of a sentence"),
        ("[obj, place, hand]", "[obj, place]", "parameters.pick: expected 3 names"),
        (
            "you are [no longer] in {0}.",
            "{0} is a room.",
            "sentences.room: reads like at-robby|sentences.at-robby",
        ),
        ("{0} is a gripper.", "{0} is no longer free.", "sentences.gripper: reads like free"),
        ("{0} is a gripper.", "{0} is: a gripper.", "sentences.gripper: String should match"),
        ("title: a robot", "titel: a robot", r"g.yaml:1: titel: there is no key titel; did you mean 'title'"),
        (
            "sentences:",
            "sentance:",
            r"g.yaml:\d+: sentance: there is no key sentance; did you mean 'sentences'",
        ),
        ("    - think: ", "    - thinks: ", r"thinks: there is no key thinks; did you mean 'think'"),
        (
            "  problem: |",
            "  problm: |",
            r"g.yaml:\d+: example.problm: there is no key problm; did you mean 'problem'",
        ),
        (
            "example:\n",
            "phrases: {gaol: x}\nexample:\n",
            "phrases.gaol: there is no key gaol; did you mean 'goal'",
        ),
        ("example:\n", "phrases: {goal: '{1}'}\nexample:\n", r"phrases.goal: \{1\} stands for nothing here"),
        ("example:\n", "title: again\nexample:\n", r"g.yaml:\d+: a second key title; the first is on line 1"),
        (
            "[obj, place, hand]",
            "[obj, from, hand]",
            r"g.yaml:\d+: parameters.pick: `from` is a keyword of Python",
        ),
        ("[obj, place, hand]", "[obj, a-place, hand]", "parameters.pick: `a-place` is not a name in Python"),
        ("[obj, place, hand]", "[obj, drop, hand]", "parameters.pick: drop is an action's name"),
        ("[obj, place, hand]", "[obj, obj, hand]", "parameters.pick: obj comes twice"),
        ("parameters:\n", "parameters:\n  fly: []\n", "parameters.fly: there is no action fly"),
        (
            "sentences:\n",
            "sentences:\n  balls: '{0} rolls.'\n",
            "there is no predicate balls; did you mean 'ball'",
        ),
        ("{0} is a gripper.", "{0} is a gripper {x}.", r"sentences.gripper: expected \{0\} to \{0\}"),
        ("{0} is a gripper.", "{0.__class__} is a gripper.", "sentences.gripper: "),
        ("title: a robot", "title: [ ", r"g.yaml:\d+: not YAML: while parsing a flow"),
    ],
)
def test_a_broken_table_is_refused_with_the_key(old, new, message):
    family = build("gripper").family
    table = family.file(".yaml")
    assert old in table
    with pytest.raises(TaskError, match=message):
        Wording.parse(table.replace(old, new), "g.yaml").check(parse_domain(family.file(".pddl")))


def test_a_table_of_ones_own_changes_every_word(tmp_path):
    """`text: FILE` lets a user play another wording, AgentBoard's for one."""
    table = (
        build("gripper")
        .family.file(".yaml")
        .replace("you are [no longer] in {0}.", "Robby is [no longer] at {0}.")
    )
    file = tmp_path / "words.yaml"
    phrases = {
        "goal": "The goal is to satisfy the following conditions: {0}",
        "objects": "",
        "now": "{0}",
        "never": "",
        "requires": "The action is not valid and therefore takes no effect.",
    }
    file.write_text(table + yaml.safe_dump({"phrases": phrases}))
    domain = build("gripper", text=str(file))
    assert domain.version != build("gripper").version
    environment = domain.open(domain.tasks("train")[0])
    assert environment.goal.startswith("The goal is to satisfy the following conditions: ball1 is in ")
    assert environment.first_observation.startswith("Robby is at room")
    assert "Requires: start is a room. end is a room. Robby is at start." in domain.primitives[0].description
    step = environment.call("drop", ["ball1", "rooma", "left"], {})
    assert step.observation == "The action is not valid and therefore takes no effect."
