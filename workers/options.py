"""Refuses options of `celery -A clearml_triggers worker` at start, in one line, and names a worker that has no name."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

import click
from celery.signals import celeryd_init

from triggers.base.broker import ignore_others
from triggers.base.roles import name_of, refused, written
from triggers.stages import table


@celeryd_init.connect  # type: ignore[untyped-decorator]
def _check(instance: Any, options: dict[str, Any], **_: Any) -> None:
    ignore_others(os.environ)  # Celery's command line makes variables of its own options
    if click.get_current_context(silent=True) is None:
        return  # a program starts this worker: local mode
    reason = refused(options, written(sys.argv, "-P", "--pool"), table.queues())
    if reason:
        raise SystemExit(f"celery -A clearml_triggers worker: {reason}")  # any other exception Celery would swallow
    if written(sys.argv, "-n", "--hostname") is None:
        instance.hostname = name_of(instance.hostname, options.get("queues"), socket.gethostname())
