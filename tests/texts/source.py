"""Where texts are: string literals and comments of code, pages, examples, and the comments of other files."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Suffix (or name) of other files whose comments are read.
_COMMENTED = (".yaml", ".yml", ".toml", ".sh", ".lua", ".service", ".timer", ".target", ".env", ".conf", ".pml")
_COMMENTED_NAMES = ("Makefile", "Dockerfile", "run")
_COMMENT = re.compile(r"(?:^|(?<=\s))(?:#|--|//)+:?[ \t]+(.*)")
#: Lua, Python, CSS and HTML in strings.
_OTHER_LANGUAGE = re.compile(r"\bredis\.call\b|\blocal \w+ =|\bimport \w+[;,]|\w\{[\w-]+:|</?\w+[ >]|^%[(a-z]")
#: Comments that tools read.
_FOR_TOOLS = re.compile(r"# (?:fmt|noqa|type):?")
#: Written by programs or by others.
_LEFT_OUT = ("requirements.txt", "constraints.txt", "LICENSE", "tests/texts/", "tests/contract/scenarios/")


@dataclass(frozen=True, slots=True)
class Text:
    """One text: where it begins, and what it says."""

    file: str
    line: int
    text: str
    kind: str  # "string", "docstring", "comment", "page", "name"

    def at(self, offset: int) -> str:
        """The place of a character, as editors read it."""
        return f"{self.file}:{self.line + self.text.count(chr(10), 0, offset)}"


def files() -> list[str]:
    """Every file of the repository, those not committed yet among them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(name for name in set(listed) if not name.startswith(_LEFT_OUT) and (ROOT / name).is_file())


def texts() -> Iterator[Text]:
    """All texts."""
    for name in files():
        path = ROOT / name
        if name.endswith(".py"):
            yield from of_python(name, path.read_text("utf-8"))
        elif name.endswith((".md", ".cff")):
            yield Text(name, 1, path.read_text("utf-8"), "page")
        elif name.endswith(_COMMENTED) or path.name in _COMMENTED_NAMES:
            yield from of_comments(name, path.read_text("utf-8"))


def of_python(name: str, source: str) -> Iterator[Text]:
    """Docstrings, other strings that are sentences, comments, and names of tests."""
    tree = ast.parse(source)
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docstrings.add(id(first.value))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield Text(name, node.lineno, node.name.removeprefix("test_").replace("_", " "), "name")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) in docstrings:
                yield Text(name, node.lineno, node.value, "docstring")
            elif " " in node.value.strip() and _is_prose(name, node.value):
                yield Text(name, node.lineno, node.value, "string")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not _FOR_TOOLS.match(token.string):
            yield Text(name, token.start[0], token.string, "comment")


def _is_prose(name: str, text: str) -> bool:
    """Strings of tests are mostly data; of the rest, code of other languages is none."""
    return not name.startswith("tests/") and not _OTHER_LANGUAGE.search(text)


def of_comments(name: str, source: str) -> Iterator[Text]:
    """The comments of a file that is not Python."""
    for number, line in enumerate(source.splitlines(), 1):
        if found := _COMMENT.search(line):
            yield Text(name, number, found[1], "comment")
