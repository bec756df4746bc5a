"""How many firings a dispatcher takes at a time: more where trips to Redis cost more than the launches. Pure."""

from __future__ import annotations

from typing import Final

#: What the launches of a batch may take beside its trips to Redis, seconds: so long a single firing behind it waits.
BATCH_SECONDS: Final = 0.4

#: Firings in a batch at most, however fast it goes.
LARGEST: Final = 100

#: Trips to Redis of a batch, however many firings are in it: claim, which ends the batch before and begins this one,
#: and record.
TRIPS: Final = 2

#: By how much a batch is larger than the one before at most: what ten launches take says little of a hundred.
GROWTH: Final = 4


def next_size(size: int, took_seconds: float, trip_seconds: float) -> int:
    """Give the size of the next batch: so many that its launches are done in half of `BATCH_SECONDS`.

    A slow Redis is asked for more at a time, since its trips cost the same for ten firings as for a hundred. Of a slow
    ClearML server, where each launch takes its time, a batch keeps its size.

    Args:
        size: of the batch.
        took_seconds: how long it took, trips to Redis included.
        trip_seconds: how long one such trip took.
    """
    launching = max(0.0, took_seconds - TRIPS * trip_seconds)
    fits = int(size * min(GROWTH, BATCH_SECONDS / 2 / launching)) if launching else GROWTH * size
    return min(max(LARGEST, size), max(size, fits))
