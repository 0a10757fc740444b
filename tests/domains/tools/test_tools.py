"""Conversations with BFCL's tools: what is right, what is refused, and that the package's checker agrees."""

from __future__ import annotations

import decimal
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.domains import registry
from learnact.domains.tools.apis import all_methods
from learnact.domains.tools.content import Conversation, unpack
from learnact.errors import JobError, TaskError
from learnact.records import DomainSpec, Task, canonical

pytest.importorskip("bfcl_eval", reason="needs learnact[tools] and bfcl-eval")

NAMES = ("files", "vehicle", "trading", "travel", "messages", "tickets")


def build(name: str, **options):
    return registry.build(DomainSpec(f"tools-{name}", canonical(options)))


def play(domain, task: Task, calls):
    environment = domain.open(task)
    return environment, [environment.call(c.name, c.arguments, {}) for c in calls]


@pytest.fixture(scope="module")
def files():
    return build("files")


def test_each_conversation_belongs_to_one_domain():
    counts = {"files": 37, "vehicle": 39, "trading": 28, "travel": 25, "messages": 40, "tickets": 31}
    seen: dict[str, str] = {}
    for name, count in counts.items():
        domain = build(name, train=1, test=count - 1)
        for task in (*domain.tasks("train"), *domain.tasks("test")):
            assert seen.setdefault(task.hash, task.name) == task.name
    assert len(seen) == 200
    with pytest.raises(TaskError, match="only 36 different test tasks"):
        build("files", train=1, test=37).tasks("test")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("check", ["state", "published"])
def test_doing_nothing_is_right_only_where_there_is_nothing_to_do(name, check):
    domain = build(name, check=check)
    for task in domain.tasks("test"):
        turns = unpack(task.content, "").turns
        environment, _ = play(domain, task, [])
        for _ in turns:
            step = environment.call("say", ["I will see."], {})
        assert step.over
        assert not step.success
        empty = sum(not turn.reference for turn in turns)
        assert step.progress <= empty / len(turns)


@pytest.mark.parametrize("name", NAMES)
def test_a_conversation_without_its_last_call_is_wrong_in_its_last_turn_only(name):
    domain = build(name, check="published")
    for task in domain.tasks("test")[:8]:
        turns, plan = unpack(task.content, "").turns, list(domain.reference_plan(task))
        told = [step.observation for step in play(domain, task, plan)[1]]
        if not turns[-1].reference or told[-2] in told[:-2]:
            continue  # nothing to do in it, or what it asks for was answered before
        del plan[-2]
        environment, steps = play(domain, task, plan)
        assert not environment.success
        assert environment.progress == pytest.approx((len(turns) - 1) / len(turns))
        assert steps[-1].over
        later = environment.call("say", ["Wait."], {})
        assert (later.valid, later.observation) == (False, "Nothing happens. The conversation is over.")


def test_a_message_comes_only_after_the_one_before_was_answered(files):
    task = next(t for t in files.tasks("test") if t.labels["messages"] == 3)
    says = [turn.says for turn in unpack(task.content, "").turns]
    environment = files.open(task)
    assert environment.first_observation.endswith(f"The user says: {says[0]}")
    assert says[1] not in environment.first_observation
    assert environment.call("say", ["Done."], {}).observation == f"The user says: {says[1]}"
    assert environment.call("say", [" "], {}).observation == "Nothing happens. Say something to the user."


def test_a_method_that_is_missing_is_refused_until_the_user_gives_it():
    domain = build("vehicle", level="harder")
    task = domain.tasks("test")[0]
    turns = unpack(task.content, "").turns
    missing = next(name for turn in turns for name in turn.new)
    environment = domain.open(task)
    assert f"Not available: {missing}" in environment.first_observation
    primitive = next(p for p in domain.primitives if p.name == missing)
    types = {"int": 1, "float": 1.0, "bool": True, "list[str]": ["driver"]}
    arguments = [types.get(kind, "x") for kind in primitive.kinds]
    step = environment.call(missing, arguments, {})
    assert (step.valid, step.observation) == (False, f"Nothing happens. {missing} is not available.")
    told = [environment.call("say", ["I lack a tool."], {}).observation for _ in turns]
    assert any(f"You can use {missing} now." in text for text in told)


def test_answers_of_the_reference_must_be_received_where_a_turn_changes_nothing(files):
    content = json.loads(files.example_task.content)
    task = Task("tools-files", "mine", json.dumps(content))
    environment = files.open(task)
    for name, arguments in [("mv", ["list.txt", "letters"]), ("say", ["ok"]), ("say", ["two, I think"])]:
        environment.call(name, arguments, {})
    assert environment.progress == 0.5
    assert not environment.success


