"""Local time and instants: what a wall clock shows, and when it shows it. Pure.

A local time that a change of the clocks leaves out (the gap) means the first moment after the gap; one that comes
twice means the first of the two.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_SECOND: Final = timedelta(seconds=1)
#: The last instant that is counted with; nothing is scheduled later.
LAST_MS: Final = (datetime(9990, 1, 1, tzinfo=UTC) - EPOCH) // _MS


@lru_cache(maxsize=256)
def zone_of(name: str) -> ZoneInfo:
    """Give a time zone by its IANA name."""
    return ZoneInfo(name)


def at_ms(ms: int) -> datetime:
    """Give an instant as an aware datetime in UTC."""
    return EPOCH + ms * _MS


def to_ms(moment: datetime) -> int:
    """Give an aware datetime as an instant."""
    return (moment - EPOCH) // _MS


def local_of(ms: int, zone: ZoneInfo) -> datetime:
    """Give what a wall clock in the zone shows at an instant, naive."""
    return at_ms(ms).astimezone(zone).replace(tzinfo=None, fold=0)


def offset_ms(ms: int, zone: ZoneInfo) -> int:
    """Give how far the local time of a zone is ahead of UTC at an instant, ms."""
    return (at_ms(ms).astimezone(zone).utcoffset() or timedelta()) // _MS


def instant_of(local: datetime, zone: ZoneInfo) -> int:
    """Give the instant that a naive local time means."""
    if zone.key == "UTC":
        return to_ms(local.replace(tzinfo=UTC))
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return to_ms(first)
    return to_ms(_end_of_gap(local, zone))


def _end_of_gap(local: datetime, zone: ZoneInfo) -> datetime:
    """Find the change of the clocks that leaves a local time out; it is at a whole second."""
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    before, after = before.replace(microsecond=0), after.replace(microsecond=0) + _SECOND
    old = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def local_text(ms: int, zone: ZoneInfo) -> str:
    """Write an instant as ISO 8601 with the offset that the zone has then: "2026-11-27T06:15:00+01:00"."""
    moment = at_ms(ms).astimezone(zone)
    return moment.isoformat(timespec="milliseconds" if ms % 1000 else "seconds")


def utc_text(ms: int) -> str:
    """Write an instant in UTC: "2026-11-27T05:15:00Z"."""
    return local_text(ms, zone_of("UTC")).replace("+00:00", "Z")
