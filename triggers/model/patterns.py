r"""Regular expressions as the server understands them: searched, case-sensitive, and bounded in time.

The server's are PCRE over UTF-8, whose classes (`\w`, `\d`, `\b`, `\s`) know ASCII only. The package `regex`
has nearly all of PCRE's syntax and, unlike `re`, a time limit.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import lru_cache
from typing import Any, Final

import regex

from triggers.base.slowness import slowness

#: Longest time of one evaluation in seconds; a longer one counts as no match. `regex` counts the process' CPU
#: time, so that a machine under load loses no match.
LIMIT_SECONDS: Final = 0.1
#: The same for an expression that has been too slow `STRIKES` times in this process: it may be so on every name.
LIMIT_AFTER_STRIKES_SECONDS: Final = 0.01
STRIKES: Final = 3
#: The same for one that is not known to be slow, once others have used up the time that all may take.
LIMIT_WHEN_CROWDED_SECONDS: Final = 0.005

#: Largest expression, every repeat counted as often as it has to occur: compiling takes memory for each.
LIMIT_SIZE: Final = 50_000

_TOKEN: Final = regex.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\{(?P<least>\d+)(?:,\d*)?\}|.", flags=regex.DOTALL)
_LITERAL: Final = regex.compile(r"\^((?:[^\\.^$*+?{}\[\]|()]|\\[^\p{L}\p{N}])+)\$")
_ESCAPE: Final = regex.compile(r"\\(.)", flags=regex.DOTALL)


_CLASS: Final = regex.compile(r"\\[wWdDsSbB]|\[\[:")
_strikes: Counter[str] = Counter()


class TooSlow(Exception):
    """An expression took too long on a text, or has taken so long lately that it was left out."""


@lru_cache(maxsize=32_768)
def _compiled(pattern: str) -> Any:
    # Only the classes are ASCII: (?i) folds other alphabets too.
    return regex.compile(pattern, flags=regex.ASCII if _CLASS.search(pattern) else 0)


def problem_of(pattern: str) -> str | None:
    """Say what is wrong with an expression; None if it can be used."""
    if _size(pattern) > LIMIT_SIZE:
        return f"it is too large: more than {LIMIT_SIZE:,} characters with its repeats written out"
    if _LITERAL.fullmatch(pattern):  # most are one exact name, and who only reads triggers need not compile it
        return None
    try:
        _compiled(pattern)
    except (regex.error, OverflowError, RecursionError, ValueError) as error:
        return str(error) or type(error).__name__
    return None


def found_in(pattern: str, text: str) -> bool:
    """Search for an expression that `problem_of` has passed.

    Raises:
        TooSlow: no answer within the limit.
    """
    found = _search(pattern, text)
    if found is None:
        raise TooSlow(pattern)
    return found


@lru_cache(maxsize=2_048)
def _search(pattern: str, text: str) -> bool | None:
    """Search once, so that a decision and its explanation agree; None when it takes too long.

    Raises:
        TooSlow: it was left out; another time it may be searched for.
    """
    if slowness.is_spent(pattern, text):
        raise TooSlow(pattern)
    limit = LIMIT_SECONDS if _strikes[pattern] < STRIKES else LIMIT_AFTER_STRIKES_SECONDS
    if slowness.is_crowded(text):
        limit = LIMIT_WHEN_CROWDED_SECONDS
    began = time.thread_time()
    try:
        return _compiled(pattern).search(text, timeout=limit) is not None
    except TimeoutError:
        _strikes[pattern] += 1
        return None
    finally:
        slowness.add(pattern, text, time.thread_time() - began)


def _size(pattern: str) -> int:
    """Estimate the length of an expression with its repeats written out."""
    sizes, last = [0], 0  # of the open groups, of the latest atom
    for token in _TOKEN.finditer(pattern):
        if token["least"] is not None:
            repeated = last * int(token["least"][:9])
            sizes[-1] += max(repeated - last, 0)
            last = repeated
        elif token[0] == "(":
            sizes.append(0)
        elif token[0] == ")" and len(sizes) > 1:
            last = sizes.pop()
            sizes[-1] += last
        else:
            last = 1
            sizes[-1] += 1
    return sum(sizes)


def exact_text(pattern: str) -> str | None:
    r"""Give the one text that `^text$` matches (besides `text\n`); None for any other expression."""
    match = _LITERAL.fullmatch(pattern)
    return _ESCAPE.sub(r"\1", match[1]) if match else None
