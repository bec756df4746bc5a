"""The Celery application: `celery -A clearml_triggers worker -Q poll|match|dispatch`, and `... beat`.

Owns what runs where: Celery's settings, the Celery task of each stage, beat's schedule, health and metrics. What a
stage does is `triggers.stages`'. `-A workers` is the same, unless the current folder has a `workers.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clearml_triggers.alias import own_or_end

if TYPE_CHECKING:
    from celery import Celery

    app: Celery

__all__ = ["app"]


def __getattr__(name: str) -> Any:
    """Make the application when the `celery` program asks for it; wrong settings are one line there, too.

    Under two names: once the module of the name is loaded, `app` is that module, and the program asks for `celery`.
    """
    if name not in ("app", "celery"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    own_or_end("triggers")
    from triggers.base.entry_point import ended_in_one_line

    with ended_in_one_line():
        _prepare_flower()
        from workers.app import app

        return app
    raise AssertionError("the process has ended")


def _prepare_flower() -> None:
    """Where the command is Flower's: set what it starts with, or say first of all that it is not installed.

    Its command is asked only after settings were read.
    """
    from importlib.util import find_spec

    import click

    context = click.get_current_context(silent=True)
    if context is None or context.invoked_subcommand != "flower":
        return
    if find_spec("flower") is None:
        raise ModuleNotFoundError("No module named 'flower'", name="flower")
    from workers import flower_settings

    flower_settings.apply()
