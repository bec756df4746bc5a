"""A number agrees with its word: in texts, no number that may be 1 stands in front of a plural."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import triggers
from triggers.base.plural import often, plural, word

FOLDERS = [Path(triggers.__file__).parent, Path(triggers.__file__).parents[1] / "workers"]

#: What texts count. Units (s, min, MB) have no plural.
COUNTED = [
    "accounts?",
    "actions?",
    "alarms?",
    "attempts?",
    "batch(es)?",
    "calls?",
    "changes?",
    "clones?",
    "connections?",
    "conditions?",
    "days?",
    "deaths?",
    "dead.letters?",
    "drafts?",
    "edits?",
    "entr(y|ies)",
    "errors?",
    "events?",
    "examples?",
    "failures?",
    "faults?",
    "fields?",
    "files?",
    "firings?",
    "functions?",
    "hints?",
    "holds?",
    "items?",
    "keys?",
    "launch(es)?",
    "letters?",
    "lines?",
    "marks?",
    "match(es)?",
    "messages?",
    "models?",
    "notices?",
    "objects?",
    "occurrences?",
    "pages?",
    "partitions?",
    "polls?",
    "problems?",
    "projects?",
    "queues?",
    "records?",
    "refusals?",
    "requests?",
    "retries",
    "rows?",
    "runs?",
    "schedulers?",
    "schedules?",
    "sections?",
    "slots?",
    "stages?",
    "tags?",
    "tasks?",
    "times?",
    "triggers?",
    "turns?",
    "users?",
    "values?",
    "words?",
    "workers?",
    "notifications?",
    "datasets?",
]
#: A plural behind a number, perhaps with words in front of it: "more", "held", "launched", "ClearML".
PLURAL = re.compile(
    rf"^ (?:(?:more|held|due|open|other|dead|launched|paused|ClearML) )?({'|'.join(COUNTED)})\b(?![(/])"
)
#: Numbers that are never 1: limits of ours, and settings that are far from it.
NEVER_ONE = re.compile(r"^(?:[\w.]*\.)?_?[A-Z][A-Z_]+$|^KNOWN\[|^self\.limit$")


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 firings"), (1, "1 firing"), (2, "2 firings"), (10_000, "10,000 firings")]
)
def test_a_number_has_its_word(count: int, said: str):
    assert plural(count, "firing") == said


def test_irregular_words_phrases_and_parts_of_a_unit():
    assert [plural(count, "launch differs", "launches differ") for count in (1, 2)] == [
        "1 launch differs", "2 launches differ"
    ]  # fmt: skip
    assert [plural(days, "day") for days in (0.5, 1.0, 7.0)] == ["0.5 days", "1 day", "7 days"]
    assert [often(count) for count in (1, 2)] == ["once", "2 times"]
    assert [word(count, "is", "are") for count in (1, 3)] == ["is", "are"]


def test_no_text_puts_a_plural_behind_a_number_that_may_be_one():
    found = [
        f"{file.relative_to(folder.parent)}:{line}: {text}"
        for folder in FOLDERS
        for file in sorted(folder.rglob("*.py"))
        if file.name != "plural.py"
        for line, text in plurals(file.read_text("utf-8"))
    ]
    assert found == [], "say them with `triggers.base.plural`"


def test_the_search_finds_such_texts_and_leaves_the_others():
    wrong = ['f"{n} firings due"', 'f"failed {n.count} times"', 'f"{len(found)} ClearML tasks"', 'log("%d objects", n)']
    right = ['f"{MOST} firings"', "f\"{plural(n, 'firing')} due\"", 'f"{n} of {m} examples"', 'f"{name} tags it"']
    assert [bool(list(plurals(text))) for text in wrong] == [True] * 4
    assert [bool(list(plurals(text))) for text in right] == [False] * 4


def plurals(source: str) -> Iterator[tuple[int, str]]:
    """The numbers in texts of a module that stand in front of a plural."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            yield from _formatted(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for spot in re.finditer(r"%d(?= )", node.value):
                if _is_plural(node.value[spot.end() :]):
                    yield node.lineno, node.value


def _formatted(text: ast.JoinedStr) -> Iterator[tuple[int, str]]:
    before = ""
    for part, behind in zip(text.values, [*text.values[1:], None], strict=True):
        words = str(behind.value) if isinstance(behind, ast.Constant) else ""
        if isinstance(part, ast.FormattedValue) and _is_plural(words) and not before.endswith(" of "):
            value = ast.unparse(part.value)
            if not NEVER_ONE.match(value) and _is_a_number(value):
                yield part.lineno, f"{{{value}}}{words}"
        before = str(part.value) if isinstance(part, ast.Constant) else ""


def _is_plural(behind: str) -> bool:
    found = PLURAL.match(behind)
    return found is not None and found[1].endswith("s")


def _is_a_number(value: str) -> bool:
    """Whether a value may be a number: names of things that are texts are followed by verbs."""
    return (
        re.search(r"name|title|phrase|role|queue|again|plural\(|text|command|called|type|argument|url|path", value)
        is None
    )
