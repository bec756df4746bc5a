"""`python -m tests.texts` prints every problem of a text on one line, with what to do; exit code 1 if there is any."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tests.texts import length, phrases, spelling
from tests.texts.source import texts


def problems() -> Iterator[str]:
    """Each problem with its place."""
    for text in texts():
        for place, word in spelling.misspelled(text):
            yield f"{place}: {word!r} is not in the dictionary: correct it, or add it to tests/texts/words.txt"
        for place, phrase, instead in phrases.found(text):
            yield f"{place}: {phrase!r}: write: {instead}"
        for place, columns in length.too_long(text):
            yield f"{place}: {columns} columns: wrap the line at {length.COLUMNS}"


def main() -> None:
    """Print them."""
    found = list(problems())
    for line in found:
        sys.stdout.write(f"{line}\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
