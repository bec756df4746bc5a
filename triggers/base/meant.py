"""What was perhaps meant by a word that is none of those that there are: for errors about values of any kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

#: Characters that are compared: time grows with their square.
_LONGEST: Final = 200
#: Fewest characters that stand for the only word that begins with them.
_BEGINNING: Final = 3


def meant(word: object, known: Iterable[str]) -> str:
    """`; did you mean '...'?` with the known word most like an unknown one, "" if none is."""
    import difflib  # where all is well, nobody asks

    if not isinstance(word, str):
        return ""
    small, by_small = word.casefold()[:_LONGEST], {one.casefold(): one for one in known}
    close = difflib.get_close_matches(small, by_small, n=1, cutoff=0.75)
    longer = [one for one in by_small if one.startswith(small)] if len(small) >= _BEGINNING else []
    if not close and len(longer) == 1:
        close = longer
    return f"; did you mean {by_small[close[0]]!r}?" if close else ""
