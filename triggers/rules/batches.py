"""How many firings a dispatcher takes at a time: more where trips to Redis cost more than the launches. Pure."""

from __future__ import annotations

from typing import Final

#: What the launches of a batch may take beside its trips to Redis, seconds: so long a single firing behind it waits.
BATCH_SECONDS: Final = 0.4

#: Firings in a batch at most, however fast it goes.
LARGEST: Final = 100

#: Trips to Redis of a batch, however many firings are in it: claim, begin, record, renew, finish.
TRIPS: Final = 5


def next_size(size: int, took_seconds: float, trip_seconds: float) -> int:
    """Give the size of the next batch: twice this one's, if its launches would still be done in `BATCH_SECONDS`.

    A slow Redis is asked for more at a time, since its trips cost the same for ten firings as for a hundred. Of a slow
    ClearML server, where each launch takes its time, a batch keeps its size.

    Args:
        size: of the batch.
        took_seconds: how long it took, trips to Redis included.
        trip_seconds: how long one such trip took.
    """
    launching = took_seconds - TRIPS * trip_seconds
    return min(max(LARGEST, size), 2 * size) if 2 * launching < BATCH_SECONDS else size
