"""Tools as primitive actions, whatever their names and schemas are."""

from __future__ import annotations

import json

import pytest

from learnact.domains.mcp.schemas import ServerTool, kind_of, primitives_of
from learnact.errors import BadInput


def tool(name: str = "t", **schema) -> ServerTool:
    return ServerTool(name, "Does it", {"type": "object", **schema})


def one(**schema):
    (made,) = primitives_of([tool(**schema)], (), "here").values()
    return made


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, "str"),
        ({"type": "integer"}, "int"),
        ({"type": "array", "items": {"type": "number"}}, "list[float]"),
        ({"type": "array"}, "list"),
        ({"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "list"),
        ({"type": ["string", "null"]}, "str | None"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "int | str"),
        ({"oneOf": [{"type": "boolean"}, {"type": "null"}]}, "bool | None"),
        ({"enum": ["a", "b"]}, "str"),
        ({"const": 3}, "int"),
        ({"enum": ["a", 1]}, "str | int"),
        ({"type": "file"}, "any"),
        ({"anyOf": [{"type": "string"}, {"type": "file"}]}, "any"),
        ({"not": {}}, "any"),
        ({}, "any"),
    ],
)
def test_types_are_pythons(schema, kind):
    assert kind_of(schema) == kind


def test_required_parameters_come_first_and_what_is_left_out_is_not_sent():
    text, number = {"type": "string"}, {"type": "integer", "default": 3}
    made = one(properties={"a": text, "b": number, "c": text}, required=["c"])
    assert made.primitive.signature == "t(c: str, a: str | None = None, b: int = 3)"
    assert made.arguments(["x", None, 3]) == {"c": "x", "b": 3}


def test_references_are_followed_and_endless_ones_end():
    shared = {"Size": {"type": "integer", "description": "How large"}}
    made = one(properties={"n": {"$ref": "#/$defs/Size"}}, required=["n"], **{"$defs": shared})
    assert made.primitive.signature == "t(n: int)"
    assert json.loads(made.primitive.schemas[0]) == shared["Size"]
    tree = {"Tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/Tree"}}}}
    assert one(properties={"t": {"$ref": "#/$defs/Tree"}}, **{"$defs": tree}).primitive.kinds == (
        "dict | None",
    )
    assert one(properties={"n": {"$ref": "http://elsewhere"}}, required=["n"]).primitive.kinds == ("any",)


def test_names_that_python_cannot_take_are_changed_and_sent_as_they_were():
    reader = tool("read-file", properties={"from": {"type": "string"}, "print": {}}, required=["from"])
    made = primitives_of([reader, tool("print"), tool("2 times"), tool("class")], (), "here")
    assert list(made) == ["read_file", "print_", "_2_times", "class_"]
    assert made["read_file"].primitive.parameters == ("from_", "print")
    assert made["read_file"].arguments(["a", None]) == {"from": "a"}
    assert made["class_"].tool == "class"


@pytest.mark.parametrize(
    ("tools", "only", "reason"),
    [
        ([tool("a-b"), tool("a_b")], (), "the tools a-b and a_b are both called a_b in Python"),
        ([], (), "the server has no tools"),
        ([tool("a"), tool("b")], ("c",), "the server has no tool c; it has: a, b"),
        ([ServerTool("a", "", {"type": "array"})], (), "the tool a takes no object of parameters"),
        (
            [tool("a", properties={"x-y": {}, "x_y": {}})],
            (),
            "two parameters of the tool a have the same name",
        ),
    ],
)
def test_what_cannot_be_played_is_refused_naming_the_tool(tools, only, reason):
    with pytest.raises(BadInput, match=f"here: {reason}"):
        primitives_of(tools, only, "here")
