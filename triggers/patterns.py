r"""Regular expressions as the server understands them: searched, case-sensitive, and bounded in time.

The server's are PCRE over UTF-8, whose classes (`\w`, `\d`, `\b`, `\s`) know ASCII only. The package `regex`
has nearly all of PCRE's syntax and, unlike `re`, a time limit.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import regex

#: Longest time of one evaluation in seconds; a longer one counts as no match.
LIMIT_SECONDS: Final = 0.1

_LITERAL: Final = regex.compile(r"\^((?:[^\\.^$*+?{}\[\]|()]|\\[^\p{L}\p{N}])+)\$")
_ESCAPE: Final = regex.compile(r"\\(.)", flags=regex.DOTALL)


class TooSlow(Exception):
    """An expression took longer than `LIMIT_SECONDS` on a text."""


@lru_cache(maxsize=32_768)
def _compiled(pattern: str) -> Any:
    return regex.compile(pattern, flags=regex.ASCII)


def problem_of(pattern: str) -> str | None:
    """Say what is wrong with an expression; None if it can be used."""
    try:
        _compiled(pattern)
    except (regex.error, OverflowError, RecursionError, ValueError) as error:
        return str(error) or type(error).__name__
    return None


def found_in(pattern: str, text: str) -> bool:
    """Search for an expression that `problem_of` has passed.

    Raises:
        TooSlow: no answer within `LIMIT_SECONDS`.
    """
    try:
        return _compiled(pattern).search(text, timeout=LIMIT_SECONDS) is not None
    except TimeoutError:
        raise TooSlow(pattern) from None


def exact_text(pattern: str) -> str | None:
    r"""Give the one text that `^text$` matches (besides `text\n`); None for any other expression."""
    match = _LITERAL.fullmatch(pattern)
    return _ESCAPE.sub(r"\1", match[1]) if match else None
