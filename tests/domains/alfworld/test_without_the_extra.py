"""Without the extra everything else works, and asking for ALFWorld says what to install. The packages are
hidden from a fresh process."""

from __future__ import annotations

import subprocess
import sys

HIDE = "import sys\nfor name in ('alfworld', 'textworld', 'fast_downward'): sys.modules[name] = None\n"


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", HIDE + program], capture_output=True, text=True, timeout=600, check=True
    )
    return done.stdout


def test_asking_for_alfworld_says_what_to_install():
    said = run(
        "from learnact.domains import registry\nfrom learnact.errors import MissingExtra\nfrom "
        "learnact.records import DomainSpec\n"
        "try: registry.build(DomainSpec('alfworld-heat'))\nexcept MissingExtra as error: print(error)"
    )
    assert "pip install 'learnact[alfworld]'" in said


def test_other_domains_work_and_the_list_says_why_these_do_not():
    said = run(
        "from learnact.domains import registry\nfrom learnact.records import DomainSpec\n"
        'd = registry.build(DomainSpec(\'gripper\', \'{"level": "easy", "train": 1, "test": 1}\')); e = '
        "d.open(d.tasks('train')[0])\n"
        "print(e.call('move', ['rooma', 'roomb'], {}).valid)\n"
        "print(*[l.problem for l in registry.listed() if l.name == 'alfworld-put'])"
    )
    assert said.startswith("True") and "learnact[alfworld]" in said
