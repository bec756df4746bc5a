"""Lines of pages: at most 120 columns, outside tables, blocks of code, and lines that a link makes long."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.texts.source import Text

COLUMNS = 120
_LINK = re.compile(r"\]\([^)]*\)|https?://\S+|`[^`]{40,}`")
#: A page is made of pieces that tools write, whose lines are theirs.
_MADE = ("docs/reference/", "docs/sandbox_calls.md", "docs/protocol.md", "docs/stages.md", "docs/cli.md")


def too_long(text: Text) -> Iterator[tuple[str, int]]:
    """(place, columns) of each line of a page that is too long."""
    if text.kind != "page" or text.file.startswith(_MADE):
        return
    in_code = False
    for number, line in enumerate(text.text.splitlines(), text.line):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        if in_code or line.startswith(("|", "    ")) or len(line) <= COLUMNS or _LINK.search(line):
            continue
        yield f"{text.file}:{number}", len(line)
