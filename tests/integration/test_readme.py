"""What the README and the lists of jobs promise is there."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from learnact.cli.app import COMMANDS, loaded
from learnact.job import load
from tests.report.conftest import write

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "jobs/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_that_are_shown_exist_with_their_options(page: Path) -> None:
    for line in re.findall(r"^ {4}(?:\w+=\S+ )?(learnact .+)$", page.read_text(), re.MULTILINE):
        words = shlex.split(line.split(" # ")[0].rstrip("\\"), comments=True)
        for command in " ".join(words).split(" && "):
            check_command(command.split())


def check_command(words: list[str]) -> None:
    name = words[1]
    assert name in COMMANDS, words
    known = {one for p in loaded(name).params for one in (*p.opts, *p.secondary_opts)}
    for word in words[2:]:
        if word.startswith("--"):
            assert word in known | {"--help"}, words


@pytest.mark.parametrize("path", sorted((ROOT / "jobs").rglob("*.yaml")), ids=lambda p: p.name)
def test_commands_in_jobs_exist(path: Path) -> None:
    for line in re.findall(r"^#\s+(?:\w+=\S+ )?(learnact .+)$", path.read_text(), re.MULTILINE):
        for command in line.split(" && "):
            check_command(re.sub(r'"[^"]*"|\'[^\']*\'', "quoted", command).split())


def test_every_job_is_listed() -> None:
    text = (ROOT / "jobs" / "README.md").read_text()
    for path in (ROOT / "jobs").rglob("*.yaml"):
        assert str(path.relative_to(ROOT / "jobs")) in text


def test_python_in_the_readme_is_a_job_that_loads() -> None:
    job = re.search(r"learnact\.run\((\{.*?\})\)", (ROOT / "README.md").read_text())
    assert job
    assert load(eval(job[1], {})).trials()


def test_every_key_of_a_job_is_explained() -> None:
    from learnact.job.schema import JobConfig, LearnerConfig, RulesConfig

    text = (ROOT / "docs" / "jobs.md").read_text()
    for part in (JobConfig, LearnerConfig, RulesConfig):
        for key in part.model_fields:
            assert f"`{key}`" in text or f"`{key}." in text, key


def test_every_page_is_in_the_contents() -> None:
    contents = (ROOT / "README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in contents, page.name


def load_script(path: Path) -> ModuleType:
    """A Python file that belongs to no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_site() -> None:
    shown = re.findall(
        r"^ +- (?:\w+: )?(\S+\.md)$|^  - (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE
    )
    pages = {name for names in shown for name in names if name}
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= pages


def test_the_version_is_the_same_everywhere_and_has_notes(tmp_path: Path) -> None:
    release = load_script(ROOT / ".ci" / "release_notes.py")
    notes = release.notes()
    import learnact

    assert notes.startswith(f"v{learnact.__version__}\n\n- ")
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == learnact.__version__
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()
    for name in ("learnact/__init__.py", "CHANGELOG.md", "CITATION.cff"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    (tmp_path / "CITATION.cff").write_text("version: 9.9.9\n")
    with pytest.raises(SystemExit, match="CITATION"):
        release.notes(tmp_path)
    (tmp_path / "CITATION.cff").write_text((ROOT / "CITATION.cff").read_text())
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n")
    with pytest.raises(SystemExit, match="nothing is written"):
        release.notes(tmp_path)


def test_hosted_ci_runs_the_same_script() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert ".ci/run" in [step.get("run") for step in workflow["jobs"]["test"]["steps"]]


def test_the_notebook_example_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    """docs/api.md, "In a notebook", over a small run of that name."""
    pytest.importorskip("pandas", reason="needs learnact[frames]")
    asyncio.run(write(tmp_path / "results", "quickstart"))
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    example = page.split("## In a notebook")[1].split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(example, names)
    told = capsys.readouterr().out
    assert "learnact  blockworld    0.8" in told
    assert "success" in told
    assert names["simulated"] is True
