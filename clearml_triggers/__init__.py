"""`triggers` under a name that no module of a user's takes: `from clearml_triggers import TriggerScheduler`.

Also the Celery application: `celery -A clearml_triggers worker`. Importing this takes no other name; using it does.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from clearml_triggers.alias import NameTaken, install, own

if TYPE_CHECKING:
    from triggers import TriggerScheduler

__all__ = ["TriggerScheduler", "main"]

install()


def __getattr__(name: str) -> Any:
    if name == "TriggerScheduler":
        return own("triggers").TriggerScheduler
    if name in ("app", "celery"):
        try:
            own("triggers")
            return getattr(own("workers"), name)
        except NameTaken as error:  # the `celery` program shows anything but an exit with its traceback
            print(f"clearml-triggers: {error}", file=sys.stderr)
            raise SystemExit(2) from error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main() -> None:
    """The command line."""
    own("triggers")
    from triggers.cli import main

    main()
