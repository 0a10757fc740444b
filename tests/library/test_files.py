"""Library files of users: read, or refused with the file, the place and the reason, in bounded memory."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest

from learnact.errors import LibraryError
from learnact.library.files import FILE_BYTES, library_json, read_library
from learnact.library.merge import merge
from learnact.records import Library

PRIMITIVES = ["pick", "move"]
CARRY = 'def carry(ball):\n    """Carry."""\n    pick(ball)\n'


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [CARRY.encode(), b"\xef\xbb\xbf" + CARRY.encode(), CARRY.replace("\n", "\r\n").encode()],
)
def test_a_python_file_is_read_also_with_a_byte_order_mark(tmp_path: Path, data: bytes) -> None:
    library = read_library(written(tmp_path / "lib.py", data), PRIMITIVES)
    assert (library.actions[0].source, library.actions[0].description) == (CARRY.rstrip(), "Carry.")


@pytest.mark.parametrize("mark", ["\f", "\v", "\x85", "\u2028"])
def test_a_json_file_gives_the_same_library_back(tmp_path: Path, mark: str) -> None:
    code = f"X = '{mark}'\n{CARRY}T = {{'c': carry}}\ndef go():\n    T['c'](1)\n"
    library = merge(Library(lessons=("look",)), code)
    file = written(tmp_path / "lib.json", json.dumps(library_json(library)).encode())
    assert read_library(file, PRIMITIVES).id == library.id


REFUSED = {
    "utf16.py": (CARRY.encode("utf-16"), "is in UTF-16; save it as UTF-8"),
    "utf32.py": (CARRY.encode("utf-32"), "is in UTF-32"),
    "latin.py": (f"# one\n# caf\u00e9\n{CARRY}".encode("latin-1"), r"py:2: byte 0xe9 is not UTF-8"),
    "binary.py": (b"\x7fELF\0\0\0", "py:1: a NUL character"),
    "huge.py": (b"#" * (FILE_BYTES + 1), f"is longer than {FILE_BYTES:,} bytes"),
    "long.py": (b"#" * 70_000, "the code is longer than 65536 bytes"),
    "empty.py": (b"", "defines no function"),
    "odd.py": (b"def f(:\n", "line 1: it does not parse"),
    "deep.py": (b"def f():\n    return " + b"(" * 300, "it does not parse"),
    "empty.json": (b"", "empty.json:1: not JSON"),
    "list.json": (b"[]", "not a library as `learnact show --json` prints it"),
    "deep.json": (b"[" * 100_000, "nested too deeply"),
    "number.json": (b'{"actions": ' + b"1" * 5000 + b"}", "not JSON"),
    "surrogate.json": (b'{"actions": [], "lessons": ["\\ud800"]}', "not Unicode"),
    "name.json": (
        b'{"actions": [{"name": "go", "signature": "go()", "source": "def carry():\\n    pick(1)"}]}',
        "the source of go does not define it",
    ),
    "source.json": (
        b'{"actions": [{"name": "go", "signature": "go()", "source": "def ("}]}',
        "does not parse",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_library_is_refused_with_the_file_and_the_reason(tmp_path: Path, name: str) -> None:
    data, words = REFUSED[name]
    with pytest.raises(LibraryError, match=words) as refused:
        read_library(written(tmp_path / name, data), PRIMITIVES)
    assert str(tmp_path / name) in str(refused.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    for path in (Path("/dev/zero"), Path("/dev/full"), tmp_path, tmp_path / "pipe.py"):
        with pytest.raises(LibraryError, match="it is not a regular file"):
            read_library(path, PRIMITIVES)
    for path in (tmp_path / "gone.py", tmp_path / "gone" / "gone.py"):
        with pytest.raises(LibraryError, match="there is no such library file"):
            read_library(path, PRIMITIVES)
    for path in (Path("a\0b.py"), Path("x" * 5000)):
        with pytest.raises(LibraryError, match="cannot be read"):
            read_library(path, PRIMITIVES)


def test_a_large_file_takes_bounded_memory(tmp_path: Path) -> None:
    file = tmp_path / "large.py"
    with file.open("wb") as out:
        out.truncate(1 << 30)
    tracemalloc.start()
    try:
        with pytest.raises(LibraryError, match="longer"):
            read_library(file, PRIMITIVES)
        assert tracemalloc.get_traced_memory()[1] < 4 * FILE_BYTES
    finally:
        tracemalloc.stop()
