"""The command `celery flower`: Flower's own, else one that names the way to it.

Every `celery` program of an environment loads this, whatever application it runs: nothing else of ours may come along.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

import click

_WAY_OUT = "`celery flower` needs flower: pip install 'clearml-triggers[flower]'"


@click.command(
    name="flower",
    help=_WAY_OUT,
    hidden=True,
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
def _absent() -> None:
    print(f"clearml-triggers: {_WAY_OUT}", file=sys.stderr)
    sys.exit(2)


def __getattr__(name: str) -> Any:
    """Flower's own command wins wherever it is installed: Celery may load its entry point before or after this one."""
    if name != "flower":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if importlib.util.find_spec("flower") is None:
        return _absent
    from flower.command import flower  # type: ignore[import-untyped]

    return flower
