"""What standard output and error can show: where their encoding has no Unicode, plain characters stand in."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Mapping
from typing import Final

#: Characters of our own, and of the tables, with what stands in for them.
_PLAIN: Final = {"→": "->", "✓": "+", "✗": "x", "…": "~", "─": "-", "━": "-", "│": "|"}

_HANDLER: Final = "clearml-triggers-plain"


def prepare(environ: Mapping[str, str] = os.environ) -> None:
    """Let standard output and error take any text. Names of objects may be in any script; none ends a verb."""
    codecs.register_error(_HANDLER, _stand_in)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="ascii" if _is_plain(environ) else None, errors=_HANDLER)


def shows_unicode() -> bool:
    """Whether standard output can show every character."""
    return (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")


def _is_plain(environ: Mapping[str, str]) -> bool:
    """Whether the locale says ASCII. Python takes C for UTF-8 (PEP 538, 540), and sets LC_CTYPE to C.UTF-8 for it."""
    if environ.get("PYTHONIOENCODING") or environ.get("PYTHONUTF8"):
        return False
    ctype = environ.get("LC_CTYPE", "")
    said = environ.get("LC_ALL") or ("" if ctype == "C.UTF-8" else ctype) or environ.get("LANG", "")
    return said in ("C", "POSIX")


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_PLAIN.get(one) or one.encode("ascii", "backslashreplace").decode() for one in text), error.end
