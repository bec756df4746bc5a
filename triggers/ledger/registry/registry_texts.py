"""The registry's texts in Redis: read and written some at a time, so that Redis is never busy with them for long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, Final, TypeVar

from triggers.ledger.keys import Keys
from triggers.ledger.leases import nonce
from triggers.ledger.store import Script, Store

T = TypeVar("T")

WRITE, STAGE, SWAP = Script("registry_write"), Script("registry_stage"), Script("registry_swap")

#: Entries that one trip reads, about: Redis counts in buckets.
READ_AT_ONCE: Final = 1000
#: Entries that one script writes, and changes that need no more than one script.
WRITTEN_AT_ONCE: Final = 250
ONE_SCRIPT: Final = WRITTEN_AT_ONCE
#: How often a reader begins again because somebody wrote meanwhile; then it takes all in one answer.
_READ_TRIES: Final = 5
#: How long entries wait for the rest of their registry before they are forgotten, ms.
STAGED_MS: Final = 60_000


def read(store: Store, keys: Keys, make: Callable[[str, str], T]) -> tuple[int, dict[str, T]]:
    """The version, and what is made of the text of each entry at that version. One trip for a few hundred entries.

    `make`: (trigger id, text) → what is kept of it; of a large registry, few texts are in memory at a time.
    """
    client = store.client
    for _ in range(_READ_TRIES):
        with client.pipeline(transaction=True) as pipe:
            pipe.get(keys.registry_version)
            pipe.hscan(keys.registry, 0, count=READ_AT_ONCE)
            version, (cursor, texts) = pipe.execute()
        made = _made(texts, make)
        if not cursor:
            return int(version or 0), made
        while cursor:
            answer: Any = client.hscan(keys.registry, cursor, count=READ_AT_ONCE)
            cursor = answer[0]
            made |= _made(answer[1], make)
        if client.get(keys.registry_version) == version:  # else what was read is of two versions
            return int(version or 0), made
    with client.pipeline(transaction=True) as pipe:
        pipe.get(keys.registry_version)
        pipe.hgetall(keys.registry)
        version, texts = pipe.execute()
    return int(version or 0), _made(texts, make)


def _made(texts: Mapping[str, str], make: Callable[[str, str], T]) -> dict[str, T]:
    return {id_: make(id_, text) for id_, text in texts.items()}


def write(
    store: Store, keys: Keys, versions: tuple[int, int], known: Mapping[str, str], changes: Mapping[str, str]
) -> bool:
    """Write changes if nobody has written since `known` was read; all of them become visible at once.

    Args:
        store: where.
        keys: of the scheduler.
        versions: the one that was read, and the new one.
        known: all texts at the version that was read; they do not matter where one script writes the changes.
        changes: trigger id → new text, "" to remove it.
    """
    before, after = versions
    whole = {id_: text for id_, text in {**known, **changes}.items() if text}
    if len(changes) <= ONE_SCRIPT or not whole:
        pairs = [part for pair in changes.items() for part in pair]
        return bool(store.run(WRITE, [keys.registry, keys.registry_version], before, after, *pairs) != -1)
    staged, texts = keys.registry_staged(nonce()), iter(whole.items())
    while part := list(islice(texts, WRITTEN_AT_ONCE)):
        store.run(STAGE, [staged], STAGED_MS, *(text for pair in part for text in pair))
    names = [keys.registry, keys.registry_version, staged, f"{staged}:old"]
    return bool(store.run(SWAP, names, before, after, len(whole)) != -1)
