"""A hook of MkDocs: pages that lie beside `docs/` are pages of the site too, and links to them lead there.

SECURITY.md and CHANGELOG.md stay where people and package indexes look for them. The folder of decisions becomes a
section with one entry a page.
"""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import normpath, relpath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
BESIDE = ("SECURITY.md", "CHANGELOG.md")

_LINK = re.compile(r"(?<=\]\()(?!https?:|#)([^)#\s]+)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Spell out each folder that the navigation names."""
    config.nav = [_spelled(entry) for entry in config.nav or []]
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for name in BESIDE:
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Let links lead to where their pages are on the site: in the repository `docs/` is a folder below the others."""
    return in_site(markdown, page.file.src_uri)


def in_site(markdown: str, page: str) -> str:
    """Rewrite the links between `docs/` and the pages beside it; `page` is a path on the site."""
    here = page if page in BESIDE else f"docs/{page}"

    def moved(link: re.Match[str]) -> str:
        target = normpath(f"{here}/../{link[1]}")
        if target not in BESIDE and not (here == page and target.startswith("docs/")):
            return link[1]
        return relpath(target.removeprefix("docs/"), f"{page}/..")

    return _LINK.sub(moved, markdown)


def _spelled(entry: Any) -> Any:
    if isinstance(entry, str) and entry.endswith("/"):
        return sorted(f"{entry}{page.name}" for page in (ROOT / "docs" / entry).glob("*.md"))
    if isinstance(entry, dict):
        return {title: _spelled(part) for title, part in entry.items()}
    return [_spelled(part) for part in entry] if isinstance(entry, list) else entry
