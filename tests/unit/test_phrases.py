"""Phrases that were found in texts for people and replaced do not come back: messages, docstrings, pages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: what was found → what says it
REPLACED = {
    r"has an effect with": "requires",
    r"goes not with": "cannot be combined with",
    r"where several live": "if there are several",
    r"no scheduler lives in": "no scheduler found in",
    r"at most so many": "at most N",
    r"\blets go in\b": "its lease expires in",
    r"\bcomes? home\b": "took over",
    r"staying at home": "could not renew the lease",
    r"a little old": "could not save",
    r"\bheld go\b": "released N held firings",
    r"^functions wait: ": "cannot fetch function calls",
    r"\bbroke off\b": "failed",
    r"\bin doubt\b": "cannot tell whose",
    r"\bgives? a hint again\b": "re-sends",
    r"\bis told when\b": "is notified when",
    r"\bmended by\b": "fixed by",
}


def texts() -> Iterator[tuple[str, str]]:
    for path in [*(ROOT / "triggers").rglob("*.py"), *(ROOT / "workers").rglob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{name}:{node.lineno}", node.value
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*")]
    for path in pages:
        if path.is_file():
            yield path.relative_to(ROOT).as_posix(), path.read_text()


@pytest.mark.parametrize("phrase", REPLACED)
def test_no_text_has_a_phrase_that_was_replaced(phrase: str) -> None:
    found = [where for where, text in texts() if re.search(phrase, text, re.MULTILINE)]
    assert not found, REPLACED[phrase]


def test_the_check_sees_what_it_is_for() -> None:
    assert re.search(next(iter(REPLACED)), "overlap: has an effect with single_instance=True only")
