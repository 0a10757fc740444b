"""Hostile programs, one module for each property that they attack, each program with the ending that is
intended.

A program defines `attack()`; it may use `act(...)`, the one primitive. Names in capitals between @ are filled
in by the test: a secret file, a port that listens, the host's process id, and so on. PRELUDE gives it, by
introspection, all that the interpreter holds: the confinement must hold against a skilled attacker."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace

PRELUDE = """
sys = __import__.__globals__['sys']
os = __import__.__globals__['os']
confined = sys.modules['learnact.sandbox.confined_process']
protocol = sys.modules['learnact.sandbox.protocol']

def module(name):
    return sys.modules.get(name) or __import__.__globals__['builtins'].__import__(name)

def libc():
    return module('ctypes').CDLL(None, use_errno=True)

def send(body, header=None):
    data = (len(body).to_bytes(4, 'big') if header is None else header) + body
    while data:
        data = data[os.write(3, data):]

"""

GROUPS = (
    "files",
    "network",
    "processes",
    "introspection",
    "signals",
    "native",
    "proc",
    "descriptors",
    "protocol",
    "memory",
    "cpu",
    "recursion",
    "output",
    "numbers",
    "regex",
    "exits",
    "threads",
    "sleeping",
    "values",
    "patching",
    "sources",
)


@dataclass(frozen=True)
class Attack:
    """One hostile program. `ends`: types of error that are intended, separated by |; `value` for one that
    comes to nothing and returns.

    `returns`: what it then returns, as text. `bare`: without the prelude. `core`: part of `make test`.
    `call`: what the host calls."""

    name: str
    code: str
    ends: str
    returns: str | None = None
    bare: bool = False
    core: bool = False
    call: str = "attack()"
    group: str = ""

    @property
    def source(self) -> str:
        return self.code if self.bare else PRELUDE + self.code


def body(text: str) -> str:
    """A program whose `attack` has these lines as its body."""
    return "def attack():\n" + "\n".join("    " + line for line in text.strip().splitlines()) + "\n"


def attacks() -> list[Attack]:
    """All of them, by group."""
    found = []
    for group in GROUPS:
        module = importlib.import_module(f"tests.sandbox.hostile.{group}")
        found += [replace(attack, group=group) for attack in module.ATTACKS]
    names = [f"{a.group}-{a.name}" for a in found]
    assert len(set(names)) == len(names), "two attacks of one name"
    return found
