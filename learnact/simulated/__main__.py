"""`python -m learnact.simulated`: the simulated model's server, started by `learnact.models.embedded` or
by hand."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from learnact.errors import BadInput
from learnact.simulated.faults import Faults
from learnact.simulated.server_processes import ServerOptions, serve, serve_in_child


def main(arguments: list[str] | None = None) -> int:
    """Serve until the end; 2 for input that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m learnact.simulated", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--port-file", type=Path, help="where the chosen port is written")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--parent", type=int, help="end when the process with this id ends")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    for option in fields(Faults):
        kind = str if option.name in ("refuse", "canned") else type(option.default)
        many = {"action": "append", "default": []} if option.name == "refuse" else {"default": option.default}
        parser.add_argument(f"--{option.name}", type=kind, **many)
    given = parser.parse_args(arguments)
    if given.child:
        serve_in_child(given.child)
        return 0
    chosen = {f.name: getattr(given, f.name) for f in fields(Faults)}
    faults = Faults(**{**chosen, "refuse": tuple(chosen["refuse"])})
    try:
        serve(ServerOptions(given.host, given.port, given.port_file, given.processes, given.parent, faults))
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
