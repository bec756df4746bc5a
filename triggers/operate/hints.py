"""Commands that people are told to run, quoted for their shell."""

from __future__ import annotations

import shlex


def command(*words: str) -> str:
    """A command of this program as text that can be pasted."""
    return f"`clearml-triggers {shlex.join(words)}`"
