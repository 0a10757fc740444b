"""`python -m learnact.models.local MODEL`: a local model's server, as `learnact.models.embedded` starts
it."""

from __future__ import annotations

import argparse
from pathlib import Path

from learnact.errors import BadInput
from learnact.models.local.server import LocalServerOptions, serve


def main(arguments: list[str] | None = None) -> None:
    """Serve until the end; ends with code 2 for input that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m learnact.models.local", description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--port-file", type=Path, help="where the chosen port is written")
    parser.add_argument("--parent", type=int, help="end when the process with this id ends")
    given = parser.parse_args(arguments)
    try:
        serve(LocalServerOptions(given.model, given.port, given.port_file, parent=given.parent))
    except BadInput as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
