"""Patience with a ClearML server that gives no usable answer for a while when a scheduler starts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

from triggers.errors import ServerUnavailable
from triggers.logs import logger

log = logger(__name__)

T = TypeVar("T")

#: How long a start goes on asking, and the pause between two times, seconds.
PATIENCE_SECONDS: Final = 120.0
PAUSE_SECONDS: Final = 2.0


def patiently(
    do: Callable[[], T],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Do what may be done twice, again and again while the ClearML server gives no usable answer.

    A service that is started while the server restarts would else end, and its supervisor try it from the beginning.

    Raises:
        ServerUnavailable: it gave none for two minutes.
    """
    until = clock() + PATIENCE_SECONDS
    while True:
        try:
            return do()
        except ServerUnavailable as failure:
            if clock() >= until:
                raise
            log.warning("%s; trying again in %g s", failure, PAUSE_SECONDS)
            sleep(PAUSE_SECONDS)