def test_the_published_check_wants_the_answers_of_all_calls():
    """`ls` of the reference changes nothing: only the published check misses it."""
    turn = {
        "says": "Look around, then make the folder b.",
        "reference": [{"name": "ls", "arguments": [False]}, {"name": "mkdir", "arguments": ["b"]}],
    }
    config = {"files": {"root": {"top": {"type": "directory", "contents": {}}}}}
    content = json.dumps({"apis": ["files"], "config": config, "turns": [turn]})
    for check, right in (("state", True), ("published", False)):
        environment = build("files", check=check).open(Task("tools-files", "mine", content))
        environment.call("mkdir", ["b"], {})
        assert environment.call("say", ["Done."], {}).success is right  # fmt: skip


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("cd", [3], "folder of cd must be str, not 3."),
        ("cd", ["nowhere"], "cd: nowhere: No such directory. You cannot use path to access the file."),
        ("ls", [True, True], "ls takes a (the last 1 may be left out)."),
        ("tail", ["list.txt", 10**16], "lines must be a number from -1e+15 to 1e+15."),
        ("lockDoors", [True, ["driver"]], "There is no action lockDoors; valid are"),
        ("power", [2.0, 1e9], "power is no method of the tools of this task."),
    ],
)
def test_wrong_arguments_get_reasons(files, name, arguments, reason):
    step = files.open(files.example_task).call(name, arguments, {})
    assert not step.valid
    assert step.observation.startswith("Nothing happens. ")
    assert reason.split(":")[0] in step.observation


def test_what_would_take_for_ever_is_refused():
    content = json.dumps({"apis": ["files", "maths"], "config": {"files": {}}, "turns": [{"says": "Play."}]})
    environment = build("files").open(Task("tools-files", "mine", content))
    for name, arguments in [("power", [9, 10**9]), ("logarithm", [2.0, 10.0, 10**8]), ("add", [1e300, 1.0])]:
        assert "must be a number from" in environment.call(name, arguments, {}).observation
    assert environment.call("square_root", [2.0, 5], {}).observation == '{"result": "1.4142"}'
    assert decimal.getcontext().prec == 28


def test_a_file_system_that_would_grow_without_end_is_full():
    content = json.dumps({"apis": ["files"], "config": {"files": {}}, "turns": [{"says": "Play."}]})
    environment = build("files").open(Task("tools-files", "mine", content))
    environment.call("mkdir", ["a"], {})
    cyclic = environment.call("cp", ["a", "a"], {})
    assert cyclic.observation == "Nothing happens. The file system is full."
    assert environment.call("find", [], {}).observation == '{"matches": ["./a"]}'
    for _ in range(60):
        environment.call("mkdir", ["d"], {})
        environment.call("cd", ["d"], {})
    assert not environment.call("mkdir", ["d"], {}).valid


def test_one_conversation_changes_nothing_in_another(files):
    task = files.tasks("test")[0]
    plan = files.reference_plan(task)
    first, second = files.open(task), files.open(task)
    for call in plan:
        first.call(call.name, call.arguments, {})
    for call in plan:
        second.call(call.name, call.arguments, {})
    assert first.success
    assert second.success


def test_the_apis_of_a_domain_can_be_chosen():
    narrow = build("messages", apis=["messages", "travel"], test=5)
    assert len(narrow.primitives) == 10 + 18 + 1
    assert {task.labels["apis"] for task in narrow.tasks("test")} == {"messages, travel"}
    with pytest.raises(JobError, match="option apis"):
        build("messages", apis=["mail"])
    with pytest.raises(JobError, match="long_context: BFCL has it for the level `published` only"):
        build("files", long_context=True, level="hard")


def test_long_context_is_solved_by_its_own_reference():
    domain = build("files", long_context=True, test=5)
    for task in domain.tasks("test"):
        environment, steps = play(domain, task, domain.reference_plan(task))
        assert environment.success
        assert unpack(task.content, "").long_context


@pytest.mark.parametrize("content", ["", "{", "[]", '{"apis": ["mail"], "config": {}, "turns": []}'])
def test_a_broken_content_is_refused(files, content):
    with pytest.raises(TaskError, match="mine: not a conversation with tools"):
        files.open(Task("tools-files", "mine", content))


