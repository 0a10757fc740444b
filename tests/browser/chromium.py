"""Finds Chromium for the browser tests, and installs it where that is possible.

    python -m tests.browser.chromium

Found: $LEARNACT_CHROMIUM, a Chromium or Chrome on the path, or the one that Playwright has downloaded. Where
there is none: Debian's package (as root), else Playwright's download. Without it the browser tests are
skipped, with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "no Chromium here: `python -m tests.browser.chromium` installs it, or name one in LEARNACT_CHROMIUM"
PACKAGES = ("chromium", "fonts-dejavu-core")


def find() -> str | None:
    """The path of a Chromium, or None."""
    named = os.environ.get("LEARNACT_CHROMIUM")
    if named:
        return named
    for name in NAMES:
        if path := shutil.which(name):
            return path
    kept = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    found = sorted(kept.glob("chromium-*/chrome-linux*/chrome")) + sorted(
        kept.glob("chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/Chromium")
    )
    return str(found[-1]) if found else None


def install() -> str | None:
    """Install one; its path, or None where that is not possible."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES)
        if _run("apt-get", "update", "-qq") and _run(*install) and (path := find()):
            return path
    _run(sys.executable, "-m", "playwright", "install", "chromium")
    return find()


def _run(*command: str) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(command, env=environment, timeout=600, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{' '.join(command)}: {error}", file=sys.stderr)
        return False


if __name__ == "__main__":
    print(find() or install() or f"the browser tests will be skipped: {MISSING}")
