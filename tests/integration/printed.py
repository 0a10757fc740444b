"""Commands that a page, a help text or a command itself prints: found, made concrete, and run."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from learnact.cli.app import COMMANDS

PLACEHOLDERS = {
    "JOB": "my.yaml",
    "JOB.yaml": "my.yaml",
    "job.yaml": "my.yaml",
    "FILE": "my.yaml",
    "RUN": "my-job",
    "my-run": "my-job",
    "DOMAIN": "gripper",
    "URL": "http://127.0.0.1:8000/v1",
    "COMMAND": "plan",
    "QUERY": "success",
    "ACTION": "carry",
    "TABLE": "2",
    "M": "learnact",
    "P": "create",
    "A": "learnact",
    "B": "act",
}
"""Words that stand for something of the reader's."""
NAMES = {
    "methods": "learnact",
    "domains": "gripper",
    "tasks": "gripper",
    "play": "gripper",
    "synthesize": "synthesize",
}
"""What NAME stands for behind a command; else a job."""
BLOCK = re.compile(r"(?:^ {2,}.*\n?)+|^```.*?^```|^learnact .*$|^#   learnact .*$", re.MULTILINE | re.DOTALL)
"""Text in which each line that begins with `learnact` is a command."""


@dataclass(frozen=True)
class Context:
    """What stands for a reader's own things: a folder, keys of two episodes, a library's id, an endpoint."""

    folder: Path
    episodes: tuple[str, str]
    library: str
    url: str


def commands_in(text: str) -> list[str]:
    """The command lines of a page: those of code blocks, of text in backquotes, and whole lines of output."""
    found = []
    for block in BLOCK.findall(text):
        joined = re.sub(r"\\\n\s*", " ", block)
        for line in joined.splitlines():
            if match := re.match(r"^(?:#?\s+|next: |\$ )?\s*((?:[A-Z_]+=\S+ )*learnact\s.+)$", line):
                found.append(match[1])
    found += [" ".join(inline.split()) for inline in re.findall(r"`((?:[A-Z_]+=\S+ )*learnact [^`]+)`", text)]
    parts = dict.fromkeys(part for line in found for part in split(line))
    return [part for part in parts if part.startswith("learnact ") and is_command(part.split()[1])]


def is_command(word: str) -> bool:
    """Whether the word after `learnact` makes it a command; prose goes on with other words."""
    return word in COMMANDS or word.startswith("-") or word in PLACEHOLDERS


def split(line: str) -> list[str]:
    """One line's commands, without comments, redirections and what a table says beside them."""
    line = re.sub(r" {3,}[^-'\"\s].*$", "", line)
    line = re.sub(r"\s+#\s.*$", "", line)
    line = re.split(r"\s[|>]\s", line)[0]
    return [re.sub(r"^(?:[A-Z_]+=\S+ )+", "", part.strip()).rstrip(".,;:") for part in line.split(" && ")]


def concrete(command: str, context: Context) -> list[str]:
    """The words of a command, with the reader's own things in the places of those that stand for them."""
    words = shlex.split(command)
    named = NAMES.get(words[1], "quickstart")
    keys = iter(context.episodes)
    made: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        word = named if word == "NAME" else PLACEHOLDERS.get(word, word)
        if re.fullmatch(r"[0-9a-f]{6,}|KEY|KEY2|OTHER|EPISODE|ID|LIBRARY", word):
            word = context.library if before == "--library" or word in ("ID", "LIBRARY") else next(keys)
        word = re.sub(r"http://(?:localhost|127\.0\.0\.1|host|HOST)(?::\d+|:PORT)?/v1", context.url, word)
        made.append(word)
    return made[1:]
