"""What the extra `tools` brings: BFCL's package, for its data and its stateful APIs in Python.

The package pins 40 others (torch among them) that neither its data nor its APIs import, so it is installed
without them.
"""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable

from learnact.domains.extra_packages import ExtraPackages

PACKAGES = ExtraPackages(
    "tools",
    modules=("bfcl_eval", "mpmath"),
    distributions=("bfcl-eval",),
    install="pip install 'learnact[tools]' && pip install --no-deps bfcl-eval==2026.3.23",
    note="without its dependencies: nothing here imports them",
)


def data(*path: str) -> Traversable:
    """A file of the package's data."""
    return resources.files("bfcl_eval").joinpath("data", *path)
