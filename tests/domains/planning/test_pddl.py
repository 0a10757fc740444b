"""Reading PDDL: what published files hold, and errors that say where."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnact.domains.planning.engine import Grounding
from learnact.domains.planning.names import natural_sort_key
from learnact.domains.planning.pddl import parse_domain, parse_problem, write_problem
from learnact.errors import TaskError

from .conftest import NAMES, build

DOMAIN = """
(define (domain garage)
  (:requirements :strips :typing)
  (:types tool - thing thing box - object)
  (:constants jack - tool)
  (:predicates (in ?x - thing ?y - box) (have ?x - thing) (open ?y - box))
  (:action fetch :parameters (?x - thing ?y - box) :precondition (and (in ?x ?y) (open ?y))
    :effect (and (have ?x) (not (in ?x ?y))))
  (:action lend :parameters (?y - box) :precondition (and (have jack))
    :effect (and (in jack ?y) (not (have jack)))))
"""
PROBLEM = (
    "(define (problem p) (:domain garage) (:objects saw - tool rug - thing b1 - box)\n"
    " (:init (in saw b1) (open b1))\n (:goal (have saw)))"
)


def test_a_problem_is_read_with_types_and_constants():
    rules = parse_domain(DOMAIN)
    problem = parse_problem(PROBLEM, rules)
    assert problem.objects == {"jack": ("tool",), "saw": ("tool",), "rug": ("thing",), "b1": ("box",)}
    assert problem.init == {("in", "saw", "b1"), ("open", "b1")}
    assert problem.goal == (("have", "saw"),)
    assert rules.kinds("tool") == ("tool", "thing", "object")
    grounding = Grounding(rules, problem)
    assert set(grounding.actions) == {("fetch", (x, "b1")) for x in ("jack", "saw", "rug")} | {
        ("lend", ("b1",))
    }


def test_static_requirements_are_decided_when_grounding():
    rules = parse_domain(DOMAIN)
    closed = parse_problem(PROBLEM.replace("(open b1)", ""), rules)
    assert set(Grounding(rules, closed).actions) == {("lend", ("b1",))}


@pytest.mark.parametrize(
    ("quirk", "same"),
    [
        ("?x - thing?y - box", "?x - thing ?y - box"),
        ("?X - Thing ?Y - BOX", "?x - thing ?y - box"),
        ("?x - thing ; a remark (with a parenthesis\n ?y - box", "?x - thing ?y - box"),
    ],
)
def test_glued_variables_capitals_and_remarks_change_nothing(quirk, same):
    odd = parse_domain(DOMAIN.replace(f":parameters ({same})", f":parameters ({quirk})").replace("?X", "?x"))
    assert [s.parameters for s in odd.schemas] == [s.parameters for s in parse_domain(DOMAIN).schemas]
    assert [s.types for s in odd.schemas] == [("thing", "box"), ("box",)]


def test_a_glued_variable_keeps_its_action_in_barman():
    """`?l - level?l1 - level`: read wrongly, the domain silently loses the action."""
    text = build("barman").family.file(".pddl")
    odd = text.replace("?d - shaker ?l - level ?m - level", "?d - shaker ?l - level?m - level")
    assert odd != text
    assert parse_domain(odd) == parse_domain(text)


def test_tyreworld_with_the_published_quirks_means_the_same():
    """No :requirements, :constants after :predicates, arguments declared the wrong way round, objects
    declared twice."""
    domain = build("tyreworld", test=1, train=1)
    text = domain.family.file(".pddl")
    constants = "(:constants wrench pump jack - tool)\n"
    odd = text.replace("(:requirements :strips :typing)", "").replace(constants, "")
    odd = odd.replace("(in ?x - obj ?y - container)", "(in ?x - container ?y - obj)")
    odd = odd.replace("(:action open", f"{constants} (:action open")
    assert odd.index(":constants") > odd.index(":predicates")
    assert parse_domain(odd).schemas == parse_domain(text).schemas
    (task,) = domain.tasks("test")
    twice = task.content.replace("(:objects", "(:objects wrench jack pump - tool")
    assert domain.task(twice, "twice", {}).hash == task.hash


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            PROBLEM.replace("(in saw b1)", "(inn saw b1)"),
            "p.pddl:2: there is no predicate inn; did you mean 'in'",
        ),
        (PROBLEM.replace("(in saw b1)", "(in sow b1)"), "p.pddl:2: there is no sow; did you mean 'saw'"),
        (PROBLEM.replace("(in saw b1)", "(in saw)"), "p.pddl:2: in takes 2 arguments, not 1"),
        (PROBLEM.replace("(have saw)", "(not (have saw))"), "p.pddl:3: `not` is not supported"),
        (
            PROBLEM.replace("rug - thing", "rug - thng"),
            "p.pddl:1: there is no type thng; did you mean 'thing'",
        ),
        (PROBLEM[:-1], "p.pddl:1: this `.` is never closed"),
        (PROBLEM + ")", "p.pddl:3: a `.` closes nothing"),
        (PROBLEM.replace("(:init", "(:metric minimize) (:init"), "p.pddl:2: `:metric` is not supported"),
        ("", "p.pddl:1: expected one `.define"),
        (PROBLEM + "\n\n" + PROBLEM, "p.pddl:5: expected one .* and nothing else"),
        (PROBLEM + " extra", "p.pddl:3: expected one .* and nothing else"),
        (
            PROBLEM.replace("(:goal", "(:goal (have rug))\n(:goal"),
            "p.pddl:4: a second `:goal`; the first is on line 3",
        ),
        (
            PROBLEM.replace("(:init", "(:init (open b1))\n(:init"),
            "p.pddl:3: a second `:init`; the first is on line 2",
        ),
        (
            PROBLEM.replace("(have saw)", "(have saw) (have rug)"),
            "p.pddl:3: expected one condition in .*, not 2; join",
        ),
        (PROBLEM.replace("(have saw)", "(and)"), "p.pddl:3: the goal is empty"),
        (PROBLEM.replace("(open b1)", "((open b1))"), "p.pddl:2: expected an atom"),
        (PROBLEM.replace("(open b1)", "(open (b1))"), "p.pddl:2: arguments of open must be names"),
        (PROBLEM.replace("(open b1)", "(= (total-cost) 0)"), "p.pddl:2: `=` is not supported"),
        (PROBLEM.replace("rug - thing", "rug -"), "p.pddl:1: expected `names - type`"),
        ("(" * 5000, "p.pddl:1: more than 100 parentheses inside one another"),
        (PROBLEM.replace("\n", "\f").replace("b1 - box", "b1 - bix"), "p.pddl:1: there is no type bix"),
    ],
)
def test_a_broken_problem_is_refused_with_its_line_and_the_way_out(text, message):
    with pytest.raises(TaskError, match=message):
        parse_problem(text, parse_domain(DOMAIN), "p.pddl")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("(have ?x) (not (in ?x ?y))", "(when (open ?y) (have ?x))", "d:8: `when` is not supported"),
        ("(in ?x ?y) (open ?y)", "(or (in ?x ?y) (open ?y))", "d:7: `or` is not supported"),
        ("thing box - object", "thing - tool box - object", "is its own ancestor"),
        (":effect (and (have", ":cost 3 :effect (and (have", "d:8: `:cost` is not supported in an action"),
        (":effect (and (have", ":effect () :effect (and (have", "d:8: a second :effect of action fetch"),
        ("(have ?x) (not (in", "(not (and (have ?x))) (not (in", "d:8: `not` of `and` is not supported"),
        (":parameters (?x - thing ?y", ":parameters (?x - thing ?x", "d:7: a second parameter \\?x of fetch"),
        (
            "(have ?x - thing) (open",
            "(have ?x - thing) (have ?x ?y) (open",
            "d:6: predicate have is declared with 1",
        ),
        (
            "thing box - object)",
            "thing box - object tool - box)",
            "d:4: type tool has two parents, thing and box",
        ),
        (
            "(:constants jack - tool)",
            "(:constants jack - tol)",
            "d:5: there is no type tol; did you mean 'tool'",
        ),
        ("(:action lend", "(:action fetch", "d:9: action fetch: there is already an action fetch"),
        ("(:action lend", "(:action from", "d:9: action from: `from` is a keyword of Python"),
        ("(:action lend", "(:action print", "d:9: action print: `print` is a builtin function"),
        ("(:action lend", "(:action 2lend", "d:9: action 2lend: `2lend` is not a name in Python"),
        ("(:predicates", "(:predicates (= ?x ?y)", "d:6: `=` is a word of PDDL and cannot be a predicate"),
        ("(domain garage)", "", "d:2: expected `.domain NAME.`"),
    ],
)
def test_what_is_not_positive_strips_is_refused(old, new, message):
    with pytest.raises(TaskError, match=message):
        parse_domain(DOMAIN.replace(old, new), "d")


@given(data=st.data())
@settings(max_examples=200)
def test_a_damaged_file_is_refused_or_read_and_nothing_else(data):
    words = (DOMAIN + PROBLEM).replace("(", " ( ").replace(")", " ) ").split()
    cut = words.index("problem") - 2
    places = st.integers(0, len(words) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=3)):
        words[place] = data.draw(
            st.sampled_from(["", "(", ")", "-", "?x", "not", "jack", ":goal", words[place] * 2])
        )
    try:
        rules = parse_domain(" ".join(words[:cut]))
        Grounding(rules, parse_problem(" ".join(words[cut:]), rules))
    except TaskError:
        return


@given(st.permutations(range(6)), st.permutations(range(3)))
@settings(max_examples=30)
def test_the_same_problem_has_one_text_whatever_its_order(init, goal):
    rules = build("blockworld").rules
    facts = [
        f"({f})" for f in ("arm-empty", "on-table b1", "on b2 b1", "clear b2", "on-table b10", "clear b10")
    ]
    goals = ["(on b1 b2)", "(on b2 b10)", "(on-table b10)"]
    text = (
        f"(define (problem {init[0]}) (:domain x) (:objects b10 b2 b1) (:init "
        f"{' '.join(facts[i] for i in init)})"
        f"(:goal (and {' '.join(goals[i] for i in goal)})))"
    )
    written = write_problem(parse_problem(text, rules), rules)
    assert "b1 b2 b10" in written
    assert write_problem(parse_problem(written, rules), rules) == written
    first = text.replace(" ".join(facts[i] for i in init), " ".join(facts))
    assert written == write_problem(parse_problem(first, rules), rules)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_read_back_as_the_same_problem(name):
    domain = build(name, test=10)
    for task in domain.tasks("test"):
        again = domain.task(task.content, "again", {})
        assert again.hash == task.hash
        assert again.reference == task.reference


def test_numbers_in_names_are_sorted_as_numbers():
    assert sorted(["b10", "b2", "b1", "a3"], key=natural_sort_key) == ["a3", "b1", "b2", "b10"]


@pytest.mark.parametrize(
    ("plain", "nested"),
    [
        ("(and (in ?x ?y) (open ?y))", "(and (and (in ?x ?y)) (and) (and (and (open ?y))))"),
        ("(and (have ?x) (not (in ?x ?y)))", "(and (and (have ?x)) (and (not (in ?x ?y))))"),
    ],
)
def test_nested_conjunctions_mean_the_same(plain, nested):
    assert plain in DOMAIN
    assert parse_domain(DOMAIN.replace(plain, nested)) == parse_domain(DOMAIN)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends_and_characters_in_comments_change_nothing(end):
    text = DOMAIN.replace("(:types", "; J\u00f6rg \x0b (((\f \x85 \u2028 )\n(:types").replace("\n", end)
    assert parse_domain(text) == parse_domain(DOMAIN)


def read(tmp_path, body: bytes):
    file = tmp_path / "p.pddl"
    file.write_bytes(body)
    return build("gripper").read(str(file))


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    content = build("gripper").tasks("train")[0].content
    plain = read(tmp_path, content.encode())
    assert read(tmp_path, b"\xef\xbb\xbf" + content.encode()).hash == plain.hash


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("; caf\u00e9".encode("latin-1"), r"p.pddl:1: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"(define\n\n; " + "\u00e9".encode("cp1252"), "p.pddl:3: byte 0xe9 is not UTF-8"),
        ("(define)".encode("utf-16"), "p.pddl:1: is in UTF-16; save it as UTF-8"),
        ("(define)".encode("utf-32"), "p.pddl:1: is in UTF-32; save it as UTF-8"),
        (b"(define\n\0)", "p.pddl:2: a NUL character"),
        (b"(" * (1 << 20) + b"(", "p.pddl: is longer than 1,048,576 bytes"),
    ],
)
def test_other_encodings_and_endless_files_are_refused_with_the_file(body, message, tmp_path):
    with pytest.raises(TaskError, match=message):
        read(tmp_path, body)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/"])
def test_what_is_no_regular_file_is_not_read(path):
    with pytest.raises(TaskError, match="cannot be read: it is not a regular file"):
        build("gripper").read(path)


def test_long_digits_in_names_are_sorted_too():
    long = "b" + "9" * 5000
    assert sorted([long, "b10", "b2"], key=natural_sort_key) == ["b2", "b10", long]


def test_a_problem_of_too_many_objects_or_ground_actions_is_refused_at_once(tmp_path):
    blocks = [f"b{i}" for i in range(501)]
    start = "(define (problem p) (:domain g)\n(:objects {})(:init (arm-empty){})(:goal (on b1 b2)))"
    file = tmp_path / "big.pddl"
    file.write_text(start.format(" ".join(blocks), ""))
    with pytest.raises(TaskError, match=r"big.pddl:2: more than 500 objects"):
        build("blockworld").read(str(file))
    blocks = blocks[:400]
    facts = " ".join(f"(clear {b}) (on-table {b})" for b in blocks)
    file.write_text(start.format(" ".join(blocks), facts))
    with pytest.raises(TaskError, match=r"big.pddl: the problem is too large: 400 objects"):
        build("blockworld").read(str(file))
    many = DOMAIN.replace("(?x - thing ?y - box)", "(?x - thing ?y - box ?a ?b ?c ?d - object)")
    objects = " ".join(f"saw{i}" for i in range(40))
    problem = PROBLEM.replace("saw - tool", f"{objects} saw - tool")
    rules = parse_domain(many)
    with pytest.raises(
        TaskError, match="the problem is too large: action fetch can be done in more than 300,000"
    ):
        Grounding(rules, parse_problem(problem, rules))
