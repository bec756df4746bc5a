"""Log lines: what they are about, as text and as JSON."""

from __future__ import annotations

import json
import logging

import pytest

from triggers.base.logs import Seldom, about, formatter


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    return logging.getLogger("tested").makeRecord(
        "tested", logging.WARNING, "file", 1, message, arguments, None, extra=extra
    )


def test_text_line_ends_with_what_it_is_about():
    with about(scheduler="p/n"), about(trigger="on failure", firing="ab12"):
        line = formatter("text").format(record("%s failed", "a call"))
    assert line.endswith("WARNING tested a call failed [scheduler='p/n' trigger='on failure' firing='ab12']")
    assert formatter("text").format(record("plain")).endswith(" plain")


def test_json_line_has_a_field_for_each():
    with about(trigger="on failure", object="task ab"):
        line = json.loads(formatter("json").format(record("two\nlines", firing="cd")))
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "warning",
        "logger": "tested",
        "message": "two\nlines",
        "trigger": "on failure",
        "object": "task ab",
        "firing": "cd",
    }


@pytest.mark.parametrize("style", ["text", "json"])
def test_traceback_is_kept_and_a_json_line_stays_one_line(style: str):
    try:
        raise ValueError("of the body")
    except ValueError as error:
        made = record("it failed")
        made.exc_info = (type(error), error, error.__traceback__)
    line = formatter(style).format(made)
    assert "of the body" in line
    assert style == "text" or "\n" not in line


def test_a_line_that_repeats_is_let_through_once_a_minute_and_says_how_often():
    now = [0.0]
    seldom = Seldom(60, lambda: now[0])
    assert seldom.suffix("LOADING") == ""
    assert [seldom.suffix("LOADING") for _ in range(3)] == [None] * 3
    assert seldom.suffix("OOM") == "", "another matter"
    now[0] = 61
    assert seldom.suffix("LOADING") == " (3 times more since)"
    assert seldom.suffix("LOADING") is None
