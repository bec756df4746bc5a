"""One scheduler, one Redis: the lease on its service tasks that tells two Redises apart. Pure."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from triggers.base.formats import known_fields
from triggers.base.redis_address import shown
from triggers.sync.rest import LONGEST_ANSWER_MS

#: Each Redis has a runtime property of its own, so that no writer overwrites another's.
PREFIX: Final = "triggers-redis-"
#: The runtime property by which a Redis asks whoever has a lease to renew it: the ClearML server's time, in ms.
KNOCK: Final = "triggers-knock"
#: How long a lease lives that nobody renews, ms. At rest it is renewed once in half of that.
LIFE_MS: Final = 7_200_000
#: The same of one that does not say how soon its holder answers.
SILENT_LIFE_MS: Final = 60_000
#: How far clocks of a server's replicas differ at most, ms.
SKEW_MS: Final = 30_000


@dataclass(frozen=True, slots=True)
class RedisLease:
    """Which Redis serves the scheduler. Times are the ClearML server's, in ms.

    A promoted replica and a copy have the data's name of what they come from; run and epoch tell them apart.

    Args:
        instance: name of the data in that Redis (`Homes.instance`).
        address: where it is, for people.
        holder: who renewed it.
        since_ms: first taken.
        until_ms: runs out.
        run: which run of Redis with which data (`Epoch.run_id`).
        epoch: number of its epoch.
        fence: how far the counter of tokens in it had gone.
        answers_ms: how soon its holder renews it after a knock; 0 if unknown.
    """

    instance: str
    address: str
    holder: str
    since_ms: int
    until_ms: int
    run: str = ""
    epoch: int = 0
    fence: int = 0
    answers_ms: int = 0

    @property
    def life_ms(self) -> int:
        """How long it lives that is not renewed."""
        return LIFE_MS if self.answers_ms else SILENT_LIFE_MS

    @property
    def rank(self) -> tuple[int, str]:
        """Of two with the same data the higher one goes on."""
        return self.epoch, self.run

    @property
    def property(self) -> str:
        """Name of its runtime property; a dot would be a path in the server's database."""
        return "-".join(filter(None, [PREFIX + self.instance, self.run.replace(".", "-")]))

    def same_redis(self, other: RedisLease) -> bool:
        """Whether both are of one run with one state of the data."""
        return (self.instance, self.run) == (other.instance, other.run)

    def to_json(self) -> str:
        """Write the property."""
        return json.dumps(asdict(self), sort_keys=True)

    def renewed(self, holder: str, now_ms: int) -> RedisLease:
        """The lease after one more renewal."""
        return replace(self, holder=holder, until_ms=now_ms + self.life_ms)

    def ends_ms(self, seen_ms: int) -> int:
        """When nobody can hold it any more, if it was seen at a time, somebody knocked, and it is not renewed."""
        return min(self.until_ms, seen_ms + self.answers_ms) if self.answers_ms else self.until_ms


def leases_in(runtimes: Iterable[Mapping[str, str]]) -> list[RedisLease]:
    """Read the leases of several service tasks; of one Redis the latest."""
    found: dict[tuple[str, str], RedisLease] = {}
    for runtime in runtimes:
        for key, text in runtime.items():
            if key.startswith(PREFIX) and (lease := _read(text)):
                known = found.get((lease.instance, lease.run))
                if known is None or known.until_ms < lease.until_ms:
                    found[lease.instance, lease.run] = lease
    return list(found.values())


def went_back(leases: Iterable[RedisLease], mine: RedisLease) -> int:
    """How far the counter had gone when this very run with this data renewed last, 0 where it has not gone back since.

    If it has, an older state was put in the place of the data, and nothing in that tells it.
    """
    last = max((lease.fence for lease in leases if lease.same_redis(mine)), default=0)
    return last if last > mine.fence else 0


def credible(leases: Iterable[RedisLease], now_ms: int) -> list[RedisLease]:
    """The leases that somebody can have taken and renewed: none from the future, none that outlives its life."""
    latest = now_ms + SKEW_MS
    return [
        lease
        for lease in leases
        if lease.since_ms <= latest
        and lease.until_ms <= latest + lease.life_ms
        and 0 <= lease.answers_ms <= LONGEST_ANSWER_MS
    ]


def was_renewed(lease: RedisLease, seen: RedisLease | None) -> bool:
    """Whether a lease was seen with an earlier end, so that somebody renews it; other ones count for nothing."""
    return seen is not None and seen.same_redis(lease) and seen.until_ms < lease.until_ms


def other_holder(leases: Iterable[RedisLease], mine: RedisLease, now_ms: int) -> RedisLease | None:
    """Whose lease keeps `mine` out: one that has not run out and goes before it; None if `mine` is good.

    Of the same data that is the higher epoch; of other data what was taken earlier. Two that are taken at once
    both see each other, and agree on which one continues.
    """
    alive = [lease for lease in leases if lease.until_ms > now_ms and not lease.same_redis(mine)]
    later = [lease for lease in alive if lease.instance == mine.instance and lease.rank > mine.rank]
    if later:
        return max(later, key=lambda lease: lease.rank)
    rivals = [lease for lease in alive if lease.instance != mine.instance]
    rivals = [lease for lease in rivals if (lease.since_ms, lease.instance) < (mine.since_ms, mine.instance)]
    return min(rivals, key=lambda lease: lease.since_ms, default=None)


def callers(runtimes: Iterable[Mapping[str, str]], mine: RedisLease) -> str:
    """Everything on the service tasks that its holder has to answer to: knocks, and leases of other Redises."""
    found = {
        f"{key} {text}"
        for runtime in runtimes
        for key, text in runtime.items()
        if key == KNOCK or (key.startswith(PREFIX) and key != mine.property)
    }
    return "; ".join(sorted(found))


def outranked(leases: Iterable[RedisLease], mine: RedisLease) -> list[RedisLease]:
    """The leases of the same data in earlier epochs: of runs that have ended, or of a Redis that has to step aside."""
    return [lease for lease in leases if lease.instance == mine.instance and lease.rank < mine.rank]


def address_of(url: str) -> str:
    """A Redis address as this machine means it, without its password."""
    local = any(f"//{host}" in shown(url) for host in ("localhost", "127.0.0.1", "[::1]"))
    return f"{shown(url)} on {socket.gethostname()}" if local or url.startswith("unix") else shown(url)


def _read(text: str) -> RedisLease | None:
    try:
        lease = RedisLease(**known_fields(RedisLease, json.loads(text)))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None
    numbers = (lease.since_ms, lease.until_ms, lease.epoch, lease.fence, lease.answers_ms)
    numbers_are = all(type(one) is int for one in numbers)
    return lease if numbers_are and isinstance(lease.instance, str) and isinstance(lease.run, str) else None
