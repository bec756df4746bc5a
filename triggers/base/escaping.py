r"""Text of others made harmless for where it is shown: names, tags, values and errors may hold anything.

One function for each kind of place. What cannot be shown as it is appears as Python would write it (`\x1b`, `\n`,
`\u202e`), so that nothing is hidden and nothing acts. Pure.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import Any, Final

#: Control characters and escapes, marks that turn the direction of text, invisible characters, Unicode's ends of lines
#: and paragraphs, invisible tags, halves of surrogate pairs. Joiners stay: scripts and emoji need them.
_UNSAFE: Final = (
    "\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff"
)
_IN_A_LINE: Final = re.compile(f"[{_UNSAFE}]")
_IN_CELLS: Final = re.compile(f"(?!\t)[{_UNSAFE}]")
_IN_TEXT: Final = re.compile(f"(?![\n\t])[{_UNSAFE}]")
#: Spaces before every line but the first of a text in lines, so that none of them passes for an entry of its own.
_INDENT: Final = "  "


def is_safe(text: str) -> bool:
    """Whether a text can be shown in a line as it is."""
    return _IN_A_LINE.search(text) is None


def one_line(text: object) -> str:
    """For a line of a terminal, a log, a console, a notice, and for the label of a metric."""
    return _IN_A_LINE.sub(_escaped, str(text))


def in_cells(text: object) -> str:
    """For one line whose cells stand between tabs."""
    return _IN_CELLS.sub(_escaped, str(text))


def in_lines(text: object) -> str:
    """For an error or a traceback of several lines: line breaks stay, and all lines but the first are indented."""
    return _IN_TEXT.sub(_escaped, str(text)).replace("\n", f"\n{_INDENT}")


def our_text(text: str) -> str:
    """For a whole page that this program wrote, with line breaks and tabs."""
    return _IN_TEXT.sub(_escaped, text)


def json_text(value: Any, *, indent: int | None = None, ascii_only: bool = False) -> str:
    """JSON that stays the same value and holds no character that a terminal or a viewer of logs would act on."""
    # what is unsafe stands within strings only, except for the line breaks of the indentation
    return _IN_TEXT.sub(_json_escaped, json.dumps(value, indent=indent, ensure_ascii=ascii_only))


def yaml_text(text: str) -> str:
    """YAML whose strings with unsafe characters are in double quotes, with these characters as escapes."""
    return _IN_TEXT.sub(_yaml_escaped, text)


def html_text(text: object) -> str:
    """For a cell or a label that a web page renders as HTML."""
    import html  # its table of entities takes half a megabyte of each process

    return html.escape(one_line(text))


def slack_text(text: object) -> str:
    """For Slack, whose control characters make links, mentions and channel-wide calls."""
    import html

    return html.escape(one_line(text), quote=False)


def command(verb: str, *names: str) -> str:
    """A command line of this program to be pasted into a shell, whatever the names hold."""
    ends_options = ["--"] if any(name.startswith("-") for name in names) else []
    return f"clearml-triggers {verb} {shell_words(*ends_options, *names)}"


def shell_words(*words: str) -> str:
    """Words of a command line, each of which a shell passes on as it is."""
    return " ".join(map(_shell_word, words))


def _shell_word(word: str) -> str:
    """A word for POSIX shells; with what cannot be shown, in the form that bash, zsh and ksh know."""
    if is_safe(word):
        return shlex.quote(word)
    quoted = word.replace("\\", "\\\\").replace("'", "\\'")
    return "$'" + _IN_A_LINE.sub(_yaml_escaped, quoted) + "'"


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _yaml_escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]
