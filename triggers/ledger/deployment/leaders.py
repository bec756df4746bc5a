"""The serving process of a scheduler: it declared the triggers and calls their functions. One at a time."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from triggers.base.formats import known_fields
from triggers.ledger import clock, leases
from triggers.ledger.keys import Keys, shared
from triggers.ledger.store import Script, Store

ENTER = Script("home_enter")

_LEASE = "home"


@dataclass(frozen=True, slots=True)
class Leader:
    """A process as it calls itself; `content` is a digest of what it declares."""

    host: str
    pid: int
    script: str
    content: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} ({self.script})"


@dataclass(frozen=True, slots=True)
class Held:
    """Who has the lease, and when it ends unless it is renewed (ms by the clock of Redis)."""

    leader: Leader
    until_ms: int


class Homes:
    """The lease "home" of one scheduler, with the name of its holder."""

    def __init__(self, store: Store, keys: Keys) -> None:
        self.store, self.keys = store, keys

    def enter(self, holder: Leader, seconds: float, *, alone: bool = False) -> tuple[str, Held | None]:
        """Take the lease "home" if it is free: (token, None), otherwise ("", who has it).

        Args:
            holder: who wants it.
            seconds: how long it is held without being renewed.
            alone: take it from any earlier holder, which cannot be alive: we have just started this Redis.
        """
        names = [self.keys.lease(_LEASE), self.keys.home, self.keys.fence]
        who = (leases.nonce(), json.dumps(asdict(holder)), "alone" if alone else "")
        token, other, until = self.store.run(ENTER, names, int(seconds * 1000), *who)
        return str(token), None if token else Held(_holder(other), int(until))

    def renew(self, token: str, seconds: float) -> bool:
        """Renew the lease; False if another process has it."""
        return leases.renew(self.store, self.keys, _LEASE, token, seconds)

    def leave(self, token: str) -> None:
        """Let the next one in at once."""
        leases.release(self.store, self.keys, _LEASE, token)

    def holder(self) -> Leader | None:
        """The serving process, None if there is none."""
        held = self.held()
        return held.leader if held else None

    def held(self) -> Held | None:
        """The serving process and its lease, None if there is none."""
        with self.store.client.pipeline(transaction=True) as pipe:
            pipe.get(self.keys.home)
            pipe.get(self.keys.lease(_LEASE))
            pipe.hget(self.keys.leases, self.keys.lease(_LEASE))
            text, token, known = pipe.execute()
        if token is None:
            return None
        of, _, till = str(known).partition(" ")
        until_ms = int(till) if of == token else 0
        over = of == token and until_ms <= clock.now_ms(self.store.client, self.keys)
        return None if over else Held(_holder(text), until_ms)

    def instance(self) -> str:
        """A name of this Redis' data: the same for all that use it, another once it was emptied."""
        self.store.client.set(shared("instance"), leases.nonce(), nx=True)
        found: Any = self.store.client.get(shared("instance"))
        return str(found)


def _holder(text: str | None) -> Leader:
    try:
        return Leader(**known_fields(Leader, json.loads(text or "")))
    except (ValueError, TypeError, AttributeError, RecursionError):  # nobody, or nobody who can be understood
        return Leader("an unknown host", 0, "unknown", "")
