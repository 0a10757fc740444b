"""The process that serves a local model: llama.cpp's OpenAI-compatible server on loopback.

It ends when interrupted, terminated, or when the process named as its parent has ended."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from learnact.errors import BadInput
from learnact.models.local import weights
from learnact.simulated.server_processes import is_alive

PARENT_CHECK_SECONDS = 0.3
SLOTS = 4
"""Requests that are answered at a time; more wait."""
PROMPT_CACHE_MIB = 1024
"""Memory for the states of prompts that were read before, so that their beginnings are not read again."""


@dataclass(frozen=True)
class LocalServerOptions:
    """How to serve. `port` 0 takes a free one; `port_file` is written when connections are accepted.

    `threads`: of the computation (0: all cores but one, which the players need; more threads than free cores
    make it many times slower). `context`: tokens of context of each request (0: what the model was trained
    with, at most 8192). `parent`: the process id with which to end.
    """

    model: str
    port: int = 0
    port_file: Path | None = None
    threads: int = 0
    context: int = 0
    parent: int | None = None
    announce: Callable[[str], None] = lambda _: None


def serve(options: LocalServerOptions) -> None:
    """Serve until the end. Raises `BadInput` for what cannot be served, with the way out."""
    if (why := weights.problem(options.model)) is not None:
        raise BadInput(why)
    model = weights.find_model(options.model)
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    server = _started(options, model)
    address = str(server.listening_address)
    if options.port_file is not None:
        partial = options.port_file.with_name(f"{options.port_file.name}.part")
        partial.write_text(str(urlsplit(address).port))
        partial.replace(options.port_file)
    options.announce(f"{address}/v1")
    while not ended.wait(PARENT_CHECK_SECONDS):
        if options.parent is not None and not is_alive(options.parent):
            break
    # The server's threads end with the process: its own ending waits for replies that nobody reads any more.
    os._exit(0)


def _started(options: LocalServerOptions, model: weights.LocalModel) -> Any:
    import xllamacpp

    threads = options.threads or max(1, (os.cpu_count() or 1) - 1)
    parameters = xllamacpp.CommonParams()
    settings: dict[str, Any] = {
        "model_alias": {model.name},
        "port": options.port,
        "ui": False,
        "verbosity": 1,
        "n_parallel": SLOTS,
        "n_ctx": SLOTS * (options.context or model.context or 8192),
        "cache_ram_mib": PROMPT_CACHE_MIB,
    }
    if template := weights.template_of(model):
        settings["chat_template"] = template
    for name, value in settings.items():
        setattr(parameters, name, value)
    parameters.model.path = str(model.find())
    for pool in (parameters.cpuparams, parameters.cpuparams_batch):
        setattr(pool, "n_threads", threads)  # noqa: B010 - a plain assignment counts as unused
    try:
        return xllamacpp.Server(parameters)
    except Exception as error:
        raise BadInput(f"{options.model} cannot be served on port {options.port}: {error}") from error
