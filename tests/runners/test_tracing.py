"""OpenTelemetry traces of runs, received by a real OTLP receiver on loopback."""

from __future__ import annotations

import dataclasses
import http.server
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import learnact
from learnact.errors import BadInput, MissingExtra
from learnact.records import Attempt
from learnact.results.reader import connect
from learnact.runners.tracing import CONTENT, ENDPOINTS, trace_target, traced
from tests.cli.conftest import learnact_process
from tests.results import material

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="needs learnact[otel]")
JOB = {
    "name": "traced",
    "domains": [{"name": "gripper", "level": "easy", "train": 1, "test": 2, "balls": [2, 3]}],
    "methods": ["act", "learnact"],
    "models": {"agent": "sim-strong", "learner": "sim-strong"},
    "repeats": {"learn": 1},
    "learner": {"candidates": 2, "iterations": 1},
    "budget": {"learn": {"turns": 4}, "test": {"turns": 8}},
}


class Receiver(http.server.ThreadingHTTPServer):
    """Takes traces as OTLP over HTTP; `spans` are dictionaries."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[dict] = []
        self.paths: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        from google.protobuf.json_format import MessageToDict
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            import gzip

            body = gzip.decompress(body)
        request = ExportTraceServiceRequest.FromString(body)
        self.server.paths.add(self.path)
        for sent in MessageToDict(request)["resourceSpans"]:
            for scope in sent["scopeSpans"]:
                self.server.spans += [plain(span) for span in scope["spans"]]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def plain(span: dict) -> dict:
    values = {one["key"]: value_of(one.get("value", {})) for one in span.get("attributes", ())}
    return {
        "id": span["spanId"],
        "trace": span["traceId"],
        "parent": span.get("parentSpanId", ""),
        "name": span["name"],
        "kind": span["kind"],
        "start": int(span["startTimeUnixNano"]),
        "end": int(span["endTimeUnixNano"]),
        **values,
    }


def value_of(value: dict) -> object:
    if "arrayValue" in value:
        return [value_of(one) for one in value["arrayValue"].get("values", ())]
    ((kind, found),) = value.items() or (("stringValue", ""),)
    return int(found) if kind == "intValue" else found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def check_whole(spans: list[dict], results: Path) -> None:
    """One tree whose spans are those of the run's tables."""
    by_id = {span["id"]: span for span in spans}
    (root,) = [span for span in spans if not span["parent"]]
    assert root["name"] == "run traced"
    assert {span["trace"] for span in spans} == {root["trace"]}
    for span in spans:
        assert span["start"] <= span["end"]
        if span["parent"]:
            assert by_id[span["parent"]]["start"] <= span["start"] + 5_000_000, span
    kinds = Counter(span.get("gen_ai.operation.name", span["name"].partition(":")[0]) for span in spans)
    with connect(results) as db:

        def count(query: str) -> int:
            return db.execute(query).fetchall()[0][0]

        assert kinds["trial"] == count("SELECT count(*) FROM trials") == 2
        assert kinds["invoke_agent"] == count("SELECT count(*) FROM episodes")
        assert kinds["chat"] == count("SELECT count(*) FROM calls")
        asked = "FROM turns t JOIN calls c ON c.unit = t.episode AND c.ordinal = t.turn WHERE kind = 'action'"
        actions = count(f"SELECT count(*) {asked}")
        inside = count(f"SELECT coalesce(sum(len(steps)), 0) {asked} AND learned")
        assert kinds["execute_tool"] == actions + inside
        tokens = count("SELECT sum(prompt_tokens) FROM calls")
    chats = [span for span in spans if span.get("gen_ai.operation.name") == "chat"]
    assert sum(span["gen_ai.usage.input_tokens"] for span in chats) == tokens
    for span in chats:
        assert span["name"] == "chat sim-strong"
        assert span["kind"] == "SPAN_KIND_CLIENT"
        assert span["gen_ai.request.model"] == span["gen_ai.response.model"] == "sim-strong"
        assert span["gen_ai.response.finish_reasons"]
        assert span["learnact.simulated"] is True
        about = by_id[span["parent"]]
        expected = "invoke_agent" if span["learnact.purpose"] == "act" else "trial"
        assert about["name"].startswith(expected), (span, about)
    for span in spans:
        if span.get("gen_ai.operation.name") == "invoke_agent":
            assert by_id[span["parent"]]["name"].startswith("trial: ")
        if span.get("gen_ai.operation.name") == "execute_tool":
            assert by_id[span["parent"]]["name"].startswith(("invoke_agent ", "execute_tool "))


