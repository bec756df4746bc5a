"""The verbs put together; each is a file (or a folder) of its own beside this one."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from triggers.base.terminal import say
from triggers.cli import cursor, dead, failing, holds, slots, unsigned
from triggers.cli.apply import apply
from triggers.cli.audit import audit
from triggers.cli.backfill import backfill
from triggers.cli.console import console
from triggers.cli.delete import delete
from triggers.cli.demo import demo
from triggers.cli.diff import diff
from triggers.cli.doctor import doctor
from triggers.cli.examples import epilog
from triggers.cli.explain import explain
from triggers.cli.export import export
from triggers.cli.fire import fire
from triggers.cli.history import history
from triggers.cli.list_ import list_
from triggers.cli.mute import mute
from triggers.cli.next_ import next_
from triggers.cli.pause import pause
from triggers.cli.replay import replay
from triggers.cli.resume import resume
from triggers.cli.sandbox import sandbox
from triggers.cli.send import send
from triggers.cli.show import show
from triggers.cli.status import status
from triggers.cli.test import try_out
from triggers.cli.unmute import unmute
from triggers.cli.up import up
from triggers.cli.usage import Verbs

app = typer.Typer(
    name="clearml-triggers",
    cls=Verbs,
    help="Run ClearML triggers as a distributed system, and operate them.\n\n"
    "Exit codes: 0: success; 1: failed or negative result; 2: usage error.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

#: The verbs by what they are for, as `--help` shows them.
PANELS: dict[str, dict[str, Any]] = {
    "Run": {"demo": demo, "sandbox": sandbox, "up": up, "console": console},
    "Ask": {
        "list": list_, "show": show, "status": status, "history": history, "explain": explain, "next": next_,
        "test": try_out, "doctor": doctor, "audit": audit,
    },
    "Change": {
        "pause": pause, "resume": resume, "fire": fire, "send": send, "replay": replay, "backfill": backfill,
        "delete": delete, "mute": mute, "unmute": unmute,
        "failing": failing.app, "dead": dead.app, "holds": holds.app, "slots": slots.app, "cursor": cursor.app,
        "unsigned": unsigned.app,
    },
    "Configure": {"apply": apply, "diff": diff, "export": export},
}  # fmt: skip

for _panel, _verbs in PANELS.items():
    for _name, _verb in _verbs.items():
        if isinstance(_verb, typer.Typer):
            for _child in _verb.registered_commands:
                _child.epilog = epilog(f"{_name} {_child.name or getattr(_child.callback, '__name__', '')}")
            app.add_typer(_verb, name=_name, rich_help_panel=_panel)
        else:
            app.command(_name, rich_help_panel=_panel, epilog=epilog(_name))(_verb)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(version("clearml-triggers"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="print the version and end", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """The options that every verb shares."""
