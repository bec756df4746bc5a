"""Everything that leaves the program for people's eyes goes through points that make it harmless.

The points are found in the source: whoever adds another one fails here, and every point found is tried.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.output.test_escaping import HOSTILE, holds_unsafe
from triggers.base import logs, terminal

ROOT = Path(terminal.__file__).parents[2]

#: Ways out: calls by these names, and the only modules that may make them.
WAYS_OUT = {
    "print": {"triggers/base/terminal.py"},
    "echo": set[str](),
    "secho": set[str](),
    "Console": set[str](),
    "basicConfig": {"triggers/base/logs.py"},
    "StreamHandler": {"triggers/base/logs.py"},
    "FileHandler": set[str](),
    "Formatter": {"triggers/base/logs.py"},
    "getLogger": {"triggers/base/logs.py"},
    # what is written to a console or plots of ClearML, and what is posted elsewhere
    "events.add_batch": {"triggers/clearml_api/service.py"},
    "urllib3.request": {"triggers/notices/send.py"},
    "urlopen": {"triggers/clearml_api/transport.py", "triggers/actions/sending/connections.py"},
}
#: It imports nothing of the rest; what it logs are names of its own endpoints.
APART = "triggers/sandbox/"


def calls() -> Iterator[tuple[str, str, int]]:
    for folder in ("triggers", "workers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith(APART):
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    yield from ((name, way, node.lineno) for way in _ways(node))
                if isinstance(node, ast.Attribute) and node.attr == "write" and _is_std(node.value):
                    yield name, "std.write", node.lineno


def _ways(call: ast.Call) -> Iterator[str]:
    called = call.func
    if isinstance(called, ast.Name):
        yield called.id
    elif isinstance(called, ast.Attribute):
        whose = called.value.id if isinstance(called.value, ast.Name) else ""
        yield f"{whose}.{called.attr}"
        if called.attr != "print":  # that of a console
            yield called.attr
    yield from (argument.value for argument in call.args if isinstance(argument, ast.Constant) and argument.value)


def _is_std(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr", "__stdout__", "__stderr__")


def test_nothing_is_shown_but_through_these_points():
    elsewhere = [
        f"{module}:{line}: {called}"
        for module, called, line in calls()
        if called == "std.write" or (called in WAYS_OUT and module not in WAYS_OUT[called])
    ]
    assert elsewhere == []


def test_every_formatter_is_harmless():
    made = [one for one in vars(logs).values() if inspect.isclass(one) and issubclass(one, logging.Formatter)]
    assert len(made) >= 3
    for formatter in (one("%(message)s") if one is logs.LineFormatter else one() for one in made):
        try:
            raise ValueError(HOSTILE)
        except ValueError as error:
            caught = (type(error), error, error.__traceback__)
        record = logging.LogRecord("celery", logging.WARNING, "f", 1, "%s " + HOSTILE, (HOSTILE,), caught)
        with logs.about(trigger=HOSTILE):
            text = formatter.format(record)
        assert not holds_unsafe(text, "\n")
        assert all(line.startswith(("  ", "Traceback (most")) for line in text.split("\n")[1:])


def test_every_way_to_the_terminal_is_harmless(capsys: pytest.CaptureFixture[str]):
    ways = [one for name, one in vars(terminal).items() if inspect.isfunction(one) and name[0] != "_"]
    assert len(ways) >= 5
    for way in ways:
        way(*[HOSTILE][: len(inspect.signature(way).parameters)])
        out, error = capsys.readouterr()
        assert not holds_unsafe((out + error).replace("\r\x1b[K", ""), "\n"), way.__name__
        if way is not terminal.say_page:
            assert "\nINFO" not in out + error, way.__name__


def modules_with_loggers() -> list[str]:
    found = {module for module, called, _ in calls() if called == "logger"}
    # those of workers need a Redis to be imported; they take their loggers from the same function
    return sorted(module.removesuffix(".py").replace("/", ".") for module in found if module.startswith("triggers/"))


def test_every_module_logs_harmlessly_into_handlers_of_others():
    """The handlers of a user's script are not ours."""
    assert len(modules_with_loggers()) > 20
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    for name in modules_with_loggers():
        module = importlib.import_module(name)
        log = getattr(module, "log", None) or module._log
        log.addHandler(handler)
        try:
            log.error("%s and %r and %s and %d", HOSTILE, HOSTILE, ValueError(HOSTILE), 5)
            try:
                raise ValueError(HOSTILE)
            except ValueError:
                log.exception("it failed")
        finally:
            log.removeHandler(handler)
    text = stream.getvalue()
    assert text.count("and 5") == len(modules_with_loggers())
    assert not holds_unsafe(text, "\n")
    assert "\nINFO" not in text


def test_what_verbs_draw_is_harmless(monkeypatch: pytest.MonkeyPatch):
    from rich.text import Text

    from triggers.cli import output
    from triggers.cli.output import Column

    monkeypatch.setenv("COLUMNS", "300")
    console = output.console()
    console.file = io.StringIO()
    markup = "[bold red]x[/] :smile: "
    shown = output.text(HOSTILE, "cyan").append(HOSTILE, "dim").below(HOSTILE)
    rows = [[HOSTILE, shown, output.text(markup)], [Text(HOSTILE), markup, output.styled(HOSTILE)]]
    console.print(output.table([Column("a"), Column("b", grows=True), Column("c")], rows))
    console.print(output.pairs([("a", HOSTILE), ("b", output.text(HOSTILE, "", f"http://x/{HOSTILE}"))]))
    console.print(HOSTILE, markup)
    console.print(Text(HOSTILE))
    text = console.file.getvalue()
    assert not holds_unsafe(text, "\n")
    assert markup.strip() in text, "strings are no markup"


def test_a_link_cannot_leave_its_escape(monkeypatch: pytest.MonkeyPatch):
    from rich.console import Console

    from triggers.cli import output

    console = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(output.text("t", "", f"http://x/{HOSTILE}"))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert not holds_unsafe(text.replace("\x1b]8;", "").replace("\x1b\\", ""), "\n")


def test_json_for_machines_is_the_same_value(capsys: pytest.CaptureFixture[str]):
    terminal.say_json({HOSTILE: HOSTILE})
    assert json.loads(capsys.readouterr().out) == {HOSTILE: HOSTILE}


def test_every_command_that_people_are_to_paste_is_quoted_for_the_shell():
    """What stands within a command in a message is quoted by `escaping`, or is a part of a hash."""
    unquoted = []
    for path in sorted((ROOT / "triggers").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                unquoted += [f"{path.relative_to(ROOT)}:{part.lineno}" for part in _in_commands(node)]
    assert unquoted == []


def _in_commands(text: ast.JoinedStr) -> Iterator[ast.FormattedValue]:
    before = ""
    for part in text.values:
        if isinstance(part, ast.Constant):
            before += str(part.value)
            continue
        assert isinstance(part, ast.FormattedValue)
        if re.search(r"`(clearml-triggers|celery|redis-cli|docker|kubectl)\b[^`]*$|redis-cli [A-Z]+[^,;]*$", before):
            value = part.value
            quoted = isinstance(value, ast.Call) and getattr(value.func, "id", "") in ("command", "shell_words")
            of_hash = isinstance(value, ast.Subscript) and getattr(value.value, "attr", "") == "key"
            if not quoted and not of_hash:
                yield part
        before += "{}"
