"""Hooks of the documentation site: pages that lie outside docs/, and links between them and to source files.

On the site a page from elsewhere has a place of its own (`PAGES`). Links follow it; a link to a file that is
no page of the site becomes plain text. A link to a file that does not exist fails the build.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "results/README.md": "data-dictionary.md",
    "jobs/README.md": "shipped-jobs.md",
    "cluster/README.md": "cluster-recipes.md",
}
"""Where a page from outside docs/ lies on the site."""
SOURCES = {place: source for source, place in PAGES.items()}
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s]*)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside docs/."""
    for source, place in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, place, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point the links of a page to where the pages lie on the site."""
    source = ROOT / SOURCES.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def changed(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        if not target or "://" in target or target.startswith("mailto:"):
            return link[0]
        path = Path(os.path.normpath(source.parent / target))
        if not path.exists():
            raise PluginError(f"{source.relative_to(ROOT)}: link to {target}: there is no such file")
        name = path.relative_to(ROOT).as_posix()
        if path.is_dir() and (path / "README.md").exists():
            name = f"{name}/README.md"
        place = PAGES.get(name, name.removeprefix("docs/") if name.startswith("docs/") else "")
        return f"[{text}]({place}{anchor})" if place else text

    return LINK.sub(changed, markdown)