@pytest.mark.slow
def test_a_run_is_one_trace_without_texts(receiver: Receiver, tmp_path: Path) -> None:
    learnact.run(JOB, results=tmp_path, address="local", trace=receiver.url)
    assert receiver.paths == {"/v1/traces"}
    check_whole(receiver.spans, tmp_path)
    told = json.dumps(receiver.spans)
    for text in ("Goal:", "Requires:", "pick(", "ball1 is in", "messages"):
        assert text not in told, text


@pytest.mark.slow
def test_workers_of_a_ray_cluster_are_in_the_same_trace(receiver: Receiver, tmp_path: Path) -> None:
    job = tmp_path / "job.yaml"
    job.write_text(json.dumps(JOB))
    done = learnact_process(
        "run", job, "--results", tmp_path / "results", "--trace", receiver.url, timeout=900
    )
    assert done.code == 0, done.err[-3000:]
    check_whole(receiver.spans, tmp_path / "results")
    nodes = {span["learnact.node"] for span in receiver.spans if "learnact.node" in span}
    assert nodes and "" not in nodes  # workers name their machine; this process's worker does not


def test_texts_are_sent_where_the_conventions_variable_asks_for_them(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONTENT, "true")
    send(receiver.url)
    call = next(span for span in receiver.spans if span["name"].startswith("chat"))
    (system, user) = json.loads(call["gen_ai.input.messages"])
    assert (system["role"], user["role"]) == ("system", "user")
    assert "## Your task" in user["parts"][0]["content"]
    assert json.loads(call["gen_ai.output.messages"])[0]["finish_reason"] == "stop"
    tool = next(span for span in receiver.spans if span["name"] == "execute_tool pick")
    assert tool["gen_ai.tool.call.arguments"].startswith("pick(")


def send(target: str | None, failed: bool = False) -> None:
    """An episode of three turns with its calls, traced as the driver does."""
    unit = material.episode(1)
    done = material.outcome(unit, 5, True)
    if failed:
        tries = (Attempt(unit.key, 0, "provider", "no text of this is sent", 1.0),)
        done = dataclasses.replace(done, result=None, attempts=tries)
    with traced(target, "r" * 24, "one") as trace:
        assert trace is not None
        log = trace.watch(Nothing())
        for call in done.calls:
            log.record(call)
        trace.outcome(dataclasses.replace(done, finished=time.time()))


class Nothing:
    def record(self, call: object) -> None:
        pass

    def replay(self, unit: str) -> tuple[()]:
        return ()


def test_a_file_has_a_span_a_line(tmp_path: Path) -> None:
    place = tmp_path / "spans.jsonl"
    send(str(place))
    spans = [json.loads(line) for line in place.read_text().splitlines()]
    names = Counter(span["name"].partition(" ")[0] for span in spans)
    assert names == {"run": 1, "invoke_agent": 1, "chat": 5, "execute_tool": 5 + 3}
    learned = [span for span in spans if span["attributes"].get("learnact.learned")]
    assert [span["name"] for span in learned] == ["execute_tool carry"]
    inner = [span for span in spans if span["parent_id"] == learned[0]["context"]["span_id"]]
    assert [span["attributes"]["learnact.order"] for span in inner] == [1, 2, 3]
    broken = [span for span in spans if span["attributes"].get("learnact.turn") == 5]
    assert broken[0]["status"]["status_code"] == "ERROR"  # every fifth turn fails
    with pytest.raises(BadInput, match="cannot be written"):
        send(str(tmp_path / "no" / "file"))


def test_a_failed_episode_says_the_boundary_and_no_text(receiver: Receiver) -> None:
    send(f"{receiver.url}/v1/traces", failed=True)
    episode = next(span for span in receiver.spans if span["name"].startswith("invoke_agent"))
    assert episode["error.type"] == "provider"
    assert "no text of this is sent" not in json.dumps(receiver.spans)


def test_without_an_option_or_variable_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with traced(None, "r", "n") as trace:
        assert trace is None
    with pytest.raises(MissingExtra, match=r"learnact\[otel\]"), traced("http://127.0.0.1:9", "r", "n"):
        pass
    monkeypatch.setenv(ENDPOINTS[0], "http://127.0.0.1:9")
    with traced(None, "r", "n") as trace:  # asked for by the environment alone: a warning
        assert trace is None


def test_variables_say_where_traces_go() -> None:
    assert trace_target(None, {}) is None
    assert trace_target("file", {ENDPOINTS[0]: "http://x"}) == "file"
    assert trace_target(None, {ENDPOINTS[1]: "http://x"}) == "environment"
    assert trace_target(None, {ENDPOINTS[1]: "http://x", "OTEL_SDK_DISABLED": "true"}) is None
    assert trace_target(None, {ENDPOINTS[1]: "http://x", "OTEL_TRACES_EXPORTER": "none"}) is None


def test_the_environments_endpoint_is_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    send(None)
    assert receiver.paths == {"/v1/traces"}
    assert len(receiver.spans) == 15
