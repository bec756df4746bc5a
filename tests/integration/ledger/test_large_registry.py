"""A registry of thousands of triggers: written and read in parts, and never seen half changed."""

from __future__ import annotations

from dataclasses import replace
from threading import Event, Thread
from unittest.mock import patch

import pytest
import redis

from tests.integration.ledger.helpers import task_trigger
from triggers.ledger import Ledger
from triggers.ledger.registry import registry_texts
from triggers.ledger.registry.registry import Entry, Registry, Snapshot

MANY = 1_200


def declared(ledger: Ledger, number: int, **fields: object) -> Snapshot:
    triggers = [task_trigger(f"t{n}", **fields) for n in range(number)]
    return ledger.registry.declare(triggers, origin="script", server_now_ms=1)


def test_reading_in_parts_gives_what_was_written_in_parts(ledger: Ledger, redis_client: redis.Redis) -> None:
    written = declared(ledger, MANY)
    assert len(written.active) == MANY
    assert Registry(ledger.store, ledger.keys).snapshot() == written
    assert [key for key in redis_client.scan_iter(count=1000) if ":staged:" in key] == []
    assert redis_client.ttl(ledger.keys.registry) == -1


def test_no_script_writes_more_than_a_part(ledger: Ledger, redis_client: redis.Redis) -> None:
    sizes = []
    run = type(ledger.store).run

    def counted(self: object, script: object, keys: list[str], *args: str | int | float) -> object:
        sizes.append(len(args))
        return run(self, script, keys, *args)  # type: ignore[arg-type]

    with patch.object(type(ledger.store), "run", counted):
        declared(ledger, MANY)
    assert max(sizes) <= 2 * registry_texts.WRITTEN_AT_ONCE + 2


def test_readers_see_all_of_a_large_change_or_nothing(ledger: Ledger) -> None:
    declared(ledger, MANY)
    stopped, torn = Event(), []

    def read() -> None:
        registry = Registry(ledger.store, ledger.keys)
        while not stopped.is_set():
            paused = [entry.paused for entry in registry.snapshot().active]
            torn.extend({len(paused)} - {MANY})
            torn.extend([sum(paused)] if any(paused) and not all(paused) else [])

    reader = Thread(target=read)
    reader.start()
    try:
        for turn in range(10):
            ledger.registry.edit(lambda known, _: turned(known, turn % 2 == 0))  # noqa: B023
    finally:
        stopped.set()
        reader.join()
    assert torn == []


def turned(known: Snapshot, paused: bool) -> dict[str, Entry | None]:
    return {id_: replace(entry, paused=paused) for id_, entry in known.entries.items()}


def test_an_entry_is_decoded_again_only_where_its_text_changed(ledger: Ledger) -> None:
    declared(ledger, 3)
    before = ledger.registry.snapshot()
    after = ledger.registry.edit(lambda known, _: {"task:t1": replace(known.entries["task:t1"], paused=True)})
    same = {id_ for id_ in before.entries if after.entries[id_] is before.entries[id_]}
    assert same == {"task:t0", "task:t2"}
    assert after.entries["task:t1"].paused


@pytest.mark.parametrize("number", [0, 1, 3])
def test_large_changes_remove_as_small_ones_do(ledger: Ledger, number: int) -> None:
    declared(ledger, 3)
    gone = {f"task:t{n}": None for n in range(number)}
    with patch.object(registry_texts, "ONE_SCRIPT", 0):
        left = ledger.registry.edit(lambda *_: gone)
    assert set(left.entries) == {f"task:t{n}" for n in range(number, 3)}
    assert Registry(ledger.store, ledger.keys).snapshot().entries == left.entries
