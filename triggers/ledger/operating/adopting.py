"""Adopting what is not signed, on a person's word: data from before there was a key, or from under another key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from triggers.base.forms import PARTITIONS
from triggers.ledger import clock, leases
from triggers.ledger.firings.firing import SIGNED, Firing, signed_parts, verify
from triggers.ledger.firings.parts import PARTS, signed_again
from triggers.ledger.keys import Keys
from triggers.ledger.matching.undecided import UNDECIDED
from triggers.ledger.operating.refused import Refusals
from triggers.ledger.polling.batches import BATCH
from triggers.ledger.signing import Signer, Unsigned, parted
from triggers.ledger.store import Script, Store
from triggers.model.action import LANES

SIGN = Script("sign")

#: Life of the lease of a partition whose batches are being signed, seconds.
_LEASE_SECONDS: Final = 10.0


class Adopting:
    """Signs what lies in the Redis of one scheduler. Safe to repeat; what is signed already stays as it is."""

    def __init__(self, store: Store, keys: Keys, signer: Signer, refused: Refusals) -> None:
        self.store, self.keys, self.signer, self.refused = store, keys, signer, refused

    def events(self) -> int:
        """Sign batches, refused ones put back among them, and undecided events; how many texts were signed.

        A partition that a matcher is at work in is left to the next call.
        """
        back: dict[int, list[tuple[str, str]]] = {}
        for kept, one in self.refused.read():
            if one.partition is not None and one.partition in PARTITIONS:
                back.setdefault(one.partition, []).append((kept, one.text))
        signed = 0
        for partition in sorted({*back, *self._waiting()}):
            with leases.held(self.store, self.keys, f"match:{partition}", _LEASE_SECONDS) as token:
                if token is not None:
                    signed += self._put_back(partition, back.get(partition, []))
                    signed += self._batches(partition) + self._undecided(partition)
        return signed

    def firings(self) -> list[str]:
        """Sign what waits, is held or was refused as a dead letter; the keys of those that were signed."""
        client, signed = self.store.client, list[str]()
        for name in (*self._lists(), self.keys.dead):
            found: Any = client.zrange(name, 0, -1)
            signed += [key for key in found if self._sign(key)]
        return signed

    def unsigned_firings(self) -> Iterator[Firing]:
        """What waits or is held and would be refused."""
        client: Any = self.store.client
        for name in self._lists():
            for key in client.zrange(name, 0, -1):
                if fields := client.hgetall(self.keys.firing(key)):
                    firing = Firing.as_far_as_readable(key, fields, self.signer)
                    if firing.unsigned:
                        yield firing

    def _lists(self) -> list[str]:
        holds: Any = self.store.client.smembers(self.keys.holds)
        return [*map(self.keys.due, LANES), *map(self.keys.held, sorted(holds))]

    def _sign(self, key: str) -> bool:
        fields: Any = self.store.client.hgetall(self.keys.firing(key))
        try:
            verify(key, fields, self.signer)
        except Unsigned:
            task = fields.get("task", "")
            read = [part for name in (*SIGNED, "task", PARTS) for part in (name, fields.get(name, ""))]
            signature = self.signer.sign("firing", *signed_parts(fields))
            of_task = self.signer.sign("task", key, task) if task else ""
            parts = signed_again(fields[PARTS], fields, self.signer) if fields.get(PARTS) else ""
            return bool(fields and self.store.run(SIGN, [self.keys.firing(key)], signature, of_task, parts, *read))
        return False

    def _waiting(self) -> set[int]:
        client: Any = self.store.client
        partitions = [*client.zrange(self.keys.ready, 0, -1), *client.smembers(self.keys.undecided_partitions)]
        return {int(one) for one in partitions if one.isascii() and one.isdigit() and int(one) in PARTITIONS}

    def _put_back(self, partition: int, refused: list[tuple[str, str]]) -> int:
        client, name = self.store.client, self.keys.batches(partition)
        for kept, text in refused:  # the newest first, so that the oldest comes to lie in front
            client.lpush(name, self.signer.seal(BATCH, str(partition), parted(text)[0]))
            client.zadd(self.keys.ready, {str(partition): clock.now_ms(client, self.keys)}, nx=True)
            self.refused.forget(kept)
        return len(refused)

    def _batches(self, partition: int) -> int:
        """Under the partition's lease nobody takes a batch away, and pollers add behind."""
        client: Any = self.store.client
        name, signed = self.keys.batches(partition), 0
        for index, text in enumerate(client.lrange(name, 0, -1)):
            if sealed := self._sealed(BATCH, str(partition), text):
                client.lset(name, index, sealed)
                signed += 1
        return signed

    def _undecided(self, partition: int) -> int:
        client: Any = self.store.client
        name, signed = self.keys.undecided(partition), 0
        for object_id, text in client.hgetall(name).items():
            if sealed := self._sealed(UNDECIDED, object_id, text):
                client.hset(name, object_id, sealed)
                signed += 1
        return signed

    def _sealed(self, kind: str, name: str, text: str) -> str:
        """The text signed, "" where it is signed already."""
        try:
            self.signer.unseal(kind, name, text)
        except Unsigned:
            return self.signer.seal(kind, name, parted(text)[0])
        return ""
