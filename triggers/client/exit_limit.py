"""A limit for the SDK's part of an exit: with a ClearML server that gives no answer, it would take many minutes."""

from __future__ import annotations

import atexit
import itertools
import os
import threading
from collections.abc import Callable
from typing import Final

from triggers.base.terminal import say_problem

#: How long the SDK may take to send the last log lines and the status of the service task, seconds; as long again
#: while the ClearML server answers: then it is this machine that is slow.
SDK_SECONDS: Final = 10.0

#: How often it may take as long again after a signal, which is to end the process soon.
EXTENSIONS: Final = 3


def limit_exit(code: int, server_answers: Callable[[], bool], extensions: float = EXTENSIONS) -> None:
    """End the process with `code` if the exit takes longer, counted from the end of the script's own code.

    Call it after `Task.init`: what is registered last for the exit runs first.

    Args:
        code: the exit code.
        server_answers: asks the ClearML server, within a few seconds.
        extensions: how often the exit may take as long again while the server answers; `math.inf` for no limit.
    """
    ending = threading.Event()
    # since Python 3.12, no thread can begin any more once the exit has
    arguments = (ending, code, server_answers, extensions)
    threading.Thread(target=_limit, args=arguments, name="exit limit", daemon=True).start()
    atexit.register(ending.set)


def _limit(ending: threading.Event, code: int, server_answers: Callable[[], bool], extensions: float) -> None:
    ending.wait()
    never = threading.Event()
    reason = "the SDK did not end"
    for taken in itertools.count():
        if taken > extensions:
            break
        never.wait(SDK_SECONDS)
        try:
            answered = server_answers()
        except Exception:  # in an interpreter that ends, anything may fail; the limit holds all the same
            answered = False
        if not answered:
            reason = "the ClearML server gave no answer at the end"
            break
    lost = "the service task may still be shown as running, and its last log lines are missing"
    say_problem(f"clearml-triggers: {reason}; {lost}")
    os._exit(code)
