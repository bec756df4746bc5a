"""Partitions and their matchers: who has the lease of which, and what waits there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triggers.base import forms
from triggers.ledger import leases
from triggers.ledger.hinted import Hinted
from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, ScriptCall, Store

TAKE = Script("match_take")


@dataclass(frozen=True, slots=True)
class TakenPartition:
    """A partition whose lease is ours: its first batch, None where only undecided events wait, and those by object."""

    partition: int
    token: str
    text: str | None
    undecided: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Taken:
    """What one look took. `more`: partitions that wait besides, and that nobody has."""

    registry_version: int
    partitions: Sequence[TakenPartition]
    more: int


class Matchers:
    """The matchers of one scheduler: any number, one in each partition."""

    def __init__(self, store: Store, keys: Keys, hinted: Hinted) -> None:
        self.store, self.keys, self.hinted = store, keys, hinted

    def take(
        self,
        held: Mapping[int, str],
        *,
        lease_seconds: float,
        events: int,
        only: int | None = None,
        left: Sequence[int] = (),
        first: bool = False,
        before: Sequence[ScriptCall] = (),
    ) -> tuple[list[Any], Taken]:
        """Take partitions until there are enough events, in one trip; those that are empty by then are given back.

        Args:
            held: partition → token of those that the caller has.
            lease_seconds: for how long those that are new are leased.
            events: how many are enough; partitions that are held count.
            only: the only partition to take, None for any.
            left: partitions to leave to others.
            first: the caller has just come: it has taken the hint, and looks at undecided events alone, too.
            before: what to run before it; their answers are the first that is returned.
        """
        keys = self.keys
        names = [keys.fence, keys.ready, keys.undecided_partitions, keys.registry_version]
        prefixes = (keys.lease("match:"), keys.prefix + "batches:", keys.prefix + "undecided:")
        owners = [part for pair in [*held.items(), *((partition, "") for partition in left)] for part in pair]
        wanted = "" if only is None else only
        arguments = (leases.nonce(), int(lease_seconds * 1000), events, int(first), wanted, *prefixes, *owners)
        taking = [self.hinted.taking("match")] if first else []
        *answers, found = self.store.run_together([*before, *taking, (TAKE, names, arguments)])
        return answers[: len(before)], _taken(found)

    def extend(self, held: Mapping[int, str], seconds: float) -> list[int]:
        """Extend the leases; the partitions whose lease was lost."""
        calls = [([self.keys.lease(f"match:{number}")], (int(seconds * 1000), held[number])) for number in held]
        answers = self.store.run_each(leases.RENEW, calls)
        return [partition for partition, kept in zip(held, answers, strict=True) if not kept]

    def give_back(self, held: Mapping[int, str]) -> None:
        """Let others have them; harmless for those that were lost before."""
        self.store.run_each(
            leases.RELEASE, [([self.keys.lease(f"match:{number}")], (token,)) for number, token in held.items()]
        )


def _taken(found: Any) -> Taken:
    version, more, *partitions = found
    return Taken(
        int(version),
        [
            TakenPartition(int(number), token, text, dict(zip(undecided[::2], undecided[1::2], strict=True)))
            for number, token, text, undecided in partitions
            if forms.partition_of(number) is not None
        ],
        int(more),
    )
