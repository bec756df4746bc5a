"""Spelling, by a dictionary of American English that the package `spylls` brings and the words of `words.txt`."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.texts.source import Text

WORDS = Path(__file__).with_name("words.txt")
#: Code, addresses and placeholders, which are not words.
_CODE = re.compile(r"`[^`]*`|https?://\S+|<[^>\n]+>|\{[^{}]*\}|\"[^\"\n]{1,40}\"|'[^'\s]+'|\\[a-z]")
#: The same on a page: blocks of code, and where links lead.
_PAGE_CODE = re.compile(r"^```.*?^```|^(?: {4,}|\t)[^\n]*$|\]\([^)]*\)", re.DOTALL | re.MULTILINE)
#: A word that stands alone: no part of a path, an option, an address or a name in code.
_WORD = re.compile(r"(?<![\w./$\-{@%:=#&\\])[A-Za-z][a-z]+(?:'[a-z]+)?(?![\w/(=@\[}]|[-.:]\w|\*)")


@cache
def dictionary() -> Any:
    """The dictionary; a second to read."""
    from spylls.hunspell import Dictionary

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves the files that it has read to the collector
        return Dictionary.from_files("en_US")


@cache
def own_words() -> frozenset[str]:
    """What the dictionary lacks: names, and words of the field."""
    return frozenset(line.strip() for line in WORDS.read_text("utf-8").splitlines() if line and line[0] != "#")


@cache
def is_word(word: str) -> bool:
    """Whether a word is spelled as the dictionary or the list of our own words has it."""
    bare = word.removesuffix("'s")
    if {word, bare, word.lower(), bare.lower()} & own_words():
        return True
    return bool(dictionary().lookup(word) or dictionary().lookup(bare))


def misspelled(text: Text) -> Iterator[tuple[str, str]]:
    """(place, word) of each word that neither knows."""
    body = text.text
    if text.kind == "page":
        body = _blank(_PAGE_CODE, body)
    body = _blank(_CODE, body)
    for found in _WORD.finditer(body):
        word = found[0]
        if text.kind == "name" and is_word(word.removesuffix("s")):  # "workers" may stand for "worker's"
            continue
        if not is_word(word):
            yield text.at(found.start()), word


def _blank(pattern: re.Pattern[str], text: str) -> str:
    """The text with what is found left out, every other character where it was."""
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
