"""An extension of mkdocstrings: docstrings are written for `help()`, and pages show what they have better ways to show.

An example is a block of code there, and a default has a column of its own beside the type.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

from griffe import Extension, Object

_DEFAULT = re.compile(r"^(\s+\w+ \(.+?), default .+?(?=\): )", re.M)
_EXAMPLE = re.compile(r"^(?P<indent> *)Example:\n(?P<code>(?:(?P=indent) +\S.*\n?|\n)+)", re.M)


class DocstringsOnPages(Extension):
    """Rewrites each docstring before it is parsed."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Take defaults out of types, and put code into fences."""
        if obj.docstring is not None:
            obj.docstring.value = for_page(obj.docstring.value)


def for_page(text: str) -> str:
    """A docstring as the parser of the site is to have it."""
    return _EXAMPLE.sub(_fenced, _DEFAULT.sub(r"\1", text))


def _fenced(example: re.Match[str]) -> str:
    code = textwrap.indent(f"```python\n{textwrap.dedent(example['code']).strip()}\n```", "    ")
    return textwrap.indent(f"Example:\n{code}\n", example["indent"])
