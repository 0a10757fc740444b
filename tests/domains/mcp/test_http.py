"""A server that others run too, over streamable HTTP: odd schemas, errors, slowness, and its end."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from learnact.domains import registry
from learnact.domains.mcp.schemas import ServerTool, primitives_of
from learnact.errors import BadInput, EnvironmentFailure
from learnact.library.calls import parse_call
from learnact.methods.constrained import allowed_replies
from learnact.models.constraints import as_text, pattern_of, schema_of
from learnact.records import DomainSpec, Library, canonical
from learnact.records.allowed import allowed_from

pytest.importorskip("mcp", reason="needs learnact[mcp]")
PAUSE = 0.1
"""Seconds between two looks whether the server is up."""
ROOT = Path(__file__).parents[3]


def answers(port: int) -> bool:
    """Whether somebody listens at a port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def served() -> Iterator[str]:
    """The address of a server in a process of its own, which is ended afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.domains.mcp.http_server", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        while not answers(port):
            with suppress(subprocess.TimeoutExpired):
                raise AssertionError(f"the server ended: {process.wait(PAUSE)}: {process.stderr.read()}")
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def build(url: str, seconds: float = 30):
    check = {"tool": "notes", "contains": "bread"}
    options = {"url": url, "goal": "Order bread.", "check": check, "seconds": seconds}
    return registry.build(DomainSpec("mcp", canonical(options)))


def call(environment, name, *arguments):
    return environment.call(name, list(arguments), {})


def test_the_tools_of_a_server_over_http_are_played():
    """Names that Python cannot take, nested objects, enums, optional arguments; then its slowness and end."""
    with served() as url:
        domain = build(url)
        signatures = [p.signature for p in domain.primitives]
        assert signatures[:2] == [
            "place_order(order: dict, rush: bool = False)",
            "_2_colours(first: str, second: str | None = None)",
        ]
        told = {p.name: p.description for p in domain.primitives}
        assert "First" not in told["_2_colours"]
        assert (
            told["_2_colours"] == "Mix colours. first: One of 'red', 'blue'. second: One of 'small', 'large'."
        )
        assert (
            "A dict with the keys 'what' (str), 'size' (one of 'small', 'large', may be left out), 'to'"
            in (told["place_order"])
        )
        environment = domain.open(domain.tasks("test")[0])
        order = {"what": "rye", "size": "large", "to": {"street": "Elm", "number": 3}, "tags": ["a", "b"]}
        assert call(environment, "place_order", order, True).observation == "large rye to Elm 3, now a b"
        assert call(environment, "place_order", {"what": "milk"}).observation == "small milk to nowhere"
        wrong = call(environment, "place_order", {"what": "milk", "size": "huge"})
        assert not wrong.valid and "Input should be 'small' or 'large'" in wrong.observation
        assert call(environment, "_2_colours", "blue", "large").observation == "blue large"
        assert "Input should be 'red' or 'blue'" in call(environment, "_2_colours", "green").observation
        failed = call(environment, "fail")
        assert (failed.valid, failed.observation) == (False, "Nothing happens. Error executing tool fail")
        assert call(environment, "place_order", "bread").observation == (
            "Nothing happens. order of place_order must be dict, not 'bread'."
        )
        done = call(environment, "place_order", {"what": "bread"})
        assert (done.success, done.progress) == (True, 1.0)
        environment.close()
        constrained(domain)
        slow = build(url, seconds=4)
        environment = slow.open(slow.tasks("test")[0])
        with pytest.raises(EnvironmentFailure, match=r"timed out|did not answer within 4 s"):
            call(environment, "slow")
        environment.close()
        environment = domain.open(domain.tasks("test")[0])
        assert call(environment, "notes").observation == "rye, milk, bread"
        with pytest.raises(EnvironmentFailure, match=r"the MCP server ended: .*while calling die"):
            call(environment, "die")
        with pytest.raises(EnvironmentFailure):
            call(environment, "notes")
        environment.close()
        with pytest.raises(EnvironmentFailure, match=rf"while starting \(server: {re.escape(url)}\)"):
            domain.open(domain.tasks("test")[0])
    with pytest.raises(BadInput, match="the MCP server ended"):
        build(url, seconds=5)


def constrained(domain) -> None:
    """Replies with objects as arguments are within what a constraint allows, and are read as calls."""
    allowed = allowed_from(allowed_replies(domain, Library(), domain.tasks("test")[0], thoughts=False))
    regex = pattern_of(allowed).regex
    order = "{'what': 'rye bread', 'size': 'large', 'to': {'street': 'Elm', 'number': 3}, 'tags': ['a', 'b']}"
    for good in (f"place_order({order}, True)", "place_order({'what': 'x'})", "_2_colours('red', 'small')"):
        assert re.fullmatch(regex, good), good
        assert parse_call(good).name
    for bad in ("place_order('x')", "place_order({})", "place_order({'what': 'x', 'size': 'huge'})"):
        assert not re.fullmatch(regex, bad), bad
    branch = schema_of(allowed)["properties"]["action"]["anyOf"][0]["properties"]["arguments"]
    inner = branch["properties"]["order"]["properties"]
    assert inner["size"] == {"type": "string", "enum": ["small", "large"]}
    assert inner["to"]["properties"]["number"] == {"type": "number"}
    reply = {"action": {"name": "place_order", "arguments": {"order": {"what": "x", "to": {"street": "y"}}}}}
    said = parse_call(as_text(json.dumps(reply)))
    assert said.kwargs == {"order": {"what": "x", "to": {"street": "y"}}}


def test_an_object_of_any_keys_takes_plain_values():
    schema = {"type": "object", "properties": {"where": {"type": "object"}}, "required": ["where"]}
    (tool,) = primitives_of([ServerTool("go", "", schema)], (), "here").values()

    class Place:
        primitives = (tool.primitive,)

    allowed = allowed_from(allowed_replies(Place(), Library(), None, thoughts=False))
    regex = pattern_of(allowed).regex
    for good in ("go({})", "go({'x': 3, 'name': 'Elm 4', 'far': True})"):
        assert re.fullmatch(regex, good)
        assert parse_call(good).name == "go"
    assert not re.fullmatch(regex, "go({'x': [1]})")