def test_primitives_are_offered_as_tools_with_their_schemas():
    from learnact.methods.tool_calls import tools_of
    from learnact.records import Library, Rules

    tools = {
        t["function"]["name"]: t["function"]
        for t in json.loads(tools_of(build("vehicle"), Library(), Rules()))
    }
    doors = tools["lockDoors"]["parameters"]
    assert doors["properties"]["door"]["items"] == {"type": "string"}
    assert tools["startEngine"]["parameters"]["required"] == ["ignitionMode"]
    assert tools["adjustClimateControl"]["parameters"]["required"] == ["temperature"]


SHELL = """ls
pwd
mkdir a
mkdir b
touch f
cd a
cd ..
cp a b
mv f a
mv a a
rm a
rmdir b
echo text f
cat f
find
diff f g"""
SOME_CALLS = st.lists(st.sampled_from([line.split(" ") for line in SHELL.split("\n")]), max_size=25)


@settings(max_examples=60, deadline=None)
@given(SOME_CALLS)
def test_a_refused_call_leaves_the_state_as_it_was(calls):
    content = json.dumps({"apis": ["files"], "config": {"files": {}}, "turns": [{"says": "Play."}]})
    environment = build("files").open(Task("tools-files", "mine", content))
    for name, *arguments in calls:
        before = environment._apis.snapshot()
        step = environment.call(name, arguments, {})
        if not step.valid:
            assert environment._apis.equals(before)


def stock_verdict(
    conversation: Conversation, kept_id: str, said: list[list[str]], truth: list[list[str]]
) -> bool:
    """What BFCL's own checker says of the calls of each turn."""
    from bfcl_eval.eval_checker.multi_turn_eval import multi_turn_utils
    from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker import multi_turn_checker

    from learnact.domains.tools.apis import load

    classes = {api: load(api).__name__ for api in conversation.apis}
    entry = {
        "id": kept_id,
        "initial_config": {classes[api]: config for api, config in conversation.config.items()},
        "involved_classes": list(classes.values()),
    }
    for name in [n for n in vars(multi_turn_utils) if n.endswith("_instance")]:
        delattr(multi_turn_utils, name)  # the package keeps instances in its module, by the entry's id
    verdict = multi_turn_checker(
        [[turn] if turn else [] for turn in said], truth, entry, "multi_turn_base", "m"
    )
    return bool(verdict["valid"])


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_published_check_agrees_with_the_packages_own_checker(name):
    """On the reference, without one of its calls, with a call twice, and with turns' calls out of place."""
    domain = build(name, check="published", train=1, test=24)
    verdicts = []
    for number, task in enumerate(domain.tasks("test")):
        conversation = unpack(task.content, "")
        truth = [[(c.name, list(c.arguments)) for c in turn.reference] for turn in conversation.turns]
        keyed = {p.name: p.parameters for p in domain.primitives}

        def texts(turns, keyed=keyed):
            return [
                [
                    f"{n}({', '.join(f'{p}={a!r}' for p, a in zip(keyed[n], args, strict=True))})"
                    for n, args in t
                ]
                for t in turns
            ]

        for variant in range(4):
            turns = [list(turn) for turn in truth]
            busy = [t for t in turns if t]
            turn = busy[number % len(busy)]
            if variant == 1:
                turn.pop(number % len(turn))
            elif variant == 2:
                turn.append(turn[-1])
            elif variant == 3:
                turns[0], turns[-1] = turns[-1], turns[0]
            environment = domain.open(task)
            for calls in turns:
                for method, arguments in calls:
                    environment.call(method, arguments, {})
                environment.call("say", ["Done."], {})
            ours = environment.success
            stock = stock_verdict(
                conversation, f"multi_turn_base_{number}_{variant}", texts(turns), texts(truth)
            )
            empty = any(not now and then for now, then in zip(turns, truth, strict=True))
            assert ours == stock or empty, (task.name, variant)
            verdicts.append((variant, ours))
    assert all(ours for variant, ours in verdicts if variant == 0)
    assert not all(ours for variant, ours in verdicts if variant == 1)


@pytest.mark.parametrize("name", ["messages", "tickets", "files"])
def test_an_agent_is_offered_the_methods_of_its_conversation(name):
    """As BFCL does; a method of another tool is refused with a reason."""
    domain = build(name)
    for task in domain.tasks("test"):
        offered = domain.for_task(task)
        apis = json.loads(task.content)["apis"]
        assert {p.name for p in offered.primitives} == {*all_methods(apis), "say"}
        assert {call.name for call in domain.reference_plan(task)} <= {p.name for p in offered.primitives}
        assert offered.version == domain.version
    assert len(offered.primitives) < len(domain.primitives)
    other = next(p for p in domain.primitives if p not in offered.primitives)
    step = domain.open(task).call(other.name, [], dict.fromkeys(other.required, "x"))
    assert not step.valid
