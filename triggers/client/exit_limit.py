"""A limit for the SDK's part of an exit: with a ClearML server that gives no answer, it would take many minutes."""

from __future__ import annotations

import atexit
import os
import threading
from typing import Final

from triggers.base.terminal import say_problem

#: How long the SDK may take to send the last log lines and the status of the service task, seconds.
SDK_SECONDS: Final = 10.0


def limit_exit(code: int) -> None:
    """End the process with `code` if the exit takes longer, counted from the end of the script's own code.

    Call it after `Task.init`: what is registered last for the exit runs first.
    """
    atexit.register(_limit, code)


def _limit(code: int) -> None:
    def end() -> None:
        say_problem(
            "clearml-triggers: the ClearML server gave no answer at the end; the service task may still be shown as "
            "running, and its last log lines are missing"
        )
        os._exit(code)

    timer = threading.Timer(SDK_SECONDS, end)
    timer.daemon = True
    timer.start()
