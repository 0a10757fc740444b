"""A bundle is made, checked on another machine, and catches what was changed; it does not say where it was
made."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import os
import re
import shutil
import socket
import subprocess
import zipfile
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from learnact.errors import LearnactError, ResultsError
from learnact.exports import bundle as bundles
from learnact.exports.bundle import MANIFEST, seal_holds, seal_of, write_bundle
from learnact.exports.verification import NAME, verify_bundle
from learnact.report import paper
from learnact.results.reader import find_run
from learnact.results.storage.protocol import checksum
from learnact.results.store import RunStore
from tests.cli.conftest import learnact
from tests.installed.conftest import installed, wheel  # noqa: F401 - fixtures
from tests.report import test_paper
from tests.report.conftest import folder, trial_row  # noqa: F401 - a fixture
from tests.results import material


@pytest.fixture(scope="module")
def packed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    path = tmp_path_factory.mktemp("packed") / "small.bundle.zip"
    done = learnact("bundle", folder.name, "--results", folder.parent, "--output", path)
    assert done.code == 0, done.err
    assert f"seal: {seal_of(path)}" in done.out
    return path


def forged(packed: Path, tmp_path: Path, change) -> Path:
    """A copy in which `change` changed the contents by name, with all checksums and the seal made anew."""
    with zipfile.ZipFile(packed) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    change(contents)
    about = json.loads(contents[MANIFEST])
    about["files"] = {name: checksum(content) for name, content in contents.items() if name != MANIFEST}
    contents[MANIFEST] = json.dumps(about).encode()
    root = tmp_path / "forged"
    for name, content in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    path = tmp_path / "forged.bundle.zip"
    bundles._pack(root, path)
    assert seal_holds(path)
    return path


@pytest.mark.slow
def test_a_bundle_holds_everything_and_verifies(packed: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        names = set(archive.namelist())
        about = json.loads(archive.read(MANIFEST))
        lock = archive.read("requirements.txt").decode().splitlines()
    for start in ("data/", "prompts/agent/", "libraries/", "sql/views/", "tables/", "answers/"):
        assert any(name.startswith(start) for name in names), start
    assert {"job.yaml", "environment.json", "README.md", "tables/7.json", "answers/success.json"} <= names
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!-]+", line) for line in lock)
    assert {"learnact", "duckdb", "pyarrow", "numpy", "scipy"} <= {line.partition("==")[0] for line in lock}
    done = learnact("verify", packed)
    assert done.code == 0, done.out + done.err
    assert f"{about['cells']:,} published cells: {about['cells']:,} were made again and are equal" in done.out
    assert about["cells"] > 1000


@pytest.mark.slow
def test_the_same_run_gives_the_same_bundle(packed: Path, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    again = write_bundle(find_run(folder.parent, folder.name), tmp_path / "again.zip")
    assert again.seal == seal_of(packed)


def test_every_changed_byte_is_found(packed: Path, tmp_path: Path) -> None:
    content = bytearray(packed.read_bytes())
    places = [*range(0, len(content), max(1, len(content) // 150)), *range(len(content) - 100, len(content))]
    path = tmp_path / "changed.zip"
    for place in places:
        content[place] ^= 1 << (place % 8)
        path.write_bytes(content)
        assert not seal_holds(path), place
        content[place] ^= 1 << (place % 8)
    path.write_bytes(content)
    assert seal_holds(path)


def test_a_damaged_file_is_named(packed: Path, tmp_path: Path) -> None:
    path = tmp_path / "changed.zip"
    content = bytearray(packed.read_bytes())
    with zipfile.ZipFile(packed) as archive:
        one = next(i for i in archive.infolist() if i.filename.endswith("episodes.0000001.parquet"))
    content[one.header_offset + len(one.filename) + 30 + 200] ^= 4
    path.write_bytes(content)
    done = learnact("verify", path)
    assert done.code == 1
    assert "changed: its bytes are not those that were sealed" in done.out
    assert "episodes.0000001.parquet: it cannot be unpacked" in done.out


@pytest.mark.slow
def test_a_changed_cell_is_named_although_its_checksums_were_made_anew(packed: Path, tmp_path: Path) -> None:
    def change(contents: dict[str, bytes]) -> None:
        tables = json.loads(contents["tables/2.json"])
        row = next(row for row in tables[1]["rows"] if row["method"] == "learnact")
        row["success"]["mean"] += 0.05
        contents["tables/2.json"] = json.dumps(tables).encode()
        contents["tables/3.md"] = contents["tables/3.md"].replace(b"Simulated models", b"Real models", 1)

    done = learnact("verify", forged(packed, tmp_path, change))
    assert done.code == 1
    assert "2 differ:" in done.out
    assert re.search(r"tables/2.json, Table 2.* in full, row \d+, success: published .*, made ", done.out)
    assert re.search(r"tables/3.md, line \d+: published 'Real models", done.out)


@pytest.mark.slow
def test_a_changed_outcome_is_found_in_the_cells_that_follow_from_it(packed: Path, tmp_path: Path) -> None:
    def change(contents: dict[str, bytes]) -> None:
        place = next(name for name in contents if name.endswith("episodes.0000001.parquet"))
        table = pq.read_table(io.BytesIO(contents[place]))
        column = table.schema.get_field_index("success")
        table = table.set_column(column, "success", pc.invert(table["success"]))
        sink = io.BytesIO()
        pq.write_table(table, sink)
        contents[place] = sink.getvalue()

    found = verify_bundle(forged(packed, tmp_path, change))
    assert found.sealed and not found.damaged and not found.whole
    cells = {one.cell.partition(",")[0] for one in found.differing}
    assert {"tables/2.json", "answers/success.json", "answers/view-success_by_method.json"} <= cells


@pytest.mark.slow
def test_what_cannot_be_made_here_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = asyncio.run(test_paper.write(tmp_path / "runs"))
    packed = tmp_path / "paper.zip"
    write_bundle(find_run(run.parent, run.name), packed)

    def refuse(spec: object) -> None:
        raise LearnactError("no such domain")

    monkeypatch.setattr(paper.registry, "build", refuse)

    def newer(contents: dict[str, bytes]) -> None:
        contents["tables/99.json"] = b'[{"title": "Table 99", "simulated": true, "rows": [{"x": 1}]}]'
        contents["tables/99.md"] = b""

    found = verify_bundle(forged(packed, tmp_path, newer))
    assert found.whole
    told = {one.cell: one.reason for one in found.impossible}
    assert any("tables/5.json" in cell and cell.endswith("primitive") for cell in told)
    assert any("no table 99" in reason for reason in told.values())
    assert all("not installed here" in r or "no table 99" in r for r in told.values())


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a//b", "a\\b", "..", "a/.."])
def test_no_file_leads_out_of_the_bundle(packed: Path, tmp_path: Path, name: str) -> None:
    assert not NAME.fullmatch(name)

    def change(contents: dict[str, bytes]) -> None:
        about = json.loads(contents[MANIFEST])
        about["data"] = name
        contents[MANIFEST] = json.dumps(about).encode()

    with pytest.raises(ResultsError, match="no bundle, or is damaged"):
        verify_bundle(forged(packed, tmp_path, change))


def test_a_file_that_is_no_bundle_is_one_clear_error(tmp_path: Path) -> None:
    place = tmp_path / "x.zip"
    place.write_text("nothing")
    done = learnact("verify", place)
    assert done.code == 2
    assert "it is no bundle, or is damaged" in done.err


# Where it was made ------------------------------------------------------------------------------------------

HOST, KEY = "gpu-node-7.cluster.example.org", "sk-abcdefghijklmnop1234"


@pytest.mark.slow
def test_it_does_not_say_where_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: HOST)
    monkeypatch.setenv("MY_API_KEY", "a value that nobody may read")
    monkeypatch.setenv("HOME", str(tmp_path / "somebody"))
    here = tmp_path / "secret place"
    here.mkdir()
    job = {
        "name": "where",
        "models": {
            "agent": {"name": "m", "base_url": "http://10.11.12.13:8000/v1", "api_key_env": "MY_API_KEY"}
        },
        "domains": [{"name": "gripper", "source": "/mnt/private/problems"}],
    }

    async def write() -> Path:
        store = RunStore.open(here, "w" * 24, "where", job, job, {"learnact": "0.1.0"})
        options = json.dumps({"test_domains": [], "library_from": f"{here}/lib.py", "note": f"on {HOST}"})
        store.trial("t", {**trial_row("act", "gripper"), "options": options, "reason": f"lost {HOST}:6379"})
        done = material.outcome(material.episode(0, "t"), 3, True)
        spoken = dataclasses.replace(
            done.result, goal=f"look into {tmp_path}/somebody/notes and say {KEY}", turns=done.result.turns
        )
        await store.commit(dataclasses.replace(done, result=spoken, node=HOST))
        bad = material.failed(material.episode(1, "t"))
        error = f"http://10.11.12.13:8000/v1 at {HOST}: no /var/lib/secret/file; a value that nobody may read"
        attempts = tuple(dataclasses.replace(one, error=error, node=HOST) for one in bad.attempts)
        await store.commit(dataclasses.replace(bad, attempts=attempts))
        await store.close()
        return store.folder

    run = asyncio.run(write())
    path = tmp_path / "where.zip"
    made = write_bundle(find_run(here, run.name), path)
    assert {"events.host", "episodes.node", "attempts.error", "trials.options", "events.job"} <= set(
        made.hidden
    )
    texts = all_text(path)
    for word in (
        HOST, "gpu-node-7", KEY, "a value that nobody", "10.11.12.13", "/mnt/private", "/var/lib/secret",
        str(tmp_path), str(here), "secret place", "somebody", str(Path.cwd()),
    ):  # fmt: skip
        assert word not in texts, (word, texts[texts.index(word) - 200 : texts.index(word) + 100])
    assert "MY_API_KEY" in texts  # the variable's name is no secret, and is needed to run the job again
    assert "problems" in texts
    assert verify_bundle(path).whole


def all_text(path: Path) -> str:
    """All that a bundle says: texts as they are, Parquet as values."""
    found = [path.name.replace("where.zip", "")]
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith(".parquet"):
                file = pq.ParquetFile(io.BytesIO(content))
                found.append(f"{file.schema_arrow.metadata} {file.read().to_pylist()}")
            else:
                found.append(content.decode())
            found.append(name)
    return "\n".join(found)


# Another machine --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_verifies_in_a_fresh_environment_without_a_network(
    packed: Path,
    installed,  # noqa: F811
    tmp_path: Path,
) -> None:
    """A new virtual environment with the wheel, an empty folder, another home, no network at all."""
    isolated = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*isolated, "true"], check=False).returncode:
        pytest.skip("no network namespaces here")
    place = tmp_path / "elsewhere"
    place.mkdir()
    shutil.copy(packed, place / "x.bundle.zip")
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "COLUMNS": "200", "NO_COLOR": "1"}

    def there(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*isolated, *command], cwd=place, env=environment, capture_output=True, text=True, timeout=600
        )

    python = str(installed.bin / "python")
    probe = "import socket; socket.create_connection(('192.0.2.1', 80), 5)"
    assert "unreachable" in there(python, "-c", probe).stderr
    where = there(python, "-c", "import learnact; print(learnact.__file__)").stdout
    assert where.startswith(str(installed.bin.parent))
    done = there(str(installed.bin / "learnact"), "verify", "x.bundle.zip")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "were made again and are equal" in done.stdout
    assert "differ" not in done.stdout
