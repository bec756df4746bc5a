"""Texts of the command line as files, so that wording is reviewed as code is. `make snapshots` writes them anew."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

import pytest

#: What differs from run to run → what stands for it.
_VARYING = (
    (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b", "TIME"),
    (r"\b\d\d:\d\d:\d\d\b", "TIME"),
    (r"(?<!\w)(?!0{8})[0-9a-f]{32}(?:[0-9a-f]{8})?\b", "ID"),
    (r"(?<!\w)(?=[0-9a-f]*\d)[0-9a-f]{8}(?:[0-9a-f]{2})?\b", "ID"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\bin \d+ ms\b", "in N ms"),
    (r"(?<=[^\n])\b(?:now|\d+ (?:s|min) ago)(?=\s|$|,|:)", "N s ago"),
    (r"\b\d+ s\b", "N s"),
    (r"\bnext in (?:N s|\d+ min)\b", "next in N s"),
    (r"\b[\d,]+ calls in \d{4}-\d\d, [\d,]+ projected(?: \([^)]*\))?", "N calls in MONTH, N projected (CAUSES)"),
    (r"\bRedis \d+(?:\.\d+)+", "Redis VERSION"),
    (r"\b\d+ more launches", "N more launches"),
    # widths of columns follow from what varies
    (r"─{4,}", "────"),
    (r"(?<=\S) {2,}", "  "),
    (r" +$", ""),
)  # fmt: skip


def steady(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, instead in _VARYING:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return text.rstrip() + "\n"


def check(file: Path, text: str) -> None:
    """Compare with the file, or write it when SNAPSHOTS=write."""
    if os.environ.get("SNAPSHOTS") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert file.is_file(), f"{file} is missing: make snapshots"
    reviewed = file.read_text()
    changes = difflib.unified_diff(reviewed.splitlines(), text.splitlines(), "reviewed", "now", n=0, lineterm="")
    # the changes alone: of two long texts pytest cuts off what matters
    if reviewed != text:
        pytest.fail("\n".join(["make snapshots, and look at what changed:", *changes]), pytrace=False)
