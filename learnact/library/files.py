"""Library files of users: a Python file of functions, or the JSON that `learnact show --json` prints."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from learnact.errors import LibraryError
from learnact.library.check import check
from learnact.library.statements import read_statements, split
from learnact.records import LearnedAction, Library, canonical
from learnact.records.text_files import read_text

FILE_BYTES = 1 << 20
"""A larger file is not read. JSON holds descriptions and notes beside the code."""


class _Action(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    name: str
    signature: str
    source: str
    description: str = ""
    notes: list[str] = []


class _Library(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    actions: list[_Action]
    preamble: str = ""
    usage_example: str = ""
    lessons: list[str] = []


def read_library(path: Path, primitives: Collection[str]) -> Library:
    """The library in a file, for a domain with these primitive actions.

    Each top-level function of a Python file is a learned action, its docstring the description.

    Raises:
        LibraryError: the file cannot be read, is no library, or is not acceptable; it names file, line and
        reason.
    """
    try:
        text = read_text(path, LibraryError, most=FILE_BYTES)
    except FileNotFoundError:
        raise LibraryError(f"{path}: there is no such library file") from None
    return library_of(text, path, primitives)


def library_of(text: str, path: Path, primitives: Collection[str]) -> Library:
    """The library in the text of a file.

    Raises:
        LibraryError: the text is no library, or is not acceptable; it names file, line and reason.
    """
    library = _from_json(text, path) if path.suffix == ".json" else _from_python(text, path)
    if not library.actions and not library.lessons:
        raise LibraryError(
            f"{path}: defines no function; a learned action is a top-level def that calls primitives"
        )
    python = path.suffix != ".json"
    problems = check(text if python else library.source, list(primitives)) if library.actions else ()
    if problems:
        where = f":{problems[0].line}" if python and problems[0].line else ""
        raise LibraryError(f"{path}{where}: " + "; ".join(p.message for p in problems))
    return library


def library_json(library: Library) -> dict[str, object]:
    """A library as `read_library` takes it back from JSON."""
    return {
        "id": library.id,
        "actions": [
            {
                "name": a.name,
                "signature": a.signature,
                "source": a.source,
                "description": a.description,
                "notes": list(a.notes),
            }
            for a in library.actions
        ],
        "preamble": library.preamble,
        "usage_example": library.usage_example,
        "lessons": list(library.lessons),
    }


def _from_python(text: str, path: Path) -> Library:
    try:
        preamble, actions = split(text)
    except LibraryError as error:
        raise LibraryError(f"{path}: {error}") from None
    return Library(actions, preamble)


def _from_json(text: str, path: Path) -> Library:
    try:
        found = _Library.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise LibraryError(f"{path}:{error.lineno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise LibraryError(f"{path}: not JSON: it is nested too deeply") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(key) for key in first["loc"])
        raise LibraryError(
            f"{path}: not a library as `learnact show --json` prints it: {where}: {first['msg']}"
        ) from None
    except ValueError as error:
        raise LibraryError(f"{path}: not JSON: {error}") from None
    actions = tuple(
        LearnedAction(a.name, a.signature, a.source, a.description, tuple(a.notes)) for a in found.actions
    )
    library = Library(actions, found.preamble, found.usage_example, tuple(found.lessons))
    try:
        _check_sources(library)
        canonical(library).encode()
    except LibraryError as error:
        raise LibraryError(f"{path}: {error}") from None
    except UnicodeEncodeError:
        raise LibraryError(f"{path}: it holds text that is not Unicode (a lone surrogate)") from None
    return library


def _check_sources(library: Library) -> None:
    """Raise `LibraryError` unless each action's source begins with the function of its name."""
    for number, action in enumerate(library.actions):
        statements = read_statements(action.source)
        function = statements[0].function if statements else None
        if function is None or function.name != action.name:
            raise LibraryError(f"actions.{number}: the source of {action.name} does not define it")
