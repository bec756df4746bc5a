"""Verbs that are run without the parser of the command line: importing it takes longer than such a verb does its work.

A verb with other arguments than those of this table, help and completion go through the parser as all others do. The
arguments here are flags, and mean what the verb's declaration says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from triggers.base.entry_point import NOT_SO

#: By verb, the module of this folder whose function `run` does it, and its parameters by the flags that set them.
BARE: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "list": ("listing", {"--all": "everything", "--json": "as_json"}),
}

#: Where the shell asks for completion, it asks the parser.
_COMPLETION: Final = "_CLEARML_TRIGGERS_COMPLETE"


def call_of(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> Callable[[], None] | None:
    """Give what does all that a command line says; None where the parser has to read it."""
    verb, flags = "".join(arguments[:1]), arguments[1:]
    if verb not in BARE or _COMPLETION in environ or len(set(flags)) != len(flags):
        return None
    module, parameters = BARE[verb]
    if not all(flag in parameters for flag in flags):
        return None
    given: dict[str, Any] = {parameters[flag]: True for flag in flags}
    return lambda: _run(import_module(f"triggers.cli.{module}").run, given)


def _run(verb: Callable[..., None], given: Mapping[str, Any]) -> None:
    """Run a verb; what reads its output may end before all is written."""
    try:
        verb(**given)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # at exit Python writes what is left
        sys.exit(NOT_SO)
