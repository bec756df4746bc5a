"""Local times that were looked at stay so when a new time zone database changes when they are. Pure.

What is looked at is remembered in local time: a time of 09:00 that ran as 07:00 UTC does not run again where the new
rules say 08:00 UTC, and one that the new rules move to before now is not passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from triggers.rules.schedules.zones import instant_of, local_of, offset_ms, zone_of


@dataclass(frozen=True, slots=True)
class WallClocks:
    """Up to when the local times of each zone were looked at.

    Attributes:
        known: zone → the instant and the offset of its local time then, as the rules of that time had it, ms.
        read_to_ms: up to when the clock was read; of what is not known before that, nothing is remembered.
    """

    known: Mapping[str, tuple[int, int]]
    read_to_ms: int

    def looked_ms(self, zone: str) -> int:
        """Up to when the local times of a zone were looked at, by the rules that this process has."""
        ms, offset = self.known.get(zone, (self.read_to_ms, 0))
        if zone not in self.known or ms > self.read_to_ms:  # the clock was set back: it is followed
            return self.read_to_ms
        here = zone_of(zone)
        if offset_ms(ms, here) == offset:
            return ms
        return instant_of(local_of(ms + offset, zone_of("UTC")), here)

    def read(self, zones: Iterable[str], to_ms: int) -> dict[str, tuple[int, int]]:
        """Give what to remember once everything up to `to_ms` was looked at: a zone that waits for it stays."""
        return {
            zone: self.known[zone] if self.looked_ms(zone) > to_ms else (to_ms, offset_ms(to_ms, zone_of(zone)))
            for zone in zones
        }
