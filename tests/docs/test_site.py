"""The site builds strictly and without a network, and its pages fetch nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages_beside import in_site

ROOT = Path(__file__).parents[2]

#: the site is built once, on one process of xdist
pytestmark = pytest.mark.xdist_group("site")


class Page(HTMLParser):
    """What a page refers to, and the anchors that it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.fetched, self.links, self.anchors = list[str](), list[str](), set[str]()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a":
            self.links += [values["href"]] if "href" in values else []
        elif tag == "link" and values.get("rel") not in ("canonical", "prev", "next"):
            self.fetched.append(values.get("href", ""))
        elif "src" in values:
            self.fetched.append(values["src"])


@pytest.fixture(scope="session")
def site(site_folder: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site_folder.rglob("*.html")}


def test_a_page_fetches_nothing_from_elsewhere(site: dict[Path, Page]) -> None:
    foreign = [(path.name, each) for path, page in site.items() for each in page.fetched if urlsplit(each).netloc]
    assert foreign == []


def test_what_a_page_fetches_is_there(site: dict[Path, Page]) -> None:
    missing = [
        (path.name, each)
        for path, page in site.items()
        if path.name != "404.html"  # served for any address, its own begin at the root
        for each in page.fetched
        if not each.startswith("data:") and not (path.parent / unquote(urlsplit(each).path)).exists()
    ]
    assert missing == []


def test_links_and_anchors_of_the_built_pages_lead_somewhere(site: dict[Path, Page]) -> None:
    assert [problem for path, page in site.items() if path.name != "404.html" for problem in _broken(path, site)] == []


def _broken(path: Path, site: dict[Path, Page]) -> Iterator[str]:
    for link in site[path].links:
        parts = urlsplit(link)
        if parts.scheme:
            if parts.scheme not in ("http", "https", "mailto") or (parts.scheme != "mailto" and not parts.hostname):
                yield f"{path.name}: {link} has no form of an address"
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path not in ("", ".") else path
        if not target.exists():
            yield f"{path.name}: {link}: no such page"
        elif target in site and parts.fragment and unquote(parts.fragment) not in site[target].anchors:
            yield f"{path.name}: {link}: no such anchor"


def test_the_words_of_every_page_can_be_searched_for(site: dict[Path, Page]) -> None:
    folder = min((path.parent for path in site), key=lambda each: len(each.parts))
    index = (folder / "search" / "search_index.json").read_text()
    assert "idempotency" in index
    assert "guarantees.html" in index


def test_anchors_that_pages_beside_the_site_name_exist(site: dict[Path, Page]) -> None:
    pages = {path.name: page for path, page in site.items()}
    for source in ("README.md", "examples/README.md"):
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]+)#([^)\s]+)\)", (ROOT / source).read_text()):
            assert anchor in pages[Path(target).with_suffix(".html").name].anchors, f"{source}: {target}#{anchor}"


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("operating.md", "../SECURITY.md#limits", "SECURITY.md#limits"),
        ("decisions/0001-x.md", "../../CHANGELOG.md", "../CHANGELOG.md"),
        ("decisions/0001-x.md", "../protocol.md", "../protocol.md"),
        ("SECURITY.md", "docs/operating.md#signing", "operating.md#signing"),
        ("operating.md", "https://example.org/SECURITY.md", "https://example.org/SECURITY.md"),
    ],
)
def test_links_across_the_edge_of_the_folder_stay_links(page: str, link: str, expected: str) -> None:
    assert in_site(f"[a page]({link})", page) == f"[a page]({expected})"
