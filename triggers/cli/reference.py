"""The reference of all verbs as Markdown, from the code: `python -m triggers.cli.reference > docs/cli.md`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer

from triggers.base.terminal import say_page
from triggers.cli.app import PANELS, app

_HEAD = """# The verbs of `clearml-triggers`

Written from the code by `python -m triggers.cli.reference`. [Operating triggers](operating.md) explains when to use
which verb.

Every verb has `--help`, and `--json` if it prints data. TIME is either how long ago (`90s`, `15m`, `2h`, `7d`) or a
time such as `2026-11-22T18:00`, which is local time unless it names a zone. `clearml-triggers --install-completion`
installs shell completion.

| exit code | meaning |
|---|---|
| 0 | success; also after Ctrl-C or SIGTERM, if the verb runs until Ctrl-C |
| 1 | failed or negative result |
| 2 | usage error |
| 130, 143 | interrupted by Ctrl-C, by SIGTERM |
"""


def page() -> str:
    """The whole page."""
    root = typer.main.get_command(app)
    parts = [_HEAD]
    for panel, verbs in PANELS.items():
        parts.append(f"## {panel}\n")
        for name in verbs:
            parts += _verb(root.commands[name], name)  # type: ignore[attr-defined]
    return "\n".join(parts)


def _verb(command: Any, name: str) -> Iterator[str]:
    children = getattr(command, "commands", None)
    if children is not None:
        for child in children.values():
            yield from _verb(child, f"{name} {child.name}")
        return
    yield f"### {name}\n"
    yield f"    clearml-triggers {name} {_usage(command)}".rstrip() + "\n"
    yield inspect.cleandoc(command.help or "") + "\n"
    rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
    if rows:
        yield "\n".join(["| | |", "|---|---|", *rows]) + "\n"
    if command.epilog:
        yield f"{command.epilog.replace(': ', ': `', 1)}`\n"


def _usage(command: Any) -> str:
    arguments = [_shown(one) for one in command.params if one.param_type_name == "argument"]
    options = any(one.param_type_name == "option" and one.name != "help" for one in command.params)
    return " ".join([*arguments, *(["[OPTIONS]"] if options else [])])


def _shown(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _row(parameter: Any) -> str:
    help_ = (getattr(parameter, "help", None) or "").replace("|", "\\|")
    if parameter.param_type_name == "argument":
        return f"| `{_shown(parameter)}` | {help_} |"
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    value = f" {parameter.metavar}".replace("|", "\\|") if parameter.metavar else ""
    default = parameter.default
    if isinstance(default, (str, int)) and not isinstance(default, bool) and default != "":
        help_ += f" (default {default})"
    return f"| `{names}{value}` | {help_} |"


if __name__ == "__main__":
    say_page(page(), end="")
