"""CONTRIBUTING.md names files, commands and commits that exist."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
#: Spans of code, and lines of code blocks.
CODE = [*re.findall(r"`([^`\n]+)`", PAGE), *(line.strip() for line in PAGE.splitlines() if line.startswith("    "))]
#: What commands make, and is here after them alone.
MADE = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
#: What a span has to be to name a file: a path below a folder of the repository, or one of its files.
TOP = {path.name for path in ROOT.iterdir()} - MADE


def files() -> set[str]:
    linked = re.findall(r"\]\(([^)#]+)\)", PAGE)
    named = [word for span in CODE for word in span.split() if word.partition("/")[0] in TOP]
    return {*linked, *named} - {"tests", "triggers"}


@pytest.mark.parametrize("name", sorted(files()))
def test_a_named_file_exists(name: str) -> None:
    assert (ROOT / name).exists()


@pytest.mark.parametrize("target", sorted({m for span in CODE for m in re.findall(r"^make ([a-z-]+)", span)}))
def test_a_named_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M)


@pytest.mark.parametrize("module", sorted({m for span in CODE for m in re.findall(r"python -m ([a-z_.]+)", span)}))
def test_a_named_module_exists(module: str) -> None:
    assert importlib.util.find_spec(module) is not None


@pytest.mark.parametrize("subject", re.findall(r'git log --grep "([^"]+)"', PAGE))
def test_a_named_commit_exists(subject: str) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    if (ROOT / ".git" / "shallow").exists():
        pytest.skip("this checkout has no history")
    command = ["git", "-C", str(ROOT), "log", "--oneline", "--grep", f"^{subject}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_first_page_links_it() -> None:
    assert "(CONTRIBUTING.md)" in (ROOT / "README.md").read_text()


def test_something_is_looked_at() -> None:
    assert len(files()) > 20
