"""`triggers` under a name that no module of a user's takes: `from clearml_triggers import TriggerScheduler`.

Also the Celery application: `celery -A clearml_triggers worker`. Importing this takes no other name; using it does.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from clearml_triggers.alias import install, own, own_or_end

if TYPE_CHECKING:
    from triggers import FiringInfo, InvalidTrigger, TaskScheduler, TriggerScheduler

__all__ = ["FiringInfo", "InvalidTrigger", "TaskScheduler", "TriggerScheduler", "main"]

install()


if not TYPE_CHECKING:  # to a type checker a name that is not here is an error

    def __getattr__(name: str) -> Any:
        if name in __all__:
            return getattr(own("triggers"), name)
        if name in ("app", "celery"):
            return getattr(own_or_end("workers"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main() -> None:
    """The command line."""
    own("triggers")
    from triggers.cli import Done, main

    try:
        main()
    except Done:
        # taking down all that was imported would take a twentieth of the time
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
