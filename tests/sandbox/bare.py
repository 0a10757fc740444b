"""Runs a module as in a container that offers nothing but seccomp: no namespaces, no chroot, no Landlock.

python -m tests.sandbox.bare MODULE [ARGUMENT ...]
"""

from __future__ import annotations

import runpy
import sys

import pyseccomp

WITHHELD = (
    "unshare",
    "setns",
    "chroot",
    "landlock_create_ruleset",
    "landlock_restrict_self",
    "personality",
    "setresuid",
    "setuid",
)
NUMBERS = {"landlock_create_ruleset": 444, "landlock_restrict_self": 446}
"""libseccomp before 2.6 does not know Landlock by name; the numbers are the same on every machine."""


def withhold() -> None:
    """Have the kernel refuse what strict containers refuse."""
    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for call in WITHHELD:
        rules.add_rule(pyseccomp.ERRNO(1), NUMBERS.get(call, call))
    rules.load()


if __name__ == "__main__":
    withhold()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
